"""Ask for every page: how many statements, and how long until it is there."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.database import server_facts
from benchmarks.http_load.generator import HOST, TIMEOUT_SECONDS
from benchmarks.http_load.processes import web_server
from benchmarks.stages import Stages
from benchmarks.workplace.pages import AdminPage, list_pages, own_pages
from benchmarks.workplace.shop import ensure_shop

USER = "benchmark"
N_WARM = 2
MAX_QUERIES = 12
MAX_P95_MS = 300.0


def run(
    *,
    n_products: int,
    n_purchases: int,
    n_repetitions: int,
    only: str,
    seed: int,
    stages: Stages,
) -> dict[str, Any]:
    """Fill, walk, count, time. Returns the named figures."""
    shop = ensure_shop(n_products, n_purchases, seed, stages)
    with _signed_in() as client:
        user = User.objects.get(username=USER)
        pages = [*list_pages(user, only), *([] if only else own_pages())]
        with stages.stage("Counting statements", len(pages)) as advance:
            counts = [_count(client, page, advance, n) for n, page in enumerate(pages)]
        with web_server() as server, stages.stage("Asking gunicorn", len(pages)) as advance:
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            asking = _Asking(server.port, cookie, n_repetitions)
            times = [asking.milliseconds(page, advance, n) for n, page in enumerate(pages)]
    measured = [_figures(*row) for row in zip(pages, counts, times, strict=True)]
    lists = [figures for page, figures in zip(pages, measured, strict=True) if page.model]
    return {
        "data": f"{n_products} synthetic products with {n_purchases} purchases",
        "settings": {**shop, "n_repetitions": n_repetitions, "n_list_pages": len(lists)},
        "server": server_facts(),
        "bars": _bars(lists),
        "worst": _worst(lists),
        "pages": {page.name: row for page, row in zip(pages, measured, strict=True)},
    }


@contextmanager
def _signed_in() -> Iterator[Client]:
    """A superuser's browser, without a browser; the user goes at the end."""
    User.objects.filter(username=USER).delete()
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    client = Client()
    client.force_login(User.objects.create_superuser(USER))
    try:
        yield client
    finally:
        User.objects.filter(username=USER).delete()


def _count(client: Client, page: AdminPage, advance: Any, done: int) -> int:
    advance(done)
    with CaptureQueriesContext(connection) as captured:
        status = client.get(page.path).status_code
    if status != http.client.OK:
        raise SystemExit(f"{page.path} answered {status}")
    return len(captured)


class _Asking:
    """One person's browser: one connection, one page after the other."""

    def __init__(self, port: int, session: str, n_repetitions: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_SECONDS)
        self._headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}
        self._n_repetitions = n_repetitions

    def milliseconds(self, page: AdminPage, advance: Any, done: int) -> list[float]:
        """Of each repetition, from the request to the last byte."""
        advance(done)
        times = [self._ask(page.path) for _ in range(N_WARM + self._n_repetitions)]
        return times[N_WARM:]

    def _ask(self, path: str) -> float:
        start = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        response.read()
        if response.status != http.client.OK:
            raise SystemExit(f"{path} answered {response.status}")
        return 1000 * (time.perf_counter() - start)


def _figures(page: AdminPage, n_queries: int, times: list[float]) -> dict[str, Any]:
    p50, p95 = np.percentile(times, [50, 95])
    return {"n_queries": n_queries, "p50_ms": round(p50, 1), "p95_ms": round(p95, 1)}


def _bars(lists: list[dict[str, Any]]) -> dict[str, bool]:
    """Which bars every list page reaches."""
    return {
        f"at most {MAX_QUERIES} queries": all(row["n_queries"] <= MAX_QUERIES for row in lists),
        f"p95_ms <= {MAX_P95_MS:g}": all(row["p95_ms"] <= MAX_P95_MS for row in lists),
    }


def _worst(lists: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: max(row[name] for row in lists) for name in ("n_queries", "p50_ms", "p95_ms")}
