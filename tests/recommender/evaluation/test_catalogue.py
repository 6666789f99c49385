"""What is read of the database, and that ranking it in numpy is ranking it in SQL."""

import numpy as np
import pytest

from catalog.models import CategorySimilarity, Gender, Product
from recommender.batch import GENDERS, top_k
from recommender.evaluation.catalogue import load_catalogue, load_vectors
from recommender.evaluation.experiment import paper_settings
from recommender.services import recommend
from shoppers.models import Purchase, Shopper
from tests.factories import ProductFactory, ShopperFactory
from tests.recommender.evaluation.shops import hand_placed_shop

pytestmark = pytest.mark.django_db


def test_products_and_popularity_are_in_order_of_their_keys():
    world = hand_placed_shop()
    Product.objects.filter(item_id="p3").update(is_active=False)
    catalogue = load_catalogue()
    assert catalogue.product_ids.tolist() == [world.products[f"p{n}"].pk for n in range(12)]
    assert catalogue.is_active.tolist() == [n != 3 for n in range(12)]
    assert catalogue.base_popularity.tolist() == [10 * n for n in range(12)]
    bought = (1, 2, 5, 4, 7, 8)
    assert catalogue.popularity.tolist() == [10 * n + (n in bought) for n in range(12)]
    genders = [GENDERS[code] for code in catalogue.genders]
    assert genders == [Gender.WOMEN if n % 3 else Gender.MEN for n in range(12)]
    assert catalogue.has_several_genders
    assert not catalogue.has_segmentation_maps


def test_the_similarity_of_categories_is_that_of_the_view():
    world = hand_placed_shop()
    dress, pants = world.products["p1"].category, world.products["p0"].category
    a, b = sorted((dress, pants), key=lambda category: category.pk)
    CategorySimilarity.objects.create(a=a, b=b, similarity=0.35)
    catalogue = load_catalogue()
    rows = catalogue.categories
    assert catalogue.category_similarity[rows[1], rows[0]] == 0.35
    assert catalogue.category_similarity[rows[0], rows[1]] == 0.35
    assert catalogue.category_similarity[rows[1], rows[3]] == 1.0


def test_purchases_are_chronological_and_shoppers_without_any_are_not_read():
    hand_placed_shop()
    ShopperFactory()
    catalogue = load_catalogue()
    assert len(catalogue.shopper_ids) == 3
    times = [
        at.timestamp()
        for at in Purchase.objects.order_by("purchased_at").values_list("purchased_at", flat=True)
    ]
    assert catalogue.history.times.tolist() == times
    first = Purchase.objects.order_by("purchased_at", "pk").first()
    assert catalogue.product_ids[catalogue.history.products[0]] == first.product_id
    assert catalogue.shopper_ids[catalogue.history.shoppers[0]] == first.shopper_id


def test_a_product_without_a_vector_keeps_its_place_and_is_no_candidate():
    world = hand_placed_shop()
    world.products["p4"].vectors.all().delete()
    catalogue = load_catalogue()
    vectors, has_vector = load_vectors(catalogue, world.backbone)
    assert vectors.shape == (12, 4)
    assert has_vector.tolist() == [n != 4 for n in range(12)]
    assert not vectors[4].any()
    assert np.linalg.norm(vectors[has_vector], axis=1) == pytest.approx(np.ones(11), abs=1e-6)
    assert not catalogue.product_arrays(vectors, has_vector).is_candidate[4]
    assert len(catalogue.purchases_with_vector(has_vector).products) == 5


def test_products_imported_after_the_catalogue_was_read_are_left_out():
    world = hand_placed_shop()
    catalogue = load_catalogue()
    world.add("later", (1, 0, 0, 0))
    vectors, has_vector = load_vectors(catalogue, world.backbone)
    assert (vectors.shape, has_vector.sum()) == ((12, 4), 12)


def test_the_batch_recommends_what_the_database_recommends():
    world = hand_placed_shop()
    ProductFactory(category=world.products["p0"].category)  # active without a vector
    catalogue = load_catalogue()
    vectors, has_vector = load_vectors(catalogue, world.backbone)
    settings = paper_settings(world.backbone, k=4)
    purchases = catalogue.purchases_with_vector(has_vector)
    found = top_k(
        products=catalogue.product_arrays(vectors, has_vector),
        shoppers=catalogue.shopper_arrays(),
        purchases=purchases,
        settings=settings,
    )
    n_compared = 0
    for shopper in Shopper.objects.all():
        for rail in recommend(shopper=shopper, settings=settings, path="exact").rails:
            place = np.searchsorted(catalogue.product_ids, rail.because.product.pk)
            shopper_place = np.searchsorted(catalogue.shopper_ids, shopper.pk)
            (row,) = np.flatnonzero(
                (purchases.products == place) & (purchases.shoppers == shopper_place)
            )
            expected = [item.product.pk for item in rail.items]
            assert catalogue.product_ids[found.products[row]].tolist() == expected
            relevance = [item.relevance for item in rail.items]
            assert found.relevance[row] == pytest.approx(relevance, abs=1e-5)
            n_compared += 1
    assert n_compared == len(purchases.products) == 6
