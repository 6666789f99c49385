"""The backbone that comes with a profile which names none."""

import pytest

from recommender.querysets import BACKBONE_FIELDS
from recommender.ranking import default_profile
from tests.factories import BackboneFactory, ProductVectorFactory

pytestmark = pytest.mark.django_db


def test_it_has_each_value_in_its_own_field():
    default_profile()
    backbone = BackboneFactory(preprocessing={"size": 224})
    ProductVectorFactory(backbone=backbone)
    found = default_profile().best_backbone
    of = {name: getattr(found, name) for name in BACKBONE_FIELDS}
    assert of == {name: getattr(backbone, name) for name in BACKBONE_FIELDS}
    assert of["preprocessing"] == {"size": 224}
