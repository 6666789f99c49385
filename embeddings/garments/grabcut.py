"""What stands out in the middle of a photo, by GrabCut; it knows nothing of garments.

Source: Rother, Kolmogorov and Blake, GrabCut, SIGGRAPH 2004, as in OpenCV; the start is not a
user's rectangle but a prior: photos of garments show them in the middle.
"""

import cv2
import numpy as np

LONGER_SIDE = 160  # pixels it works at: its cost grows with their number
N_ITERATIONS = 4
MARGIN = 0.04  # of each side: taken for backdrop for certain
PROBABLE_RADII = (0.30, 0.42)  # of the ellipse that is probably garment, of width and height
CERTAIN_RADII = (0.06, 0.12)  # of the one that certainly is
MIN_GARMENT, MAX_GARMENT = 0.01, 0.95  # shares of the photo
MIN_CONTRAST = 16  # of 255; in less, what is found is the prior itself
SEED = 7  # GrabCut's k-means draws


def cut_center(photo: np.ndarray) -> np.ndarray | None:
    """Which pixels of a photo stand out in its middle: (height, width) bool; None where nothing.

    Args:
        photo: (height, width, 3) uint8 RGB.
    """
    small = shrunk(photo)
    if np.ptp(small) < MIN_CONTRAST:
        return None
    found = stands_out(small, _prior(small.shape[1::-1]), N_ITERATIONS)
    if found is None or not MIN_GARMENT <= found.mean() <= MAX_GARMENT:
        return None
    share = cv2.resize(found, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return share > 0.5


def shrunk(photo: np.ndarray) -> np.ndarray:
    """The photo at the size that GrabCut works at."""
    height, width = photo.shape[:2]
    factor = min(1.0, LONGER_SIDE / max(height, width))
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def stands_out(photo: np.ndarray, labels: np.ndarray, n_iterations: int) -> np.ndarray | None:
    """1 where GrabCut sees the foreground, else 0, (h, w) float32; None where it sees no two parts.

    Args:
        photo: (h, w, 3) uint8 RGB.
        labels: (h, w) uint8, OpenCV's four to begin with; overwritten.
    """
    models = np.zeros((1, 65)), np.zeros((1, 65))
    # OpenCV's generator is the thread's own.
    cv2.setRNGSeed(SEED)
    try:
        cv2.grabCut(
            photo[..., ::-1].copy(), labels, None, *models, n_iterations, cv2.GC_INIT_WITH_MASK
        )
    except cv2.error:  # a photo of one colour has no two models
        return None
    return ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.float32)


def _prior(size: tuple[int, int]) -> np.ndarray:
    """GrabCut's four labels of a photo of `size` (width, height): (height, width) uint8."""
    width, height = size
    labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    center = (width // 2, height // 2)
    for radii, label in ((PROBABLE_RADII, cv2.GC_PR_FGD), (CERTAIN_RADII, cv2.GC_FGD)):
        axes = (max(1, round(radii[0] * width)), max(1, round(radii[1] * height)))
        cv2.ellipse(labels, center, axes, 0, 0, 360, int(label), -1)
    rows, columns = max(1, round(MARGIN * height)), max(1, round(MARGIN * width))
    labels[:rows], labels[-rows:] = cv2.GC_BGD, cv2.GC_BGD
    labels[:, :columns], labels[:, -columns:] = cv2.GC_BGD, cv2.GC_BGD
    return labels
