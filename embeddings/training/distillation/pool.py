"""The views that are learned from, drawn once and kept on disk."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from embeddings.photo_sets import LabelledPhoto
from embeddings.training.distillation import views
from embeddings.training.distillation.subjects import Subject, subjects_of

VERSION = 1  # of subjects and views: change it with anything that changes a pixel

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ViewCounts:
    """How many views are drawn of each kind of subject."""

    photo: int = 16
    cut_out: int = 2

    def of(self, subject: Subject) -> int:
        """For one subject."""
        return self.cut_out if subject.is_cut_out else self.photo


@dataclass(frozen=True)
class ViewPool:
    """Views with their labels.

    `images` is (n, SIDE, SIDE, 3) uint8, mapped from disk; `heads` and `classes` are (n,): which
    of `labels` a view's label is one of, and its position there; `photos` is (n,), the photo that
    it was drawn from.
    """

    images: np.ndarray
    heads: np.ndarray
    classes: np.ndarray
    photos: np.ndarray
    labels: dict[str, list[str]]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.images)


def draw_pool(
    sets: Mapping[str, Sequence[LabelledPhoto]],
    counts: ViewCounts,
    *,
    cache: Path,
    seed: int,
    on_progress: Progress | None = None,
) -> ViewPool:
    """Views of every photo of all sets, from `cache` where they were drawn before.

    `sets` are named; each name is a head of its own.
    """
    fingerprint = _fingerprint(sets, counts, seed)
    folder = cache / f"views-{fingerprint}"
    if not (folder / "pool.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _draw(sets, counts, folder, seed, on_progress)
    return _read(folder, fingerprint)


def _draw(
    sets: Mapping[str, Sequence[LabelledPhoto]],
    counts: ViewCounts,
    folder: Path,
    seed: int,
    on_progress: Progress | None,
) -> None:
    """Write the pool; pool.json comes last, so that a folder without it is begun again."""
    photos = [(name, photo) for name, photos in sets.items() for photo in photos]
    labels: list[tuple[str, str, int]] = []
    with (folder / "images.bin").open("wb") as file:
        for position, (name, photo) in enumerate(photos):
            rng = np.random.default_rng([seed, position])
            for subject in subjects_of(photo, name):
                for _ in range(counts.of(subject)):
                    file.write(np.ascontiguousarray(views.draw_view(subject, rng)).tobytes())
                    labels.append((subject.head, subject.label, position))
            if on_progress:
                on_progress("Drawing views", position + 1, len(photos))
    (folder / "pool.json").write_text(json.dumps(labels), encoding="utf-8")


def _read(folder: Path, fingerprint: str) -> ViewPool:
    labels = json.loads((folder / "pool.json").read_text(encoding="utf-8"))
    shape = (len(labels), views.SIDE, views.SIDE, 3)
    images = np.memmap(folder / "images.bin", np.uint8, mode="r", shape=shape)
    heads = sorted({head for head, _, _ in labels})
    classes = {head: sorted({label for h, label, _ in labels if h == head}) for head in heads}
    places = {h: {label: i for i, label in enumerate(names)} for h, names in classes.items()}
    return ViewPool(
        images=images,
        heads=np.array([heads.index(head) for head, _, _ in labels]),
        classes=np.array([places[head][label] for head, label, _ in labels]),
        photos=np.array([photo for _, _, photo in labels]),
        labels=classes,
        fingerprint=fingerprint,
    )


def _fingerprint(sets: Mapping[str, Sequence[LabelledPhoto]], counts: ViewCounts, seed: int) -> str:
    """Changes with the photos' names, sizes and labels, and with what is drawn of them."""
    photos = {
        name: [(p.path.name, p.path.stat().st_size, p.labels["category"]) for p in photos]
        for name, photos in sets.items()
    }
    content = json.dumps([VERSION, asdict(counts), seed, photos])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
