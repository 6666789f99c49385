"""The numbers of the first page, each with the list that shows its rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.core.cache import cache
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from catalog.database import reading_connection
from catalog.models import Category, Product, ProductImage
from embeddings.duplicates.models import DuplicatePair
from embeddings.models import Backbone, Embedding
from fashrec_site.models import WebhookDelivery
from fashrec_site.workplace.today.counting import counted
from recommender.models import RankingProfile, RecommendationLog

SHOWN_FOR_SECONDS = 20
LATE_AFTER = timedelta(hours=1)
WEBHOOK_LATE_AFTER = timedelta(minutes=5)
N_ANSWERS = 1_000  # the newest, whose products are counted
KEY = "workplace:today"

COVERAGE = """
SELECT count(DISTINCT item ->> 'product'), count(DISTINCT answer.id)
FROM (SELECT id, items FROM {log} ORDER BY created_at DESC LIMIT %s) AS answer
LEFT JOIN LATERAL jsonb_array_elements(answer.items) AS item ON true
"""


@dataclass(frozen=True)
class Figures:
    """As of a moment, at most `SHOWN_FOR_SECONDS` ago."""

    at: datetime
    backbone: Backbone | None  # that most recommendations are made with
    counts: dict[str, int]
    waiting_since: datetime | None  # the oldest photo without a current embedding
    n_recommended: int  # different products in the newest answers
    n_answers: int

    @property
    def coverage_percent(self) -> float | None:
        """The share of products on sale that any of the newest answers has."""
        if not self.counts["active"] or not self.n_answers:
            return None
        return min(100.0, 100 * self.n_recommended / self.counts["active"])


def figures(now: datetime) -> Figures:
    """Today's numbers; four statements at most, none where somebody just asked."""
    return cache.get_or_set(KEY, partial(_measured, now), SHOWN_FOR_SECONDS)


def _measured(now: datetime) -> Figures:
    backbone = served_backbone()
    counts = counted(_rows(backbone, now))
    is_late = Q(created_at__lt=now - LATE_AFTER)
    waiting = _waiting(backbone).aggregate(
        waiting=Count("pk"), late=Count("pk", filter=is_late), since=Min("created_at")
    )
    since = waiting.pop("since")
    return Figures(now, backbone, counts | waiting, since, *_coverage())


def served_backbone() -> Backbone | None:
    """What the default profile compares looks with; before there are vectors, what is to make them.

    One query, or two.
    """
    profile = RankingProfile.objects.with_backbone().filter(is_default=True).first()
    serving = profile and (profile.backbone or profile.best_backbone)
    return serving or Backbone.objects.filter(is_active=True).first()


def _rows(backbone: Backbone | None, now: datetime) -> dict[str, QuerySet]:
    active = Product.objects.active()
    deliveries = WebhookDelivery.objects
    return {
        "active": active,
        "without_embedding": without_current_embedding(backbone),
        "without_photo": active.filter(
            ~Exists(ProductImage.objects.filter(product=OuterRef("pk")))
        ),
        "failed": Embedding.objects.filter(state=Embedding.State.FAILED),
        "duplicates": DuplicatePair.objects.to_decide(),
        "ungrouped": Category.objects.alone_in_group(),
        "webhooks_failed": deliveries.filter(state=WebhookDelivery.State.FAILED),
        "webhooks_late": deliveries.filter(
            state=WebhookDelivery.State.PENDING, next_attempt_at__lt=now - WEBHOOK_LATE_AFTER
        ),
    }


def without_current_embedding(backbone: Backbone | None) -> QuerySet[Product]:
    """Products on sale that looks cannot rank, with that backbone or at all."""
    active = Product.objects.active()
    if backbone is None:
        return active
    current = Embedding.objects.current().of(backbone).filter(image__product=OuterRef("pk"))
    return active.filter(~Exists(current))


def _waiting(backbone: Backbone | None) -> QuerySet[ProductImage]:
    """Photos that a worker has still to embed."""
    if backbone is None:
        return ProductImage.objects.active()
    return Embedding.objects.images_without(backbone)


def _coverage() -> tuple[int, int]:
    with reading_connection().cursor() as cursor:
        cursor.execute(COVERAGE.format(log=RecommendationLog._meta.db_table), [N_ANSWERS])
        return cursor.fetchone()
