"""The shipped roles, as groups of permissions that `migrate` sets right.

A superuser may do everything. A shop that wants other roles makes its own groups.
"""

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.db import transaction

LOOK = ("view",)
CHANGE = ("view", "change")
ALL = ("view", "add", "change", "delete")

# What anybody in the shop may see; keys, webhooks and users are the operators' own.
EVERYTHING_SEEN = {
    "catalog": LOOK,
    "shoppers": LOOK,
    "embeddings": LOOK,
    "recommender": LOOK,
    "fashrec_site.productjob": LOOK,
}
CURATED = {
    "catalog.product": ALL,
    "catalog.productimage": ALL,
    "catalog.category": ALL,
    "catalog.categorygroup": ALL,
    "catalog.groupsimilarity": ALL,
    "catalog.categorysimilarity": ALL,
    "catalog.store": ALL,
    "catalog.stock": ALL,
    "recommender.rankingprofile": ALL,
    "recommender.merchandisingrule": ALL,
    "recommender.experiment": ALL,
    "recommender.arm": ALL,
    "recommender.evaluationrun": ("view", "add"),
    "shoppers.productpopularity": CHANGE,
    "embeddings.embedding": CHANGE,  # to try one again
    "embeddings.duplicatepair": CHANGE,
    "embeddings.attributesuggestion": CHANGE,
}
OPERATED = {
    "embeddings.backbone": CHANGE,
    "embeddings.embedding": ("view", "change", "delete"),
    "embeddings.fidelitycheck": ("view", "delete"),
    "shoppers.shopper": ALL,
    "recommender.evaluationrun": ("view", "add"),
    "fashrec_site": ALL,
    "axes.accessattempt": ("view", "delete"),
}
ROLES = {
    "analyst": EVERYTHING_SEEN,
    "curator": EVERYTHING_SEEN | CURATED,
    "operator": EVERYTHING_SEEN | OPERATED,
}


@transaction.atomic
def ensure_roles() -> None:
    """Make the shipped groups, each with exactly its permissions; three reads where all is well."""
    known = _permissions()
    groups = {
        group.name: group
        for group in Group.objects.filter(name__in=ROLES).prefetch_related("permissions")
    }
    for role, granted in ROLES.items():
        group = groups.get(role) or Group.objects.create(name=role)
        wanted = {pk for (pk, names) in known.items() if _is_granted(names, granted)}
        if {permission.pk for permission in group.permissions.all()} != wanted:
            group.permissions.set(wanted)


def _permissions() -> dict[int, tuple[str, str, str]]:
    """App, model and action of every permission, by its key."""
    rows = Permission.objects.values_list(
        "pk", "content_type__app_label", "content_type__model", "codename"
    )
    return {pk: (app, model, codename.split("_")[0]) for pk, app, model, codename in rows}


def _is_granted(names: tuple[str, str, str], granted: dict[str, Iterable[str]]) -> bool:
    """Whether a role has a permission: by its model, else by its app."""
    app, model, action = names
    if f"{app}.{model}" in granted:
        return action in granted[f"{app}.{model}"]
    return action in granted.get(app, ())
