"""Photos and labels as arrays: decoded once, kept beside each other on disk."""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count
from pathlib import Path

import numpy as np

from embeddings.nets.crops import WholePhoto
from embeddings.photo_sets import LabelledPhoto, split_of
from embeddings.photos import PhotoError, read_photo

MIN_PER_LABEL = 2  # of training photos; a label with fewer is not learned
OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Head:
    """One thing to tell of a photo: a label of one photo set, and the values that it takes."""

    name: str
    label: str  # the photo set's name of it
    set_name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class TrainingPhotos:
    """Photos of several sets in one order, with what is known of each.

    `targets[head]` is (n,) int64: the index among the head's values, or -1 where it is not known.
    """

    pixels: np.ndarray  # (n, side, side, 3) uint8, perhaps on disk
    set_names: np.ndarray  # (n,) str
    split: np.ndarray  # (n,) "train", "validation" or "test"
    heads: tuple[Head, ...]
    targets: dict[str, np.ndarray]
    fingerprint: str  # of files, labels and splits

    def rows(self, part: str, set_name: str | None = None) -> np.ndarray:
        """The photos of a part, of one set or of all."""
        wanted = self.split == part
        if set_name is not None:
            wanted &= self.set_names == set_name
        return np.flatnonzero(wanted)

    def with_validation(self) -> "TrainingPhotos":
        """The same with nothing held out but the test part."""
        split = np.where(self.split == "validation", "train", self.split)
        return replace(self, split=split, fingerprint=f"{self.fingerprint} with validation")


def load_photos(
    sets: dict[str, list[LabelledPhoto]],
    labels: Sequence[str],
    *,
    side: int,
    cache: Path,
    on_step: OnStep | None = None,
) -> TrainingPhotos:
    """Decode photo sets, whole photos at `side` x `side`, or take what was decoded before.

    Photos that cannot be read are left out. The first set's heads have the labels' own names, the
    others' are named `label@set`.

    Raises:
        ValueError: no set has one of the labels.
    """
    fingerprint = _fingerprint(sets, labels, side)
    folder = cache / fingerprint[:16]
    pixels, is_readable = _decoded(sets, side, folder, on_step)
    photos = [(name, photo) for name, found in sets.items() for photo in found]
    photos = [pair for pair, is_good in zip(photos, is_readable, strict=True) if is_good]
    split = np.array([split_of(photo.group) for _, photo in photos])
    heads = _heads(photos, split, labels, first=next(iter(sets)))
    return TrainingPhotos(
        pixels=pixels,
        set_names=np.array([name for name, _ in photos]),
        split=split,
        heads=heads,
        targets={head.name: _targets(photos, head) for head in heads},
        fingerprint=fingerprint,
    )


def _fingerprint(sets: dict[str, list[LabelledPhoto]], labels: Sequence[str], side: int) -> str:
    """SHA-256 of everything that goes in; a file is known by its name, size and item."""
    content = [
        [name, photo.item_id, photo.path.name, photo.path.stat().st_size, photo.group]
        + [photo.labels.get(label) for label in labels]
        for name, photos in sets.items()
        for photo in photos
    ]
    return hashlib.sha256(json.dumps([side, list(labels), content]).encode()).hexdigest()


def _decoded(
    sets: dict[str, list[LabelledPhoto]], side: int, folder: Path, on_step: OnStep | None
) -> tuple[np.ndarray, np.ndarray]:
    """(n_readable, side, side, 3) uint8 on disk, and which of all photos can be read."""
    done = folder / "readable.npy"
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        paths = [photo.path for photos in sets.values() for photo in photos]
        is_readable = _decode(paths, side, folder / "pixels.npy", on_step)
        np.save(done.with_suffix(".part.npy"), is_readable)
        done.with_suffix(".part.npy").replace(done)
    is_readable = np.load(done)
    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    return pixels[: int(is_readable.sum())], is_readable


def _decode(paths: list[Path], side: int, target: Path, on_step: OnStep | None) -> np.ndarray:
    shape = (len(paths), side, side, 3)
    pixels = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
    is_readable = np.zeros(len(paths), bool)
    with ThreadPoolExecutor(cpu_count()) as threads:
        decoded = threads.map(lambda path: _photo(path, side), paths)
        for index, photo in enumerate(decoded):
            if photo is not None:
                pixels[is_readable.sum()] = photo
                is_readable[index] = True
            if on_step:
                on_step("photos", index + 1, len(paths))
    pixels.flush()
    return is_readable


def _photo(path: Path, side: int) -> np.ndarray | None:
    try:
        with path.open("rb") as file:
            return WholePhoto(side).crop(read_photo(file))
    except (OSError, PhotoError):
        return None


def _heads(
    photos: list[tuple[str, LabelledPhoto]], split: np.ndarray, labels: Sequence[str], first: str
) -> tuple[Head, ...]:
    heads = []
    for set_name in dict.fromkeys(name for name, _ in photos):
        for label in labels:
            counts: dict[str, int] = {}
            for (name, photo), part in zip(photos, split, strict=True):
                if name == set_name and part == "train" and label in photo.labels:
                    value = photo.labels[label]
                    counts[value] = counts.get(value, 0) + 1
            values = sorted(value for value, n in counts.items() if n >= MIN_PER_LABEL)
            if len(values) > 1:
                name = label if set_name == first else f"{label}@{set_name}"
                heads.append(Head(name, label, set_name, tuple(values)))
    if not heads:
        raise ValueError(
            f"no label to learn: expected photos with {', '.join(labels)}, each of at least two "
            f"values with {MIN_PER_LABEL} photos in the training part"
        )
    return tuple(heads)


def _targets(photos: list[tuple[str, LabelledPhoto]], head: Head) -> np.ndarray:
    index = {value: position for position, value in enumerate(head.values)}
    return np.array(
        [
            index.get(photo.labels.get(head.label, ""), -1) if name == head.set_name else -1
            for name, photo in photos
        ],
        dtype=np.int64,
    )
