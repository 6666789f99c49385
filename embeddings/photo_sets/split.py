"""Which part of a photo set a photo belongs to: the same for every model and every machine."""

import hashlib
from typing import Literal

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
SALT = "fashrec-split:"
TRAIN_SHARE, VALIDATION_SHARE = 0.70, 0.10  # the rest is the test part


def split_of(group: str) -> Part:
    """The part of a group of photos, by the MD5 of its name: 70% train, 10% validation, 20% test.

    Whole groups are drawn, so that twins never straddle the split.
    """
    digest = hashlib.md5(f"{SALT}{group}".encode(), usedforsecurity=False).hexdigest()
    position = int(digest[:8], 16) / 2**32  # [0, 1)
    if position < TRAIN_SHARE:
        return "train"
    return "validation" if position < TRAIN_SHARE + VALIDATION_SHARE else "test"
