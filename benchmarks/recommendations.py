"""One shopper's recommendations: index candidates, exact SQL, and a per-candidate loop."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from benchmarks.figures import spread_ms
from benchmarks.synthetic import empty_database, fill_catalogue
from catalog.models import Gender, Product
from embeddings.indexes import ensure_search_indexes
from embeddings.models import Backbone, ProductVector
from recommender.ranking import RankingSettings, default_profile
from recommender.relevance import Query, RankedProduct
from recommender.retrieval import rank_for_purchases
from shoppers.models import ProductPopularity, Purchase, Shopper

N_PURCHASES = 5


def run(
    *, n_products: int, dimension: int, n_shoppers: int, n_loop_shoppers: int, seed: int
) -> dict[str, Any]:
    """Load, index, then time the three in turn for each shopper. Returns the named figures."""
    rng = np.random.default_rng(seed)
    empty_database()
    backbone = fill_catalogue(rng, n_products, dimension)
    started = time.perf_counter()
    ensure_search_indexes(backbone)
    index_seconds = time.perf_counter() - started
    queries = [_shopper_query(rng, n_products, n) for n in range(n_shoppers)]
    settings = RankingSettings.from_profile(default_profile()).with_changes(
        backbone=backbone, weight_visual=0.7, weight_popularity=0.2, weight_category=0.1
    )
    catalogue = LoadedCatalogue(backbone)
    times: dict[str, list[float]] = {"index": [], "exact": [], "loop": []}
    overlaps = []
    for n, query in enumerate(queries):
        index = _timed(times["index"], rank_for_purchases, query, settings, path="index").rows
        exact = _timed(times["exact"], rank_for_purchases, query, settings, path="exact").rows
        overlaps += _overlaps(exact, index)
        if n < n_loop_shoppers:
            _timed(times["loop"], catalogue.loop, query, settings)
    exact_p50 = float(np.median(times["exact"]))
    return {
        "data": f"{n_products} synthetic products, {dimension}-d clusters, seed {seed}",
        "settings": {"shoppers": n_shoppers, "purchases": N_PURCHASES, "k": settings.k},
        "index_build_seconds": round(index_seconds, 1),
        "index": spread_ms(times["index"])
        | {
            "recall_at_5": round(float(np.mean(overlaps)), 4),
            "n_rails": len(overlaps),
            "ratio_to_exact_sql": round(exact_p50 / float(np.median(times["index"])), 2),
        },
        "exact_sql": spread_ms(times["exact"])
        | {"ratio_to_naive_loop": round(float(np.median(times["loop"])) / exact_p50, 1)},
        "naive_loop": spread_ms(times["loop"]),
    }


class LoadedCatalogue:
    """The public implementation's way, re-implemented from its description: everything in memory,
    a Python loop over all candidates, one `.item()` each.
    """

    def __init__(self, backbone: Backbone) -> None:
        import torch

        rows = ProductVector.objects.filter(backbone=backbone).order_by("product_id")
        columns = rows.values_list("product_id", "vector", "gender", "category_id")
        self.ids, vectors, self.genders, self.categories = zip(*columns, strict=True)
        self.vectors = torch.tensor(np.array(vectors, dtype=np.float32))
        self.popularity = dict(ProductPopularity.objects.values_list("product_id", "popularity"))
        self.low, self.high = min(self.popularity.values()), max(self.popularity.values())

    def loop(self, query: Query, settings: RankingSettings) -> list[list[tuple[float, int]]]:
        """The top k of each purchase as (relevance, product key)."""
        return [self._rail(product_id, query, settings) for product_id in query.product_ids]

    def _rail(
        self, bought: int, query: Query, settings: RankingSettings
    ) -> list[tuple[float, int]]:
        from torch.nn.functional import cosine_similarity

        anchor = self.ids.index(bought)
        scored = []
        for n, product_id in enumerate(self.ids):
            if product_id in query.excluded_product_ids or self.genders[n] not in query.genders:
                continue
            cosine = cosine_similarity(self.vectors[anchor], self.vectors[n], dim=0).item()
            norm = (self.popularity[product_id] - self.low) / (self.high - self.low)
            gap = abs(norm - query.trendiness) ** settings.penalty_exponent
            relevance = settings.weight_visual * cosine + settings.weight_popularity * (1 - gap)
            alike = 1.0 if self.categories[n] == self.categories[anchor] else 0.1
            scored.append((relevance + settings.weight_category * alike, product_id))
        return sorted(scored, key=lambda pair: (-pair[0], pair[1]))[: settings.k]


def _shopper_query(rng: np.random.Generator, n_products: int, n: int) -> Query:
    gender = rng.choice([Gender.WOMEN, Gender.MEN])
    compatible = sorted(Gender(gender).compatible())
    candidates = Product.objects.filter(gender__in=compatible, pk__in=_sample(rng, n_products))
    bought = list(candidates[:N_PURCHASES])
    shopper = Shopper.objects.create(
        external_id=f"s{n}", gender=gender, trendiness=float(rng.random())
    )
    purchases = Purchase.objects.bulk_create(
        Purchase(shopper=shopper, product=product, purchased_at=timezone.now())
        for product in bought
    )
    return Query(
        trendiness=shopper.trendiness,
        purchase_ids=[purchase.pk for purchase in purchases],
        product_ids=[product.pk for product in bought],
        excluded_product_ids=[product.pk for product in bought],
        genders=compatible,
    )


def _sample(rng: np.random.Generator, n_products: int) -> list[int]:
    keys: NDArray[np.int64] = rng.integers(1, n_products + 1, 200)  # restarted identities
    return keys.tolist()


def _timed(times: list[float], action: Callable[..., Any], *args: Any, **options: Any) -> Any:
    started = time.perf_counter()
    result = action(*args, **options)
    times.append(time.perf_counter() - started)
    return result


def _overlaps(exact: list[RankedProduct], index: list[RankedProduct]) -> list[float]:
    """Per rail, the share of the exact top k that the index path found; ties count as found."""
    overlaps = []
    for purchase_id in {row.purchase_id for row in exact}:
        wanted = [row for row in exact if row.purchase_id == purchase_id]
        found = {row.product_id for row in index if row.purchase_id == purchase_id}
        worst = min((r.terms.relevance for r in index if r.purchase_id == purchase_id), default=2)
        hits = sum(r.product_id in found or r.terms.relevance <= worst + 1e-4 for r in wanted)
        overlaps.append(hits / len(wanted))
    return overlaps
