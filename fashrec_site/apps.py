"""The site itself as an app, so that its management commands and checks are found."""

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate


class FashrecSiteConfig(AppConfig):
    """Configuration of the site app."""

    name = "fashrec_site"
    verbose_name = "fashrec"

    def ready(self) -> None:
        """Register the system checks, and let each `migrate` set the roles right."""
        from fashrec_site import checks  # noqa: F401

        # The last app: every other's permissions are there by then.
        post_migrate.connect(_ensure_roles, sender=self, dispatch_uid="ensure_roles")


def _ensure_roles(**signal: object) -> None:
    from django.contrib.auth.models import Group

    from fashrec_site.workplace.roles import ensure_roles

    # An unmigrate, or a migrate of one app only, may leave no table for them.
    if Group._meta.db_table in connection.introspection.table_names():
        ensure_roles()
