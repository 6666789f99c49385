"""How far the embedding is, read from the rows that say what is left to do."""

from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from catalog.models import ProductImage
from embeddings.dispatch import NoWorkerError, failures, require_worker
from embeddings.models import Backbone, Embedding
from fashrec_site.workplace.permissions import needs


@dataclass(frozen=True)
class BackboneProgress:
    """One backbone's photos; `n_done` are settled, with a vector or a reason."""

    backbone: Backbone
    n_photos: int
    n_waiting: int
    n_failed: int

    @property
    def n_done(self) -> int:
        """Settled, either way."""
        return self.n_photos - self.n_waiting


@require_GET
@needs("embeddings.view_embedding")
def embedding_progress(request: HttpRequest) -> HttpResponse:
    """Each active backbone's progress; the page asks again while there is something to do."""
    n_photos = ProductImage.objects.active().count()
    rows = [
        BackboneProgress(
            backbone,
            n_photos,
            Embedding.objects.images_without(backbone).count(),
            failures(backbone).count(),
        )
        for backbone in Backbone.objects.filter(is_active=True)
    ]
    is_working = any(row.n_waiting for row in rows)
    context = {
        **admin.site.each_context(request),
        "title": "Embedding photos",
        "rows": rows,
        "is_working": is_working,
        # Asked once, not at each look: an answer may take two seconds.
        "has_worker": not is_working or "HX-Request" in request.headers or _has_worker(),
    }
    return render(request, "admin/workplace/embedding_progress.html", context)


def _has_worker() -> bool:
    try:
        require_worker()
    except NoWorkerError:
        return False
    return True
