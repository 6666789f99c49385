"""The embeddings app: masks, backbones, the embedding pipeline and its vectors."""

from django.apps import AppConfig


class EmbeddingsConfig(AppConfig):
    """Configuration of the embeddings app."""

    name = "embeddings"

    def ready(self) -> None:
        """Register the system checks."""
        from embeddings import checks  # noqa: F401
