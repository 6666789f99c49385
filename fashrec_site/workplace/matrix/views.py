"""The similarity matrix: look, edit, preview, save, bring back, export and import."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from catalog.models import Category, CategoryGroup, Product
from catalog.similarity.csv_file import MAX_BYTES, CsvProblemsError, export_matrix, read_edits
from catalog.similarity.edits import Edit, RefusedEditsError, edits_to, save_edits
from catalog.similarity.history import recent_saves
from catalog.similarity.values import Level, stored_values, values_at
from fashrec_site.workplace.matrix.requests import (
    edits_as_json,
    edits_of,
    posted,
    refusals_as_json,
)
from fashrec_site.workplace.permissions import needs
from fashrec_site.workplace.previews import compare, find_subject
from recommender.models import RankingProfile
from recommender.ranking import RankingSettings, default_profile
from shoppers.models import Shopper

SEE = ("catalog.view_groupsimilarity", "catalog.view_categorysimilarity")
EDIT = ("catalog.change_groupsimilarity", "catalog.change_categorysimilarity")
N_CHANGES_SHOWN = 300
N_OFFERED = 12
OFFERED_WEIGHT = 0.2  # of the category term, where a profile has none


@require_GET
@needs(*SEE)
def matrix(request: HttpRequest) -> HttpResponse:
    """The page; the grid is drawn from its data, as far as it is in sight. Ten queries."""
    context = {
        **admin.site.each_context(request),
        "title": "Similarity matrix",
        "data": _page_data(may_edit=request.user.has_perms(EDIT)),
        "may_edit": request.user.has_perms(EDIT),
        "saves": recent_saves(N_CHANGES_SHOWN),
        "profiles": RankingProfile.objects.order_by("-is_default", "name"),
        "is_fullwidth": True,
    }
    return render(request, "admin/similarity/matrix.html", context)


def _page_data(*, may_edit: bool) -> dict[str, Any]:
    values: dict[str, list[tuple[int, int, float]]] = {level: [] for level in Level}
    for (level, a_id, b_id), similarity in stored_values().items():
        values[level].append((a_id, b_id, similarity))
    return {
        "groups": list(CategoryGroup.objects.values_list("pk", "name")),
        "categories": list(
            Category.objects.order_by("group__name", "name").values_list("pk", "name", "group_id")
        ),
        "values": values,
        "mayEdit": may_edit,
    }


@require_POST
@needs(*EDIT)
def save(request: HttpRequest) -> JsonResponse:
    """Save the edits, all or none; refusals come back by cell."""
    body = posted(request)
    try:
        n_changed = save_edits(
            edits=edits_of(body),
            user=request.user,
            reason=str(body.get("reason") or ""),
            now=timezone.now(),
        )
    except RefusedEditsError as error:
        return JsonResponse({"refusals": refusals_as_json(error.reasons)}, status=409)
    return JsonResponse({"changed": n_changed})


@require_POST
@needs(*SEE, "recommender.view_rankingprofile", "shoppers.view_shopper", "catalog.view_product")
def preview(request: HttpRequest) -> HttpResponse:
    """The top five before and after the edits, side by side."""
    body = posted(request)
    edits = edits_of(body)
    subject = find_subject(str(body.get("kind")), str(body.get("name") or ""))
    profile = RankingProfile.objects.filter(pk=_profile_key(body)).first() or default_profile()
    settings = RankingSettings.from_profile(profile)
    if body.get("offered"):
        settings = settings.with_changes(weight_category=OFFERED_WEIGHT)
    context = {
        "subject": subject,
        "settings": settings,
        "n_edits": len(edits),
        "offered_weight": OFFERED_WEIGHT,
        "weighing": RankingProfile.objects.filter(weight_category__gt=0),
    }
    if subject and settings.weight_category and edits:
        try:
            context["comparison"] = _comparison(request, subject, settings, edits)
        except RefusedEditsError as error:
            return JsonResponse({"refusals": refusals_as_json(error.reasons)}, status=409)
    return render(request, "admin/similarity/preview.html", context)


def _comparison(
    request: HttpRequest, subject: Shopper | Product, settings: RankingSettings, edits: list[Edit]
) -> object:
    change = partial(
        save_edits, edits=edits, user=request.user, reason="preview", now=timezone.now()
    )
    return compare(subject, before=settings, after=settings, change=change)


def _profile_key(body: dict[str, Any]) -> int | None:
    key = body.get("profile")
    return key if type(key) is int and 0 < key < 2**63 else None


@require_GET
@needs(*SEE)
def state(request: HttpRequest) -> JsonResponse:
    """The edits that would bring back the values of a moment."""
    try:
        moment = parse_datetime(request.GET.get("at", ""))
    except ValueError:
        moment = None
    if moment is None or timezone.is_naive(moment):
        raise BadRequest("expected at=<a moment with its time zone>")
    return JsonResponse({"edits": edits_as_json(edits_to(values_at(moment), stored_values()))})


@require_GET
@needs(*SEE)
def export_csv(request: HttpRequest) -> HttpResponse:
    """The matrix as a file."""
    response = HttpResponse(export_matrix(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="category_similarity.csv"'
    return response


@require_POST
@needs(*EDIT)
def import_csv(request: HttpRequest) -> JsonResponse:
    """The edits that a file asks for, to look at before they are saved; or what is wrong in it."""
    upload = request.FILES.get("file")
    if upload is None:
        raise BadRequest("expected a file")
    try:
        return JsonResponse({"edits": edits_as_json(read_edits(upload.read(MAX_BYTES + 1)))})
    except CsvProblemsError as error:
        return JsonResponse({"problems": error.problems[:50]}, status=400)


@require_GET
@needs("shoppers.view_shopper", "catalog.view_product")
def subjects(request: HttpRequest) -> JsonResponse:
    """Shoppers or products whose key begins like this, for a preview."""
    typed = request.GET.get("q", "").replace("\0", "")[:100]
    if request.GET.get("kind") == "product":
        rows = Product.objects.active().filter(item_id__startswith=typed).order_by("item_id")
        found = [(p.item_id, p.title) for p in rows[:N_OFFERED]]
    else:
        rows = Shopper.objects.filter(external_id__startswith=typed).order_by("external_id")
        found = [(s.external_id, f"trendiness {s.trendiness:.2f}") for s in rows[:N_OFFERED]]
    return JsonResponse({"found": found})
