"""Fingerprints of stored photos."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from catalog.models import ProductImage
from embeddings.duplicates.fingerprints import LONGER_SIDE, fingerprint_of
from embeddings.duplicates.models import PhotoFingerprint
from embeddings.photos import PhotoError, read_reduced

N_THREADS = 2  # decoding and hashing release the lock for most of their time
COLUMNS = ("image_sha256", "bits", "colors", "compared_as")

logger = logging.getLogger(__name__)


def fingerprint_photos(image_ids: Sequence[int]) -> int:
    """Store these photos' fingerprints, as never compared; how many photos could not be read."""
    images = list(ProductImage.objects.filter(pk__in=image_ids).order_by("pk"))
    with ThreadPoolExecutor(N_THREADS) as threads:
        rows = [row for row in threads.map(_fingerprint, images) if row is not None]
    PhotoFingerprint.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["image"], update_fields=COLUMNS
    )
    return len(images) - len(rows)


def _fingerprint(image: ProductImage) -> PhotoFingerprint | None:
    try:
        with image.image.storage.open(image.image.name) as file:
            photo = read_reduced(file, LONGER_SIDE).image
    except (PhotoError, OSError) as error:
        logger.warning("photo %s cannot be compared: %s", image.pk, error)
        return None
    found = fingerprint_of(photo)
    return PhotoFingerprint(
        image=image, image_sha256=image.sha256, bits=found.bits, colors=found.colors.tobytes()
    )
