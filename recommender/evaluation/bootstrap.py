"""Means with 95% intervals, by resampling shoppers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

N_RESAMPLES = 1000
CHUNK_ELEMENTS = 5_000_000  # resamples x clusters drawn at a time: 40 MB of counts


@dataclass(frozen=True)
class Estimate:
    """A mean, the 95% interval of it, and how many values it is the mean of.

    `value` is None without values, `interval` with fewer than two clusters to resample.
    """

    value: float | None
    interval: tuple[float, float] | None
    n: int


def mean_estimates(
    values: Mapping[str, np.ndarray], clusters: np.ndarray, *, seed: int
) -> dict[str, Estimate]:
    """The mean of each of `values`, with a percentile bootstrap interval over whole clusters.

    One shopper's recommendations resemble each other, so shoppers are drawn with replacement, not
    recommendations: the interval would be too narrow otherwise.

    Args:
        values: (m,) or (m, k) each; NaN is no value.
        clusters: (m,), whom each row belongs to.
        seed: the same seed draws the same clusters, whatever is measured on them.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentiles);
        Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8 (clusters).
    """
    _, inverse = np.unique(clusters, return_inverse=True)
    rows = {
        name: array if array.ndim == 2 else array[:, None]  # (m, k) or (m, 1)
        for name, array in values.items()
    }
    sums = {name: np.bincount(inverse, np.nansum(array, axis=1)) for name, array in rows.items()}
    counts = {
        name: np.bincount(inverse, np.isfinite(array).sum(axis=1)) for name, array in rows.items()
    }
    intervals = _intervals(sums, counts, seed)
    return {
        name: Estimate(_ratio(sums[name], counts[name]), intervals[name], int(counts[name].sum()))
        for name in values
    }


def figure(name: str, estimate: Estimate) -> dict[str, Any]:
    """One estimate as the keys `name`, `name_interval` and `name_n`."""
    value, interval = estimate.value, estimate.interval
    return {
        name: None if value is None else round(value, 4),
        f"{name}_interval": None if interval is None else [round(bound, 4) for bound in interval],
        f"{name}_n": estimate.n,
    }


def _ratio(sums: np.ndarray, counts: np.ndarray) -> float | None:
    return float(sums.sum() / counts.sum()) if counts.sum() else None


def _intervals(
    sums: Mapping[str, np.ndarray], counts: Mapping[str, np.ndarray], seed: int
) -> dict[str, tuple[float, float] | None]:
    """Percentile intervals of the ratio of sums, None where fewer than two clusters have values."""
    names = [name for name in sums if np.count_nonzero(counts[name]) > 1]
    intervals: dict[str, tuple[float, float] | None] = dict.fromkeys(sums)
    if not names:
        return intervals
    numerators = np.stack([sums[name] for name in names], axis=1)  # (n_clusters, n_names)
    denominators = np.stack([counts[name] for name in names], axis=1)
    with np.errstate(invalid="ignore"):  # 0 / 0: a resample that drew no cluster with values
        means = np.concatenate(
            [(w @ numerators) / (w @ denominators) for w in _draws(len(numerators), seed)]
        )
    low, high = np.nanquantile(means, [0.025, 0.975], axis=0)
    return intervals | {
        name: (float(low[column]), float(high[column])) for column, name in enumerate(names)
    }


def _draws(n_clusters: int, seed: int) -> Iterator[np.ndarray]:
    """How often each cluster is drawn: N_RESAMPLES rows, in chunks of (c, n_clusters).

    Drawn one by one and counted: with 100,000 clusters this took a tenth of a multinomial's time.
    """
    rng = np.random.default_rng(seed)
    size = max(1, CHUNK_ELEMENTS // n_clusters)
    for start in range(0, N_RESAMPLES, size):
        n_rows = min(size, N_RESAMPLES - start)
        drawn = rng.integers(n_clusters, size=(n_rows, n_clusters))
        drawn += np.arange(n_rows)[:, None] * n_clusters
        counts = np.bincount(drawn.ravel(), minlength=n_rows * n_clusters)
        yield counts.reshape(n_rows, n_clusters)
