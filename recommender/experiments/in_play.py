"""The profiles that recommendations are ranked with now, as every answer reads them.

Django takes 3 ms to build and compile their queryset, a quarter of what GraphQL once added to an
answer, and the server .3 ms to plan it. The one happens once per process, the other once per
connection; the rows are read anew each time.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db.models.functions import JSONObject

from catalog.database import fetch_prepared, reading_connection
from recommender.models import RankingProfile
from recommender.querysets import BACKBONE_FIELDS, backbone_from_values

PROFILE_FIELDS = tuple(field.attname for field in RankingProfile._meta.concrete_fields)
OTHER_FIELDS = ("own_backbone_values", "best_backbone_values", "arm_id", "share", "salt")


def profiles_in_play() -> list[RankingProfile]:
    """What `RankingProfile.objects.with_backbone().in_play()` finds at this moment. One query."""
    connection = reading_connection()
    rows = fetch_prepared(connection, *_statement())
    return [_profile(row, connection.alias) for row in rows]


@cache
def _statement() -> tuple[str, tuple[Any, ...]]:
    """The SQL and its values, which are the same every time."""
    own = JSONObject(**{name: f"backbone__{name}" for name in BACKBONE_FIELDS})
    found = RankingProfile.objects.with_backbone().in_play().annotate(own_backbone_values=own)
    return found.values_list(*PROFILE_FIELDS, *OTHER_FIELDS).query.sql_with_params()


def _profile(row: Sequence[Any], alias: str) -> RankingProfile:
    """A profile with its backbone and what `in_play` adds to it."""
    profile = RankingProfile.from_db(alias, PROFILE_FIELDS, row[: len(PROFILE_FIELDS)])
    own, best, profile.arm_id, profile.share, profile.salt = row[len(PROFILE_FIELDS) :]
    profile.best_backbone_values = best and json.loads(best)
    if profile.backbone_id is not None:
        profile.backbone = backbone_from_values(json.loads(own), alias)
    return profile
