"""Plain admin of ranking profiles, given recommendations and evaluation runs."""

from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.forms.models import model_to_dict
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.history_admin import HistoryAdmin
from catalog.list_admin import FoundByNameAdmin
from recommender.experiments import admin as experiments_admin  # noqa: F401 - registers
from recommender.models import EvaluationRun, RankingProfile, RecommendationLog
from recommender.profile_form import WEIGHTS, RankingProfileForm, make_default


@admin.register(RankingProfile)
class RankingProfileAdmin(HistoryAdmin):
    """Weights of the relevance formula; the default one answers where nobody chose."""

    form = RankingProfileForm
    list_display = ["name", *WEIGHTS, "penalty_exponent", "k", "backbone", "is_default", "clone"]
    list_select_related = ["backbone"]
    search_fields = ["name"]
    fieldsets = (
        (None, {"fields": ("name", "is_default")}),
        ("What counts", {"fields": (*WEIGHTS, "penalty_exponent")}),
        ("What is ranked", {"fields": ("k", "backbone", "filter_gender")}),
    )
    actions = ["set_default"]
    change_form_after_template = "admin/recommender/rankingprofile/preview.html"

    @admin.display(description="clone")
    def clone(self, profile: RankingProfile) -> SafeString:
        """A link to a form that is filled in with this profile's values."""
        values = model_to_dict(profile, exclude=["id", "is_default"])
        values["name"] = f"{profile.name} (copy)"[:100]
        query = urlencode({name: value for name, value in values.items() if value is not None})
        url = reverse("admin:recommender_rankingprofile_add")
        return format_html('<a href="{}?{}">Clone</a>', url, query)

    def has_delete_permission(
        self, request: HttpRequest, obj: RankingProfile | None = None
    ) -> bool:
        """The default stays until another one is the default."""
        is_default = obj is not None and obj.is_default
        return not is_default and super().has_delete_permission(request, obj)

    @transaction.atomic
    def save_model(
        self, request: HttpRequest, obj: RankingProfile, form: ModelForm, change: bool
    ) -> None:
        """Save; a new default takes the place of the old one in the same transaction."""
        if obj.is_default:
            make_default(obj)
        else:
            super().save_model(request, obj, form, change)

    @admin.action(description="Make the chosen profile the default", permissions=["change"])
    def set_default(self, request: HttpRequest, queryset: QuerySet[RankingProfile]) -> None:
        """Let one profile answer by default."""
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one profile.", messages.ERROR)
            return
        make_default(chosen[0])
        self.message_user(request, f"{chosen[0]} answers by default now.", messages.SUCCESS)


class ReadOnlyAdmin(FoundByNameAdmin):
    """Records of what happened: to read, never to edit."""

    def has_add_permission(self, *args: object) -> bool:
        """Nobody writes history by hand."""
        return False

    def has_change_permission(self, *args: object) -> bool:
        """Nobody rewrites history by hand."""
        return False


@admin.register(RecommendationLog)
class RecommendationLogAdmin(ReadOnlyAdmin):
    """Recommendations as they were given."""

    list_display = ["id", "shopper", "session", "tier", "n_statements", "n_unproven", "created_at"]
    list_filter = ["tier", "n_statements"]
    list_select_related = ["shopper", "session"]
    search_fields = ["=shopper__external_id"]


@admin.register(EvaluationRun)
class EvaluationRunAdmin(ReadOnlyAdmin):
    """Evaluation runs with their settings and tables."""

    list_display = ["id", "created_at", "finished_at", "report_folder"]
