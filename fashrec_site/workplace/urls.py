"""Pages of the workplace that belong to no model, all behind the admin's login."""

from typing import TYPE_CHECKING

from django.urls import URLPattern, path

from fashrec_site.workplace import profiles
from fashrec_site.workplace.attributes import views as attributes
from fashrec_site.workplace.duplicates import views as duplicates
from fashrec_site.workplace.matrix import views as matrix
from fashrec_site.workplace.products import views as products
from fashrec_site.workplace.products.progress import embedding_progress
from fashrec_site.workplace.today import lists
from fashrec_site.workplace.today import page as today

if TYPE_CHECKING:
    from fashrec_site.workplace.site import WorkplaceSite


def workplace_urls(site: "WorkplaceSite") -> list[URLPattern]:
    """The pages, named within the admin's namespace."""
    pages = [
        ("similarity/", matrix.matrix, "similarity"),
        ("similarity/save/", matrix.save, "similarity_save"),
        ("similarity/preview/", matrix.preview, "similarity_preview"),
        ("similarity/state/", matrix.state, "similarity_state"),
        ("similarity/export/", matrix.export_csv, "similarity_export"),
        ("similarity/import/", matrix.import_csv, "similarity_import"),
        ("profile/preview/", profiles.preview, "profile_preview"),
        ("products/masked/<int:image_id>/", products.masked, "product_masked"),
        ("products/retry/<int:embedding_id>/", products.retry, "embedding_retry"),
        ("products/embedding/", embedding_progress, "embedding_progress"),
        ("duplicates/", duplicates.queue, "duplicates"),
        ("duplicates/<int:pair_id>/decide/", duplicates.decide, "duplicate_decide"),
        ("duplicates/<int:pair_id>/undo/", duplicates.undo, "duplicate_undo"),
        ("duplicates/decisions/", duplicates.decisions, "duplicate_decisions"),
        ("duplicates/search/", duplicates.search, "duplicate_search"),
        ("duplicates/progress/", duplicates.progress, "duplicate_progress"),
        ("attributes/", attributes.overview, "attribute_confusion"),
        (
            "attributes/<int:backbone_id>/<slug:label>.png",
            attributes.plot,
            "attribute_confusion_plot",
        ),
        ("preview/subjects/", matrix.subjects, "preview_subjects"),
        ("today/workers/", today.workers_part, "today_workers"),
        ("today/without-embedding/", lists.without_embedding, "today_without_embedding"),
        ("today/without-photo/", lists.without_photo, "today_without_photo"),
    ]
    return [path(route, site.admin_view(view), name=name) for route, view, name in pages]
