"""Read replicas: a real streaming replica on loopback, read from, lagging, killed and back."""

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from fashrec_site.embedded.locks import wait_until
from tests.fashrec_site.embedded_home import ROOT, run_python
from tests.fashrec_site.streaming_replica import free_port, primary_and_replica

MAX_LAG_SECONDS = 4  # of the web server below
SCENARIO_LAG_SECONDS = 60  # longer than any scenario: the replica stays good enough all through it
WAIT_SECONDS = 30
COPY_PRODUCT = """
INSERT INTO catalog_product
SELECT (jsonb_populate_record(p, jsonb_build_object(
    'id', nextval(pg_get_serial_sequence('catalog_product', 'id')), 'item_id', gen_random_uuid()
))).*
FROM catalog_product AS p LIMIT 1
"""
MAKE_WORLD = """
from django.contrib.auth.models import User
from tests.recommender.worlds import make_world
world = make_world()
world.add("bought", (1, 0, 0))
world.add("alike", (1, 0, 0), popularity=10)
world.shopper("bought", trendiness=1.0)
User.objects.create_user("clerk", is_staff=True)
"""
# In a process of its own with the site's settings: what the scenarios below begin with.
BEGIN = """
import django; django.setup()
import sys, time
from django.conf import settings; settings.ALLOWED_HOSTS.append("testserver")
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.test import Client
from catalog.database import reading_connection
from catalog.models import Product
from fashrec_site.replicas.reads import read_from_primary, request_reads
from shoppers.models import Shopper

def is_standby():
    with reading_connection().cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        return cursor.fetchone()[0]

def replica_is_used():
    with request_reads():
        return is_standby()

# Of the primary's first position that this process learns the replica may be a moment behind.
for _ in range(60):
    if replica_is_used(): break
    time.sleep(0.5)
print("begun", file=sys.stderr)
"""


class Shop:
    """The site's variables for a primary with one replica, and both servers."""

    def __init__(self, primary, replica, home):
        self.primary, self.replica, self.home = primary, replica, home
        self.variables = {
            "FASHREC_HOME": str(home),
            "DATABASE_URL": primary.url(),
            "DATABASE_REPLICA_URLS": replica.url(),
            "DATABASE_REPLICA_MAX_LAG_SECONDS": str(MAX_LAG_SECONDS),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "FASHREC_DEMO": "1",
            "DJANGO_SETTINGS_MODULE": "fashrec_site.settings",
        }

    def run(self, script):
        """What `script` prints, run in a process of its own that reads from the replica."""
        variables = self.variables | {"DATABASE_REPLICA_MAX_LAG_SECONDS": str(SCENARIO_LAG_SECONDS)}
        result = run_python("-W", "ignore", "-c", BEGIN + script, **variables)
        assert result.returncode == 0, result.stderr
        self.stderr = result.stderr.partition("begun\n")[2]
        return result.stdout

    def let_replica_catch_up(self):
        [(position,)] = self.primary.execute("SELECT pg_current_wal_lsn()::text")
        caught_up = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        assert wait_until(lambda: self.replica.execute(caught_up) == [(True,)], WAIT_SECONDS)

    @contextmanager
    def web(self):
        """A web server as in production; gives a function that gets a page, and its log."""
        port, log = free_port(), self.home / "web.log"
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
        with log.open("w") as output:
            process = subprocess.Popen(
                [*command, "--workers", "1", "fashrec_site.wsgi"],
                cwd=ROOT,
                env=os.environ | self.variables,
                stderr=output,
            )
        try:
            yield lambda: page_at(port), log
        finally:
            process.terminate()
            process.wait(30)


def page_at(port):
    def get():
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=60) as response:
                pages.append(response.read().decode())
        except URLError as error:
            if not isinstance(error.reason, ConnectionError):  # it answered, with an error
                raise
        return pages

    pages = []
    assert wait_until(get, WAIT_SECONDS)
    return pages[0]


def n_products(page):
    return int(re.search(r"([\d,]+) products\.", page)[1])


def losses(log):
    return [line for line in log.read_text().splitlines() if "Reads go to the primary" in line]


@pytest.fixture(scope="module")
def shop():
    with primary_and_replica() as (primary, replica, home):
        shop = Shop(primary, replica, home)
        migrated = run_python("manage.py", "migrate", "--verbosity", "0", **shop.variables)
        assert migrated.returncode == 0, migrated.stderr
        shop.run(MAKE_WORLD)
        yield shop


@pytest.fixture(autouse=True)
def caught_up(shop):
    shop.let_replica_catch_up()


def test_a_request_reads_from_the_replica_and_all_else_from_the_primary(shop):
    told = shop.run("""
print(is_standby(), Product.objects.all().db)
with request_reads():
    print(is_standby(), Product.objects.all().db, User.objects.all().db)
    with transaction.atomic():
        print(is_standby(), Product.objects.all().db)
    print(is_standby())
print(is_standby())
""")

    assert told.splitlines() == [
        "False default",
        "True replica_1 default",
        "False default",
        "True",
        "False",
    ]


