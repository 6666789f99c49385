"""A few products whose drawn photos are embedded by the descriptor that needs no weights."""

from datetime import timedelta

from django.utils import timezone

from embeddings import services as embedding
from embeddings.photo_search import services
from embeddings.photo_search.services import NewPhoto
from tests.embeddings.drawn_photos import photo_of
from tests.factories import ProductFactory, ProductImageFactory

SIZE = (48, 64)


def embedded_catalogue(n_products=4):
    """Products named by the seeds of their photos, with vectors by color_layout."""
    for seed in range(n_products):
        product = ProductFactory(item_id=str(seed), gender=("WOMEN", "MEN")[seed % 2])
        ProductImageFactory(product=product, content=photo_of(seed, SIZE))
    backbone = embedding.register_backbone(name="color_layout")
    embedding.embed_missing(backbone=backbone)
    return backbone


def begun(content=None, *, asker="user:1", crop=None, now=None, map_content=None):
    """A search that waits for a worker."""
    photo = NewPhoto(content or photo_of(2, SIZE), map_content)
    return services.begin_search(asker=asker, photo=photo, crop=crop, now=now or timezone.now())


def later(**time):
    """So long from now."""
    return timezone.now() + timedelta(**time)
