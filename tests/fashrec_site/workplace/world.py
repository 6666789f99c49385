"""One row of everything that the admin shows, and what the database holds."""

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.forms.models import model_to_dict
from django.utils import timezone

from catalog.models import CategorySimilarity, GroupSimilarity
from embeddings.attributes.models import AttributeSuggestion
from embeddings.models import DuplicatePair, FidelityCheck
from fashrec_site.access.keys import issue_key
from fashrec_site.models import WebhookDelivery, WebhookEndpoint
from fashrec_site.product_jobs.models import ProductJob
from recommender.experiments.models import Arm, Experiment
from recommender.models import (
    EvaluationRun,
    MerchandisingRule,
    RankingProfile,
    RecommendationLog,
    Tier,
)
from shoppers.models import AnonymousSession, Event
from tests.factories import (
    CategoryFactory,
    CategoryGroupFactory,
    ProductFactory,
    ProductVectorFactory,
    PurchaseFactory,
    StockFactory,
)

NOT_OURS = ("django_session", "django_admin_log", "django_migrations")


def one_of_each() -> None:
    """Rows of every model that has an admin, users and roles apart."""
    vector = ProductVectorFactory()
    purchase = PurchaseFactory(product=vector.product)
    StockFactory(product=vector.product)
    CategorySimilarity.objects.create(
        a=vector.product.category, b=CategoryFactory(), similarity=0.5
    )
    GroupSimilarity.objects.create(
        a=vector.product.category.group, b=CategoryGroupFactory(), similarity=0.5
    )
    Event.objects.create(
        shopper=purchase.shopper,
        product=vector.product,
        kind=Event.Kind.VIEW,
        occurred_at=timezone.now(),
    )
    AnonymousSession.objects.create(token_sha256="0" * 64)
    DuplicatePair.objects.create(
        a=vector.product,
        b=ProductFactory(),
        likeness=0.5,
        cosine=0.9,
        n_bits=9,
        color_distance=1,
        found_at=timezone.now(),
    )
    FidelityCheck.objects.create(
        backbone=vector.backbone, weights_sha256="", way="w", circumstances="c", reason="r"
    )
    profile = RankingProfile.objects.create(name="shop", is_default=True)
    Arm.objects.create(experiment=Experiment.objects.create(name="e"), profile=profile)
    RecommendationLog.objects.create(
        shopper=purchase.shopper, tier=Tier.PERSONAL, settings={}, items=[]
    )
    EvaluationRun.objects.create(settings={})
    AttributeSuggestion.objects.create(
        product=vector.product,
        label="color",
        value="Red",
        confidence=0.9,
        backbone=vector.backbone,
        weights_sha256="",
    )
    MerchandisingRule.objects.create(product=vector.product, boost=0.5)
    ProductJob.objects.create(
        asked_at=timezone.now(), kind="activate", product_ids=[vector.product_id], n_products=1
    )
    issue_key(name="key")
    AccessAttempt.objects.create(username="eve", failures_since_start=1)
    endpoint = WebhookEndpoint.objects.create(name="hook", url="https://shop.example/", kinds=[])
    WebhookDelivery.objects.create(endpoint=endpoint, kind="ping", payload={})


def staff(name: str, *, groups: tuple[str, ...] = ()) -> User:
    """A member of staff with these roles."""
    from django.contrib.auth.models import Group

    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def registered_models() -> list:
    """Every model that the admin shows."""
    return [*admin.site._registry]


def form_data(row) -> dict[str, str]:
    """A row as a form would send it, each text and number changed."""
    data = {"post": "yes", "_save": "1", "name": "changed", "similarity": "0.99"}
    for name, value in model_to_dict(row).items():
        if isinstance(value, str | int | float):
            data[name] = str(value)
    return data | {"title": "changed", "is_active": "", "base": "99"}


def database() -> dict[str, str]:
    """A fingerprint of each table's rows."""
    with connection.cursor() as cursor:
        tables = [
            name for name in connection.introspection.table_names() if not name.startswith(NOT_OURS)
        ]
        query = " UNION ALL ".join(
            f"SELECT '{table}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{table}\" t"  # noqa: S608
            for table in tables
        )
        cursor.execute(query)
        return dict(cursor.fetchall())
