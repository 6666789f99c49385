"""The products nearest to a photo's vector: exactly, by index, and through any filter."""

from math import sqrt

import numpy as np
import pytest

from catalog.models import Product
from embeddings.indexes import ensure_search_indexes
from embeddings.photo_search import nearest
from embeddings.photo_search.nearest import nearest_products
from tests.factories import BackboneFactory, ProductFactory, ProductVectorFactory

QUERY = [1.0, 0.0, 0.0]


def unit(*values):
    length = sqrt(sum(value * value for value in values))
    return [value / length for value in values]


def ids_of(neighbours):
    found = Product.objects.in_bulk([n.product_id for n in neighbours])
    return [found[n.product_id].item_id for n in neighbours]


@pytest.fixture
def hand_placed(db):
    backbone = BackboneFactory()
    for item_id, vector in {
        "far": (0, 0, 1),
        "near": (3, 4, 0),
        "same": (1, 0, 0),
        "tie": (3, 0, 4),
        "opposite": (-1, 0, 0),
    }.items():
        product = ProductFactory(item_id=item_id)
        ProductVectorFactory(product=product, backbone=backbone, vector=unit(*vector))
    retired = ProductFactory(item_id="retired", is_active=False)
    ProductVectorFactory(product=retired, backbone=backbone, vector=QUERY)
    ProductVectorFactory(backbone=BackboneFactory(), vector=QUERY)
    return backbone


def test_the_nearest_come_first_with_their_cosines_and_ties_by_key(hand_placed):
    found = nearest_products(vector=QUERY, backbone=hand_placed, k=4)
    assert ids_of(found) == ["same", "near", "tie", "far"]
    assert [n.cosine_similarity for n in found] == pytest.approx([1, 0.6, 0.6, 0], abs=1e-3)


def test_a_filter_narrows_and_never_reorders(hand_placed):
    chosen = Product.objects.filter(item_id__in=["far", "tie", "retired"]).order_by("-id")
    found = nearest_products(vector=QUERY, backbone=hand_placed, k=4, products=chosen)
    assert ids_of(found) == ["tie", "far"]


def test_nothing_passes_a_filter_that_nothing_meets(hand_placed):
    none = Product.objects.none()
    assert nearest_products(vector=QUERY, backbone=hand_placed, k=4, products=none) == []


@pytest.fixture
def indexed(transactional_db):
    """Two hundred women's and unisex products with indexes on search vectors."""
    backbone, random = BackboneFactory(dimension=8), np.random.default_rng(3)
    for number in range(200):
        product = ProductFactory(
            item_id=str(number), gender=("WOMEN", "UNISEX")[number % 2], price=number
        )
        vector = unit(*random.standard_normal(8).tolist())
        ProductVectorFactory(product=product, backbone=backbone, vector=vector)
    assert ensure_search_indexes(backbone, min_rows=50)
    return backbone


def exact(monkeypatch, **arguments):
    monkeypatch.setattr(nearest, "search_indexes", lambda backbone: None)
    found = nearest_products(**arguments)
    monkeypatch.undo()
    return found


def test_the_index_finds_what_looking_at_all_finds(indexed, monkeypatch):
    query = unit(*np.random.default_rng(4).standard_normal(8).tolist())
    cheap = Product.objects.filter(price__lt=60)
    women = Product.objects.filter(gender="WOMEN")
    monkeypatch.setattr(nearest, "MAX_EF_SEARCH", 100)  # so that the rarest are not among them
    for products, genders in (
        (None, []),
        (cheap, []),
        (women, ["WOMEN"]),
        (women, ["WOMEN", "MEN"]),
        (cheap.filter(price__gt=50), []),
    ):
        asked = {"vector": query, "backbone": indexed, "k": 10, "products": products}
        found = nearest_products(**asked, genders=genders)
        with monkeypatch.context() as patch:
            expected = exact(patch, **asked)
        assert found == expected
        assert len(found) == min(10, 200 if products is None else products.count())
