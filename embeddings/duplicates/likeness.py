"""How alike two photos are by hash and colours, and from where on somebody should look at them.

The vectors choose whom a product is compared with and are shown, but do not decide: given the other
two, a cosine told next to nothing more (a logistic regression over mobilenet_v2), and what would
be a good threshold for one backbone is none for another.
"""

from dataclasses import dataclass

import numpy as np

from embeddings.duplicates.fingerprints import COLOR_VALUES

VERSION = 1  # count it up with anything that changes who is alike
# Chosen on copies of 500 photos for a recall of 0.965; the other 500 say what it came to
# (`python -m benchmarks duplicates`).
MAX_BITS = 70  # that would do alone, were the colours the same
MAX_COLOR_DISTANCE = 11.6  # that would do alone, were the bits the same
MIN_COVERAGE = 40  # percent: a cell with less garment says more of where it was cut
MIN_CELLS = 4  # of a strap or a chain, the best covered ones


@dataclass(frozen=True)
class Seen:
    """A product as it is compared: unit vector, bits as text, and colours as stored."""

    vector: np.ndarray
    bits: str
    colors: bytes


@dataclass(frozen=True)
class Likeness:
    """`value` is 1 for the same photo and 0 at the threshold."""

    value: float
    cosine: float
    n_bits: int
    color_distance: float

    @property
    def is_alike(self) -> bool:
        """Whether somebody should look."""
        return self.value >= 0


def likeness_of(a: Seen, b: Seen) -> Likeness:
    """How alike two products are."""
    n_bits = (int(a.bits, 2) ^ int(b.bits, 2)).bit_count()
    distance = color_distance(_colors(a), _colors(b))
    return Likeness(
        value=1 - n_bits / MAX_BITS - distance / MAX_COLOR_DISTANCE,
        cosine=float(np.dot(a.vector, b.vector)),
        n_bits=n_bits,
        color_distance=distance,
    )


def color_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The median Euclidean distance in CIE L*a*b* of the cells that both garments fill.

    A shade at the edge, or a wrong cut, moves a mean; another colour moves every cell.
    """
    covered = np.minimum(a[:, 3], b[:, 3])
    least = min(MIN_COVERAGE, np.sort(covered)[-MIN_CELLS])
    filled = covered >= least
    return float(np.median(np.linalg.norm(a[filled, :3] - b[filled, :3], axis=1)))


def _colors(seen: Seen) -> np.ndarray:
    """(cells, 4) float32."""
    values = np.frombuffer(seen.colors, dtype=np.int8, count=COLOR_VALUES)
    return values.astype(np.float32).reshape(-1, 4)
