"""What an experiment came to so far: each arm with intervals, and the arms against the control."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from recommender.experiments.models import Experiment
from recommender.experiments.sequential import Difference, difference, rate_interval

# A unit counts once, by its first exposure, when its window is over; it converted when the goal
# happened in that time with one of the unit's exposures to the experiment as its recommendation,
# and not with a product that the shop itself had placed there.
ARMS = """
WITH unit AS (
    SELECT x.shopper_id, x.session_id,
        (array_agg(x.arm_id ORDER BY x.exposed_at))[1] AS arm_id,
        min(x.exposed_at) AS first_at, count(*) AS n_exposures,
        array_agg(x.recommendation_id) AS recommendations
    FROM recommender_exposure x
    JOIN recommender_arm arm ON arm.id = x.arm_id
    WHERE arm.experiment_id = %(experiment)s
    GROUP BY x.shopper_id, x.session_id
)
SELECT arm.id,
    COALESCE(sum(unit.n_exposures), 0)::bigint,
    count(unit.arm_id) FILTER (WHERE NOT is_over),
    count(unit.arm_id) FILTER (WHERE is_over),
    count(unit.arm_id) FILTER (WHERE is_over AND EXISTS (
        SELECT 1 FROM shoppers_event e
        WHERE e.kind = %(goal)s AND e.recommendation_id = ANY (unit.recommendations)
            AND (e.shopper_id = unit.shopper_id OR e.session_id = unit.session_id)
            AND e.occurred_at BETWEEN unit.first_at AND unit.first_at + %(window)s
            AND NOT EXISTS (
                SELECT 1 FROM recommender_exposure x
                WHERE x.recommendation_id = e.recommendation_id
                    AND e.product_id = ANY (x.merchandised)
            )
    ))
FROM recommender_arm arm
LEFT JOIN unit ON unit.arm_id = arm.id
CROSS JOIN LATERAL (SELECT unit.first_at + %(window)s <= %(now)s AS is_over) AS state
WHERE arm.experiment_id = %(experiment)s
GROUP BY arm.id ORDER BY arm.id
"""


@dataclass(frozen=True)
class ArmReport:
    """An arm's figures; `low` and `high` hold at every look at once."""

    profile: str
    n_exposures: int
    n_open: int  # units whose window is not over
    n_units: int
    n_converted: int
    low: float
    high: float
    difference: Difference | None  # from the control

    @property
    def rate(self) -> float | None:
        """Converted among the units that count."""
        return self.n_converted / self.n_units if self.n_units else None


@dataclass(frozen=True)
class ExperimentReport:
    """All arms, the control first."""

    experiment: Experiment
    arms: list[ArmReport]
    alpha: float  # of each comparison: the experiment's, divided among them

    @property
    def verdict(self) -> str:
        """What can be said today."""
        told = []
        for arm in self.arms[1:]:
            if arm.difference is None:
                told.append(f"{arm.profile}: too few conversions to compare")
            elif arm.difference.p_value < self.alpha:
                word = "more" if arm.difference.estimate > 0 else "less"
                told.append(f"{arm.profile} converts {word} than {self.arms[0].profile}")
            else:
                told.append(f"{arm.profile}: no difference shown yet")
        return "; ".join(told)


def experiment_report(experiment: Experiment, *, now: datetime) -> ExperimentReport:
    """The report as of `now`; it may be asked for at any time and acted on. Two queries."""
    profiles = dict(experiment.arms.values_list("pk", "profile__name"))
    alpha = experiment.false_positive_rate / max(1, len(profiles) - 1)
    with connection.cursor() as cursor:
        cursor.execute(
            ARMS,
            {
                "experiment": experiment.pk,
                "goal": experiment.goal,
                "window": timedelta(hours=experiment.window_hours),
                "now": now,
            },
        )
        rows = cursor.fetchall()
    control = (rows[0][4], rows[0][3]) if rows else (0, 0)
    arms = []
    for index, (pk, n_exposures, n_open, n_units, n_converted) in enumerate(rows):
        low, high = rate_interval(n_converted, n_units, alpha)
        compared = None
        if index:
            compared = difference(
                control,
                (n_converted, n_units),
                alpha=alpha,
                planned_units=experiment.planned_units,
            )
        arms.append(
            ArmReport(profiles[pk], n_exposures, n_open, n_units, n_converted, low, high, compared)
        )
    return ExperimentReport(experiment, arms, alpha)


def percent(low: float, middle: float | None, high: float) -> str:
    """A rate with its interval, in percent."""
    estimate = "-" if middle is None else f"{middle * 100:.2f}"
    return f"{estimate} [{low * 100:.2f}, {high * 100:.2f}] %"
