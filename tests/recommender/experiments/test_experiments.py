"""Experiments: who gets which profile, what is counted, and what cannot be changed half-way."""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from recommender.experiments.models import Arm, Experiment, Exposure
from recommender.experiments.report import experiment_report
from recommender.experiments.services import (
    ExperimentError,
    assignment_of,
    choose_arm,
    log_exposure,
    start,
    stop,
)
from recommender.models import RankingProfile
from recommender.ranking import RankingSettings
from shoppers.models import AnonymousSession, Event
from tests.factories import ProductFactory, ShopperFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 10, tzinfo=UTC)
SALT = uuid.UUID(int=1)


def make_experiment(**fields):
    experiment = Experiment.objects.create(name="looks against trends", salt=SALT, **fields)
    for name, weight in (("trends", 0.3), ("looks", 0.9)):
        profile = RankingProfile.objects.create(name=name, weight_visual=weight)
        Arm.objects.create(experiment=experiment, profile=profile)
    return experiment


def expose(arm, at=NOW, shopper=None, **session):
    shopper = shopper or (None if session else ShopperFactory())
    return Exposure.objects.create(
        recommendation_id=uuid.uuid4(), arm=arm, shopper=shopper, exposed_at=at, **session
    )


def convert(exposure, after=timedelta(hours=1), kind="purchase", **owner):
    owner = owner or {"shopper": exposure.shopper, "session": exposure.session}
    Event.objects.create(
        product=ProductFactory(),
        kind=kind,
        occurred_at=exposure.exposed_at + after,
        recommendation_id=exposure.recommendation_id,
        **owner,
    )


def figures(report):
    return {a.profile: (a.n_exposures, a.n_open, a.n_units, a.n_converted) for a in report.arms}


def test_arms_are_sticky_follow_their_shares_and_differ_between_experiments():
    arms = [Arm(share=1), Arm(share=3)]
    chosen = [choose_arm(arms, SALT, f"shopper:{n}") for n in range(4_000)]
    again = [choose_arm(arms, SALT, f"shopper:{n}") for n in range(4_000)]
    other = [choose_arm(arms, uuid.UUID(int=2), f"shopper:{n}") for n in range(4_000)]
    assert chosen == again
    assert Counter(arms.index(a) for a in chosen)[1] == pytest.approx(3_000, abs=110)
    agree = sum(a is b for a, b in zip(chosen, other, strict=True))
    assert agree == pytest.approx(4_000 * (1 / 16 + 9 / 16), abs=130)


def test_without_a_running_experiment_everybody_gets_the_default():
    experiment = make_experiment()
    shopper = ShopperFactory()
    assert assignment_of(shopper).profile.is_default
    start(experiment=experiment, now=NOW)
    assert assignment_of(shopper).profile.name in ("trends", "looks")
    assert assignment_of(shopper) == assignment_of(shopper)
    stop(experiment=experiment, now=NOW)
    assert assignment_of(shopper).profile.is_default


def test_shoppers_and_sessions_are_spread_over_the_arms():
    start(experiment=make_experiment(), now=NOW)
    names = {assignment_of(ShopperFactory()).profile.name for _ in range(20)}
    sessions = [AnonymousSession.objects.create(token_sha256=str(n)) for n in range(20)]
    of_sessions = {assignment_of(session).profile.name for session in sessions}
    assert names == of_sessions == {"trends", "looks"}


def test_only_what_was_ranked_by_the_arms_profile_is_an_exposure():
    shopper = ShopperFactory()
    session = AnonymousSession.objects.create(token_sha256="x")
    before = assignment_of(shopper)
    default = RankingSettings.from_profile(before.profile)
    log_exposure(shopper, before, default, uuid.uuid4())
    start(experiment=make_experiment(), now=NOW)
    assigned, other = assignment_of(shopper), assignment_of(session)
    settings = RankingSettings.from_profile(assigned.profile)
    log_exposure(shopper, assigned, default, uuid.uuid4())
    log_exposure(shopper, assigned, settings.with_changes(weight_category=1.0), uuid.uuid4())
    assert not Exposure.objects.exists()
    log_exposure(shopper, assigned, settings.with_changes(k=20), first := uuid.uuid4())
    log_exposure(
        session, other, RankingSettings.from_profile(other.profile), second := uuid.uuid4()
    )
    exposures = Exposure.objects.in_bulk()
    assert (exposures[first].shopper, exposures[first].session) == (shopper, None)
    assert (exposures[second].shopper, exposures[second].session) == (None, session)


