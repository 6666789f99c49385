"""The load generator against a server whose answers are known."""

import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import pytest

from benchmarks.http_load.generator import BROKEN, Answer, Generator, Request, Spec
from benchmarks.http_load.reads import SHARES, TEMPLATES, draw_reads
from benchmarks.http_load.summary import by_kind, summary
from tests.fashrec_site.embedded_home import ROOT

SLOW_SECONDS = 0.2


class KnownAnswers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/slow":
            time.sleep(SLOW_SECONDS)
        if self.path == "/cut":
            self.close_connection = True
            return
        status = {"/later": 202, "/refused": 429, "/down": 500}.get(self.path, 200)
        body = b'{"errors": [{"extensions": {"code": "TIMEOUT"}}]}' if self.path == "/bad" else b""
        self.answer(status, body or b'{"data": 1}')

    def do_GET(self):
        self.answer(200, b'{"data": 2}')

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Location", "/found")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def port():
    with ThreadingHTTPServer(("127.0.0.1", 0), KnownAnswers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def load(port, *paths, seconds=0.5, n_clients=2, rate=20.0):
    requests = [Request(kind=path, path=path, body="{}") for path in paths]
    return Generator(Spec(port, requests, seconds, n_clients, rate)).run()


def test_requests_are_due_at_the_rate_and_sent_in_turn(port):
    answers = load(port, "/a", "/b")
    assert sorted(answer.due for answer in answers) == pytest.approx([n / 20 for n in range(10)])
    assert Counter(answer.kind for answer in answers) == {"/a": 5, "/b": 5}


def test_a_request_that_waited_for_a_client_counts_from_when_it_was_due(port):
    answers = load(port, "/slow", n_clients=1, rate=10.0)
    last = max(answers, key=lambda answer: answer.due)
    assert len(answers) == 5
    assert last.seconds >= 5 * SLOW_SECONDS - last.due


def test_without_a_rate_every_client_asks_again_as_soon_as_answered(port):
    answers = load(port, "/slow", rate=0.0, n_clients=3, seconds=SLOW_SECONDS)
    assert len(answers) == 3


def test_statuses_codes_and_broken_connections_are_told_apart(port):
    answers = load(port, "/good", "/bad", "/down", "/refused", "/cut", "/later")
    found = {answer.kind: (answer.status, answer.code) for answer in answers}
    assert found == {
        "/good": (200, ""),
        "/bad": (200, "TIMEOUT"),
        "/down": (500, ""),
        "/refused": (429, ""),
        "/cut": (BROKEN, "RemoteDisconnected"),
        "/later": (200, ""),
    }


def test_the_summary_counts_good_answers_and_all_times():
    answers = [Answer("a", 0.0, n / 1000, 200) for n in range(1, 100)]
    answers += [Answer("b", 0.0, 0.1, 503, "TIMEOUT")]
    assert summary(answers, seconds=10) == {
        "n_requests": 100,
        "requests_per_second": 9.9,
        "p50_ms": 50.5,
        "p95_ms": 95.0,
        "p99_ms": 99.0,
        "max_ms": 100.0,
        "statuses": {"200": 99, "503": 1},
        "n_server_errors": 1,
        "error_codes": {"TIMEOUT": 1},
    }
    assert by_kind(answers)["b"] == {
        "n": 1,
        "p50_ms": 100.0,
        "p95_ms": 100.0,
        "p99_ms": 100.0,
        "max_ms": 100.0,
    }
    assert summary([], seconds=10)["n_requests"] == 0


def test_a_server_that_falls_behind_has_the_rate_at_which_it_caught_up():
    answers = [Answer("a", n / 10, 0.1 + n / 10, 200) for n in range(100)]
    assert summary(answers, seconds=10)["requests_per_second"] == pytest.approx(
        100 / 19.9, abs=0.01
    )


def test_all_kinds_of_reads_are_drawn_by_their_shares():
    drawn = Counter(r.kind for r in draw_reads(10_000, 50, 40, "key", Random(1)))
    assert set(drawn) == set(SHARES) <= set(TEMPLATES)
    for kind, share in SHARES.items():
        assert drawn[kind] / 10_000 == pytest.approx(share / sum(SHARES.values()), abs=0.02)


def test_the_generators_process_imports_no_django():
    code = "import sys, benchmarks.http_load.generator; print('django' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout == "False\n"
