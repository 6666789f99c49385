"""The site itself as an app, so that its management commands and checks are found."""

from django.apps import AppConfig


class FashrecSiteConfig(AppConfig):
    """Configuration of the site app."""

    name = "fashrec_site"
    verbose_name = "fashrec"

    def ready(self) -> None:
        """Register the system checks."""
        from fashrec_site import checks  # noqa: F401