def test_what_a_request_wrote_it_reads_back_from_the_primary(shop):
    try:
        told = shop.run("""
import psycopg
with psycopg.connect(settings.DATABASE_REPLICA_URLS[0], autocommit=True) as other:
    other.execute("SELECT pg_wal_replay_pause()")
with request_reads():
    shopper = Shopper.objects.get(external_id="ann")
    print(shopper._state.db, shopper.trendiness)
    shopper.trendiness = 0.25
    shopper.save()
    print(is_standby(), Shopper.objects.get(external_id="ann").trendiness)
with request_reads():
    print(is_standby(), Shopper.objects.get(external_id="ann").trendiness)
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE shoppers_shopper SET trendiness = 1")
    print(is_standby())
with request_reads():
    read_from_primary()
    print(is_standby())
""")
    finally:
        shop.replica.execute("SELECT pg_wal_replay_resume()")

    assert told.splitlines() == [
        "replica_1 1.0",
        "False 0.25",
        "True 1.0",
        "False",
        "False",
    ]


def test_recommendations_are_ranked_from_the_replica_and_logged_on_the_primary(shop):
    told = shop.run("""
from recommender.models import RecommendationLog
from recommender.ranking import RankingSettings, default_profile
from recommender.services import recommend
default_profile()
ranking = RankingSettings.from_profile(default_profile())
on_primary = []
def noted(execute, sql, *args):
    on_primary.append(sql.split(maxsplit=1)[0])
    return execute(sql, *args)
with request_reads(), connections["default"].execute_wrapper(noted):
    shopper = Shopper.objects.get(external_id="ann")
    answer = recommend(shopper=shopper, settings=ranking)
    print("WITH" in on_primary, "INSERT" in on_primary)
    print([item.product.item_id for item in answer.items], answer.items[0].product._state.db)
    print(RecommendationLog.objects.get(pk=answer.id)._state.db, is_standby())
""")

    assert told.splitlines() == ["False True", "['alike'] replica_1", "default True"]


def test_admin_forms_and_mutations_read_from_the_primary(shop):
    told = shop.run("""
import strawberry
from django.http import HttpResponse
from django.test import RequestFactory
from fashrec_site.replicas.middleware import ReplicaMiddleware
from fashrec_site.replicas.mutations import MutationsReadFromPrimary
middleware = ReplicaMiddleware(lambda request: HttpResponse(str(is_standby())))
make = RequestFactory()
for request in (make.get("/"), make.post("/graphql/"), make.post("/"), make.get("/admin/")):
    print(request.method, request.path, middleware(request).content.decode())

@strawberry.type
class Query:
    @strawberry.field
    def standby(self) -> bool: return is_standby()
@strawberry.type
class Mutation(Query): pass
schema = strawberry.Schema(query=Query, mutation=Mutation, extensions=[MutationsReadFromPrimary])
for operation in ("query", "mutation"):
    with request_reads():
        print(operation, schema.execute_sync(operation + " { standby }").data)
""")

    assert told.splitlines() == [
        "GET / True",
        "POST /graphql/ True",
        "POST / False",
        "GET /admin/ False",
        "query {'standby': True}",
        "mutation {'standby': False}",
    ]


def test_a_request_whose_replica_dies_under_it_is_answered_by_the_primary(shop):
    told = shop.run("""
import psycopg
from fashrec_site.storefront import home
ask = home.ask
def ask_without_replica(*args, **variables):
    home.ask = ask
    pid = connections["replica_1"].connection.info.backend_pid
    with psycopg.connect(settings.DATABASE_REPLICA_URLS[0], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    return ask(*args, **variables)
with request_reads():
    assert is_standby()
settings.FASHREC_DEMO = False
home.ask = ask_without_replica
client = Client(raise_request_exception=False)
page = client.get("/")
print(page.status_code, "2 products" in page.text)
""")

    assert told == "200 True\n"
    assert shop.stderr.count("Reads go to the primary instead of replica_1: ") == 1


def test_what_a_replica_lacks_for_longer_than_the_bound_is_read_from_the_primary(shop):
    try:
        with shop.web() as (get, log):
            n_before = n_products(get())
            assert wait_until(lambda: reads_from_replica(get, log), WAIT_SECONDS)
            n_told_before = len(losses(log))
            shop.replica.execute("SELECT pg_wal_replay_pause()")
            shop.primary.execute(COPY_PRODUCT)
            n_while_old_is_allowed = n_products(get())
            time.sleep(MAX_LAG_SECONDS + 1)
            n_after_that = n_products(get())
            told = losses(log)[n_told_before:]
            shop.replica.execute("SELECT pg_wal_replay_resume()")
            back = wait_until(lambda: reads_from_replica(get, log), WAIT_SECONDS)
            n_on_replica = n_products(get())
    finally:
        shop.replica.execute("SELECT pg_wal_replay_resume()")

    assert n_while_old_is_allowed == n_before  # so it was the replica that answered
    assert n_after_that == n_before + 1
    assert len(told) == 1
    assert told[0].endswith(f"it is more than {MAX_LAG_SECONDS} s behind")
    assert back
    assert n_on_replica == n_before + 1


def reads_from_replica(get, log):
    """Whether the replica is in use after one more page: a busy machine may find it behind."""
    get()
    return len(losses(log)) == log.read_text().count("Reads go to replica_1 again.")


def test_a_killed_replica_is_told_once_while_the_primary_answers_and_is_used_again_later(shop):
    with shop.web() as (get, log):
        n_before = n_products(get())
        assert wait_until(lambda: reads_from_replica(get, log), WAIT_SECONDS)
        n_told_before = len(losses(log))
        shop.replica.kill()
        try:
            during = [n_products(get()) for _ in range(5)]
            told = losses(log)[n_told_before:]
        finally:
            shop.replica.start()
        shop.let_replica_catch_up()
        back = wait_until(lambda: reads_from_replica(get, log), WAIT_SECONDS)

    assert during == [n_before] * 5
    assert len(told) == 1
    assert back
