"""Retrieval: which path answers, and how far the index streams are read before it is enough."""

import json
from dataclasses import dataclass
from math import inf, log10
from typing import Literal

from catalog.database import reading_connection
from embeddings.indexes import SearchIndexes, gender_list, search_indexes
from embeddings.neighbours import MAX_EF_SEARCH
from recommender.candidates import StreamSizes, rank_candidates
from recommender.conditions import row_filters, stock_filter
from recommender.exact import rank_exactly
from recommender.filtered import rank_filtered
from recommender.formula import parameters
from recommender.nearby import MAX_NEARBY, n_nearby_of
from recommender.ranking import RankingSettings
from recommender.relevance import Query, RankedProduct
from recommender.short_lists import Rail

Path = Literal["exact", "index"]

# How many neighbours are read at first: by the tenfold of the catalogue, as the cosine falls with
# the logarithm of the rank. Measured by `python -m benchmarks recommendations` (README, Speed).
NEIGHBOURS_PER_TENFOLD = 50
NEIGHBOURS_OF_ONE = -90
MIXED = 1.5  # times as many where looks do not rank alone
N_TRENDING, N_SHORT = 50, 32
SHORT_PER_K = 2  # a short list holds at least so many times k
WIDENING = 4  # times the neighbours that were not enough
# Of so few products that pass all filters, every one is looked at: an index scan would throw nearly
# everything away that it finds. Of a million products a category left 26,000: by the index their
# recall@5 was .23, in 250 ms a shopper; this way 1.00, in 100 ms.
FEW_ROWS = 50_000
FILTERED_SHORT = 128  # proves 99 of 100 rails of those 26,000, 64 prove 95

COUNT_MATCHING = """
EXPLAIN (FORMAT JSON) SELECT 1 FROM embeddings_searchvector n
WHERE n.projection_id = {projection_id} AND n.gender IN ({genders}) AND n.is_active{filters}
"""


@dataclass(frozen=True)
class Ranking:
    """The top k of every purchase, and how they came about."""

    rows: list[RankedProduct]  # by purchase as asked, best first within one
    proven: frozenset[int]  # purchases whose top k no product that was not looked at can enter
    n_statements: int


def rank_for_purchases(
    query: Query,
    settings: RankingSettings,
    *,
    path: Path | None = None,
    start: StreamSizes | None = None,
) -> Ranking:
    """The top `settings.k` candidates of every purchase; ties go to the smaller product key.

    The index path reads its streams a little, and farther for the purchases whose answer that can
    still prove. Cost: one statement, and one per widening.

    Args:
        query: whom for, and which candidates count.
        settings: weights, exponent, k and backbone.
        path: "index" or "exact"; by default the index, where there is one, and a look at all that
            passes the filters where that is little.
        start: how far the index streams are read at first, by default by the catalogue's size.
    """
    indexes = None if path == "exact" else search_indexes(settings.backbone)
    if indexes is None:
        rows = rank_exactly(query, settings)
        return Ranking(rows, frozenset(query.purchase_ids), 1)
    if path is None and _leaves_few(query, settings, indexes):
        n_short = max(FILTERED_SHORT, SHORT_PER_K * settings.k)
        rails = rank_filtered(query, settings, indexes, n_short)
        return _ranking(query, settings, rails, 1)
    return _by_index(query, settings, indexes, start or start_sizes(settings, indexes.n_rows))


def start_sizes(settings: RankingSettings, n_rows: int) -> StreamSizes:
    """How far the streams are read at first, of an index of `n_rows`."""
    n_short = max(N_SHORT, SHORT_PER_K * settings.k)
    n_trending = max(N_TRENDING, n_short)
    n_nearby = n_nearby_of(n_rows)
    if settings.weight_visual == 0:
        return StreamSizes(1, n_trending, n_short, n_nearby)
    n_neighbours = NEIGHBOURS_PER_TENFOLD * log10(max(n_rows, 1)) + NEIGHBOURS_OF_ONE
    others = settings.weight_category or settings.weight_proximity
    if others or settings.weight_visual < settings.weight_popularity:
        n_neighbours *= MIXED
    # In steps of ten, as each number is a statement that is planned anew.
    n_neighbours = max(2 * n_short, 10 * round(n_neighbours / 10))
    return StreamSizes(min(n_neighbours, MAX_EF_SEARCH), n_trending, n_short, n_nearby)


def _leaves_few(query: Query, settings: RankingSettings, indexes: SearchIndexes) -> bool:
    """Whether the planner expects few products to pass the filters."""
    if not query.is_filtered:
        return False
    sql = COUNT_MATCHING.format(
        projection_id=indexes.projection_id,
        genders=gender_list(frozenset(query.genders)),
        filters=row_filters(query, "n") + stock_filter(query, "n"),
    )
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, parameters(query, settings))
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return plan[0]["Plan"]["Plan Rows"] <= FEW_ROWS


def _by_index(
    query: Query, settings: RankingSettings, indexes: SearchIndexes, sizes: StreamSizes
) -> Ranking:
    rails = rank_candidates(query, settings, indexes, sizes)
    n_statements = 1
    if wanted := _worth_widening(rails, settings):
        rails |= rank_candidates(query.only(wanted), settings, indexes, _wider(sizes))
        n_statements += 1
    unfilled = {
        pk for pk in query.purchase_ids if pk not in rails or rails[pk].is_unfilled(settings)
    }
    if unfilled:
        rails |= _exact_rails(query.only(unfilled), settings)
        n_statements += 1
    return _ranking(query, settings, rails, n_statements)


def _ranking(
    query: Query, settings: RankingSettings, rails: dict[int, Rail], n_statements: int
) -> Ranking:
    proven = {pk for pk, rail in rails.items() if rail.slack(settings) >= 0}
    rows = [row for pk in query.purchase_ids if pk in rails for row in rails[pk].rows]
    empty = set(query.purchase_ids) - rails.keys()  # everything was looked at, and nothing found
    return Ranking(rows, frozenset(proven | empty), n_statements)


def _wider(sizes: StreamSizes) -> StreamSizes:
    return StreamSizes(
        n_neighbours=min(WIDENING * sizes.n_neighbours, MAX_EF_SEARCH),
        n_trending=WIDENING * sizes.n_trending,
        n_short=2 * sizes.n_short,
        n_nearby=min(WIDENING * sizes.n_nearby, MAX_NEARBY),
    )


def _worth_widening(rails: dict[int, Rail], settings: RankingSettings) -> set[int]:
    """Purchases that are not proven, but would be if the cosine fell on as it has.

    Over four times as many neighbours it falls by about what it fell over the last three quarters:
    in these spaces it falls with the logarithm of the rank.
    """
    worth = set()
    for purchase_id, rail in rails.items():
        slack = rail.slack(settings)
        if slack < 0 <= slack + settings.weight_visual * rail.cosine_decline:
            worth.add(purchase_id)
    return worth


def _exact_rails(query: Query, settings: RankingSettings) -> dict[int, Rail]:
    rails: dict[int, Rail] = {}
    for row in rank_exactly(query, settings):
        rails.setdefault(row.purchase_id, Rail([], -inf)).rows.append(row)
    return rails
