"""Questions about merchandising rules."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from recommender.merchandising.models import MerchandisingRule


class MerchandisingRuleQuerySet(QuerySet):
    """Merchandising rules."""

    def holding(self, at: datetime) -> Self:
        """Those that hold at that moment."""
        return self.filter(starts_at__lte=at).not_over(at)

    def not_over(self, at: datetime) -> Self:
        """Those that hold at that moment or later."""
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at))

    def pins(self) -> Self:
        """Those that give a product a place."""
        return self.filter(position__isnull=False)

    def boosts(self) -> Self:
        """Those that raise a relevance."""
        return self.filter(boost__gt=0)

    def buries(self) -> Self:
        """Those that lower a relevance."""
        return self.filter(boost__lt=0)

    def overlapping(self, starts_at: datetime, ends_at: datetime | None) -> Self:
        """Those that hold at any moment of [starts_at, ends_at); None: without end."""
        rules = self.not_over(starts_at)
        return rules if ends_at is None else rules.filter(starts_at__lt=ends_at)

    def beside(self, rule: "MerchandisingRule") -> Self:
        """Those that do the same, boost or pin, in the rule's scope at one of its moments."""
        same = self.filter(category=rule.category_id, position__isnull=rule.position is None)
        return same.overlapping(rule.starts_at, rule.ends_at)
