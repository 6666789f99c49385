"""The outline of what a coarse parse found, drawn anew along the photo's own edges.

The parser sees few pixels and is unsure along outlines. There GrabCut decides by colours, which it
learns from what the parser is sure of in the same photo.
"""

import cv2
import numpy as np

from embeddings.garments.grabcut import MIN_CONTRAST, shrunk, stands_out

SURE = 0.2  # a probability this near to 0 or 1 is believed
PROBABLE = 0.45  # of backdrop; below it a pixel is more likely garment, as garments get lost sooner
N_ITERATIONS = 1


def refined(photo: np.ndarray, backdrop: np.ndarray) -> np.ndarray:
    """Which pixels show garments: (height, width) bool.

    The mean of what the parser and what GrabCut say, which is more right than either.

    Args:
        photo: (height, width, 3) uint8 RGB.
        backdrop: (height, width) float32, how likely each pixel shows none.
    """
    small = shrunk(photo)
    coarse = cv2.resize(backdrop, small.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    labels = np.where(coarse < PROBABLE, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[coarse < SURE], labels[coarse > 1 - SURE] = cv2.GC_FGD, cv2.GC_BGD
    can_learn = np.isin((cv2.GC_FGD, cv2.GC_BGD), labels).all() and np.ptp(small) >= MIN_CONTRAST
    found = stands_out(small, labels, N_ITERATIONS) if can_learn else None
    if found is None:
        return backdrop < PROBABLE
    share = cv2.resize(found, photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return share + (1 - backdrop) > 1
