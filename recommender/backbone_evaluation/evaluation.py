"""One backbone on one collection of photos: every gallery, similarity, mask and label."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from embeddings.photo_sets.phone_categories import phone_categories
from recommender.backbone_evaluation.photos import PhotoCollection
from recommender.backbone_evaluation.retrieval import (
    METRICS,
    Relevance,
    mapped_value,
    measure,
    same_value,
)
from recommender.evaluation.bootstrap import figure, mean_estimates

Gallery = Literal["all others", "test part", "without twins"]
GALLERIES: tuple[Gallery, ...] = ("all others", "test part", "without twins")
CATEGORY = "category"


@dataclass(frozen=True)
class Variant:
    """One way to see and to compare the photos; `features` is (n, dimension)."""

    name: str
    features: np.ndarray
    is_cosine: bool = True


@dataclass(frozen=True)
class Measured:
    """The rows of a variant, and for its first gallery the values behind them."""

    rows: list[dict[str, Any]]
    categories: list[dict[str, Any]]
    queries: np.ndarray  # (q,) positions of the photos asked for
    nearest: np.ndarray  # (q, 5) positions of their neighbours, -1 for none
    precision: np.ndarray  # (q,) same-category precision@5


def measure_collection(collection: PhotoCollection, variant: Variant, *, seed: int) -> Measured:
    """All labels and galleries of a collection. Photos without features are left out of both."""
    readable = np.isfinite(variant.features).all(axis=1)
    is_test, groups = collection.is_test() & readable, collection.groups()
    queries, everything = np.flatnonzero(is_test), np.flatnonzero(readable)
    rows: list[dict[str, Any]] = []
    first: Measured | None = None
    for gallery in GALLERIES:
        members = queries if gallery == "test part" else everything
        identities = groups if gallery == "without twins" else np.arange(len(groups))
        relevance = _relevance(collection, queries, members)
        values, nearest = measure(
            variant.features[queries],
            variant.features[members],
            relevance=relevance,
            query_identities=identities[queries],
            gallery_identities=identities[members],
            is_cosine=variant.is_cosine,
        )
        heading = {"variant": variant.name, "gallery": gallery, "n_gallery": len(members)}
        rows += _rows(heading, collection, queries, relevance, values, seed)
        if first is None:
            precision = values[CATEGORY]["precision_at_5"]
            names = collection.values(CATEGORY)[queries]
            categories = category_rows(names, values[CATEGORY], groups[queries], seed)
            places = np.where(nearest >= 0, members[nearest], -1)
            first = Measured(rows, categories, queries, places, precision)
    return first


def measure_search(
    asked: PhotoCollection,
    offered: PhotoCollection,
    features: tuple[np.ndarray, np.ndarray],
    *,
    seed: int,
) -> list[dict[str, Any]]:
    """Search by phone photo: the test part of `asked` among all of `offered`, by the label map."""
    asked_features, offered_features = features
    queries = np.flatnonzero(asked.is_test() & np.isfinite(asked_features).all(axis=1))
    members = np.flatnonzero(np.isfinite(offered_features).all(axis=1))
    relevance = {
        CATEGORY: mapped_value(
            asked.values(CATEGORY)[queries], offered.values(CATEGORY)[members], phone_categories()
        )
    }
    values, _ = measure(
        asked_features[queries],
        offered_features[members],
        relevance=relevance,
        query_identities=-1 - queries,  # none is in the gallery
        gallery_identities=members,
    )
    heading = {"variant": f"{asked.name} -> {offered.name}", "gallery": "all of it"}
    heading |= {"n_gallery": len(members)}
    return list(_rows(heading, asked, queries, relevance, values, seed))


def category_rows(
    names: np.ndarray, values: Mapping[str, np.ndarray], groups: np.ndarray, seed: int
) -> list[dict[str, Any]]:
    """Per category the number of queries and each metric with its interval, largest first."""
    categories, counts = np.unique(names[names != ""], return_counts=True)
    rows = []
    for name in categories[np.argsort(-counts, kind="stable")]:
        chosen = names == name
        row: dict[str, Any] = {"category": str(name), "n_queries": int(chosen.sum())}
        some = {metric: values[metric][chosen] for metric in METRICS}
        for metric, estimate in mean_estimates(some, groups[chosen], seed=seed).items():
            row |= figure(metric, estimate)
        rows.append(row)
    return rows


def _relevance(
    collection: PhotoCollection, queries: np.ndarray, members: np.ndarray
) -> dict[str, Relevance]:
    return {
        label: same_value(collection.values(label)[queries], collection.values(label)[members])
        for label in collection.labels()
    }


def _rows(
    heading: Mapping[str, Any],
    collection: PhotoCollection,
    queries: np.ndarray,
    relevance: Mapping[str, Relevance],
    values: Mapping[str, Mapping[str, np.ndarray]],
    seed: int,
) -> Iterator[dict[str, Any]]:
    """One row per label: micro means with intervals over groups, macro ones over the values."""
    groups = collection.groups()[queries]
    for label, relevant in relevance.items():
        row = {**heading, "label": label, "n_queries": int((relevant.queries >= 0).sum())}
        row["chance"] = round(_chance(relevant), 4)
        for metric, estimate in mean_estimates(values[label], groups, seed=seed).items():
            row |= figure(metric, estimate)
        means = {
            metric: _class_means(relevant.queries, values[label][metric]) for metric in METRICS
        }
        classes = np.arange(len(means[METRICS[0]]))
        for metric, estimate in mean_estimates(means, classes, seed=seed).items():
            row |= figure(f"macro_{metric}", estimate)
        yield row


def _class_means(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(n_classes,) means of the values of each class of queries; NaN for a class without any."""
    classes = np.unique(codes[codes >= 0])
    known = np.isfinite(values)
    return np.array(
        [
            values[chosen].mean() if (chosen := known & (codes == one)).any() else np.nan
            for one in classes
        ]
    )


def _chance(relevant: Relevance) -> float:
    """The share of the gallery that is a hit, averaged over the queries."""
    asked = relevant.queries[relevant.queries >= 0]
    offered = relevant.gallery[relevant.gallery >= 0]
    counts = np.bincount(offered, minlength=relevant.accepts.shape[1])
    shares = (relevant.accepts @ counts) / max(1, len(relevant.gallery))
    return float(shares[asked].mean()) if len(asked) else 0.0
