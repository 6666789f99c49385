"""Django's admin with our site in it."""

from django.contrib.admin.apps import AdminConfig


class WorkplaceConfig(AdminConfig):
    """Stands in INSTALLED_APPS for `django.contrib.admin`."""

    default_site = "fashrec_site.workplace.site.WorkplaceSite"
