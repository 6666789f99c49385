"""Rankings of a gallery for each query, and what they are worth. One value per query.

NaN is no value: the query has no such label, or nothing in the gallery has its value. Precision@5
is the exception: there it is 0, as all five that a shopper is shown are wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

QUERIES_AT_ONCE = 256
RECALLS = (1, 5, 10)
PRECISION_AT, NDCG_AT = 5, 10
METRICS = (
    "precision_at_5",
    *(f"recall_at_{k}" for k in RECALLS),
    "average_precision",
    "ndcg_at_10",
)


@dataclass(frozen=True)
class Relevance:
    """Which gallery photos are hits for which queries, by one label.

    `queries` (q,) and `gallery` (n,) are codes, -1 without the label; `accepts` is
    (n_query_codes, n_gallery_codes) bool.
    """

    queries: np.ndarray
    gallery: np.ndarray
    accepts: np.ndarray

    def hits(self, rows: slice) -> np.ndarray:
        """(b, n) bool for some of the queries."""
        wanted = self.accepts[self.queries[rows]]  # (b, n_gallery_codes)
        known = (self.queries[rows] >= 0)[:, None] & (self.gallery >= 0)[None, :]
        return wanted[:, self.gallery] & known


def same_value(queries: np.ndarray, gallery: np.ndarray) -> Relevance:
    """A hit has the query's own value; both are texts, empty without the label."""
    names = sorted({*queries.tolist(), *gallery.tolist()} - {""})
    places = {name: place for place, name in enumerate(names)}
    codes = [np.array([places.get(value, -1) for value in side]) for side in (queries, gallery)]
    return Relevance(*codes, np.eye(max(1, len(names)), dtype=bool))


def mapped_value(
    queries: np.ndarray, gallery: np.ndarray, accepted: Mapping[str, frozenset[str]]
) -> Relevance:
    """A hit has one of the values that the query's value is mapped to; none is no query."""
    asked = sorted(value for value, values in accepted.items() if values)
    offered = sorted(set(gallery.tolist()) - {""})
    accepts = np.array([[value in accepted[query] for value in offered] for query in asked])
    asked_places = {value: place for place, value in enumerate(asked)}
    offered_places = {value: place for place, value in enumerate(offered)}
    return Relevance(
        np.array([asked_places.get(value, -1) for value in queries]),
        np.array([offered_places.get(value, -1) for value in gallery]),
        accepts,
    )


def measure(
    query_features: np.ndarray,
    gallery_features: np.ndarray,
    *,
    relevance: Mapping[str, Relevance],
    query_identities: np.ndarray,
    gallery_identities: np.ndarray,
    is_cosine: bool = True,
) -> tuple[dict[str, dict[str, np.ndarray]], np.ndarray]:
    """Per label and metric (q,) values in [0, 1], and the five nearest (q, 5), -1 for none.

    A gallery photo with the query's identity is not ranked: the query itself, or its twins. Ties
    are broken by position. Cost: q x n similarities and as many sorted, 256 queries at a time.
    """
    values = {
        label: {metric: np.full(len(query_features), np.nan) for metric in METRICS}
        for label in relevance
    }
    nearest = np.full((len(query_features), PRECISION_AT), -1)
    for start in range(0, len(query_features), QUERIES_AT_ONCE):
        rows = slice(start, min(start + QUERIES_AT_ONCE, len(query_features)))
        similarity = _similarity(query_features[rows], gallery_features, is_cosine)
        barred = query_identities[rows, None] == gallery_identities[None, :]
        similarity[barred] = -np.inf
        order = np.argsort(-similarity, axis=1, kind="stable")  # (b, n)
        ranked = ~np.take_along_axis(barred, order, axis=1)
        first = order[:, :PRECISION_AT]
        nearest[rows, : first.shape[1]] = np.where(ranked[:, :PRECISION_AT], first, -1)
        for label, relevant in relevance.items():
            hits = np.take_along_axis(relevant.hits(rows), order, axis=1) & ranked
            has_label = relevant.queries[rows] >= 0
            for metric, found in ranking_values(hits).items():
                values[label][metric][rows] = np.where(has_label, found, np.nan)
    return values, nearest


def ranking_values(hits: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics of rankings given as (b, n) bool, best first.

    Source: Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, chapter 8
    (average precision, NDCG with relevance 0 or 1); Recall@k as metric learning has it, whether
    any of the first k is a hit (Jégou et al., TPAMI 2011).
    """
    n_hits = hits.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ranks = np.arange(1, hits.shape[1] + 1)
        precision = np.cumsum(hits, axis=1) / ranks
        average = (precision * hits).sum(axis=1) / n_hits
        discounts = 1 / np.log2(ranks[:NDCG_AT] + 1)
        ideal = np.cumsum(discounts)[np.clip(n_hits, 1, len(discounts)) - 1]
        ndcg = (hits[:, :NDCG_AT] * discounts).sum(axis=1) / ideal
    found = n_hits > 0
    return {
        "precision_at_5": hits[:, :PRECISION_AT].mean(axis=1),
        **{f"recall_at_{k}": np.where(found, hits[:, :k].any(axis=1), np.nan) for k in RECALLS},
        "average_precision": np.where(found, average, np.nan),
        "ndcg_at_10": np.where(found, ndcg, np.nan),
    }


def _similarity(queries: np.ndarray, gallery: np.ndarray, is_cosine: bool) -> np.ndarray:
    """(b, n), larger is nearer: the cosine, or the squared Euclidean distance's negative."""
    if is_cosine:
        return _unit(queries) @ _unit(gallery).T
    squares = (gallery.astype(np.float64) ** 2).sum(axis=1)
    return 2 * queries.astype(np.float64) @ gallery.T.astype(np.float64) - squares


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)
