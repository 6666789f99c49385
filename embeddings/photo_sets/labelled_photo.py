"""A photo whose labels are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class PhotoSetError(ValueError):
    """A folder that is no labelled photo set; the message says what was expected."""


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo, what is known of it, and which others it must share a part of the split with.

    `labels` has the source's own column names (`category`, `gender`, `color` ...); one that the
    source leaves empty is absent. `group` is what twins share: a title, a sender, an article.
    """

    path: Path
    item_id: str
    group: str
    labels: Mapping[str, str]
    segmentation_map: Path | None = None
