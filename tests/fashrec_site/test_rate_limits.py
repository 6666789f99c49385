"""Limits hold over all web processes, whatever address is claimed, and while Redis is down."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from limits import parse
from limits.storage import RedisStorage
from redis import ConnectionError as RedisConnectionError
from redis import Redis

from fashrec_site.access.rate_limits import RETRY_SECONDS, RateLimiter
from tests.embeddings.worker_process import _environment
from tests.fashrec_site.embedded_home import ROOT
from tests.fashrec_site.web_server import web_server

BODY = json.dumps({"query": "{ __typename }"})


def ask(port, claimed_address):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json", "X-Forwarded-For": claimed_address}
    try:
        connection.request("POST", "/graphql/", BODY, headers)
        response = connection.getresponse()
        response.read()
        return response.status, response.headers.get("Retry-After")
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_of_five_hundred_parallel_requests_exactly_the_limit_is_served(tmp_path):
    url = _environment(tmp_path)["REDIS_URL"].replace("virtual_host=0", "virtual_host=7")
    with Redis.from_url(url.replace("redis+socket", "unix").replace("virtual_host", "db")) as redis:
        redis.flushdb()  # of this test alone
    with (
        web_server(tmp_path, FASHREC_RATE_LIMIT="100/minute", REDIS_URL=url) as port,
        ThreadPoolExecutor(50) as clients,
    ):
        claimed = [f"198.51.{n // 250}.{n % 250}" for n in range(500)]
        answers = list(clients.map(ask, [port] * 500, claimed, timeout=300))
    assert Counter(status for status, _ in answers) == {200: 100, 429: 400}
    assert all(1 <= int(wait) <= 60 for status, wait in answers if status == 429)


def dead_redis():
    """A storage whose Redis refuses connections."""
    return RedisStorage("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_while_redis_is_down_a_process_counts_for_itself_and_asks_seldom():
    opened, clock = [], Clock()

    def open_storage():
        opened.append(clock.now)
        return dead_redis()

    limiter, limit = RateLimiter(open_storage, clock), parse("2/minute")
    answers = [limiter.hit(limit, "somebody") for _ in range(4)]
    assert answers[:2] == [None, None]
    assert all(1 <= seconds <= 60 for seconds in answers[2:])
    assert opened == [0.0]
    clock.now = RETRY_SECONDS + 1
    limiter.hit(limit, "somebody else")
    assert opened == [0.0, clock.now]


def test_a_redis_that_cannot_even_be_opened_shuts_nobody_out():
    def fail():
        raise RedisConnectionError("no")

    assert RateLimiter(fail).hit(parse("1/minute"), "somebody") is None


def test_a_stalled_redis_is_given_up():
    """It takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as stalled:
        url = f"redis://127.0.0.1:{stalled.getsockname()[1]}/0"
        limiter = RateLimiter(lambda: RedisStorage(url, socket_timeout=0.1))
        assert limiter.hit(parse("1/minute"), "somebody") is None
        assert limiter._shared is None


def test_what_is_no_rate_is_refused_in_one_line():
    environment = os.environ | {"FASHREC_RATE_LIMIT": "often"}
    command = [sys.executable, "manage.py", "check"]
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert 'A rate limit must be like 600/minute, or off; got "often".' in result.stderr
