"""Storing embeddings by COPY: the same rows as the ORM would write, all or none."""

import numpy as np
import pytest
from django.db import DataError, connection, transaction

from embeddings.models import Embedding
from embeddings.staging import KEY, store
from tests.factories import BackboneFactory, EmbeddingFactory, ProductImageFactory

pytestmark = pytest.mark.django_db


def rows_of(backbone, images, **values):
    """Unsaved rows; each call makes new ones."""
    rng = np.random.default_rng(1)
    return [
        EmbeddingFactory.build(
            image=image,
            backbone=backbone,
            vector=rng.standard_normal(backbone.dimension).astype(np.float32),
            image_sha256=image.sha256,
            **values,
        )
        for image in images
    ]


def everything():
    columns = [field.attname for field in Embedding._meta.fields if field.name != "id"]
    rows = Embedding.objects.order_by(*KEY).values(*(set(columns) - {"updated_at"}))
    return list(rows)


def test_the_rows_are_those_that_the_orm_would_have_written():
    backbone, images = BackboneFactory(dimension=512), ProductImageFactory.create_batch(3)
    oracle = rows_of(backbone, images, attempts=2, mask_fingerprint="é:1", weights_sha256="w")
    Embedding.objects.bulk_create(oracle)
    expected = everything()
    Embedding.objects.all().delete()

    n_stored = store(
        rows_of(backbone, images, attempts=2, mask_fingerprint="é:1", weights_sha256="w")
    )

    assert n_stored == 3
    assert everything() == expected


def test_what_is_stored_again_is_overwritten_in_its_row_even_in_one_transaction():
    backbone, images = BackboneFactory(), ProductImageFactory.create_batch(2)
    with transaction.atomic():
        store(rows_of(backbone, images))
        first = dict(Embedding.objects.values_list("pk", "updated_at"))
        failed = EmbeddingFactory.build(
            image=images[0], backbone=backbone, state="failed", error="torn", vector=None
        )
        store([failed])

    assert set(Embedding.objects.values_list("pk", flat=True)) == set(first)
    row = Embedding.objects.get(image=images[0])
    assert (row.state, row.error, row.vector) == ("failed", "torn", None)
    assert row.updated_at > first[row.pk]
    assert Embedding.objects.get(image=images[1]).state == "ready"


@pytest.mark.django_db(transaction=True)
def test_one_row_that_cannot_be_stored_leaves_all_unstored_and_the_next_call_works():
    backbone, images = BackboneFactory(), ProductImageFactory.create_batch(2)
    rows = rows_of(backbone, images)
    rows[1].vector = np.full(backbone.dimension, np.nan, np.float32)

    with pytest.raises(DataError, match="NaN not allowed in halfvec"):
        store(rows)
    n_after_failure = Embedding.objects.count()
    store(rows[:1])

    assert n_after_failure == 0
    assert [row.image for row in Embedding.objects.all()] == images[:1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM staged_embedding")
        assert cursor.fetchone() == (0,)


def test_nothing_to_store_costs_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert store([]) == 0
