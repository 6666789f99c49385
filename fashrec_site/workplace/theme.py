"""What Unfold shows around every page: name, icon, colours, navigation."""

from typing import Any

from django.templatetags.static import static

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "fashrec",
    "SITE_HEADER": "fashrec",
    "SITE_SUBHEADER": "curators' workplace",
    "SITE_SYMBOL": "apparel",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("fashrec/icon.svg"),
        }
    ],
    "DASHBOARD_CALLBACK": "fashrec_site.workplace.today.page.add_today",
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "STYLES": [
        lambda request: static("fashrec/workplace.css"),
        lambda request: static("fashrec/pages.css"),
    ],
    "SIDEBAR": {
        "show_search": True,
        "navigation": "fashrec_site.workplace.navigation.navigation",
    },
}
