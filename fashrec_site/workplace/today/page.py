"""What the first page shows, for who may see what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from catalog.models import Product
from fashrec_site.workplace.today.chores import chores_of
from fashrec_site.workplace.today.figures import Figures, figures
from fashrec_site.workplace.today.workers import workers
from recommender.availability import shown_products
from recommender.models import EvaluationRun
from recommender.trending import shown_rising_products
from shoppers.models import ProductPopularity

N_PRODUCTS = 5
RISING_DAYS = 30
PRODUCTS = "catalog.view_product"


@dataclass(frozen=True)
class Tile:
    """A number, and the list behind it."""

    title: str
    value: str
    url: str
    note: str = ""
    is_bad: bool = False


@dataclass(frozen=True)
class Ranked:
    """A product among the most popular, or those that rise most."""

    product: Product
    figure: str


def add_today(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK. At most eight statements beside those of the login."""
    user, now = request.user, timezone.now()
    today = figures(now)
    context |= {
        "title": "Today",
        "figures": today,
        "tiles": _tiles(today) if user.has_perm(PRODUCTS) else [],
        "chores": chores_of(today.counts, user),
        "sees_products": user.has_perm(PRODUCTS),
    }
    if user.has_perm(PRODUCTS):
        context |= _products(now)
    if user.has_perm("recommender.view_evaluationrun"):
        context["evaluation"] = EvaluationRun.objects.filter(finished_at__isnull=False).first()
    return context


@require_GET
def workers_part(request: HttpRequest) -> HttpResponse:
    """The workers' part of the page, asked for when the rest is there: it may take a second."""
    known = workers()
    unserved = [queue.name for queue in known.queues if not queue.workers]
    return render(request, "admin/today/workers.html", {"workers": known, "unserved": unserved})


def _tiles(today: Figures) -> list[Tile]:
    counts, products = today.counts, reverse("admin:catalog_product_changelist")
    coverage = today.coverage_percent
    return [
        Tile("Products on sale", f"{counts['active']:,}", f"{products}?is_active__exact=1"),
        Tile(
            "Without a current embedding",
            f"{counts['without_embedding']:,}",
            reverse("admin:today_without_embedding"),
            f"by {today.backbone}" if today.backbone else "no backbone yet",
            is_bad=counts["without_embedding"] > 0,
        ),
        Tile(
            "Failed photos",
            f"{counts['failed']:,}",
            reverse("admin:embeddings_embedding_changelist") + "?state__exact=failed",
            is_bad=counts["failed"] > 0,
        ),
        Tile(
            "Categories without a group",
            f"{counts['ungrouped']:,}",
            reverse("admin:catalog_category_changelist") + "?grouped=alone",
            is_bad=counts["ungrouped"] > 0,
        ),
        Tile(
            "Products recommended",
            "-" if coverage is None else f"{coverage:.0f}%",
            reverse("admin:recommender_recommendationlog_changelist"),
            f"{today.n_recommended:,} in the last {_n(today.n_answers, 'answer')}",
        ),
    ]


def _n(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _products(now: datetime) -> dict[str, list[Ranked]]:
    """The most popular products, and those that rise most. Three statements."""
    popular = dict(
        ProductPopularity.objects.filter(is_active=True)
        .order_by("-popularity", "product_id")
        .values_list("product_id", "popularity")[:N_PRODUCTS]
    )
    rising = shown_rising_products(
        window_days=RISING_DAYS, half_life_days=RISING_DAYS / 2, now=now, genders=None
    )[:N_PRODUCTS]
    shown = shown_products({*popular, *(row.product_id for row in rising)}, None)
    return {
        "popular": [
            Ranked(shown[key].product, f"{n:,}") for key, n in popular.items() if key in shown
        ],
        "rising": [
            Ranked(shown[row.product_id].product, f"{row.n_before:,} to {row.n_recent:,}")
            for row in rising
            if row.product_id in shown
        ],
    }
