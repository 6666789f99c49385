"""Bulk changes: a few products at once, many by a worker, chunk by chunk, watched and stopped."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from catalog.models import Product
from fashrec_site import tasks
from fashrec_site.product_jobs import services
from fashrec_site.product_jobs.models import LOST_AFTER, ProductJob
from fashrec_site.product_jobs.services import ask_for_change, give_up_lost, run_job, stop_job
from fashrec_site.workplace.products import bulk
from fashrec_site.workplace.products.jobs import in_words
from tests.factories import CategoryFactory, ProductFactory, ProductImageFactory
from tests.fashrec_site.workplace.world import staff

pytestmark = pytest.mark.django_db
PRODUCTS = "/admin/catalog/product/"
N_PRODUCTS = 5
CHUNK = 2


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(services, "CHUNK", CHUNK)


@pytest.fixture
def products():
    category = CategoryFactory()
    return [ProductFactory(category=category) for _ in range(N_PRODUCTS)]


def ask(products, kind="deactivate", **change) -> ProductJob:
    by, _ = User.objects.get_or_create(username="anna")
    ids = [product.pk for product in products]
    return ask_for_change(by=by, kind=kind, product_ids=ids, now=timezone.now(), **change)


def progress(job) -> tuple[str, int, int]:
    job.refresh_from_db()
    return job.state, job.n_done, job.n_changed


def page_of(job) -> str:
    return f"/admin/fashrec_site/productjob/{job.pk}/change/"


def test_a_job_counts_what_it_changed_and_changes_nothing_twice(products):
    Product.objects.filter(pk=products[0].pk).update(is_active=False)
    job = ask(products)
    assert not run_job(job_id=job.pk)
    assert progress(job) == ("ready", N_PRODUCTS, N_PRODUCTS - 1)
    assert not Product.objects.active().exists()
    Product.objects.update(is_active=True)
    assert not run_job(job_id=job.pk)
    assert Product.objects.active().count() == N_PRODUCTS


def test_turns_go_on_where_the_last_one_ended(products):
    job = ask(products)
    assert run_job(job_id=job.pk, turn_seconds=0)
    assert progress(job) == ("waiting", CHUNK, CHUNK)
    assert run_job(job_id=job.pk, turn_seconds=0)
    assert not run_job(job_id=job.pk, turn_seconds=0)
    assert progress(job) == ("ready", N_PRODUCTS, N_PRODUCTS)


def test_a_job_killed_in_a_chunk_is_found_again_and_does_that_chunk_once(products, monkeypatch):
    job, done = ask(products), []

    def killed_in_the_second_chunk(*, kind, product_ids, category):
        done.append(product_ids)
        Product.objects.filter(pk__in=product_ids).update(is_active=False)
        if len(done) == 2:
            raise SystemExit
        return len(product_ids)

    monkeypatch.setattr(services, "change_products", killed_in_the_second_chunk)
    with pytest.raises(SystemExit):
        run_job(job_id=job.pk)
    assert progress(job) == ("running", CHUNK, CHUNK)
    assert Product.objects.active().count() == N_PRODUCTS - CHUNK
    assert not run_job(job_id=job.pk)  # somebody may still be at it
    ProductJob.objects.update(alive_at=timezone.now() - LOST_AFTER - timedelta(seconds=1))
    assert not run_job(job_id=job.pk)
    assert progress(job) == ("ready", N_PRODUCTS, N_PRODUCTS)
    assert done[1] == done[2]


def test_a_job_that_kills_its_worker_each_time_is_given_up(products):
    job = ask(products)
    long_ago = timezone.now() - LOST_AFTER - timedelta(seconds=1)
    ProductJob.objects.update(state="running", attempts=3, alive_at=long_ago)
    assert not run_job(job_id=job.pk)
    assert give_up_lost(now=timezone.now()) == 1
    assert progress(job) == ("failed", 0, 0)
    assert job.error == "worker lost"


def test_a_stopped_job_keeps_what_is_done(products):
    job = ask(products)
    run_job(job_id=job.pk, turn_seconds=0)
    assert stop_job(job_id=job.pk, now=timezone.now())
    assert not run_job(job_id=job.pk)
    assert progress(job) == ("stopped", CHUNK, CHUNK)
    assert not stop_job(job_id=job.pk, now=timezone.now())


def test_a_move_whose_category_is_gone_fails_with_the_reason(products):
    hats = CategoryFactory(name="Hats")
    job = ask(products, kind="move", category=hats)
    run_job(job_id=job.pk, turn_seconds=0)
    Product.objects.filter(category=hats).update(category=products[-1].category)
    hats.delete()
    run_job(job_id=job.pk)
    assert progress(job) == ("failed", CHUNK, CHUNK)
    assert job.error == "the category was deleted"


def test_what_was_merged_into_another_product_stays_off_sale(products):
    Product.objects.update(is_active=False)
    Product.objects.filter(pk=products[0].pk).update(merged_into=products[1])
    job = ask(products, kind="activate")
    run_job(job_id=job.pk)
    assert progress(job) == ("ready", N_PRODUCTS, N_PRODUCTS - 1)
    assert not Product.objects.get(pk=products[0].pk).is_active


def test_photos_are_embedded_again(products, monkeypatch):
    sent = []
    monkeypatch.setattr(services, "change_products", lambda **change: sent.append(change) or 1)
    ProductImageFactory(product=products[0])
    run_job(job_id=ask(products, kind="embed").pk)
    assert [len(change["product_ids"]) for change in sent] == [2, 2, 1]
    assert {change["kind"] for change in sent} == {"embed"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.2, "about 1 second"),
        (89.4, "about 89 seconds"),
        (90.0, "about 2 minutes"),
        (3600.0, "about 60 minutes"),
    ],
)
def test_the_time_left_is_told_in_words(seconds, words):
    assert in_words(seconds) == words


def test_beat_enqueues_what_nobody_does(products, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "enqueue", lambda task, *args, **options: sent.append(args))
    waiting, running = ask(products), ask(products)
    ProductJob.objects.filter(pk=running.pk).update(state="running", alive_at=timezone.now())
    tasks.enqueue_product_jobs()
    assert sent == [(waiting.pk,)]


def test_many_products_become_a_job_with_a_page_and_few_do_not(admin_client, products, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    sent = []
    monkeypatch.setattr(bulk, "enqueue", lambda task, *args: sent.append(args))
    few = {"action": "deactivate", "_selected_action": [p.pk for p in products[:3]]}
    admin_client.post(PRODUCTS, few)
    assert not ProductJob.objects.exists()
    assert Product.objects.active().count() == 2
    all_of_them = {**few, "_selected_action": [products[0].pk], "select_across": "1"}
    answer = admin_client.post(PRODUCTS, all_of_them)
    job = ProductJob.objects.get()
    assert sent == [(job.pk,)]
    assert answer.url == page_of(job)
    assert (job.asked_by.username, job.n_products) == ("admin", N_PRODUCTS)
    assert set(job.product_ids) == {product.pk for product in products}


def test_the_page_tells_how_far_it_is_and_stops_it(client, products, monkeypatch):
    monkeypatch.setattr("fashrec_site.workplace.products.jobs._has_worker", lambda: False)
    job = ask(products)
    run_job(job_id=job.pk, turn_seconds=0)
    client.force_login(staff("ann", groups=("analyst",)))
    content = client.get(page_of(job)).content.decode()
    assert "2 of 5" in content
    assert "No worker answers" in content
    assert "every 1s" in content
    assert "Stop" not in content
    stop = f"/admin/fashrec_site/productjob/{job.pk}/stop/"
    assert client.post(stop).status_code == 403
    client.force_login(staff("carl", groups=("curator",)))
    assert "Stop" in client.get(page_of(job)).content.decode()
    assert client.get(stop).status_code == 405
    assert client.post(stop).url == page_of(job)
    content = client.get(page_of(job)).content.decode()
    assert "Stopped. What was done until then stays done." in content
    assert "2 products taken off sale." in content
    assert "every 1s" not in content
    assert (
        "Take off sale: 5 products"
        in client.get("/admin/fashrec_site/productjob/").content.decode()
    )
