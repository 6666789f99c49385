"""Experiments in the admin: set up, start, watch, stop."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog.labelled_inline import LabelledInline
from catalog.list_admin import ListAdmin
from recommender.experiments.models import Arm, Experiment
from recommender.experiments.report import ArmReport, experiment_report, percent
from recommender.experiments.services import ExperimentError, start, stop

COLUMNS = ("arm", "exposures", "open", "counted", "converted", "rate", "difference", "p")
SETTLED = ("name", "goal", "window_hours", "planned_units", "false_positive_rate")


class ArmInline(LabelledInline):
    """An experiment's arms, the control first; they stay as they are once it has started."""

    model = Arm
    extra = 2
    fields = ("profile", "share")

    def has_add_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        """Until the start."""
        return super().has_add_permission(request, obj) and _is_new(obj)

    def has_change_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        """Until the start."""
        return super().has_change_permission(request, obj) and _is_new(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        """Until the start."""
        return super().has_delete_permission(request, obj) and _is_new(obj)


@admin.register(Experiment)
class ExperimentAdmin(ListAdmin):
    """Comparisons of ranking profiles, with a report that may be looked at any day."""

    list_display = ("name", "goal", "started_at", "stopped_at")
    readonly_fields = ("started_at", "stopped_at", "report")
    inlines = (ArmInline,)
    actions = ("start_experiments", "stop_experiments")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Experiment | None = None
    ) -> tuple[str, ...]:
        """What an experiment measures is settled by its start: else it could be made to succeed."""
        return self.readonly_fields if _is_new(obj) else (*SETTLED, *self.readonly_fields)

    @admin.display(description="report")
    def report(self, experiment: Experiment) -> SafeString | str:
        """Each arm as of now."""
        if experiment.started_at is None:
            return "not started"
        report = experiment_report(experiment, now=timezone.now())
        heads = format_html_join("", "<th>{}</th>", ((name,) for name in COLUMNS))
        rows = format_html_join("", "<tr>{}</tr>", ((_cells(arm),) for arm in report.arms))
        return format_html(
            "<table><tr>{}</tr>{}</table><p>{}. Intervals and p-values hold at every look; p below "
            "{} shows a difference.</p>",
            heads,
            rows,
            report.verdict,
            f"{report.alpha:.3g}",
        )

    @admin.action(description="Start the chosen experiments", permissions=["change"])
    def start_experiments(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        """Begin to assign."""
        self._each(request, queryset, start)

    @admin.action(description="Stop the chosen experiments", permissions=["change"])
    def stop_experiments(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        """Assign nobody any more."""
        self._each(request, queryset, stop)

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Experiment], act: Callable[..., None]
    ) -> None:
        for experiment in queryset:
            try:
                act(experiment=experiment, now=timezone.now())
            except ExperimentError as error:
                self.message_user(request, str(error), messages.ERROR)


def _cells(arm: ArmReport) -> SafeString:
    gap = arm.difference
    values = (
        arm.profile,
        f"{arm.n_exposures:,}",
        f"{arm.n_open:,}",
        f"{arm.n_units:,}",
        f"{arm.n_converted:,}",
        percent(arm.low, arm.rate, arm.high),
        percent(gap.low, gap.estimate, gap.high) if gap else "-",
        f"{gap.p_value:.3g}" if gap else "-",
    )
    return format_html_join("", "<td>{}</td>", ((value,) for value in values))


def _is_new(experiment: Experiment | None) -> bool:
    return experiment is None or experiment.started_at is None
