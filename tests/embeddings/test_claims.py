"""Who embeds which photo: two processes never the same one at once."""

import pytest
from django.db import connection

from embeddings import services
from embeddings.claims import claim_images, plan_batches, release, withdraw
from embeddings.models import Embedding
from tests.factories import BackboneFactory, EmbeddingFactory, ProductImageFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other_process():
    """A second database session; `as_other(f)` runs f in it."""
    import embeddings.claims as claims

    other = connection.copy()

    def run(function):
        mine = claims.connection
        claims.connection = other
        try:
            return function()
        finally:
            claims.connection = mine

    yield run
    other.close()


def claim(images, backbone):
    return claim_images([image.pk for image in images], backbone=backbone, mask_method=None)


def test_what_one_process_claimed_the_other_leaves_alone(other_process):
    backbone, images = BackboneFactory(), ProductImageFactory.create_batch(3)
    theirs = other_process(lambda: claim(images[:2], backbone))

    mine = claim(images, backbone)

    assert theirs.image_ids == [image.pk for image in images[:2]]
    assert mine.image_ids == [images[2].pk]


def test_a_released_photo_can_be_claimed_by_another(other_process):
    backbone, images = BackboneFactory(), ProductImageFactory.create_batch(1)
    release(claim(images, backbone))

    assert other_process(lambda: claim(images, backbone)).image_ids == [images[0].pk]


def test_the_claim_of_a_dead_process_is_free_and_its_attempt_counted():
    backbone, images = BackboneFactory(), ProductImageFactory.create_batch(1)
    claim(images, backbone)
    connection.close()  # as the kernel does for a killed process

    again = claim(images, backbone)

    assert again.attempts == {images[0].pk: 2}


def test_a_withdrawn_claim_counts_no_attempt():
    backbone, images = BackboneFactory(), ProductImageFactory.create_batch(1)
    withdraw(claim(images, backbone))

    assert claim(images, backbone).attempts == {images[0].pk: 1}


def test_photos_with_a_current_embedding_are_not_claimed():
    embedding = EmbeddingFactory()

    assert claim([embedding.image], embedding.backbone).images == []


def test_photos_that_a_process_was_lost_over_run_alone_and_last():
    backbone, images = BackboneFactory(), ProductImageFactory.create_batch(5)
    claim(images[:1], backbone)
    for attempts, image in ((2, images[1]), (1, images[2])):
        EmbeddingFactory(
            image=image, backbone=backbone, state="started", attempts=attempts, vector=None
        )
    ids = [image.pk for image in images]

    batches = list(plan_batches(ids, backbone, batch_size=32))

    assert batches == [
        ([ids[3], ids[4]], False),
        ([ids[0]], True),
        ([ids[2]], True),
        ([ids[1]], True),
    ]


def test_missing_photos_come_in_ascending_batches_and_never_twice():
    backbone, images = BackboneFactory(), ProductImageFactory.create_batch(5)

    batches = list(services.missing_ids(backbone=backbone, batch_size=2))

    ids = [image.pk for image in images]
    assert batches == [ids[:2], ids[2:4], ids[4:]]
    assert not Embedding.objects.exists()
