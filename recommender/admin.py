"""Plain admin of ranking profiles, given recommendations and evaluation runs."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from recommender.experiments import admin as experiments_admin  # noqa: F401 - registers
from recommender.models import EvaluationRun, RankingProfile, RecommendationLog


@admin.register(RankingProfile)
class RankingProfileAdmin(ModelAdmin):
    """Weights of the relevance formula; the default one answers where nobody chose."""

    list_display = [
        "name",
        "weight_visual",
        "weight_popularity",
        "weight_category",
        "weight_proximity",
        "penalty_exponent",
        "k",
        "backbone",
        "is_default",
    ]
    list_select_related = ["backbone"]


class ReadOnlyAdmin(ModelAdmin):
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

    list_display = ["id", "shopper", "tier", "n_statements", "n_unproven", "created_at"]
    list_filter = ["tier", "n_statements"]
    list_select_related = ["shopper"]
    search_fields = ["shopper__external_id"]
    show_full_result_count = False


@admin.register(EvaluationRun)
class EvaluationRunAdmin(ReadOnlyAdmin):
    """Evaluation runs with their settings and tables."""

    list_display = ["id", "created_at", "finished_at", "report_folder"]
