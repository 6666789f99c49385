"""What mobilenet_v2 makes of the photos and of augmented views of them, cached round by round.

A round is one view of every photo: round 0 the photo itself as the product embeds it, each later
round an augmented view. A run that was interrupted goes on with the next round, and a catalogue of
12,000 is a prefix of one of 100,000.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import augmentation
from benchmarks.datasets.photo_catalogue import PhotoCatalogue

BACKBONE = "mobilenet_v2"
SEED = 20250101
AT_ONCE = 32  # photos decoded ahead: 5 MB

Encode = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float32]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PhotoVectors:
    """Rounds of views of a photo catalogue, each a file of (n_photos, dimension) float16."""

    photos: PhotoCatalogue
    folder: Path

    @classmethod
    def cached(cls, photos: PhotoCatalogue, cache: Path, weights_sha256: str) -> "PhotoVectors":
        """The cache of these photos seen with these weights; made by `ensure` as needed."""
        parts = [photos.fingerprint, weights_sha256, BACKBONE, augmentation.VERSION, SEED]
        fingerprint = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return cls(photos, cache / f"{BACKBONE}-{fingerprint[:16]}")

    def path(self, number: int) -> Path:
        """The file of a round, which may not exist yet."""
        return self.folder / f"round-{number:02}.npy"

    def missing(self, n_rounds: int) -> list[int]:
        """Those of the rounds 0 to `n_rounds` - 1 that are not made yet."""
        return [number for number in range(n_rounds) if not self.path(number).is_file()]

    def ensure(self, n_rounds: int, encode: Encode, on_progress: Progress) -> None:
        """Make the rounds that are missing; `on_progress` gets (done, total) in photos."""
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = self.missing(n_rounds)
        total = len(missing) * len(self.photos)
        for done, number in enumerate(missing):
            blocks = []
            for block in self._encoded(number, encode):
                blocks.append(block)
                n_photos = sum(map(len, blocks))
                on_progress(done * len(self.photos) + n_photos, total)
            partial = self.path(number).with_suffix(".partial.npy")
            np.save(partial, np.concatenate(blocks))
            partial.replace(self.path(number))

    def load(self, first: int, last: int) -> NDArray[np.float16]:
        """Rounds `first` to `last` - 1, one after the other: (n, dimension) float16."""
        return np.concatenate([np.load(self.path(number)) for number in range(first, last)])

    def _encoded(self, number: int, encode: Encode) -> Iterator[NDArray[np.float16]]:
        with ThreadPoolExecutor(2) as pool:
            views = pool.map(lambda position: self._view(number, position), range(len(self.photos)))
            while batch := list(islice(views, AT_ONCE)):
                features = encode(batch)
                lengths = np.linalg.norm(features, axis=1, keepdims=True)
                yield (features / lengths).astype(np.float16)

    def _view(self, number: int, position: int) -> NDArray[np.uint8]:
        photo = self.photos.read(position)
        if number == 0:
            return augmentation.central_view(photo)
        rng = np.random.default_rng([SEED, number, position])
        return augmentation.augmented_view(photo, rng)
