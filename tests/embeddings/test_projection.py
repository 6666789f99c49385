"""Search vectors: what shortening loses, and that they follow whatever happens to a product."""

import numpy as np
import pytest
from django.db import connection

from catalog.models import Product
from embeddings import projection
from embeddings.models import ProductVector, SearchProjection, SearchVector
from embeddings.projection import fit_axes, make_projection
from tests.factories import BackboneFactory, CategoryFactory, ProductFactory, ProductVectorFactory

pytestmark = pytest.mark.django_db(transaction=True)


def unit(*values):
    return (np.array(values) / np.linalg.norm(values)).tolist()


def served(backbone, vector, **product):
    return ProductVectorFactory(
        product=ProductFactory(**product), backbone=backbone, vector=unit(*vector)
    ).product


@pytest.fixture
def short_axes(monkeypatch):
    monkeypatch.setattr(projection, "SEARCH_DIMENSION", 2)
    monkeypatch.setattr(fit_axes, "__defaults__", (2,))


def test_vectors_that_lie_in_few_dimensions_lose_nothing():
    rng = np.random.default_rng(0)
    plane = np.linalg.qr(rng.standard_normal((6, 2)))[0]
    vectors = (rng.standard_normal((50, 2)) @ plane.T).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    fitted = fit_axes(vectors, 2)

    short = vectors @ fitted.axes.T
    assert fitted.axes @ fitted.axes.T == pytest.approx(np.eye(2), abs=1e-5)
    assert short @ short.T == pytest.approx(vectors @ vectors.T, abs=1e-5)
    assert fitted.cosine_error == pytest.approx(0, abs=1e-5)


def test_the_first_axis_keeps_most_of_the_length():
    vectors = np.array([[0.8, 0.6, 0], [0.8, -0.6, 0], [1, 0, 0]], np.float32)

    fitted = fit_axes(vectors, 1)

    assert np.abs(fitted.axes) == pytest.approx(np.array([[1, 0, 0]]), abs=1e-5)
    assert fitted.cosine_error >= 0


def test_the_database_shortens_new_vectors_as_the_first_filling_did(short_axes):
    backbone = BackboneFactory(dimension=4)
    vectors = [(1, 2, 3, 4), (4, 3, 2, 1), (1, 0, 1, 0), (0, 1, 1, 5)]
    for vector in vectors:
        served(backbone, vector)
    make_projection(backbone)
    filled = [v.vector for v in SearchVector.objects.order_by("product_id")]

    for vector in vectors:
        served(backbone, vector)

    by_trigger = [v.vector for v in SearchVector.objects.order_by("product_id")[4:]]
    assert np.array(by_trigger) == pytest.approx(np.array(filled), abs=2e-3)
    assert len(filled[0]) == 2


def test_search_vectors_follow_product_price_popularity_and_removal():
    backbone = BackboneFactory(dimension=3)
    product = served(backbone, (1, 0, 0), gender="WOMEN", price=10)
    make_projection(backbone)
    other = served(backbone, (0, 1, 0))
    dresses = CategoryFactory(name="Dresses")

    Product.objects.filter(pk=product.pk).update(
        gender="MEN", category=dresses, price=12, is_active=False
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shoppers_productpopularity SET base = 7")

    row = SearchVector.objects.get(product=product)
    assert (row.gender, row.category, row.price, row.is_active) == ("MEN", dresses, 12, False)
    assert list(SearchVector.objects.values_list("popularity", flat=True)) == [7, 7]
    ProductVector.objects.filter(product=other).delete()
    assert SearchVector.objects.get().product == product


def test_a_projection_that_was_left_half_filled_is_made_anew(monkeypatch):
    backbone = BackboneFactory(dimension=3)
    served(backbone, (1, 0, 0))
    with monkeypatch.context() as patch:
        patch.setattr(projection, "_fill_batch", interrupt)
        with pytest.raises(KeyboardInterrupt):
            make_projection(backbone)
    assert not SearchProjection.objects.get().is_filled

    made = make_projection(backbone)

    assert SearchProjection.objects.get() == made
    assert made.is_filled
    assert SearchVector.objects.count() == 1


def interrupt(*_):
    raise KeyboardInterrupt


def test_counting_everything_at_once_rewrites_no_index_entry():
    backbone = BackboneFactory(dimension=512)
    n_products = 30  # their rows fill several pages
    for axis in range(n_products):
        served(backbone, tuple(float(axis == i) for i in range(512)))
    make_projection(backbone)
    hot = "SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = %s"

    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("UPDATE shoppers_productpopularity SET counted = 5")
        cursor.execute(hot, ["embeddings_searchvector"])
        n_hot = cursor.fetchone()[0]
        cursor.execute("COMMIT")

    assert n_hot == n_products
