"""Running experiments: which profile somebody gets, and the note that they got it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from recommender.experiments.in_play import profiles_in_play
from recommender.experiments.models import Experiment, Exposure
from recommender.models import RankingProfile
from recommender.ranking import RankingSettings, default_profile
from shoppers.models import AnonymousSession, Shopper

Unit = Shopper | AnonymousSession


class HasShare(Protocol):
    """An arm, or a profile with its arm's share."""

    share: int


Shared = TypeVar("Shared", bound=HasShare)


class ExperimentError(Exception):
    """The experiment cannot start or stop; the message says why."""


def start(*, experiment: Experiment, now: datetime) -> None:
    """Begin to assign.

    Raises:
        ExperimentError: it started before, has fewer than two arms, or another one runs.
    """
    if experiment.started_at is not None:
        raise ExperimentError(f"{experiment} started before; make a new experiment")
    if (n_arms := experiment.arms.count()) < 2:
        raise ExperimentError(f"{experiment} needs two arms or more; it has {n_arms}")
    try:
        with transaction.atomic():
            experiment.started_at = now
            experiment.save(update_fields=["started_at"])
    except IntegrityError as error:
        experiment.started_at = None
        raise ExperimentError("another experiment runs; stop it first") from error


def stop(*, experiment: Experiment, now: datetime) -> None:
    """Assign nobody any more; conversions still count until their window ends.

    Raises:
        ExperimentError: it does not run.
    """
    if not experiment.is_running:
        raise ExperimentError(f"{experiment} does not run")
    experiment.stopped_at = now
    experiment.save(update_fields=["stopped_at"])


@dataclass(frozen=True)
class Assignment:
    """The profile that somebody's recommendations are ranked with, and the arm that says so."""

    profile: RankingProfile
    arm_id: int | None = None  # None: no experiment runs


def assignment_of(unit: Unit) -> Assignment:
    """The profile of the unit's arm while an experiment runs, else the default one.

    One query, and more where there is no default profile yet.
    """
    profiles = profiles_in_play()
    arms = sorted((p for p in profiles if p.arm_id is not None), key=lambda p: p.arm_id)
    if arms:
        chosen = choose_arm(arms, arms[0].salt, f"{unit._meta.model_name}:{unit.pk}")
        return Assignment(chosen, chosen.arm_id)
    return Assignment(profiles[0] if profiles else default_profile())


def log_exposure(
    unit: Unit,
    assignment: Assignment,
    settings: RankingSettings,
    recommendation_id: UUID,
    merchandised: Sequence[int] = (),
) -> None:
    """Note that the unit saw its arm's ranking; nothing where the settings are not the arm's.

    What the shop pins, boosts or buries is in all arms: `merchandised`, keys of products, is noted
    so that their conversions count for none.

    A caller who asked for other weights saw something else, which must not count; another k is
    only more or less of the same. One query while an experiment runs.
    """
    if assignment.arm_id is None:
        return
    profile = assignment.profile
    if settings.with_changes(k=profile.k) != RankingSettings.from_profile(profile):
        return
    is_shopper = isinstance(unit, Shopper)
    Exposure.objects.create(
        recommendation_id=recommendation_id,
        arm_id=assignment.arm_id,
        shopper=unit if is_shopper else None,
        session=None if is_shopper else unit,
        exposed_at=timezone.now(),
        merchandised=list(merchandised),
    )


def choose_arm(arms: Sequence[Shared], salt: UUID, unit_name: str) -> Shared:
    """The arm of a unit: always the same, and by the shares over many units.

    The unit's hash is a number in [0, 1), where each arm has an interval as long as its share. The
    salt keeps experiments independent of each other.
    """
    digest = sha256(f"{salt}:{unit_name}".encode()).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64 * sum(arm.share for arm in arms)
    for arm in arms:
        point -= arm.share
        if point < 0:
            return arm
    return arms[-1]  # rounding
