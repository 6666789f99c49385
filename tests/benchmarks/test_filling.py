import numpy as np
import pytest
from django.db import connection

from benchmarks.datasets.catalogue_data import GENDERS
from benchmarks.filling.binary_copy import copy_columns
from benchmarks.filling.fill import ensure_filled, forget_shoppers, set_popularity
from benchmarks.protocol.contenders import ServingPath
from benchmarks.protocol.oracle import Formula, World, exact_tops
from benchmarks.protocol.quality import judge, quality_figures
from benchmarks.protocol.questions import MAIN_WEIGHTS, draw_questions
from benchmarks.stages import shown_stages
from catalog.models import Product, Stock
from embeddings.models import ProductVector
from shoppers.models import ProductPopularity
from tests.benchmarks.small_worlds import small_world


@pytest.mark.django_db
def test_whole_arrays_are_copied_as_they_are():
    columns = {
        "a": np.array([1, -(2**40)], dtype=np.int64),
        "b": np.array([3, -4], dtype=np.int32),
        "c": np.array([5, -6], dtype=np.int16),
        "d": np.array([True, False]),
        "e": np.array([0.5, -1e300]),
        "f": np.array([[1, 0.25, -2], [65504, 0, 1e-7]], dtype=np.float16),
        "g": b"text",
        "h": b"",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE t (a bigint, b int, c smallint, d bool, e float8, f halfvec, "
            "g text, h text)"
        )
        copy_columns(cursor.cursor, "t", columns, 2)
        copy_columns(cursor.cursor, "t", {name: columns[name] for name in "gh"}, 0)
        cursor.execute("SELECT a, b, c, d, e, f::real[], g, h FROM t")
        first, second = cursor.fetchall()
    assert first == (1, 3, 5, True, 0.5, [1, 0.25, -2], "text", "")
    assert second[:5] == (-(2**40), -4, -6, False, -1e300)
    assert np.float16(second[5]).tolist() == columns["f"][1].tolist()


@pytest.fixture
def stages():
    """Stages; and the benchmark's own tables, which no flush knows, go again."""
    with shown_stages() as stages:
        yield stages
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_fill, benchmark_product")


@pytest.mark.django_db(transaction=True)
def test_a_filled_database_is_the_arrays_and_is_not_filled_twice(stages):
    world = small_world(200)
    backbone = ensure_filled(world.data, world.stores, stages)
    ProductVector.objects.filter(product_id=200).update(is_active=False)
    assert ensure_filled(world.data, world.stores, stages) == backbone
    row = ProductVector.objects.get(product_id=200)
    assert not row.is_active  # not filled again
    assert np.float16(row.vector).tolist() == world.data.vectors[199].tolist()
    assert row.gender == GENDERS[world.data.genders[199]]
    product = Product.objects.get(pk=7)
    assert (int(product.price * 100), product.category.name) == (
        int(world.data.prices_cents[6]),
        "ABCD"[world.data.categories[6]],
    )
    assert Stock.objects.count() == len(world.stores.stocked_products)
    assert Product.objects.create(item_id="new", category=product.category).pk == 201
    other = small_world(100)
    assert ensure_filled(other.data, other.stores, stages).dimension == 12
    assert Product.objects.count() == 100


@pytest.mark.django_db(transaction=True)
def test_the_oracle_and_the_database_rank_alike(stages):
    world = small_world(200)
    backbone = ensure_filled(world.data, world.stores, stages)
    popularity = set_popularity(world.data, "integers", stages)
    assert (
        list(ProductPopularity.objects.order_by("product_id").values_list("popularity", flat=True))
        == popularity.tolist()
    )
    similarity = np.array([[1, 0.8, 0.1, 0.1], [0.8, 1, 0.1, 0.1]])
    similarity = np.vstack([similarity, similarity[:, [2, 3, 0, 1]]])
    world = World(world.data, popularity, similarity, world.stores)
    questions = draw_questions(world.data, 6, 12, seed=4)
    formula = Formula(world, questions)
    (exact,) = exact_tops(formula, [MAIN_WEIGHTS], 5)
    path = ServingPath("exact", backbone, "exact")
    answers = [path.ask(question, MAIN_WEIGHTS) for question in questions]
    figures = quality_figures(judge(formula, MAIN_WEIGHTS, exact, answers))
    assert figures["recall_at_5"] == 1.0
    assert figures["mean_regret"] == pytest.approx(0, abs=1e-6)
    forget_shoppers()
