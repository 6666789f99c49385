"""The batch ranking and the SQL ranking are two ways to the same answer."""

import numpy as np
import pytest

from catalog.models import Gender
from embeddings.services import primary_vectors
from recommender.batch import PurchaseArrays, top_k
from recommender.evaluation.catalogue import load_catalogue
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
from tests.recommender.test_relevance import random_world  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("filter_gender", [True, False])
def test_batch_and_sql_rank_alike(random_world, filter_gender):  # noqa: F811
    random_world.shopper("item-03", "item-20", trendiness=0.3, gender=Gender.GIRLS)
    shopper = random_world.shopper(
        "item-41", "item-07", "item-30", trendiness=0.8, gender=Gender.MEN, external_id="bob"
    )
    settings = RankingSettings.from_profile(default_profile()).with_changes(
        weight_category=0.4, penalty_exponent=3.0, k=9, filter_gender=filter_gender
    )
    catalogue = load_catalogue()
    with_vector, vectors = primary_vectors(backbone=random_world.backbone)
    rows = np.searchsorted(catalogue.product_ids, with_vector)
    matrix = np.zeros((len(catalogue.product_ids), vectors.shape[1]), np.float32)
    matrix[rows] = vectors
    has_vector = np.isin(catalogue.product_ids, with_vector)
    answer = recommend(shopper=shopper, settings=settings, path="exact")
    bought = [rail.because.product.pk for rail in answer.rails]
    ranked = top_k(
        products=catalogue.product_arrays(matrix, has_vector),
        shoppers=catalogue.shopper_arrays(),
        purchases=PurchaseArrays(
            shoppers=np.full(3, np.searchsorted(catalogue.shopper_ids, shopper.pk)),
            products=np.searchsorted(catalogue.product_ids, bought),
        ),
        settings=settings,
    )
    for row, rail in enumerate(answer.rails):
        keys = catalogue.product_ids[ranked.products[row]].tolist()
        assert keys == [item.product.pk for item in rail.items]
        relevance = [item.relevance for item in rail.items]
        assert ranked.relevance[row].tolist() == pytest.approx(relevance, abs=1e-3)
