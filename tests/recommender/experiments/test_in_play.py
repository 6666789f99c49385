"""What every answer reads of the profiles: as the ORM finds it, and never what it was before."""

import pytest

from recommender.experiments.in_play import profiles_in_play
from recommender.experiments.models import Arm, Experiment
from recommender.experiments.services import start, stop
from recommender.models import RankingProfile
from recommender.querysets import BACKBONE_FIELDS
from recommender.ranking import RankingSettings, default_profile
from tests.factories import BackboneFactory
from tests.recommender.experiments.test_experiments import NOW
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db


def make_experiment(n_arms=2):
    """One whose first arm has a backbone of its own."""
    experiment = Experiment.objects.create(name="looks against trends")
    for n in range(n_arms):
        backbone = None if n else BackboneFactory(preprocessing={"size": 224})
        profile = RankingProfile.objects.create(name=f"arm {n}", backbone=backbone)
        Arm.objects.create(experiment=experiment, profile=profile, share=n + 1)
    return experiment


def of(backbone):
    """What a ranking needs of it."""
    return {name: getattr(backbone, name) for name in BACKBONE_FIELDS}


def facts(profile):
    """All that is known of a profile and of the backbone that it ranks with."""
    fields = [getattr(profile, field.attname) for field in profile._meta.concrete_fields]
    backbone = profile.backbone or profile.best_backbone
    return (
        fields,
        backbone and of(backbone),
        profile.arm_id,
        profile.share,
        profile.salt,
        profile._state.db,
    )


def test_they_are_what_the_queryset_finds_in_a_prepared_query(django_assert_num_queries):
    make_world().add("vest", (1, 0, 0))
    default_profile()
    start(experiment=make_experiment(), now=NOW)
    with django_assert_num_queries(0):  # beside the prepared one, which Django does not count
        found = [facts(profile) for profile in profiles_in_play()]
    expected = RankingProfile.objects.with_backbone().in_play()
    assert found == [facts(profile) for profile in expected]
    assert [share for *_, share, _, _ in found] == [None, 1, 2]
    assert len({backbone["name"] for _, backbone, *_ in found}) == 2


def test_a_change_is_seen_at_once():
    profile = default_profile()
    assert [p.weight_visual for p in profiles_in_play()] == [0.7]
    profile.weight_visual = 0.2
    profile.save()
    assert [p.weight_visual for p in profiles_in_play()] == [0.2]
    experiment = make_experiment()
    start(experiment=experiment, now=NOW)
    assert len(profiles_in_play()) == 3
    stop(experiment=experiment, now=NOW)
    assert profiles_in_play() == [profile]


def test_a_backbone_that_got_its_first_vector_is_seen_at_once():
    world = make_world()
    default_profile()
    assert RankingSettings.from_profile(profiles_in_play()[0]).backbone is None
    world.add("vest", (1, 0, 0))
    found = RankingSettings.from_profile(profiles_in_play()[0]).backbone
    assert of(found) == of(world.backbone)
