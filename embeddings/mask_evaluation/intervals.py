"""Means with 95% intervals."""

import numpy as np
from scipy.stats import bootstrap

N_RESAMPLES = 2000
SEED = 42


def mean_with_interval(values: np.ndarray) -> dict[str, object]:
    """The mean of values with its percentile bootstrap interval, as plain rounded numbers.

    `interval` is None for fewer than two values, or where all are equal.
    """
    interval = None
    if len(values) > 1 and np.ptp(values) > 0:
        found = bootstrap(
            (values,),
            np.mean,
            n_resamples=N_RESAMPLES,
            method="percentile",
            vectorized=True,
            rng=np.random.default_rng(SEED),
        ).confidence_interval
        interval = [round(float(found.low), 4), round(float(found.high), 4)]
    return {"mean": round(float(np.mean(values)), 4), "interval": interval, "n": len(values)}
