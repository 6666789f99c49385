"""Near-white backdrops of packshots, removed without eating white garments."""

import cv2
import numpy as np

LIGHT = 232  # the darkest channel of a near-white pixel
GREYEST = 12  # the largest difference between a near-white pixel's channels
MIN_LIGHT_BORDER = 0.8  # of a packshot's outermost pixels; garments and people reach the edge
MIN_STEP = 4  # of 255 between the backdrop and a garment as white as it
MAX_STEP = 14
NOISE_FACTOR = 3.0  # a step is this much more than the backdrop's own unevenness
GAP_SHARE = 0.012  # of the shorter side: the backdrop does not flow through narrower gaps
MIN_GARMENT, MAX_GARMENT = 0.02, 0.97  # shares of the photo; others were no packshot


def remove_white(photo: np.ndarray) -> np.ndarray | None:
    """Which pixels of a packshot are not its backdrop: (height, width) bool; None for no packshot.

    The backdrop is what is near-white, joined to the photo's edge, and as bright as the edge is:
    a white garment differs from it by its shading, if only by a few of 255, and what is as white
    inside it stays, since the backdrop does not get there. Narrow gaps in an outline are closed.

    Args:
        photo: (height, width, 3) uint8 RGB.
    """
    border = _border(photo)
    light = _is_light(border)
    if light.mean() < MIN_LIGHT_BORDER:
        return None
    step = _step(border[light])
    backdrop_color = np.median(border[light], axis=0)
    distance = np.abs(photo.astype(np.int16) - backdrop_color).max(axis=2)
    candidates = (distance <= step) & _is_light(photo)
    garment = ~_reached_from_edge(candidates)
    garment = _without_specks(garment)
    return garment if MIN_GARMENT <= garment.mean() <= MAX_GARMENT else None


def _border(photo: np.ndarray) -> np.ndarray:
    """The outermost pixels, (n, 3)."""
    return np.concatenate([photo[0], photo[-1], photo[:, 0], photo[:, -1]])


def _is_light(pixels: np.ndarray) -> np.ndarray:
    values = pixels.astype(np.int16)
    return (values.min(axis=-1) >= LIGHT) & (values.max(axis=-1) - values.min(axis=-1) <= GREYEST)


def _step(border: np.ndarray) -> float:
    """By how much a pixel may differ from the backdrop and still be it."""
    spread = np.median(np.abs(border - np.median(border, axis=0)).max(axis=1))
    return float(np.clip(NOISE_FACTOR * spread, MIN_STEP, MAX_STEP))


def _reached_from_edge(candidates: np.ndarray) -> np.ndarray:
    """What of the candidates joins the edge, gaps narrower than `GAP_SHARE` being closed."""
    radius = max(1, round(GAP_SHARE * min(candidates.shape) / 2))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = cv2.copyMakeBorder(
        candidates.astype(np.uint8), *[radius + 1] * 4, cv2.BORDER_CONSTANT, value=1
    )
    wide = cv2.erode(padded, kernel)
    _, parts = cv2.connectedComponents(wide, connectivity=4)
    reached = (parts == parts[0, 0]).astype(np.uint8)
    inside = slice(radius + 1, -radius - 1)
    return (cv2.dilate(reached, kernel)[inside, inside] > 0) & candidates


def _without_specks(garment: np.ndarray) -> np.ndarray:
    """The parts of at least a hundredth of the largest one: dust and JPEG's ringing go."""
    n_parts, parts, statistics, _ = cv2.connectedComponentsWithStats(
        garment.astype(np.uint8), connectivity=8
    )
    if n_parts < 2:
        return garment
    areas = statistics[:, cv2.CC_STAT_AREA]
    keep = areas >= areas[1:].max() / 100
    keep[0] = False
    return keep[parts]
