"""The HNSW indexes: when they are built, that queries use them, and how broken ones heal."""

import numpy as np
import pytest
from django.db import OperationalError, connection

from catalog.models import Product, ProductImage
from embeddings.indexes import (
    drop_search_indexes,
    ensure_search_indexes,
    index_name,
    ready_genders,
)
from embeddings.models import Backbone, Embedding, ProductVector
from tests.factories import (
    BackboneFactory,
    CategoryFactory,
    EmbeddingFactory,
    ProductFactory,
    ProductVectorFactory,
)

NEAREST = """
    SELECT product_id FROM embeddings_productvector
    WHERE backbone_id = {backbone_id} AND gender = 'WOMEN' AND is_active
    ORDER BY vector::halfvec(8) <=> %s::halfvec(8) LIMIT 5
"""
pytestmark = pytest.mark.django_db(transaction=True)  # CONCURRENTLY refuses transactions


def backbone_with_vectors(n_women, n_men=0, dimension=8):
    """A backbone with random unit vectors of products of both genders, made in bulk."""
    backbone, category = BackboneFactory(dimension=dimension), CategoryFactory()
    genders = ["WOMEN"] * n_women + ["MEN"] * n_men
    products = Product.objects.bulk_create(
        ProductFactory.build(gender=gender, category=category) for gender in genders
    )
    images = ProductImage.objects.bulk_create(
        ProductImage(product=product, view="front", sha256="a" * 64) for product in products
    )
    vectors = np.random.default_rng(0).standard_normal((len(products), dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    embeddings = Embedding.objects.bulk_create(
        EmbeddingFactory.build(image=image, backbone=backbone, vector=vector.tolist())
        for image, vector in zip(images, vectors, strict=True)
    )
    ProductVector.objects.bulk_create(
        ProductVectorFactory.build(
            product=embedding.image.product,
            backbone=backbone,
            embedding=embedding,
            vector=embedding.vector,
        )
        for embedding in embeddings
    )
    return backbone


def test_genders_with_enough_products_get_an_index_and_others_none():
    backbone = backbone_with_vectors(4, n_men=2)

    built = ensure_search_indexes(backbone, min_rows=3)

    assert built == [f"pv_hnsw_{backbone.pk}_women"]
    assert ready_genders(backbone) == {"WOMEN"}
    assert ensure_search_indexes(backbone, min_rows=3) == []
    assert ready_genders(BackboneFactory()) == set()


def test_a_small_catalogue_is_left_to_the_exact_scan():
    backbone = backbone_with_vectors(3)

    assert ensure_search_indexes(backbone) == []
    assert ready_genders(backbone) == set()


def test_vectors_beyond_pgvectors_limit_are_never_indexed():
    backbone = BackboneFactory(dimension=4096)
    ProductVectorFactory(backbone=backbone, vector=[1.0] * 4096)

    assert ensure_search_indexes(backbone, min_rows=1) == []
    assert ready_genders(backbone) == set()


def test_the_index_serves_a_neighbour_query_and_finds_the_exact_neighbours():
    backbone = backbone_with_vectors(3_000)
    ensure_search_indexes(backbone, min_rows=1)
    query = NEAREST.format(backbone_id=backbone.pk)
    wanted = [str([1.0] + [0.1] * 7)]

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {query}", wanted)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute(query, wanted)
        approximate = cursor.fetchall()
        cursor.execute("SET enable_indexscan = off")
        cursor.execute(query, wanted)
        exact = cursor.fetchall()
        cursor.execute("RESET enable_indexscan")

    assert f"Index Scan using {index_name(backbone.pk, 'WOMEN')}" in plan
    assert approximate == exact


def test_a_build_that_was_interrupted_is_seen_and_done_again():
    backbone = backbone_with_vectors(30)
    writer = connection.copy()
    try:
        with writer.cursor() as other, connection.cursor() as cursor:
            # A build waits for writers that began before it, and is stopped while it does.
            other.execute("BEGIN")
            other.execute("LOCK TABLE embeddings_productvector IN ROW EXCLUSIVE MODE")
            cursor.execute("SET statement_timeout = '300ms'")
            with pytest.raises(OperationalError, match="statement timeout"):
                ensure_search_indexes(backbone, min_rows=1)
            cursor.execute("RESET statement_timeout")
            cursor.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
            n_invalid = cursor.fetchone()[0]
    finally:
        writer.close()
    ready_before = ready_genders(backbone)

    built = ensure_search_indexes(backbone, min_rows=1)

    assert n_invalid == 1
    assert ready_before == set()
    assert built == [index_name(backbone.pk, "WOMEN")]
    assert ready_genders(backbone) == {"WOMEN"}


def test_an_index_of_another_dimension_is_not_ready():
    backbone = backbone_with_vectors(3)
    ensure_search_indexes(backbone, min_rows=1)
    ProductVector.objects.all().delete()
    Backbone.objects.filter(pk=backbone.pk).update(dimension=9)
    backbone.refresh_from_db()

    assert ready_genders(backbone) == set()


def test_dropped_indexes_are_gone():
    backbone = backbone_with_vectors(3)
    ensure_search_indexes(backbone, min_rows=1)

    drop_search_indexes(backbone)

    assert ready_genders(backbone) == set()


def test_another_process_that_builds_is_left_to_it():
    backbone = backbone_with_vectors(3)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('embeddings: build vector indexes'))")

        assert ensure_search_indexes(backbone, min_rows=1) == []
    finally:
        other.close()
