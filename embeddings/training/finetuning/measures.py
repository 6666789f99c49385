"""How well labels are told, and how far the stated confidence can be believed."""

from dataclasses import asdict, dataclass

import numpy as np
from sklearn.metrics import f1_score

N_BINS = 15


@dataclass(frozen=True)
class LabelMeasure:
    """One label on photos that know it."""

    n_photos: int
    top1: float
    macro_f1: float
    majority: float  # top-1 of always telling the training photos' commonest value
    calibration_error: float  # expected, 15 bins

    def as_dict(self) -> dict[str, float]:
        """For a JSON file."""
        return asdict(self)


def measure_label(
    probabilities: np.ndarray, targets: np.ndarray, training_targets: np.ndarray
) -> LabelMeasure | None:
    """(n, n_values) probabilities against (n,) targets, -1 where unknown; None for no photo.

    A value that no training photo had counts as unknown.
    """
    known = targets >= 0
    if not known.any():
        return None
    told, true = probabilities[known].argmax(axis=1), targets[known]
    commonest = np.bincount(training_targets[training_targets >= 0]).argmax()
    return LabelMeasure(
        n_photos=int(known.sum()),
        top1=float((told == true).mean()),
        macro_f1=float(f1_score(true, told, average="macro", labels=np.unique(true))),
        majority=float((true == commonest).mean()),
        calibration_error=calibration_error(probabilities[known], true),
    )


def calibration_error(
    probabilities: np.ndarray, targets: np.ndarray, n_bins: int = N_BINS
) -> float:
    """The expected calibration error: mean gap of confidence and accuracy over equal-width bins.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3.
    """
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == targets
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = [abs(confidence[bins == b].sum() - is_right[bins == b].sum()) for b in range(n_bins)]
    return float(sum(gaps) / len(targets))
