"""A map of the photos by t-SNE, and a sheet of the queries that went wrong."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from embeddings.photos import PhotoError, read_photo
from recommender.backbone_evaluation.evaluation import CATEGORY, Measured
from recommender.backbone_evaluation.photos import EvaluatedPhoto, PhotoCollection
from recommender.evaluation.contact_sheets import DPI, Cell, draw_sheet, printable

N_COLORED = 12  # categories that get a colour of their own
N_MAPPED = 2000  # photos at most: t-SNE takes half a minute for them on one core
N_FAILURES = 12


def draw_map(
    features: np.ndarray, categories: np.ndarray, path: Path, *, title: str, seed: int
) -> bool:
    """Photos as points, near where the backbone sees them alike; False where they are too few.

    Source: van der Maaten and Hinton, Visualizing Data using t-SNE, JMLR 9, 2008, by scikit-learn,
    on cosine distances.
    """
    if len(features) < 10:
        return False
    from sklearn.manifold import TSNE

    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(features))[:N_MAPPED])
    perplexity = min(30.0, (len(chosen) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, metric="cosine", init="random", random_state=seed)
    points = tsne.fit_transform(features[chosen])
    _draw_points(points, categories[chosen], path, title)
    return True


def draw_failures(collection: PhotoCollection, measured: Measured, path: Path) -> bool:
    """The queries without a hit among five, drawn from different categories first."""
    failed = np.flatnonzero(measured.precision == 0)
    if not len(failed):
        return False
    names = collection.values(CATEGORY)
    rows = []
    for place in _spread(failed, names[measured.queries])[:N_FAILURES]:
        query = measured.queries[place]
        neighbours = [one for one in measured.nearest[place] if one >= 0]
        cells = [_cell(collection.photos[query], "asked: ")]
        rows.append(cells + [_cell(collection.photos[one], "") for one in neighbours])
    draw_sheet(rows, [""] * len(rows), path)
    return True


def _spread(failed: np.ndarray, names: np.ndarray) -> list[int]:
    """One of each category, then a second of each, and so on."""
    seen: dict[str, int] = {}
    turns = []
    for place in failed.tolist():
        turns.append((seen.get(names[place], 0), place))
        seen[names[place]] = turns[-1][0] + 1
    return [place for _, place in sorted(turns)]


def _cell(photo: EvaluatedPhoto, prefix: str) -> Cell:
    caption = f"{prefix}{printable(photo.labels.get(CATEGORY, ''))}\n{printable(photo.item_id)}"
    try:
        with photo.open() as file:
            return Cell(read_photo(file), caption)
    except (PhotoError, OSError):
        return Cell(None, caption)


def _draw_points(points: np.ndarray, categories: np.ndarray, path: Path, title: str) -> None:
    names, counts = np.unique(categories, return_counts=True)
    largest = names[np.argsort(-counts, kind="stable")][:N_COLORED]
    picture = Figure(figsize=(9, 7), layout="constrained")
    panel = picture.subplots()
    others = ~np.isin(categories, largest)
    panel.scatter(*points[others].T, s=6, color="#cccccc", label="others")
    for place, name in enumerate(largest):
        some = points[categories == name]
        panel.scatter(*some.T, s=8, color=f"C{place % 10}", marker="os"[place // 10], label=name)
    panel.set_axis_off()
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, frameon=False)
    panel.set_title(title, fontsize=11)
    picture.savefig(path, dpi=DPI)
