"""A statement that takes too long is answered as such, and its connection serves the next one."""

import http.client
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from tests.embeddings.worker_process import _environment
from tests.factories import CategoryFactory
from tests.fashrec_site.embedded_home import ROOT
from tests.fashrec_site.web_server import web_server

QUERY = json.dumps({"query": "{ __typename categories(first: 1) { edges { node { name } } } }"})
AS_GUNICORN = """
import runpy, django
runpy.run_path("gunicorn.conf.py")
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    print(cursor.fetchone()[0])
"""


def ask(port, method="POST", place="/graphql/"):
    """Status and body of one request, by default of GraphQL."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        client.request(method, place, QUERY, {"Content-Type": "application/json"})
        response = client.getresponse()
        return response.status, response.read()
    finally:
        client.close()


@pytest.mark.django_db(transaction=True)
def test_a_query_that_waits_for_a_lock_is_a_timeout_and_all_connections_go_on(tmp_path):
    CategoryFactory(name="Dresses")
    with (
        web_server(tmp_path, DATABASE_STATEMENT_TIMEOUT_SECONDS="0.3") as port,
        ThreadPoolExecutor(16) as clients,  # more than both pools have connections
    ):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE catalog_category, catalog_product IN ACCESS EXCLUSIVE MODE")
            refused = list(clients.map(ask, [port] * 16))
            page = ask(port, "GET", "/")
        answered = list(clients.map(ask, [port] * 16))

    assert page[0] == 503
    assert b"Please try again soon" in page[1]
    for status, body in refused:
        (error,) = json.loads(body)["errors"]
        assert (status, error["extensions"]["code"]) == (200, "TIMEOUT")
        assert error["path"] == ["categories"]
    for _, body in answered:
        answer = json.loads(body)
        assert "errors" not in answer
        assert answer["data"]["categories"]["edges"] == [{"node": {"name": "Dresses"}}]


@pytest.mark.django_db
def test_requests_have_three_seconds_and_commands_as_many_as_they_need(tmp_path):
    served = subprocess.run(
        [sys.executable, "-c", AS_GUNICORN],
        cwd=ROOT,
        env=_environment(tmp_path) | {"DJANGO_SETTINGS_MODULE": "fashrec_site.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert served.stdout == "3s\n"
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
