"""The HNSW indexes: when they are built, that queries use them, and how broken ones heal."""

import numpy as np
import pytest
from django.db import OperationalError, connection

from catalog.models import Product, ProductImage
from embeddings.indexes import (
    AUDIENCES,
    UNISEX_ONLY,
    SearchIndexes,
    drop_search_indexes,
    ensure_search_indexes,
    search_indexes,
    wanted_audiences,
)
from embeddings.models import Embedding, ProductVector, SearchVector
from tests.factories import (
    BackboneFactory,
    CategoryFactory,
    EmbeddingFactory,
    ProductFactory,
    ProductVectorFactory,
)

WOMEN, MEN = frozenset({"WOMEN", "UNISEX"}), frozenset({"MEN", "UNISEX"})
CHILDREN = frozenset({"GIRLS", "BOYS", "UNISEX"})
NEAREST = """
    SELECT product_id FROM embeddings_searchvector
    WHERE projection_id = {projection_id} AND gender IN ('UNISEX', 'WOMEN') AND is_active
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


def audiences(backbone):
    indexes = search_indexes(backbone)
    return set(indexes.audiences) if indexes else set()


def test_audiences_with_enough_products_get_an_index_and_others_none():
    backbone = backbone_with_vectors(4, n_men=2)

    [built] = ensure_search_indexes(backbone, min_rows=3)

    assert built.endswith("_unisex_women")
    assert audiences(backbone) == {WOMEN}
    assert ensure_search_indexes(backbone, min_rows=3) == []
    assert audiences(BackboneFactory()) == set()


def test_a_small_catalogue_is_left_to_the_exact_scan():
    backbone = backbone_with_vectors(3)

    assert ensure_search_indexes(backbone) == []
    assert search_indexes(backbone) is None


def test_every_shopper_has_an_audience_and_unisex_its_own_where_another_is_small():
    assert set(AUDIENCES) == {WOMEN, MEN, CHILDREN}
    assert wanted_audiences({"WOMEN": 9, "MEN": 9, "GIRLS": 5, "BOYS": 4, "UNISEX": 9}, 9) == [
        *AUDIENCES
    ]
    assert wanted_audiences({"WOMEN": 9, "MEN": 8, "UNISEX": 9}, 9) == [WOMEN, UNISEX_ONLY]
    assert wanted_audiences({"UNISEX": 9}, 9) == [UNISEX_ONLY]
    assert wanted_audiences({"WOMEN": 8, "UNISEX": 8}, 9) == []


def test_indexes_cover_the_genders_asked_for_and_leave_the_rest_to_a_scan():
    indexes = SearchIndexes(1, 8, 0.0, (WOMEN, UNISEX_ONLY), n_rows=100)

    assert indexes.cover(WOMEN) == [WOMEN]
    assert indexes.cover(MEN) == [UNISEX_ONLY, frozenset({"MEN"})]
    assert indexes.cover(["UNISEX"]) == [UNISEX_ONLY]
    assert indexes.cover([*WOMEN, "MEN"]) == [WOMEN, frozenset({"MEN"})]


def test_long_vectors_are_shortened_for_the_index():
    backbone = BackboneFactory(dimension=4096)
    for _ in range(2):
        ProductVectorFactory(
            backbone=backbone, vector=[1.0] * 4096, product=ProductFactory(gender="WOMEN")
        )

    assert len(ensure_search_indexes(backbone, min_rows=2)) == 1
    assert search_indexes(backbone).dimension == 512


def test_the_index_serves_a_neighbour_query_and_finds_the_exact_neighbours():
    backbone = backbone_with_vectors(3_000)
    ensure_search_indexes(backbone, min_rows=1)
    query = NEAREST.format(projection_id=search_indexes(backbone).projection_id)
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

    assert "Index Scan using sv_hnsw_" in plan
    assert approximate == exact


def test_a_build_that_was_interrupted_is_seen_and_done_again():
    backbone = backbone_with_vectors(30)
    writer = connection.copy()
    try:
        with writer.cursor() as other, connection.cursor() as cursor:
            # A build waits for writers that began before it, and is stopped while it does.
            other.execute("BEGIN")
            other.execute("LOCK TABLE embeddings_searchvector IN ROW EXCLUSIVE MODE")
            cursor.execute("SET statement_timeout = '300ms'")
            with pytest.raises(OperationalError, match="statement timeout"):
                ensure_search_indexes(backbone, min_rows=1)
            cursor.execute("RESET statement_timeout")
            cursor.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
            n_invalid = cursor.fetchone()[0]
    finally:
        writer.close()
    ready_before = search_indexes(backbone)

    built = ensure_search_indexes(backbone, min_rows=1)

    assert n_invalid == 1
    assert ready_before is None
    assert len(built) == 1
    assert audiences(backbone) == {WOMEN}


def test_dropped_indexes_are_gone():
    backbone = backbone_with_vectors(3)
    ensure_search_indexes(backbone, min_rows=1)

    drop_search_indexes(backbone)

    assert search_indexes(backbone) is None
    assert not SearchVector.objects.exists()


def test_another_process_that_builds_is_left_to_it():
    backbone = backbone_with_vectors(3)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('embeddings: build vector indexes'))")

        assert ensure_search_indexes(backbone, min_rows=1) == []
    finally:
        other.close()
