"""Intervals and a test for conversion rates that may be looked at after every observation.

A fixed-sample test that is looked at daily finds a difference sooner or later where there is none.
What is computed here holds at all times at once: the chance that it is ever wrong is at most alpha.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIN_CONVERSIONS = 20  # in both arms together; below, the normal approximation is no good
PRIOR = 0.5  # Beta(1/2, 1/2), Jeffreys


@dataclass(frozen=True)
class Difference:
    """Treatment minus control: the rates' difference, its interval, and an always-valid p-value."""

    estimate: float
    low: float
    high: float
    p_value: float


def rate_interval(n_converted: int, n_units: int, alpha: float) -> tuple[float, float]:
    """A confidence sequence for one rate: it holds at all times with probability 1 - alpha.

    Exact for any number of units. It keeps every p for which the Beta-binomial mixture martingale
    B(1/2 + x, 1/2 + n - x) / B(1/2, 1/2) / (p^x (1 - p)^(n - x)) is below 1 / alpha.
    Source: Robbins, Statistical methods related to the law of the iterated logarithm, Ann. Math.
    Stat. 41 (1970), sections 3 and 4; Ville's inequality.
    """
    # Not loaded with every command and web process, as it takes a second.
    from scipy.optimize import brentq
    from scipy.special import betaln, xlog1py, xlogy

    if n_units == 0:
        return 0.0, 1.0
    mixture = betaln(PRIOR + n_converted, PRIOR + n_units - n_converted) - betaln(PRIOR, PRIOR)

    def excess(p: float) -> float:
        likelihood = xlogy(n_converted, p) + xlog1py(n_units - n_converted, -p)
        return float(mixture - likelihood - log(1 / alpha))

    rate, tiny = n_converted / n_units, 1e-12
    low = brentq(excess, tiny, rate) if n_converted and excess(tiny) > 0 else 0.0
    high = brentq(excess, rate, 1 - tiny) if n_converted < n_units else 1.0
    return low, high


def difference(
    control: tuple[int, int], treatment: tuple[int, int], *, alpha: float, planned_units: int
) -> Difference | None:
    """Compare (conversions, units) of two arms; None while there is too little to say anything.

    The interval is an asymptotic confidence sequence, the p-value the inverse of the same mixture:
    the difference is significant when 0 is outside, which is when p < alpha.
    Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and
    asymptotic confidence sequences, Ann. Stat. 52 (2024), theorem 2.2 and, for rho, appendix B.2;
    as a test it is the mSPRT of Johari, Koomen, Pekelis and Walsh, Always valid inference, Oper.
    Res. 70 (2022). Deviation: the variance of the difference is that of two independent means.
    """
    (x_0, n_0), (x_1, n_1) = control, treatment
    if min(n_0, n_1) == 0 or x_0 + x_1 < MIN_CONVERSIONS:
        return None
    estimate = x_1 / n_1 - x_0 / n_0
    variance = _variance(x_0, n_0) + _variance(x_1, n_1)
    spread = (n_0 + n_1) * _rho_squared(alpha, planned_units)
    factor = (spread + 1) / spread
    radius = sqrt(variance * factor * log((spread + 1) / alpha**2))
    log_evidence = estimate**2 / variance / factor / 2 - log(spread + 1) / 2
    return Difference(estimate, estimate - radius, estimate + radius, exp(-max(0.0, log_evidence)))


def z_needed(n_units: ArrayLike, *, alpha: float, planned_units: int) -> NDArray[np.float64]:
    """How many standard errors from 0 the difference must be, after `n_units` in both arms."""
    spread = np.asarray(n_units, dtype=np.float64) * _rho_squared(alpha, planned_units)
    return np.sqrt((spread + 1) / spread * np.log((spread + 1) / alpha**2))


def _variance(n_converted: int, n_units: int) -> float:
    """Of a rate; half a conversion is added both ways, so that none at all is not certainty."""
    rate = (n_converted + PRIOR) / (n_units + 2 * PRIOR)
    return rate * (1 - rate) / n_units


def _rho_squared(alpha: float, planned_units: int) -> float:
    """Makes the interval narrowest at `planned_units`."""
    return (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / planned_units
