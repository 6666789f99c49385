"""Evaluations in the admin: asked for, watched, read, compared."""

from pathlib import Path
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import BadRequest
from django.db.models import F, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET, require_POST
from markdown_it import MarkdownIt

from catalog.task_queue import enqueue
from fashrec_site.evaluations.models import EvaluationJob
from fashrec_site.evaluations.services import AlreadyAskedError, ask_for_evaluation
from fashrec_site.storefront.files import served_file
from fashrec_site.tasks import run_evaluation
from fashrec_site.workplace.permissions import needs
from fashrec_site.workplace.reports.comparison import compare_runs, settings_of
from recommender.admin import EvaluationRunAdmin
from recommender.evaluation.report import report_text
from recommender.models import EvaluationRun
from recommender.ranking import MAX_K

SEE, START = "recommender.view_evaluationrun", "recommender.add_evaluationrun"
LIST = "admin:recommender_evaluationrun_changelist"

admin.site.unregister(EvaluationRun)


@admin.register(EvaluationRun)
class EvaluationReportAdmin(EvaluationRunAdmin):
    """Evaluation runs: choose two and compare them, or open one."""

    list_display = ("started", "backbones", "similarity", "error", "products", "shoppers", "state")
    list_display_links = ("started",)
    list_before_template = "admin/reports/start.html"
    change_form_outer_before_template = "admin/reports/report.html"
    fields = ("finished_at", "report_folder")
    actions = ("compare",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EvaluationRun]:
        """Runs with what the list tells of their results, which are long."""
        first = "results__tables__backbones__0"
        return (
            super()
            .get_queryset(request)
            .annotate(
                first_similarity=F(f"{first}__category_similarity"),
                first_error=F(f"{first}__popularity_mae"),
            )
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with the latest evaluation that was asked for here."""
        job = EvaluationJob.objects.select_related("asked_by", "run").first()
        may_start = request.user.has_perm(START)
        context = {"job": job, "may_start": may_start, "max_k": MAX_K, **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description="started", ordering="created_at")
    def started(self, run: EvaluationRun) -> str:
        """When."""
        return f"{run.created_at:%Y-%m-%d %H:%M}"

    @admin.display(description="backbones")
    def backbones(self, run: EvaluationRun) -> str:
        """Their names."""
        return ", ".join(_names(run)) or "-"

    @admin.display(description="category similarity, %")
    def similarity(self, run: EvaluationRun) -> str:
        """Of the first backbone."""
        return _rounded(run.first_similarity)

    @admin.display(description="MAE x 100")
    def error(self, run: EvaluationRun) -> str:
        """Of the first backbone."""
        return _rounded(run.first_error)

    @admin.display(description="products")
    def products(self, run: EvaluationRun) -> str:
        """On sale then."""
        return _count(run, "active_products")

    @admin.display(description="shoppers")
    def shoppers(self, run: EvaluationRun) -> str:
        """With purchases then."""
        return _count(run, "shoppers_with_purchases")

    @admin.display(description="state")
    def state(self, run: EvaluationRun) -> str:
        """Whether it came to an end."""
        return "finished" if run.finished_at else "running or stopped"

    @admin.action(description="Compare two", permissions=["view"])
    def compare(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Open the two chosen ones side by side, the earlier one first."""
        keys = list(queryset.order_by("created_at").values_list("pk", flat=True)[:3])
        if len(keys) != 2:
            self.message_user(request, "Choose exactly two to compare.", messages.WARNING)
            return None
        url = reverse("admin:recommender_evaluationrun_compare")
        return HttpResponseRedirect(f"{url}?a={keys[0]}&b={keys[1]}")

    def get_urls(self) -> list[URLPattern]:
        """With the pages beside the list."""
        pages = [
            ("compare/", compare_page, "compare"),
            ("start/", start, "start"),
            ("progress/", progress, "progress"),
            ("<int:pk>/file/<str:name>", report_file, "file"),
        ]
        own = [
            path(route, self.admin_site.admin_view(view), name=f"recommender_evaluationrun_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The report."""
        run = self.get_object(request, object_id)
        if run and run.results and self.has_view_permission(request, run):
            others = EvaluationRun.objects.filter(finished_at__isnull=False).exclude(pk=run.pk)
            extra_context = (extra_context or {}) | {
                "title": f"Evaluation of {run.created_at:%Y-%m-%d %H:%M}",
                "report": _html(run),
                "others": others.only("created_at")[:20],
            }
        return super().change_view(request, object_id, form_url, extra_context)


@require_POST
@needs(SEE, START)
def start(request: HttpRequest) -> HttpResponse:
    """Ask a worker for an evaluation."""
    text = request.POST.get("k", "5")
    k = int(text) if text.isdecimal() and len(text) < 4 else 0
    if not 1 <= k <= MAX_K:
        messages.error(request, f"K must be from 1 to {MAX_K}; got “{text[:20]}”.")
        return HttpResponseRedirect(reverse(LIST))
    try:
        job = ask_for_evaluation(by=request.user, k=k, now=timezone.now())
    except AlreadyAskedError as error:
        messages.warning(request, str(error))
    else:
        enqueue(run_evaluation, job.pk)
    return HttpResponseRedirect(reverse(LIST))


@require_GET
@needs(SEE)
def progress(request: HttpRequest) -> HttpResponse:
    """How far the latest one is; the page asks every second while it is not done."""
    job = EvaluationJob.objects.select_related("asked_by", "run").first()
    return render(request, "admin/reports/progress.html", {"job": job, "was_asked": True})


@require_GET
@needs(SEE)
def compare_page(request: HttpRequest) -> HttpResponse:
    """Two runs side by side."""
    a, b = (_finished(request.GET.get(name, "")) for name in ("a", "b"))
    context = {
        **admin.site.each_context(request),
        "title": "Two evaluations",
        "a": a,
        "b": b,
        "sections": compare_runs(a, b),
        "settings": settings_of(a, b),
    }
    return render(request, "admin/reports/compare.html", context)


@require_GET
@needs(SEE)
def report_file(request: HttpRequest, pk: int, name: str) -> FileResponse:
    """A picture of a run's report."""
    run = get_object_or_404(EvaluationRun, pk=pk)
    if not run.report_folder or name not in {file for file, _ in _pictures(run)}:
        raise Http404
    return served_file(Path(run.report_folder), name, max_age_seconds=3600)


def _finished(key: str) -> EvaluationRun:
    if not (key.isdecimal() and len(key) < 19):
        raise BadRequest("expected a=<number>&b=<number> of two evaluations")
    return get_object_or_404(EvaluationRun, pk=key, results__isnull=False)


def _html(run: EvaluationRun) -> SafeString:
    """The report from the row, with those of its pictures that are still there."""
    pictures = [{"file": name, "title": title} for name, title in _pictures(run)]
    text = report_text({**run.results, "settings": run.settings, "pictures": pictures})
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    for picture in pictures:
        url = reverse("admin:recommender_evaluationrun_file", args=[run.pk, picture["file"]])
        html = html.replace(f'src="{picture["file"]}"', f'src="{url}" loading="lazy"')
    # A keyboard can scroll only what it can reach; our policy lets no tag carry its own style.
    html = html.replace("<table>", '<div class="scrolls" tabindex="0"><table>')
    html = html.replace("</table>", "</table></div>")
    html = html.replace('style="text-align:right"', 'class="number"')
    return mark_safe(html)  # noqa: S308 - rendered with raw HTML off


def _pictures(run: EvaluationRun) -> list[tuple[str, str]]:
    """File names and titles of those that are still there."""
    folder = Path(run.report_folder)
    known = [(p["file"], p["title"]) for p in (run.results or {}).get("pictures", ())]
    return [(name, title) for name, title in known if (folder / name).is_file()]


def _names(run: EvaluationRun) -> list[str]:
    rows = run.settings.get("backbones", ())
    return [row["name"] if isinstance(row, dict) else str(row) for row in rows]


def _count(run: EvaluationRun, name: str) -> str:
    n_rows = run.settings.get("database", {}).get(name)
    return "-" if n_rows is None else f"{n_rows:,}"


def _rounded(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
