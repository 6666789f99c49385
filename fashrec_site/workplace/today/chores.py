"""What needs a hand today, the most urgent first."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.urls import reverse


@dataclass(frozen=True)
class Chore:
    """Something that needs a hand, and where to lend it."""

    text: str
    url: str
    link: str


@dataclass(frozen=True)
class Watched:
    """Rows that should not be there: what is said of one, of many, and the page that lists them."""

    count: str
    permission: str
    one: str
    many: str
    page: str
    link: str
    query: str = ""

    def chore(self, n_rows: int) -> Chore:
        """What to do about so many."""
        text = self.one if n_rows == 1 else self.many.format(n=n_rows)
        return Chore(text, reverse(f"admin:{self.page}") + self.query, self.link)


WATCHED = (
    Watched(
        "failed",
        "embeddings.view_embedding",
        "1 photo could not be embedded.",
        "{n:,} photos could not be embedded.",
        "embeddings_embedding_changelist",
        "See why",
        "?state__exact=failed",
    ),
    Watched(
        "late",
        "catalog.view_product",
        "1 photo waited more than an hour to be embedded.",
        "{n:,} photos waited more than an hour to be embedded.",
        "today_without_embedding",
        "See which",
    ),
    Watched(
        "without_photo",
        "catalog.view_product",
        "1 product on sale without a photo.",
        "{n:,} products on sale without a photo.",
        "today_without_photo",
        "Add photos",
    ),
    Watched(
        "duplicates",
        "embeddings.view_duplicatepair",
        "1 pair of products may be one article.",
        "{n:,} pairs of products may be one article each.",
        "duplicates",
        "Decide",
    ),
    Watched(
        "ungrouped",
        "catalog.view_category",
        "1 category in no group: alike to nothing.",
        "{n:,} categories in no group: alike to nothing.",
        "catalog_category_changelist",
        "Group them",
        "?grouped=alone",
    ),
    Watched(
        "webhooks_failed",
        "fashrec_site.view_webhookdelivery",
        "1 delivery to a webhook was given up.",
        "{n:,} deliveries to webhooks were given up.",
        "fashrec_site_webhookdelivery_changelist",
        "Send again",
        "?state__exact=failed",
    ),
    Watched(
        "webhooks_late",
        "fashrec_site.view_webhookdelivery",
        "1 delivery to a webhook is late.",
        "{n:,} deliveries to webhooks are late.",
        "fashrec_site_webhookdelivery_changelist",
        "See which",
        "?state__exact=pending",
    ),
)


def chores_of(counts: Mapping[str, int], user: User) -> list[Chore]:
    """What is wrong, of what this person may look into."""
    chores = [
        watched.chore(counts[watched.count])
        for watched in WATCHED
        if counts[watched.count] and user.has_perm(watched.permission)
    ]
    if not counts["active"]:
        products = reverse("admin:catalog_product_changelist")
        chores.insert(0, Chore("No product is on sale.", products, "Products"))
    return chores
