"""One list per shopper, from the best candidates of their purchases or from popularity alone."""

import numpy as np

from recommender.batch.loading import LoadedProducts
from recommender.merchandising.rules import NO_RULES, Rules
from recommender.nightly.list_rows import Lists, in_order, merged
from recommender.nightly.merchandising import Merchandising, top_k_with_boosts
from recommender.nightly.pins import with_pins
from recommender.nightly.popular import popular_lists
from recommender.nightly.shoppers import ShopperBatch
from recommender.ranking import RankingSettings


def recommended_lists(
    products: LoadedProducts,
    batch: ShopperBatch,
    settings: RankingSettings,
    *,
    length: int,
    rules: Rules = NO_RULES,
) -> Lists:
    """What `recommender.services.recommend` merges, the first `length`, for a batch of shoppers.

    Whose purchases lead to nothing gets what is popular and in line with their trendiness.
    """
    shop = Merchandising.of(rules, products)
    longer = length + len(shop.pins)  # what is pinned leaves its place
    best = top_k_with_boosts(products, batch.arrays, batch.purchases, settings, shop)
    personal = merged(best, batch.purchases, length=longer)
    others = np.setdiff1d(np.arange(len(batch.external_ids)), personal.shoppers)
    popular = popular_lists(products, batch.arrays, others, settings, shop, length=longer)
    lists = in_order(personal, popular)
    return with_pins(lists, products, batch, settings, shop, length=length)
