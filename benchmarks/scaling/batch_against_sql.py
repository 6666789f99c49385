"""Everyone's recommendations in batch, and some shoppers' one by one in SQL, in turn."""

import time
from typing import Any

import numpy as np

from catalog.models import Gender
from embeddings.models import Backbone
from recommender.batch.loading import load_products
from recommender.nightly.lists import recommended_lists
from recommender.nightly.services import SHOPPERS_PER_BATCH
from recommender.nightly.shoppers import shopper_batches
from recommender.ranking import RankingSettings
from recommender.relevance import Query
from recommender.retrieval import rank_for_purchases
from shoppers.models import Purchase, Shopper

N_TURNS = 3
SERVED, EXACT = "sql_path", "exact_sql"


def compare(backbone: Backbone, *, n_asked: int, seed: int) -> dict[str, Any]:
    """Milliseconds a shopper of either way, and how many times faster the batch is.

    SQL is asked as the service asks it, by whichever path it chooses, and by the exact one; each
    shopper with all their purchases. The batch reads its shoppers, ranks and merges them.
    """
    settings = RankingSettings(
        profile_name="benchmark",
        weight_visual=0.7,
        weight_popularity=0.2,
        weight_category=0.1,
        penalty_exponent=2.0,
        k=5,
        filter_gender=True,
        backbone=backbone,
    )
    queries = _queries(n_asked, seed)
    for path in (None, "exact"):  # once, so that plans and pages are warm
        rank_for_purchases(queries[0], settings, path=path)
    turns = [_turn(queries, settings) for _ in range(N_TURNS)]
    n_shoppers, load_seconds = turns[0].pop("shoppers"), turns[0]["load_seconds"]
    milliseconds = {name: [turn[name] for turn in turns] for name in ("batch", SERVED, EXACT)}
    ratios = {
        f"ratio_to_{name}": [turn[name] / turn["batch"] for turn in turns]
        for name in (SERVED, EXACT)
    }
    return {
        "shoppers": n_shoppers,
        "shoppers_asked_in_sql": len(queries),
        "turns": N_TURNS,
        "load_catalogue_seconds": round(load_seconds, 2),
        "shoppers_per_second": round(1000 / float(np.median(milliseconds["batch"])), 1),
        **{f"{name}_ms_per_shopper": _spread(values) for name, values in milliseconds.items()},
        **{name: _spread(values) for name, values in ratios.items()},
    }


def _turn(queries: list[Query], settings: RankingSettings) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, path in ((SERVED, None), (EXACT, "exact")):
        started = time.perf_counter()
        for query in queries:
            rank_for_purchases(query, settings, path=path)
        figures[name] = 1000 * (time.perf_counter() - started) / len(queries)
    started = time.perf_counter()
    products = load_products(settings.backbone)
    figures["load_seconds"] = time.perf_counter() - started
    started, n_shoppers = time.perf_counter(), 0
    for batch in shopper_batches(products.arrays.product_ids, SHOPPERS_PER_BATCH):
        recommended_lists(products, batch, settings, length=20)
        n_shoppers += len(batch.external_ids)
    figures["batch"] = 1000 * (time.perf_counter() - started) / n_shoppers
    return figures | {"shoppers": n_shoppers}


def _queries(n: int, seed: int) -> list[Query]:
    """What the service would ask for `n` shoppers, drawn by the seed."""
    keys = np.array(Shopper.objects.order_by("pk").values_list("pk", flat=True))
    drawn = np.random.default_rng(seed).choice(keys, min(n, len(keys)), replace=False)
    return [_query(shopper) for shopper in Shopper.objects.filter(pk__in=drawn.tolist())]


def _query(shopper: Shopper) -> Query:
    bought = list(Purchase.objects.filter(shopper=shopper).order_by("-purchased_at"))
    products = [purchase.product_id for purchase in bought]
    return Query(
        trendiness=shopper.trendiness,
        purchase_ids=[purchase.pk for purchase in bought],
        product_ids=products,
        excluded_product_ids=products,
        genders=sorted(Gender(shopper.gender).compatible()),
    )


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(float(np.median(values)), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
    }
