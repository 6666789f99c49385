"""Having photos embedded again: those that failed, and those whose vector is doubted."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from catalog.models import ProductImage
from catalog.task_queue import enqueue
from embeddings.models import Backbone, Embedding
from embeddings.tasks import IMAGES_PER_TASK, embed_images


@transaction.atomic
def embed_again(*, image_ids: Sequence[int], backbone: Backbone) -> bool:
    """Forget what came of these photos and enqueue them; False where the queue is unreachable.

    A product keeps the vector that it is compared by until the new one is there. Failures and
    their counted attempts are forgotten, so that a photo which killed its worker is tried anew.
    """
    rows = Embedding.objects.of(backbone).filter(image__in=image_ids)
    rows.filter(state=Embedding.State.READY).update(image_sha256="")  # of no photo: not current
    rows.exclude(state=Embedding.State.READY).delete()
    ids, sent = sorted(image_ids), True
    for start in range(0, len(ids), IMAGES_PER_TASK):
        sent &= enqueue(embed_images, ids[start : start + IMAGES_PER_TASK], backbone.name)
    return sent


def embed_products_again(product_ids: Iterable[int]) -> int:
    """Have every active backbone look again at these products' photos; how many photos."""
    images = ProductImage.objects.active().filter(product__in=list(product_ids))
    image_ids = list(images.values_list("pk", flat=True))
    for backbone in Backbone.objects.filter(is_active=True):
        embed_again(image_ids=image_ids, backbone=backbone)
    return len(image_ids)
