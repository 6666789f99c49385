"""The search puts pairs into the queue: once, only what changed, and never against a decision."""

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from catalog.models import Product, ProductImage
from embeddings.duplicates import services
from embeddings.duplicates.candidates import nearest_by_hash, nearest_by_vector
from embeddings.duplicates.models import DuplicatePair, PhotoFingerprint
from embeddings.duplicates.services import AlreadySearchingError, find_duplicates, search_state
from embeddings.duplicates.tasks import find_duplicates as find_duplicates_task
from embeddings.indexes import ensure_search_indexes
from tests.embeddings.duplicates.test_fingerprints import BLUE, shirt
from tests.embeddings.duplicates.worlds import add_product, png, shirts
from tests.factories import (
    BackboneFactory,
    EmbeddingFactory,
    ProductImageFactory,
    ProductVectorFactory,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def find():
    return find_duplicates(now=NOW)


def pairs() -> set[tuple[str, str]]:
    return set(DuplicatePair.objects.to_decide().values_list("a__item_id", "b__item_id"))


def test_a_copy_comes_into_the_queue_and_another_colour_does_not():
    shirts()
    report = find()
    assert (report.n_compared, report.n_new, report.n_open, report.n_unreadable) == (3, 1, 1, 0)
    (pair,) = DuplicatePair.objects.all()
    assert (pair.a.item_id, pair.b.item_id, pair.found_at) == ("red", "red-copy", NOW)
    assert pair.cosine == pytest.approx(0.8, abs=1e-3)
    assert pair.likeness == pytest.approx(1, abs=0.05)


def test_a_second_search_looks_at_nothing_and_a_new_product_is_compared_alone():
    backbone = shirts()
    find()
    assert find().n_compared == 0
    add_product(backbone, "third", shirt().resize((90, 120)), [0, 0, 1])
    report = find()
    assert (report.n_compared, report.n_new) == (1, 2)
    assert pairs() == {("red", "red-copy"), ("red", "third"), ("red-copy", "third")}


def test_decisions_are_remembered_when_products_are_compared_again():
    shirts()
    find()
    DuplicatePair.objects.update(decision="distinct", decided_at=NOW)
    PhotoFingerprint.objects.update(compared_as="")
    report = find()
    assert (report.n_compared, report.n_new, report.n_open) == (3, 0, 0)


def test_a_pair_leaves_the_queue_when_its_photo_changes():
    backbone = shirts()
    find()
    Product.objects.get(item_id="red-copy").images.all().delete()  # and with it its vector
    image = ProductImageFactory(
        product=Product.objects.get(item_id="red-copy"), content=png(shirt(BLUE))
    )
    embedding = EmbeddingFactory(image=image, backbone=backbone, vector=[0.8, 0.6, 0])
    ProductVectorFactory(
        product=image.product, backbone=backbone, embedding=embedding, vector=[0.8, 0.6, 0]
    )
    assert find().n_compared == 1
    assert pairs() == {("red-copy", "blue")}


def test_who_comes_back_on_sale_is_compared_with_what_is_new_since():
    backbone = shirts()
    red = Product.objects.filter(item_id="red")
    find()
    red.update(is_active=False)
    add_product(backbone, "third", shirt(), [0, 0, 1])
    find()
    assert pairs() == {("red-copy", "third")}
    red.update(is_active=True)
    find()
    assert ("red", "third") in pairs()


def test_a_search_stopped_half_way_goes_on(monkeypatch):
    backbone = BackboneFactory()
    for number in range(4):
        add_product(backbone, f"shirt-{number}", shirt(), [1, 0, 0])
    monkeypatch.setattr(services, "BATCH", 1)

    def stop(stage, done, total):
        if stage == "Comparing products" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_duplicates(now=NOW, on_progress=stop)
    state = search_state()
    assert (state.n_products, state.n_compared, state.n_waiting) == (4, 2, 2)
    assert find().n_compared == 2
    assert len(pairs()) == 6


def test_a_photo_that_cannot_be_read_is_left_out(capsys):
    shirts()
    image = ProductImage.objects.get(product__item_id="red-copy")
    with image.image.storage.open(image.image.name, "wb") as file:
        file.write(b"no photo")
    call_command("find_duplicates")
    told = capsys.readouterr()
    assert told.err == "1 photos could not be read.\n"
    assert told.out.startswith("Compared 2 products: 0 new pairs; 0 wait for a decision")


def test_one_search_at_a_time():
    shirts()
    with connections.create_connection("default").cursor() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [services.SEARCH_LOCK])
        assert search_state().is_running
        with pytest.raises(AlreadySearchingError, match="looking for duplicates already"):
            find()
        find_duplicates_task()  # leaves it to the other
        other.connection.close()
    assert not DuplicatePair.objects.exists()


def test_without_vectors_the_command_says_what_to_do_first():
    with pytest.raises(CommandError, match=r"run manage\.py embed_products"):
        call_command("find_duplicates")


def test_boys_are_not_compared_with_men_by_looks():
    backbone = BackboneFactory()
    man = add_product(backbone, "man", shirt(), [1, 0, 0], gender="MEN")
    add_product(backbone, "boy", shirt(), [1, 0, 0], gender="BOYS")
    any_ = add_product(backbone, "any", shirt(), [0, 1, 0], gender="UNISEX")
    assert nearest_by_vector([man.product_id], "MEN", backbone) == {
        (man.product_id, any_.product_id)
    }


@pytest.mark.django_db(transaction=True)
def test_both_ways_to_candidates_are_served_by_an_index():
    backbone = BackboneFactory()
    rows = [add_product(backbone, f"shirt-{n}", shirt(), [1, n / 10, 0]) for n in range(4)]
    exact = nearest_by_vector([row.product_id for row in rows], "UNISEX", backbone)
    assert ensure_search_indexes(backbone, min_rows=1)
    assert nearest_by_vector([row.product_id for row in rows], "UNISEX", backbone) == exact
    assert len(exact) == 6
    find()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT near.image_id FROM embeddings_photofingerprint p CROSS JOIN LATERAL ("
            "SELECT image_id FROM embeddings_photofingerprint o ORDER BY o.bits <~> p.bits LIMIT 5"
            ") near"
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "Index Scan using fingerprint_bits" in plan
    found = nearest_by_hash([row.embedding.image_id for row in rows[:1]])
    assert found == {(rows[0].product_id, row.product_id) for row in rows[1:]}
