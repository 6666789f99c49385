"""The list's actions on many products: a few at once, more by a worker with a page to watch."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from catalog.models import Category
from catalog.task_queue import enqueue
from fashrec_site.product_jobs.changes import change_products
from fashrec_site.product_jobs.models import ProductJob
from fashrec_site.product_jobs.services import ask_for_change
from fashrec_site.tasks import run_product_job

AT_ONCE = 200  # products; half a second
Kind = ProductJob.Kind


def change_chosen(
    request: HttpRequest, products: QuerySet, kind: str, category: Category | None = None
) -> HttpResponse | None:
    """Change the products, or have it done; None where the list is to be shown again."""
    ids = list(products.order_by("pk").values_list("pk", flat=True))
    if len(ids) > AT_ONCE:
        return _ask(request, ids, kind=kind, category=category)
    with transaction.atomic():
        n_changed = change_products(kind=kind, product_ids=ids, category=category)
    messages.success(request, what_was_done(kind, n_changed, category))
    is_watched = kind == Kind.EMBED
    return HttpResponseRedirect(reverse("admin:embedding_progress")) if is_watched else None


def _ask(request: HttpRequest, ids: list[int], **change: Any) -> HttpResponse:
    job = ask_for_change(by=request.user, product_ids=ids, now=timezone.now(), **change)
    enqueue(run_product_job, job.pk)
    return HttpResponseRedirect(reverse("admin:fashrec_site_productjob_change", args=[job.pk]))


def what_was_done(kind: str, n_changed: int, category: Category | None) -> str:
    """One sentence."""
    n = f"{n_changed:,}"
    sentences = {
        Kind.ACTIVATE: f"{n} products put on sale.",
        Kind.DEACTIVATE: f"{n} products taken off sale.",
        Kind.MOVE: f"{n} products moved to {category}.",
        Kind.EMBED: f"{n} photos are embedded again.",
    }
    return sentences[Kind(kind)]
