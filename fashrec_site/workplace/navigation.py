"""The sidebar: grouped by what people come for, each with what they may see."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

# Title, icon (of Material Symbols) and the model whose list it opens.
SECTIONS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Assortment",
        (
            ("Products", "checkroom", "catalog.product"),
            ("Photos", "photo_library", "catalog.productimage"),
            ("Duplicates", "join_inner", "embeddings.duplicatepair"),
            ("Suggested labels", "label", "embeddings.attributesuggestion"),
            ("Categories", "category", "catalog.category"),
            ("Groups", "folder_open", "catalog.categorygroup"),
            ("Stores", "storefront", "catalog.store"),
            ("Stock", "inventory_2", "catalog.stock"),
            ("Bulk changes", "playlist_add_check", "fashrec_site.productjob"),
        ),
    ),
    (
        "Ranking",
        (
            ("Similarity matrix", "grid_on", "catalog.groupsimilarity"),
            ("Ranking profiles", "tune", "recommender.rankingprofile"),
            ("Pins and boosts", "push_pin", "recommender.merchandisingrule"),
            ("Experiments", "science", "recommender.experiment"),
            ("Evaluations", "monitoring", "recommender.evaluationrun"),
            ("Given recommendations", "history", "recommender.recommendationlog"),
        ),
    ),
    (
        "Shoppers",
        (
            ("Shoppers", "group", "shoppers.shopper"),
            ("Purchases", "shopping_bag", "shoppers.purchase"),
            ("Events", "touch_app", "shoppers.event"),
            ("Popularity", "trending_up", "shoppers.productpopularity"),
            ("Sessions", "badge", "shoppers.anonymoussession"),
        ),
    ),
    (
        "Pictures to vectors",
        (
            ("Backbones", "hub", "embeddings.backbone"),
            ("Embeddings", "scatter_plot", "embeddings.embedding"),
            ("Product vectors", "data_array", "embeddings.productvector"),
            ("Fidelity checks", "verified", "embeddings.fidelitycheck"),
        ),
    ),
    (
        "Operation",
        (
            ("Users", "person", "auth.user"),
            ("Roles", "shield_person", "auth.group"),
            ("API keys", "key", "fashrec_site.apikey"),
            ("Webhooks", "webhook", "fashrec_site.webhookendpoint"),
            ("Deliveries", "send", "fashrec_site.webhookdelivery"),
        ),
    ),
)

PAGES = {
    "catalog.groupsimilarity": "admin:similarity",
    "embeddings.duplicatepair": "admin:duplicates",
}  # what stands in for a model's list


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sections that hold something this person may see; asks no query of its own."""
    sections = [{"items": [{"title": "Today", "icon": "home", "link": reverse("admin:index")}]}]
    for title, entries in SECTIONS:
        items = [_item(*entry) for entry in entries if _may_view(request, entry[2])]
        if items:
            sections.append({"title": title, "separator": True, "items": items})
    return sections


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    app_label, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse(PAGES.get(model, f"admin:{app_label}_{name}_changelist")),
    }


def _may_view(request: HttpRequest, model: str) -> bool:
    app_label, name = model.split(".")
    return any(
        request.user.has_perm(f"{app_label}.{action}_{name}") for action in ("view", "change")
    )
