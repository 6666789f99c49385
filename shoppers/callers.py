"""Who asks: a shopper's session, a storefront's server with a key, staff, or a stranger."""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.http import HttpRequest

from shoppers.models import Shopper


class Scope(TextChoices):
    """What an API key may do beyond reading the catalogue."""

    READ_SHOPPERS = "shoppers:read", "read any shopper's recommendations and history"
    WRITE_EVENTS = "events:write", "record events of any shopper, and merge sessions"


@dataclass(frozen=True)
class Caller:
    """What a request may do. A key never carries a session: its caller is nobody's shopper."""

    user_id: int | None = None
    is_staff: bool = False
    scopes: frozenset[str] = frozenset()

    def is_shopper(self, shopper: Shopper) -> bool:
        """Whether the request comes from that shopper's own session."""
        return self.user_id is not None and shopper.user_id == self.user_id

    def may_read(self, shopper: Shopper) -> bool:
        """Whether the shopper's data may be shown."""
        return self.is_staff or Scope.READ_SHOPPERS in self.scopes or self.is_shopper(shopper)

    @property
    def may_record_for_anybody(self) -> bool:
        """Whether events of any shopper may be recorded."""
        return self.is_staff or Scope.WRITE_EVENTS in self.scopes


def caller_of(request: HttpRequest) -> Caller:
    """The request's caller; whoever checks keys puts their scopes into `request.key_scopes`."""
    scopes = getattr(request, "key_scopes", None)
    if scopes is not None:
        return Caller(scopes=frozenset(scopes))
    user = getattr(request, "user", None)
    if user is None or not (user.is_authenticated and user.is_active):
        return Caller()
    return Caller(user_id=user.pk, is_staff=user.is_staff)


def own_shopper(request: HttpRequest) -> Shopper | None:
    """The shopper whose session the request comes with."""
    user_id = caller_of(request).user_id
    return Shopper.objects.filter(user=user_id).first() if user_id is not None else None
