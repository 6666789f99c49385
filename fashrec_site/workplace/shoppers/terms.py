"""The terms of a relevance as parts of a bar that add up."""

from typing import NamedTuple

from recommender.relevance import Terms

NAMES = ("visual", "popularity", "category", "proximity", "merchandising")
SHOWN_ALWAYS = 2  # terms; the others are named where they weigh something


class Part(NamedTuple):
    """One weighted term, and where it lies in a bar of 100."""

    name: str
    value: float
    start: str
    width: str


def parts_of(terms: Terms, scale: float) -> list[Part]:
    """The weighted terms side by side, where a relevance of `scale` fills the bar.

    A negative term (a cosine below 0, something buried) has no width; its number tells it.
    """
    parts, start = [], 0.0
    for place, name in enumerate(NAMES):
        value = getattr(terms, name, 0.0)
        if value or place < SHOWN_ALWAYS:
            width = 100 * max(0.0, value) / scale if scale > 0 else 0.0
            parts.append(Part(name, value, f"{start:.2f}", f"{width:.2f}"))
            start += width
    return parts
