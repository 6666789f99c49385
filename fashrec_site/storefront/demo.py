"""What only the demo (and staff) may do: look over a shopper's shoulder, or log in as one.

A shop that copies this storefront leaves this module out.
"""

from copy import copy

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from fashrec_site.access.schema import MODEL_BACKEND
from fashrec_site.storefront.insiders import may_see_shoppers
from fashrec_site.storefront.pages import back, page
from fashrec_site.storefront.visitor import VISITOR_COOKIE, visitor_of
from shoppers.callers import Scope
from shoppers.models import Shopper
from shoppers.sessions import merge_session

N_SHOPPERS_OFFERED = 12


def busiest_shoppers() -> list[Shopper]:
    """Those with most purchases, who have most to show."""
    with_purchases = Shopper.objects.annotate(n_purchases=Count("purchases"))
    return list(with_purchases.order_by("-n_purchases", "id")[:N_SHOPPERS_OFFERED])


def offered_shoppers() -> list[Shopper]:
    """Those as whom a visitor of the demo may log in."""
    return [s for s in busiest_shoppers() if s.is_simulated] if settings.FASHREC_DEMO else []


def watched_shopper(request: HttpRequest) -> Shopper | None:
    """Whose recommendations the page shows to somebody who is not that shopper."""
    wanted = request.GET.get("shopper")
    if not may_see_shoppers(request):
        return None
    if wanted:
        return get_object_or_404(Shopper, external_id=wanted.replace("\x00", ""))
    if visitor_of(request).is_known:
        return None  # who did something here sees what comes of it
    return next(iter(busiest_shoppers()), None)


def as_onlooker(request: HttpRequest) -> HttpRequest:
    """The demo's storefront itself asks: it may read shoppers, as a server's key may."""
    onlooker = copy(request)
    if settings.FASHREC_DEMO:
        onlooker.key_scopes = [Scope.READ_SHOPPERS]
    return onlooker


@page
@require_POST
def log_in_as(request: HttpRequest) -> HttpResponse:
    """Become a simulated shopper, without a password; in the demo only."""
    if not settings.FASHREC_DEMO:
        raise Http404
    name = request.POST.get("shopper", "").replace("\x00", "")
    shopper = get_object_or_404(Shopper, external_id=name, is_simulated=True)
    token = visitor_of(request).session_token
    login(request, _user_of(shopper), backend=MODEL_BACKEND)
    if token is not None:
        merge_session(token=token, shopper=shopper, now=timezone.now())
    response = back(request)
    response.delete_cookie(VISITOR_COOKIE)
    return response


@transaction.atomic
def _user_of(shopper: Shopper) -> User:
    """The shopper's user, made without a password at the first visit."""
    locked = Shopper.objects.select_for_update().get(pk=shopper.pk)
    if locked.user is None:
        locked.user = User.objects.create_user(f"demo-{locked.external_id}")
        locked.save(update_fields=["user"])
    return locked.user
