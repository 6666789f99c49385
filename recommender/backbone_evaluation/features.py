"""What an encoder makes of photos, computed once for each of its weights."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from embeddings.encoders import Encoder
from embeddings.mask_settings import current_mask_settings, found_mask_fingerprint, method_finders
from embeddings.masks import MaskError
from embeddings.photos import PhotoError, read_photo
from embeddings.preparation import prepare_files, prepare_found
from embeddings.querysets import FOUND_METHODS, MaskMethod
from recommender.backbone_evaluation.photos import EvaluatedPhoto

AT_ONCE = 32
THREADS = 2  # that decode; the network has the processor otherwise
THUMBNAIL_SIDE = 16

Progress = Callable[[str, int, int], None]


def photo_features(
    photos: Sequence[EvaluatedPhoto],
    encoder: Encoder,
    *,
    mask: str,
    cache: Path,
    on_progress: Progress,
) -> np.ndarray:
    """(n, dimension) float32, not normalised; a photo that cannot be read has a row of NaN.

    `mask` is a `MaskMethod`; a photo without a map, or in which nothing is found, counts whole.
    Kept in `cache` under the encoder's weights, its preprocessing and the photos' fingerprints.
    """
    file = cache / f"{_fingerprint(photos, encoder, mask)}.npy"
    if not file.is_file():
        features = _embed_all(photos, encoder, mask, on_progress)
        cache.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part.npy")
        np.save(partial, features)
        partial.replace(file)
    return np.load(file)


def thumbnail_features(photos: Sequence[EvaluatedPhoto]) -> np.ndarray:
    """(n, 768) float32: the photos at 16 x 16 pixels, less their mean; what any network must beat.

    A photo that cannot be read has a row of NaN.
    """
    rows = np.full((len(photos), THUMBNAIL_SIDE**2 * 3), np.nan, np.float32)
    size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    for place, photo in enumerate(photos):
        try:
            with photo.open() as file:
                image = read_photo(file).resize(size, Image.Resampling.BOX)
        except (PhotoError, OSError):
            continue
        rows[place] = np.asarray(image, np.float32).ravel() / 255
    return rows - np.nanmean(rows, axis=0)


def _embed_all(
    photos: Sequence[EvaluatedPhoto], encoder: Encoder, mask: str, on_progress: Progress
) -> np.ndarray:
    features = np.full((len(photos), encoder.version.dimension), np.nan, np.float32)
    stage = f"Embedding ({MaskMethod(mask).label})"
    for places in _prepared(photos, encoder, mask):
        rows = {place: prepared for place, prepared in places if prepared is not None}
        if rows:
            features[list(rows)] = encoder.encode(list(rows.values()))
        on_progress(stage, places[-1][0] + 1, len(photos))
    return features


def _prepared(
    photos: Sequence[EvaluatedPhoto], encoder: Encoder, mask: str
) -> Iterator[list[tuple[int, np.ndarray | None]]]:
    """Batches of positions and inputs; the next batch is decoded while one is in work."""
    settings = current_mask_settings()
    finders = method_finders(_only(mask)) if mask in FOUND_METHODS else None

    def prepare(photo: EvaluatedPhoto) -> np.ndarray | None:
        try:
            with ExitStack() as files:
                content = files.enter_context(photo.open())
                if finders is not None:
                    return prepare_found(content, encoder, settings, finders).values
                has_map = mask == MaskMethod.SEGMENTATION_MAP and photo.open_map is not None
                segmentation_map = files.enter_context(photo.open_map()) if has_map else None
                return prepare_files(content, segmentation_map, encoder, settings)
        except (PhotoError, MaskError, OSError):
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        waiting = None
        for start in range(0, len(photos), AT_ONCE):
            batch = enumerate(photos[start : start + AT_ONCE], start)
            started = [(place, pool.submit(prepare, photo)) for place, photo in batch]
            if waiting is not None:
                yield [(place, task.result()) for place, task in waiting]
            waiting = started
        if waiting is not None:
            yield [(place, task.result()) for place, task in waiting]


def _only(mask: str) -> str | None:
    """The one method that is asked for; None for all of this installation's."""
    return None if mask == MaskMethod.AUTOMATIC else mask


def _fingerprint(photos: Sequence[EvaluatedPhoto], encoder: Encoder, mask: str) -> str:
    version = encoder.version
    masks = current_mask_settings().fingerprint if mask == MaskMethod.SEGMENTATION_MAP else ""
    masks = found_mask_fingerprint(_only(mask)) if mask in FOUND_METHODS else masks
    content = json.dumps(
        [
            version.name,
            version.weights_sha256,
            version.preprocessing,
            masks,
            [photo.fingerprint for photo in photos],
        ],
        sort_keys=True,
    )
    return f"{version.name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
