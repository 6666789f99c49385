"""Nightly lists: everyone's recommendations into one file."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recommender.batch.loading import load_products
from recommender.merchandising.rules import holding_rules
from recommender.nightly.export import whole_file, write_header, write_lists
from recommender.nightly.lists import recommended_lists
from recommender.nightly.shoppers import shopper_batches
from recommender.ranking import MAX_K, RankingError, RankingSettings
from shoppers.models import Shopper

# Larger batches compute a product's neighbours less often; 100,000 shoppers with five purchases
# and five recommendations for each take some 0.3 GB.
SHOPPERS_PER_BATCH = 100_000


@dataclass(frozen=True)
class NightlySummary:
    """What was written."""

    n_shoppers: int
    n_recommendations: int
    seconds: float


def recommend_all(
    *,
    settings: RankingSettings,
    output: Path,
    length: int = 20,
    shoppers_per_batch: int = SHOPPERS_PER_BATCH,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> NightlySummary:
    """Write what `recommender.services.recommend` would answer every shopper, merged, as CSV.

    Who bought nothing yet gets what is popular: carts, favourites and views are not looked at here.
    Exact, by the catalogue, the popularity and the shop's rules at its start. Nothing is logged:
    these lists are computed, not shown. The file replaces an earlier one once it is complete.
    Memory holds the catalogue's vectors and one batch of shoppers, however many there are.

    Args:
        settings: weights, exponent, k per purchase and backbone.
        output: the CSV file; `recommender.nightly.export.COLUMNS` are its columns.
        length: recommendations per shopper, at most.
        shoppers_per_batch: how many are ranked at a time.
        on_progress: called with the shoppers done and their number.

    Raises:
        OutputError: no file can be written there.
        RankingError: an impossible length or batch, or a profile in which proximity counts.
    """
    if settings.weight_proximity:
        raise RankingError("lists for everybody know no distances; use a profile without proximity")
    if not 1 <= length <= MAX_K:
        raise RankingError(f"the length must be from 1 to {MAX_K}; got {length}")
    if shoppers_per_batch < 1:
        raise RankingError(f"a batch needs at least 1 shopper; got {shoppers_per_batch}")
    started = time.monotonic()
    n_shoppers = n_recommendations = 0
    with whole_file(output) as file:
        write_header(file)
        total = Shopper.objects.count()
        products, rules = load_products(settings.backbone), holding_rules()
        on_progress(0, total)
        for batch in shopper_batches(products.arrays.product_ids, shoppers_per_batch):
            lists = recommended_lists(products, batch, settings, length=length, rules=rules)
            write_lists(file, lists, batch.external_ids, products)
            n_shoppers += len(batch.external_ids)
            n_recommendations += len(lists.products)
            on_progress(n_shoppers, max(total, n_shoppers))
    return NightlySummary(n_shoppers, n_recommendations, time.monotonic() - started)
