"""The review queue: one pair at a time, decided by a key or a click; and what was decided."""

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from catalog.task_queue import enqueue
from embeddings.duplicates.models import DuplicatePair
from embeddings.duplicates.services import search_state
from embeddings.duplicates.tasks import find_duplicates
from fashrec_site.merging.decisions import DecisionRefusedError, decide_pair, take_back
from fashrec_site.merging.services import Undone
from fashrec_site.workplace.duplicates.sheet import pair_sheet, with_products
from fashrec_site.workplace.permissions import needs

SEE = ("embeddings.view_duplicatepair", "catalog.view_product")
DECIDE = (*SEE, "embeddings.change_duplicatepair", "catalog.change_product")
N_NEXT = 8
N_PER_PAGE = 25
SAID = {
    DuplicatePair.Decision.MERGED: "Merged: {other} is {kept} from now on.",
    DuplicatePair.Decision.DISTINCT: "Remembered: {kept} and {other} are two.",
    DuplicatePair.Decision.HIDDEN: "{other} is off sale; {kept} stays.",
}


@require_GET
@needs(*SEE)
def queue(request: HttpRequest) -> HttpResponse:
    """One open pair side by side, and the next ones; at most twelve queries."""
    pairs = with_products(DuplicatePair.objects.to_decide())
    chosen = pairs.filter(pk=_number(request.GET.get("pair"))).first()
    ahead = list(pairs[: N_NEXT + 1])
    pair = chosen or next(iter(ahead), None)
    later = [other for other in ahead if pair is None or other.pk != pair.pk][:N_NEXT]
    context = {
        **admin.site.each_context(request),
        "title": "Duplicates",
        "sheet": pair and pair_sheet(pair, _number(request.GET.get("keep"))),
        "later": later,
        "n_open": DuplicatePair.objects.to_decide().count(),
        "may_decide": request.user.has_perms(DECIDE),
        "state": search_state(),
        "is_fullwidth": True,
    }
    return render(request, "admin/duplicates/queue.html", context)


@require_POST
@needs(*DECIDE)
def decide(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Do what was decided and go on to the next pair."""
    try:
        pair = decide_pair(
            pair_id=pair_id,
            decision=_decision(request),
            kept_id=_number(request.POST.get("keep")),
            by=request.user,
            now=timezone.now(),
        )
    except DecisionRefusedError as error:
        messages.error(request, str(error))
    else:
        kept, other = pair.a, pair.b
        if kept.pk != _number(request.POST.get("keep")):
            kept, other = other, kept
        messages.success(request, SAID[pair.decision].format(kept=_name(kept), other=_name(other)))
    return HttpResponseRedirect(reverse("admin:duplicates"))


@require_GET
@needs(*SEE)
def decisions(request: HttpRequest) -> HttpResponse:
    """What was decided, the latest first, each with what takes it back."""
    pairs = with_products(DuplicatePair.objects.decided()).select_related("a", "b", "decided_by")
    context = {
        **admin.site.each_context(request),
        "title": "Decided duplicates",
        "page": Paginator(pairs, N_PER_PAGE).get_page(request.GET.get("page")),
        "may_decide": request.user.has_perms(DECIDE),
    }
    return render(request, "admin/duplicates/decisions.html", context)


@require_POST
@needs(*DECIDE)
def undo(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Take a decision back and show the pair again."""
    try:
        undone = take_back(pair_id=pair_id, by=request.user, now=timezone.now())
    except DecisionRefusedError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:duplicate_decisions"))
    messages.success(request, _said(undone))
    url = reverse("admin:duplicates")
    return HttpResponseRedirect(f"{url}?{urlencode({'pair': pair_id})}")


@require_POST
@needs(*DECIDE)
def search(request: HttpRequest) -> HttpResponse:
    """Have a worker compare what is new."""
    if not enqueue(find_duplicates):
        messages.warning(request, "The queue cannot be reached now; it is tried every ten minutes.")
    return HttpResponseRedirect(reverse("admin:duplicates"))


@require_GET
@needs(*SEE)
def progress(request: HttpRequest) -> HttpResponse:
    """How far the comparison is; the page asks while there is something to do."""
    context = {
        "state": search_state(),
        "n_open": DuplicatePair.objects.to_decide().count(),
        "may_decide": request.user.has_perms(DECIDE),
    }
    return render(request, "admin/duplicates/progress.html", context)


def _said(undone: Undone | None) -> str:
    if undone is None:
        return "Taken back: the pair is in the queue again."
    said = f"Taken apart: {undone.n_purchases:,} purchases and {undone.n_events:,} events went back"
    if undone.stores:
        return f"{said}; the stock of {', '.join(undone.stores)} changed since and stayed."
    return f"{said}."


def _decision(request: HttpRequest) -> DuplicatePair.Decision:
    """The one that was sent; an unknown one is refused as no decision."""
    sent = request.POST.get("decision", "")
    if sent not in SAID:
        raise DecisionRefusedError("Choose merge, not a duplicate, or hide.")
    return DuplicatePair.Decision(sent)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def _name(product: object) -> str:
    return f"{product} ({product.item_id})" if str(product) != product.item_id else str(product)
