"""One list per shopper, from the best candidates of their purchases or from popularity alone."""

from dataclasses import dataclass, replace

import numpy as np

from recommender.batch import ProductArrays, PurchaseArrays, ShopperArrays, TopK, top_k
from recommender.batch.loading import LoadedProducts
from recommender.nightly.shoppers import ShopperBatch
from recommender.ranking import RankingSettings


@dataclass(frozen=True)
class Lists:
    """`r` rows, by shopper and rank; positions in the batch and in the catalogue."""

    shoppers: np.ndarray  # (r,)
    ranks: np.ndarray  # (r,) from 1
    products: np.ndarray  # (r,)
    because_of: np.ndarray  # (r,) the bought product; -1: none, popularity alone
    terms: np.ndarray  # (r, 4) relevance, visual, popularity, category


def recommended_lists(
    products: LoadedProducts, batch: ShopperBatch, settings: RankingSettings, *, length: int
) -> Lists:
    """What `recommender.services.recommend` merges, the first `length`, for a batch of shoppers.

    Whose purchases lead to nothing gets what is popular and in line with their trendiness.
    """
    best = top_k(
        products=products.arrays,
        shoppers=batch.arrays,
        purchases=batch.purchases,
        settings=settings,
    )
    personal = merged(best, batch.purchases, length=length)
    others = np.setdiff1d(np.arange(len(batch.external_ids)), personal.shoppers)
    popular = _popular(products, batch.arrays, others, settings, length=length)
    return _in_order(personal, popular)


def merged(best: TopK, purchases: PurchaseArrays, *, length: int) -> Lists:
    """Each shopper's rails in one list: a product once, where it is most relevant.

    Rails come newest purchase first; of equal relevance the newer one explains it, and in the list
    the smaller key is first.
    """
    rows, places = np.nonzero(best.products >= 0)
    shoppers, found = purchases.shoppers[rows], best.products[rows, places]
    relevance = best.relevance[rows, places]
    by_product = np.lexsort((-relevance, found, shoppers))
    is_first = np.ones(len(by_product), dtype=bool)
    is_first[1:] = (np.diff(shoppers[by_product]) != 0) | (np.diff(found[by_product]) != 0)
    once = by_product[is_first]
    once = once[np.lexsort((found[once], -relevance[once], shoppers[once]))]
    ranks = np.arange(len(once)) - np.searchsorted(shoppers[once], shoppers[once])
    once, ranks = once[ranks < length], ranks[ranks < length]
    rows, places = rows[once], places[once]
    terms = (best.relevance, best.visual, best.popularity, best.category)
    return Lists(
        shoppers=shoppers[once],
        ranks=ranks + 1,
        products=found[once],
        because_of=purchases.products[rows],
        terms=np.stack([term[rows, places] for term in terms], axis=1),
    )


def _popular(
    products: LoadedProducts,
    shoppers: ShopperArrays,
    rows: np.ndarray,
    settings: RankingSettings,
    *,
    length: int,
) -> Lists:
    """For the shoppers at `rows`: products on sale by |NormPop - t|, with a vector or without."""
    arrays = replace(products.arrays, is_candidate=products.is_active)
    by_distance = replace(
        settings,
        weight_visual=0.0,
        weight_popularity=1.0,
        weight_category=0.0,
        penalty_exponent=1.0,
        k=length,
    )
    nobodys = PurchaseArrays(rows, np.zeros(len(rows), np.int64))  # their products have no weight
    best = top_k(products=arrays, shoppers=shoppers, purchases=nobodys, settings=by_distance)
    found = np.nonzero(best.products >= 0)
    return Lists(
        shoppers=rows[found[0]],
        ranks=found[1] + 1,
        products=best.products[found],
        because_of=np.full(len(found[0]), -1),
        terms=_popularity_terms(arrays, shoppers, rows[found[0]], best.products[found], settings),
    )


def _popularity_terms(
    products: ProductArrays,
    shoppers: ShopperArrays,
    rows: np.ndarray,
    found: np.ndarray,
    settings: RankingSettings,
) -> np.ndarray:
    gap = np.abs(products.normalized_popularity[found] - shoppers.trendiness[rows])
    term = settings.weight_popularity * (1 - gap**settings.penalty_exponent)
    none = np.zeros(len(term))
    return np.stack([term, none, term, none], axis=1)


def _in_order(personal: Lists, popular: Lists) -> Lists:
    parts = {
        name: np.concatenate([getattr(personal, name), getattr(popular, name)])
        for name in ("shoppers", "ranks", "products", "because_of", "terms")
    }
    order = np.argsort(parts["shoppers"], kind="stable")  # ranks ascend within either
    return Lists(**{name: values[order] for name, values in parts.items()})
