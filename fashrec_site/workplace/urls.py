"""Pages of the workplace that belong to no model, all behind the admin's login."""

from typing import TYPE_CHECKING

from django.urls import URLPattern

if TYPE_CHECKING:
    from fashrec_site.workplace.site import WorkplaceSite


def workplace_urls(site: "WorkplaceSite") -> list[URLPattern]:
    """The pages, named within the admin's namespace."""
    return []
