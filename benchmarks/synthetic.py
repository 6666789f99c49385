"""A synthetic catalogue of any size: clustered unit vectors, five genders, seventeen categories."""

import numpy as np
import psycopg
from django.core.management import call_command
from django.db import connection
from numpy.typing import NDArray
from pgvector import HalfVector

from catalog.models import Category, CategoryGroup, Gender
from embeddings.models import Backbone

N_CATEGORIES = 17
GENDER_SHARES = {"WOMEN": 0.5, "MEN": 0.3, "UNISEX": 0.1, "GIRLS": 0.05, "BOYS": 0.05}
TABLES = (
    "recommender_recommendationlog, recommender_rankingprofile, shoppers_purchase, "
    "shoppers_shopper, shoppers_productpopularity, embeddings_searchvector, "
    "embeddings_searchaxis, embeddings_searchprojection, embeddings_productvector, "
    "embeddings_embedding, embeddings_backbone, catalog_stock, catalog_productimage, "
    "catalog_product, catalog_category, catalog_categorygroup"
)


def clustered_vectors(
    rng: np.random.Generator, n: int, dimension: int, n_clusters: int = 200
) -> NDArray[np.float32]:
    """(n, dimension) float32, L2-normalised: noise around random cluster centres."""
    centres = rng.standard_normal((n_clusters, dimension), dtype=np.float32)
    vectors = centres[rng.integers(0, n_clusters, n)]
    vectors += 0.8 * rng.standard_normal((n, dimension), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def empty_database() -> None:
    """Migrate, and remove whatever an earlier benchmark left."""
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")


def fill_catalogue(
    rng: np.random.Generator, n_products: int, dimension: int, backbone: Backbone | None = None
) -> Backbone:
    """Add `n_products` products named p0, p1, ... with one vector each, to an empty catalogue.

    The vectors are of `backbone`, where one is given: a photo can then be compared with them.
    """
    groups = CategoryGroup.objects.bulk_create(CategoryGroup(name=f"G{n}") for n in range(6))
    Category.objects.bulk_create(
        Category(name=f"C{n}", group=groups[n % 6]) for n in range(N_CATEGORIES)
    )
    backbone = backbone or Backbone.objects.create(name="synthetic", dimension=dimension)
    genders = rng.choice(list(GENDER_SHARES), n_products, p=list(GENDER_SHARES.values()))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE staged (n int, gender text, popularity int, v halfvec)"
        )
        _copy(cursor.cursor, rng, genders, dimension)
        for statement in _INSERTS:
            cursor.execute(statement, {"backbone": backbone.pk, "n_categories": N_CATEGORIES})
        cursor.execute("DROP TABLE staged")
        cursor.execute("VACUUM ANALYZE")
    return backbone


def _copy(
    cursor: psycopg.Cursor, rng: np.random.Generator, genders: NDArray[np.str_], dimension: int
) -> None:
    popularity = rng.integers(0, 101, len(genders))
    block = 10_000
    with cursor.copy("COPY staged FROM STDIN") as copy:
        for start in range(0, len(genders), block):
            vectors = clustered_vectors(rng, min(block, len(genders) - start), dimension)
            for offset, vector in enumerate(vectors):
                n = start + offset
                text = HalfVector(vector).to_text()
                copy.write_row((n, str(Gender(genders[n]).value), int(popularity[n]), text))


_INSERTS = (
    """INSERT INTO catalog_product (item_id, title, gender, category_id, color, season, usage,
           is_active, created_at, updated_at)
       SELECT 'p' || n, '', gender, (SELECT min(id) FROM catalog_category) + n %% %(n_categories)s,
           '', '', '', true, now(), now()
       FROM staged ORDER BY n""",
    """INSERT INTO catalog_productimage (product_id, image, segmentation_map, view, sha256,
           segmentation_sha256, created_at)
       SELECT id, '', '', 'front', '', '', now() FROM catalog_product ORDER BY id""",
    """INSERT INTO embeddings_embedding (image_id, backbone_id, region, mask_method, state, error,
           attempts, vector, image_sha256, mask_fingerprint, weights_sha256, updated_at)
       SELECT i.id, %(backbone)s, 'whole', 'none', 'ready', '', 1, s.v, '', '', '', now()
       FROM staged s JOIN catalog_product p ON p.item_id = 'p' || s.n
       JOIN catalog_productimage i ON i.product_id = p.id""",
    """INSERT INTO embeddings_productvector (product_id, backbone_id, embedding_id, vector, gender,
           category_id, is_active)
       SELECT p.id, %(backbone)s, e.id, e.vector, p.gender, p.category_id, true
       FROM embeddings_embedding e JOIN catalog_productimage i ON i.id = e.image_id
       JOIN catalog_product p ON p.id = i.product_id""",
    """UPDATE shoppers_productpopularity AS o SET base = s.popularity
       FROM staged s JOIN catalog_product p ON p.item_id = 'p' || s.n WHERE o.product_id = p.id""",
)
