"""What is recorded shows in the next recommendation, and in the experiment that it was part of."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recommender.experiments.models import Arm, Experiment, Exposure
from recommender.experiments.report import experiment_report
from recommender.experiments.services import start
from recommender.models import RankingProfile
from shoppers.models import Purchase
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db
RECOMMEND = """query ($weights: RelevanceWeights) {
    recommendations(shopper: "ann", weights: $weights) {
        id profile { name } items(first: 10) { %s } } }"""
ITEMS = "edges { node { itemId } }"
RECORD = """mutation ($events: [EventInput!]!) { recordEvents(events: $events) {
    ... on RecordedEvents { recorded } ... on OperationInfo { messages { field message } } } }"""


@pytest.fixture
def ann(client):
    world = make_world()
    for n, item_id in enumerate(("bought", "next", "third", "fourth")):
        world.add(item_id, (1, n, 0))
    shopper = world.shopper("bought")
    shopper.user = User.objects.create_user("ann")
    shopper.save()
    client.force_login(shopper.user)
    return shopper


def recommend(ask, weights=None):
    """The set, and the item ids in it."""
    answer = ask(RECOMMEND % ITEMS, weights=weights)["data"]["recommendations"]
    return answer, [edge["node"]["itemId"] for edge in answer["items"]["edges"]]


def record(ask, kind, item_id, **fields):
    event = {"kind": kind, "itemId": item_id, "key": f"{kind} {item_id}", **fields}
    assert ask(RECORD, events=[event])["data"]["recordEvents"] == {"recorded": 1}


def test_the_next_recommendation_excludes_what_was_bought_dismissed_or_returned(ask, ann):
    assert recommend(ask)[1] == ["next", "third", "fourth"]
    record(ask, "PURCHASE", "next")
    assert recommend(ask)[1] == ["third", "fourth"]
    record(ask, "DISMISSAL", "third")
    assert recommend(ask)[1] == ["fourth"]
    record(ask, "RETURN", "next")
    assert recommend(ask)[1] == ["fourth"]
    assert Purchase.objects.count() == 1


def test_a_running_experiment_ranks_exposes_and_counts(client, ask, ann):
    experiment = Experiment.objects.create(name="weights", goal="cart", window_hours=1)
    for name in ("one", "two"):
        profile = RankingProfile.objects.create(name=name, weight_visual=0.5)
        Arm.objects.create(experiment=experiment, profile=profile)
    start(experiment=experiment, now=timezone.now())
    answer, items = recommend(ask)
    arm = Exposure.objects.get().arm
    assert answer["profile"]["name"] == arm.profile.name
    recommend(ask, weights={"visual": 0.9})  # their own wish: no exposure
    record(ask, "CART", items[0], recommendationId=answer["id"])
    report = experiment_report(experiment, now=timezone.now() + timedelta(hours=2))
    figures = {a.profile: (a.n_exposures, a.n_units, a.n_converted) for a in report.arms}
    assert figures == {"one": (0, 0, 0), "two": (0, 0, 0)} | {arm.profile.name: (1, 1, 1)}
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    recommend(ask)
    assert Exposure.objects.count() == 1
