"""Questions about ranking profiles."""

from collections.abc import Mapping
from typing import Any, Self

from django.db.models import Case, F, Q, QuerySet, Subquery, When
from django.db.models.functions import JSONObject

from embeddings.models import Backbone
from embeddings.preference import backbones_with_vectors

# In the model's order, which `from_db` assigns by; a JSONB object has its keys in another one.
BACKBONE_FIELDS = ("id", "name", "dimension", "preprocessing", "weights_sha256", "is_active")


def backbone_from_values(values: Mapping[str, Any], alias: str) -> Backbone:
    """The backbone that was read as a JSON object of `BACKBONE_FIELDS`."""
    return Backbone.from_db(alias, BACKBONE_FIELDS, [values[name] for name in BACKBONE_FIELDS])


class RankingProfileQuerySet(QuerySet):
    """Ranking profiles."""

    def with_backbone(self) -> Self:
        """With the backbone that each ranks with: its own, or the best one that has vectors."""
        best = backbones_with_vectors()
        values = JSONObject(**{name: name for name in BACKBONE_FIELDS})
        return self.select_related("backbone").annotate(
            best_backbone_values=Subquery(best.values(values=values)[:1])
        )

    def in_play(self) -> Self:
        """The default one, and those of the running experiment's arms, the default one first.

        With `arm_id`, `share` and `salt` of the arm; None for a profile that is no running arm.
        """
        running = Q(
            arms__experiment__started_at__isnull=False, arms__experiment__stopped_at__isnull=True
        )
        of_arm = {"arm_id": "arms__id", "share": "arms__share", "salt": "arms__experiment__salt"}
        columns = {name: Case(When(running, then=F(path))) for name, path in of_arm.items()}
        found = self.filter(Q(is_default=True) | running).annotate(**columns)
        return found.order_by("-is_default", "pk")
