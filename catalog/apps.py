"""The catalog app: products and their photos, categories, the similarity matrix, stores, stock."""

from django.apps import AppConfig
from django.db.models.signals import post_delete

from catalog.stored_files import delete_files_of


class CatalogConfig(AppConfig):
    """Configuration of the catalog app."""

    name = "catalog"

    def ready(self) -> None:
        """Let stored files go with their rows."""
        post_delete.connect(
            delete_files_of, sender="catalog.ProductImage", dispatch_uid="delete_files_of"
        )
