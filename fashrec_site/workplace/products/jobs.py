"""Bulk changes that a worker does: who asked for what, how far it is, and a button to stop it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display

from catalog.list_admin import ListAdmin
from embeddings.dispatch import NoWorkerError, require_worker
from fashrec_site.product_jobs.models import ProductJob, ProductJobQuerySet
from fashrec_site.product_jobs.services import stop_job
from fashrec_site.workplace.permissions import needs
from fashrec_site.workplace.products.bulk import what_was_done

STATE_COLORS = {"ready": "success", "failed": "danger", "waiting": "warning", "running": "info"}


@admin.register(ProductJob)
class ProductJobAdmin(ListAdmin):
    """To watch and to read; the product list asks for them."""

    list_display = ("what", "asked_by", "asked_at", "done", "current_state")
    list_display_links = ("what",)
    list_filter = ("kind", "state")
    list_select_related = ("asked_by", "category")

    def get_queryset(self, request: HttpRequest) -> ProductJobQuerySet:
        """Without the long arrays of keys."""
        return super().get_queryset(request).without_products()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Actions of the product list make them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ProductJob | None = None) -> bool:
        """They can be stopped, and not rewritten."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ProductJob | None = None) -> bool:
        """They tell who did what."""
        return False

    @admin.display(description="what")
    def what(self, job: ProductJob) -> str:
        """In words."""
        return title_of(job)

    @admin.display(description="done")
    def done(self, job: ProductJob) -> str:
        """How far."""
        return f"{job.n_done:,} of {job.n_products:,}"

    @display(description="state", ordering="state", label=STATE_COLORS)
    def current_state(self, job: ProductJob) -> str:
        """As a label."""
        return job.state

    def get_urls(self) -> list[URLPattern]:
        """With the button that stops."""
        view = self.admin_site.admin_view(stop)
        return [path("<int:pk>/stop/", view, name="product_job_stop"), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """How far it is; the page asks again every second while it is not done."""
        job = self.get_object(request, object_id)
        if job is None or request.method != "GET" or not self.has_view_permission(request, job):
            return super().change_view(request, object_id, form_url, extra_context)
        context = {
            **self.admin_site.each_context(request),
            "title": title_of(job),
            "opts": self.opts,
            "job": job,
            "time_left": in_words(job.seconds_left(timezone.now())),
            "outcome": what_was_done(job.kind, job.n_changed, job.category),
            "may_stop": job.is_open and request.user.has_perm("catalog.change_product"),
            # Asked once, not at each look: an answer may take two seconds.
            "has_worker": not job.is_open or "HX-Request" in request.headers or _has_worker(),
        }
        return TemplateResponse(request, "admin/catalog/product/job.html", context)


def title_of(job: ProductJob) -> str:
    """What is done, as the list and the page call it."""
    where = f" to {job.category}" if job.category else ""
    named = {"move": f"Move{where}"}.get(job.kind, job.get_kind_display().capitalize())
    return f"{named}: {job.n_products:,} products"


def in_words(seconds: float | None) -> str:
    """Such as "about 4 minutes"; nothing where nobody knows."""
    if seconds is None:
        return ""
    n, unit = max(1, round(seconds)), "second"
    if seconds >= 90:
        n, unit = round(seconds / 60), "minute"
    return f"about {n:,} {unit}{'' if n == 1 else 's'}"


@require_POST
@needs("catalog.change_product", "fashrec_site.view_productjob")
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Do no further chunk."""
    job = get_object_or_404(ProductJob.objects.without_products(), pk=pk)
    stop_job(job_id=job.pk, now=timezone.now())
    return HttpResponseRedirect(reverse("admin:fashrec_site_productjob_change", args=[job.pk]))


def _has_worker() -> bool:
    try:
        require_worker()
    except NoWorkerError:
        return False
    return True