def test_a_conversion_counts_once_in_time_and_for_its_own_recommendation():
    experiment = make_experiment(window_hours=24)
    trends, looks = experiment.arms.all()
    old = NOW - timedelta(days=5)
    convert(expose(trends, old))
    expose(trends, old)
    convert(expose(trends, old), after=timedelta(hours=25))
    convert(expose(trends, old), kind="cart")
    convert(expose(trends, old), shopper=ShopperFactory())
    convert(expose(trends, NOW - timedelta(hours=2)))  # still open
    again = expose(looks, old)
    convert(again)
    second = expose(looks, old + timedelta(hours=3), shopper=again.shopper)
    convert(second)
    session = AnonymousSession.objects.create(token_sha256="x")
    by_session = expose(looks, old, session=session)
    convert(by_session, kind="view")
    report = experiment_report(experiment, now=NOW)
    assert figures(report) == {"trends": (6, 1, 5, 1), "looks": (3, 0, 2, 1)}
    assert [arm.rate for arm in report.arms] == [0.2, 0.5]
    assert report.verdict == "looks: too few conversions to compare"


def test_a_sessions_goal_counts_also_after_its_login():
    experiment = make_experiment(goal="cart")
    (arm, _) = experiment.arms.all()
    session = AnonymousSession.objects.create(token_sha256="x")
    exposure = expose(arm, NOW - timedelta(days=9), session=session)
    convert(exposure, kind="cart", shopper=ShopperFactory(), session=session)
    assert figures(experiment_report(experiment, now=NOW))["trends"] == (1, 0, 1, 1)


def test_a_clear_difference_is_shown_and_three_arms_share_the_error_rate():
    experiment = make_experiment()
    trends, looks = experiment.arms.all()
    third = RankingProfile.objects.create(name="third")
    Arm.objects.create(experiment=experiment, profile=third)
    for arm, n_converted in ((trends, 2), (looks, 45)):
        for n in range(60):
            exposure = expose(arm, NOW - timedelta(days=9))
            if n < n_converted:
                convert(exposure)
    report = experiment_report(experiment, now=NOW)
    assert report.alpha == 0.025
    assert (
        report.verdict == "looks converts more than trends; third: too few conversions to compare"
    )
    assert report.arms[1].low > report.arms[0].high


def test_what_cannot_start_says_why():
    lonely = Experiment.objects.create(name="lonely")
    with pytest.raises(ExperimentError, match="needs two arms or more; it has 0"):
        start(experiment=lonely, now=NOW)
    first = make_experiment()
    start(experiment=first, now=NOW)
    with pytest.raises(ExperimentError, match="started before"):
        start(experiment=first, now=NOW)
    second = Experiment.objects.create(name="second")
    for arm in first.arms.all():
        Arm.objects.create(experiment=second, profile=arm.profile)
    with pytest.raises(ExperimentError, match="another experiment runs"):
        start(experiment=second, now=NOW)
    with pytest.raises(ExperimentError, match="does not run"):
        stop(experiment=second, now=NOW)
    with pytest.raises(ValidationError, match="its arms stay as they are"):
        first.arms.first().full_clean()
    stop(experiment=first, now=NOW)
    start(experiment=second, now=NOW)


def test_the_admin_starts_reports_and_stops(client):
    client.force_login(User.objects.create_superuser("root"))
    experiment = make_experiment()
    changes = "/admin/recommender/experiment/"
    chosen = {"_selected_action": [experiment.pk]}
    client.post(changes, chosen | {"action": "start_experiments"})
    experiment.refresh_from_db()
    assert experiment.is_running
    page = client.get(f"{changes}{experiment.pk}/change/").content.decode()
    assert "looks: too few conversions to compare" in page
    assert 'name="arms-0-share"' not in page
    client.post(changes, chosen | {"action": "stop_experiments"})
    experiment.refresh_from_db()
    assert not experiment.is_running


def test_staff_who_may_only_look_cannot_start(client):
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.add(
        *user.user_permissions.model.objects.filter(codename="view_experiment")
    )
    client.force_login(user)
    experiment = make_experiment()
    data = {"action": "start_experiments", "_selected_action": [experiment.pk]}
    client.post("/admin/recommender/experiment/", data)
    experiment.refresh_from_db()
    assert not experiment.is_running


def test_the_command_prints_the_report():
    with pytest.raises(CommandError, match="none: start one in the admin"):
        call_command("report_experiment")
    experiment = make_experiment()
    start(experiment=experiment, now=NOW)
    out = StringIO()
    call_command("report_experiment", stdout=out)
    assert "looks against trends: purchase, runs" in out.getvalue()
    assert "looks: too few conversions to compare" in out.getvalue()
    with pytest.raises(CommandError, match="those that started: looks against trends"):
        call_command("report_experiment", "other")


def test_what_the_shop_placed_converts_for_no_arm():
    experiment = make_experiment(started_at=NOW)
    arm = experiment.arms.first()
    placed, found = expose(arm), expose(arm)
    for exposure in (placed, found):
        convert(exposure)
    event = Event.objects.get(recommendation_id=placed.recommendation_id)
    Exposure.objects.filter(pk=placed.pk).update(merchandised=[event.product_id])
    Exposure.objects.filter(pk=found.pk).update(merchandised=[event.product_id])
    report = experiment_report(experiment, now=NOW + timedelta(days=30))
    assert figures(report)["trends"] == (2, 0, 2, 1)
