"""How faithful a faster way to embed is to the reference, and whether that is enough."""

from dataclasses import dataclass

import numpy as np

# With the real MobileNetV2 bf16 reached a mean-centred cosine of .9964 to .9979 on average and of
# .986 to .990 at worst, on 818 masked street photos, 4,212 phone photos and 6,620 packshots.
MIN_MEAN_COSINE = 0.995
MIN_WORST_COSINE = 0.98
# There, the fast top ten held .998 to .9995 of the reference's top five; of 256 photos .998 or
# more in each of 90 draws. Noise that brings the cosine to .89 gave .974 and .988.
MIN_TOP5_IN_TOP10 = 0.99
# Same-category precision@5 moved by .0034 +- .0030, .0006 +- .0011 and .0008 +- .0007 there. Of 256
# photos it has a standard error of .003 to .004, so that a bare limit of .005 refused bf16 in 3 to
# 27 of 100 draws: refused is what exceeds it by more than two standard errors (0 of 90 draws).
MAX_PRECISION_CHANGE = 0.005
STANDARD_ERRORS = 2.0
# Of single photos, not centred, for decoding alone.
MIN_DECODING_COSINE = 0.995


@dataclass(frozen=True)
class Fidelity:
    """A faster way's vectors beside the reference's, of the same photos."""

    n_photos: int
    mean_cosine: float  # between photo and photo, after the reference's mean is taken off both
    worst_cosine: float
    top5_in_top10: float  # share of the reference's five neighbours among the faster way's ten
    precision_change: float  # same-category precision@5, the faster way's less the reference's
    precision_error: float  # its standard error

    @property
    def refusal(self) -> str:
        """Why the faster way is not to be used; empty where it may be."""
        allowed = MAX_PRECISION_CHANGE + STANDARD_ERRORS * self.precision_error
        failures = [
            f"{name} {value:.4f}, expected {expected}"
            for name, value, is_good, expected in (
                (
                    "mean-centred cosine",
                    self.mean_cosine,
                    self.mean_cosine >= MIN_MEAN_COSINE,
                    f"{MIN_MEAN_COSINE} or more",
                ),
                (
                    "worst cosine",
                    self.worst_cosine,
                    self.worst_cosine >= MIN_WORST_COSINE,
                    f"{MIN_WORST_COSINE} or more",
                ),
                (
                    "top five in top ten",
                    self.top5_in_top10,
                    self.top5_in_top10 >= MIN_TOP5_IN_TOP10,
                    f"{MIN_TOP5_IN_TOP10} or more",
                ),
                (
                    "change of precision@5",
                    self.precision_change,
                    abs(self.precision_change) <= allowed,
                    f"at most {allowed:.4f} either way",
                ),
            )
            if not is_good
        ]
        return "; ".join(failures)


def compare(fast: np.ndarray, reference: np.ndarray, categories: np.ndarray) -> Fidelity:
    """The fidelity of (n, dimension) features to the reference's; categories are (n,), n >= 11.

    Values that are not finite count as the worst there can be.
    """
    fast = np.where(np.isfinite(fast), fast, 0)
    mean = reference.mean(axis=0)
    cosines = (_unit(fast - mean) * _unit(reference - mean)).sum(axis=1)
    ten, five = _neighbours(fast, 10), _neighbours(reference, 5)
    kept = [len(set(few) & set(many)) / 5 for few, many in zip(five, ten, strict=True)]
    change = _precisions(ten[:, :5], categories) - _precisions(five, categories)
    return Fidelity(
        n_photos=len(fast),
        mean_cosine=float(cosines.mean()),
        worst_cosine=float(cosines.min()),
        top5_in_top10=float(np.mean(kept)),
        precision_change=float(change.mean()),
        precision_error=float(change.std() / np.sqrt(len(change))),
    )


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row, not centred: (n,)."""
    return (_unit(a) * _unit(b)).sum(axis=1)


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def _neighbours(features: np.ndarray, k: int) -> np.ndarray:
    """Each row's k nearest others by cosine, nearest first: (n, k)."""
    vectors = _unit(features)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :k]


def _precisions(neighbours: np.ndarray, categories: np.ndarray) -> np.ndarray:
    """The share of each row's neighbours that are of its category: (n,)."""
    return (categories[neighbours] == categories[:, None]).mean(axis=1)
