"""Questions about events."""

from typing import TYPE_CHECKING, Self

from django.db.models import Exists, OuterRef, Q, QuerySet

if TYPE_CHECKING:
    from shoppers.models import AnonymousSession, Shopper


class EventQuerySet(QuerySet):
    """Events."""

    def of(self, actor: "Shopper | AnonymousSession") -> Self:
        """What a shopper, or a session that was not merged, did."""
        if actor._meta.model_name == "shopper":
            return self.filter(shopper=actor)
        return self.filter(session=actor, shopper__isnull=True)

    def unwanted(self) -> Self:
        """Dismissals and returns: products that their shopper does not want to see again."""
        return self.filter(kind__in=("dismissal", "return"))

    def standing_favourites(self) -> Self:
        """Favourites that nothing took back since; the newest of each product may come twice."""
        same = Q(shopper=OuterRef("shopper")) | Q(shopper__isnull=True, session=OuterRef("session"))
        taken_back = self.model.objects.filter(
            same,
            product=OuterRef("product"),
            kind="unfavourite",
            occurred_at__gte=OuterRef("occurred_at"),
        )
        return self.filter(~Exists(taken_back), kind="favourite")
