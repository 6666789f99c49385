"""What somebody keeps: the favourites that they did not take back."""

from django.db.models import OuterRef, QuerySet, Subquery

from catalog.models import Product
from shoppers.models import AnonymousSession, Event, Shopper


def favourite_products(somebody: Shopper | AnonymousSession | None) -> QuerySet[Product]:
    """Active products, the latest favourite first; none for nobody."""
    if somebody is None:
        return Product.objects.none().order_by("-id")
    favourites = Event.objects.of(somebody).standing_favourites().filter(product=OuterRef("pk"))
    latest = favourites.order_by("-occurred_at").values("occurred_at")[:1]
    kept = Product.objects.active().annotate(favourited_at=Subquery(latest))
    return kept.filter(favourited_at__isnull=False).order_by("-favourited_at", "-id")
