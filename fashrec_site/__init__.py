"""The project: settings, Celery, the root GraphQL schema, pages, and the embedded servers."""

from fashrec_site.celery import app as celery_app

__all__ = ["celery_app"]
