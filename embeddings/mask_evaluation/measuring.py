"""Each method's masks of photos with maps, compared with those maps."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count

import numpy as np

from embeddings.garments.classes import Color, GarmentClass, map_classes
from embeddings.garments.finding import FinderSettings, FoundGarments, find_garments
from embeddings.garments.overlap import class_counts, class_ious, garment_iou
from embeddings.photo_sets import LabelledPhoto
from embeddings.photos import read_photo, read_segmentation_map

ORDER = "order"  # all methods of the settings, the first that finds anything
WHOLE = "none"  # the method of taking the whole photo, as embeddings record it

OnPhoto = Callable[[str, int, int], None]


@dataclass(frozen=True)
class MethodResult:
    """How one method did on all photos, in their order."""

    method: str
    ious: np.ndarray  # (n_photos,) of garment against everything else
    n_found: int  # photos in which it found anything; of others the whole photo was taken
    class_ious: np.ndarray | None  # (N_CLASSES,) over all pixels; None where it tells no classes
    seconds: float  # reading and finding, in as many threads as there are cores
    core_seconds: float  # the processor time of it, which a busy machine does not lengthen

    @property
    def images_per_second(self) -> float:
        """Photos read and masked per second."""
        return len(self.ious) / self.seconds if self.seconds else 0.0

    @property
    def core_ms_per_image(self) -> float:
        """Milliseconds of one core for a photo."""
        return 1000 * self.core_seconds / len(self.ious)


def measure_method(
    method: str,
    photos: Sequence[LabelledPhoto],
    palette: dict[str, Color],
    settings: FinderSettings,
    on_photo: OnPhoto | None = None,
) -> MethodResult:
    """One method on photos with maps; `none` takes the whole photo, `order` the settings' order.

    Raises:
        WeightsUnavailable: its network cannot be loaded.
        PhotoError: a photo or a map cannot be read.
    """
    settings = method_settings(method, settings)
    find_photo(photos[0], settings)  # loads its network before the clock runs
    started, used = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(cpu_count()) as threads:
        found = []
        for masks in threads.map(lambda photo: find_photo(photo, settings), photos):
            found.append(masks)
            if on_photo:
                on_photo(method, len(found), len(photos))
    spent = (time.monotonic() - started, time.process_time() - used)
    return _compared(method, found, [true_classes(photo, palette) for photo in photos], spent)


def method_settings(method: str, settings: FinderSettings) -> FinderSettings:
    """The settings by which only this method is tried."""
    if method == ORDER:
        return settings
    return replace(settings, methods=() if method == WHOLE else (method,))


def find_photo(photo: LabelledPhoto, settings: FinderSettings) -> FoundGarments:
    """What is found in a photo's file; the whole photo where nothing is."""
    with photo.path.open("rb") as file:
        pixels = np.asarray(read_photo(file))
    found = find_garments(pixels, settings)
    return found or FoundGarments(WHOLE, np.ones(pixels.shape[:2], bool))


def true_classes(photo: LabelledPhoto, palette: dict[str, Color]) -> np.ndarray:
    """What a photo's map shows, (height, width) uint8."""
    with photo.segmentation_map.open("rb") as file:
        return map_classes(read_segmentation_map(file), palette)


def _compared(
    method: str,
    found: Sequence[FoundGarments],
    truths: Sequence[np.ndarray],
    spent: tuple[float, float],
) -> MethodResult:
    ious = [
        garment_iou(one.mask, truth != GarmentClass.BACKGROUND)
        for one, truth in zip(found, truths, strict=True)
    ]
    counts = sum(
        class_counts(one.classes, truth)
        for one, truth in zip(found, truths, strict=True)
        if one.classes is not None
    )
    return MethodResult(
        method=method,
        ious=np.array(ious),
        n_found=sum(one.method != WHOLE for one in found),
        class_ious=class_ious(counts) if isinstance(counts, np.ndarray) else None,
        seconds=spent[0],
        core_seconds=spent[1],
    )
