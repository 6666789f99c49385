"""How far suggested labels can be believed: a confusion plot of each."""

import io

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from embeddings.attributes.confusion import Confusion, confusion
from embeddings.attributes.models import AttributeSuggestion
from embeddings.attributes.services import NoAttributesError, attribute_description
from embeddings.models import Backbone
from fashrec_site.workplace.permissions import needs

SEE = ("embeddings.view_attributesuggestion", "catalog.view_product")
SHOWN_SECONDS = 300


@require_GET
@needs(*SEE)
def overview(request: HttpRequest) -> HttpResponse:
    """Each fine-tuned backbone's labels with their plots."""
    told = []
    for backbone in Backbone.objects.filter(is_active=True):
        try:
            heads = attribute_description(backbone).heads
        except NoAttributesError:
            continue
        told.append((backbone, [label for label in AttributeSuggestion.Label if label in heads]))
    context = {
        **admin.site.each_context(request),
        "title": "How well labels are told",
        "backbones": told,
    }
    return render(request, "admin/attributes/confusion.html", context)


@require_GET
@needs(*SEE)
def plot(request: HttpRequest, backbone_id: int, label: str) -> HttpResponse:
    """One plot as a PNG."""
    backbone = get_object_or_404(Backbone, pk=backbone_id)
    try:
        found = confusion(backbone, label)
    except NoAttributesError as error:
        raise Http404(str(error)) from error
    if not found.n_products:
        raise Http404(f"no product outside of the training part has a {label}")
    answer = HttpResponse(_drawn(found), content_type="image/png")
    answer["Cache-Control"] = f"private, max-age={SHOWN_SECONDS}"
    return answer


def _drawn(found: Confusion) -> bytes:
    """Rows are true values, columns told ones, in shares of the row."""
    from matplotlib.figure import Figure  # takes half a second, for one page

    n = len(found.values)
    side = 2.2 + 0.26 * n  # inches
    picture = Figure(figsize=(side, side), layout="constrained")
    axes = picture.subplots()
    totals = found.counts.sum(axis=1, keepdims=True)
    axes.imshow(found.counts / totals.clip(1), cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(n), found.values, rotation=90, fontsize=7)
    axes.set_yticks(range(n), found.values, fontsize=7)
    axes.set_xlabel("told")
    axes.set_ylabel("true")
    axes.set_title(
        f"{found.label}: {found.percent_right:.1f} % of {found.n_products:,} right", fontsize=9
    )
    file = io.BytesIO()
    picture.savefig(file, format="png", dpi=110)
    return file.getvalue()
