"""Webhooks: queued with what happened, signed, sent until taken, and to the public only."""

import json
import threading
import time
from base64 import b64decode, b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import new as hmac_new
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID

import pytest
from celery import current_app
from django.db import transaction
from django.utils import timezone

from embeddings.models import Embedding
from fashrec_site.models import WebhookDelivery, WebhookEndpoint
from fashrec_site.tasks import enqueue_webhooks
from fashrec_site.webhooks import sending
from fashrec_site.webhooks.sending import SendError, post
from fashrec_site.webhooks.services import BACKOFF, deliver_due, forget_old, send_again, send_ping
from fashrec_site.webhooks.signing import signed_headers
from recommender.models import EvaluationRun
from tests.embeddings.worker_process import WorkerProcess, wait_for
from tests.factories import BackboneFactory, EmbeddingFactory, ProductVectorFactory

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Receiver:
    """A web server on loopback that answers as it is told, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.requests: list[tuple[dict[str, str], dict]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((dict(self.headers), json.loads(body)))
                receiver.body = body
                status = receiver.answers.pop(0) if receiver.answers else 200
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "http://169.254.169.254/")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(settings):
    settings.FASHREC_WEBHOOKS_ALLOW_PRIVATE = True
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def endpoint_for(url="https://shop.example/hook", *kinds, **fields):
    kinds = kinds or ("product.embedded", "embedding.failed", "evaluation.finished")
    return WebhookEndpoint.objects.create(name=url, url=url, kinds=list(kinds), **fields)


def queued():
    return [(d.kind, d.payload) for d in WebhookDelivery.objects.order_by("created_at", "kind")]


@pytest.mark.django_db
def test_what_happens_is_queued_for_whoever_asked():
    backbone = BackboneFactory(name="hand")
    endpoint_for("https://a.example/", "product.embedded")
    endpoint_for("https://b.example/", "product.embedded", is_active=False)
    endpoint_for("https://c.example/", "embedding.failed")
    vector = ProductVectorFactory(backbone=backbone, product__item_id="shirt")
    assert queued() == [("product.embedded", {"itemId": "shirt", "backbone": "hand"})]
    vector.is_active = False
    vector.save(update_fields=["is_active"])
    assert WebhookDelivery.objects.count() == 1
    vector.vector = [0.0, 1.0, 0.0]
    vector.save(update_fields=["vector"])
    assert WebhookDelivery.objects.count() == 2


@pytest.mark.django_db
def test_a_failed_embedding_is_told_once_with_its_reason():
    endpoint_for()
    row = EmbeddingFactory(
        state="started", vector=None, backbone__name="hand", image__product__item_id="shirt"
    )
    failed = Embedding.objects.filter(pk=row.pk)
    failed.update(state="failed", error="worker lost")
    failed.update(attempts=3)
    assert queued() == [
        (
            "embedding.failed",
            {"itemId": "shirt", "view": "front", "error": "worker lost", "backbone": "hand"},
        )
    ]


@pytest.mark.django_db
def test_a_finished_evaluation_is_told():
    endpoint_for()
    run = EvaluationRun.objects.create(settings={})
    assert queued() == []
    EvaluationRun.objects.update(finished_at=NOW)
    (told,) = queued()
    assert told == (
        "evaluation.finished",
        {"evaluation": run.pk, "finishedAt": "2026-01-01T00:00:00+00:00"},
    )


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_not_told():
    endpoint_for()
    with pytest.raises(RuntimeError), transaction.atomic():
        ProductVectorFactory()
        raise RuntimeError
    assert queued() == []


def test_a_signature_is_the_specifications_own_example():
    headers = signed_headers(
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        delivery_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        body=b'{"test": 2432232314}',
        now=datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.django_db
def test_a_delivery_is_signed_and_says_what_happened(receiver):
    endpoint = endpoint_for(receiver.url)
    delivery = send_ping(endpoint, now=NOW)
    assert deliver_due(endpoint_id=endpoint.pk, now=NOW) == 1
    ((headers, body),) = receiver.requests
    assert body == {
        "type": "ping",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "data": {"endpoint": endpoint.name},
    }
    signed = f"{delivery.pk}.{headers['webhook-timestamp']}.".encode() + receiver.body
    mac = hmac_new(b64decode(endpoint.secret.removeprefix("whsec_")), signed, sha256)
    assert headers["webhook-signature"] == "v1," + b64encode(mac.digest()).decode()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.answer_status) == ("delivered", 1, 200)
    assert deliver_due(endpoint_id=endpoint.pk, now=NOW) == 0


@pytest.mark.django_db
def test_a_refused_delivery_waits_ever_longer_and_is_given_up(receiver):
    endpoint = endpoint_for(receiver.url)
    delivery, now, waits = send_ping(endpoint, now=NOW), NOW, []
    receiver.answers = [500] * 20
    while delivery.state == "pending":
        assert deliver_due(endpoint_id=endpoint.pk, now=now) == 0
        delivery.refresh_from_db()
        assert deliver_due(endpoint_id=endpoint.pk, now=now) == 0
        waits.append(delivery.next_attempt_at - now)
        now = delivery.next_attempt_at
    assert waits == [*BACKOFF, BACKOFF[-1]]
    assert (delivery.state, delivery.attempts, delivery.error) == ("failed", 10, "answered 500")
    assert len(receiver.requests) == 10
    receiver.answers = []
    send_again([delivery.pk], now=now)
    assert deliver_due(endpoint_id=endpoint.pk, now=now) == 1


@pytest.mark.django_db
def test_a_dead_endpoint_costs_one_attempt_a_round(receiver):
    endpoint = endpoint_for(receiver.url)
    deliveries = [send_ping(endpoint, now=NOW + timedelta(seconds=n)) for n in range(3)]
    receiver.answers = [500]
    later = NOW + timedelta(seconds=10)
    assert deliver_due(endpoint_id=endpoint.pk, now=later) == 0
    assert len(receiver.requests) == 1
    assert deliver_due(endpoint_id=endpoint.pk, now=later) == 2
    deliveries[0].refresh_from_db()
    assert (deliveries[0].state, deliveries[0].attempts) == ("pending", 1)


@pytest.mark.django_db
def test_a_redirect_is_not_followed(receiver):
    endpoint = endpoint_for(receiver.url)
    delivery = send_ping(endpoint, now=NOW)
    receiver.answers = [302]
    deliver_due(endpoint_id=endpoint.pk, now=NOW)
    delivery.refresh_from_db()
    assert delivery.error == "answered 302"


@pytest.mark.django_db
def test_settled_deliveries_are_forgotten_after_a_month():
    endpoint = endpoint_for()
    old, waiting = send_ping(endpoint, now=NOW), send_ping(endpoint, now=NOW)
    WebhookDelivery.objects.filter(pk=old.pk).update(state="delivered")
    assert forget_old(now=NOW + timedelta(days=29)) == 0
    assert forget_old(now=NOW + timedelta(days=31)) == 1
    assert WebhookDelivery.objects.get() == waiting


def refused(url, **options):
    allowed = {"allow_private": False, "allow_http": True} | options
    with pytest.raises(SendError) as error:
        post(url, body=b"", headers={}, **allowed)
    return str(error.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "[::1]",
        "[::ffff:10.0.0.1]",
        "[fd00::1]",
        "[fe80::1]",
        "2130706433",
        "0x7f000001",
        "224.0.0.1",
    ],
)
def test_no_address_of_our_own_network_is_reached(host, monkeypatch):
    def connect(*args, **kwargs):
        raise AssertionError("connected")

    monkeypatch.setattr(sending.socket, "create_connection", connect)
    assert "which is no public address" in refused(f"http://{host}/")


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    def resolve(host, port, **kwargs):
        return [(2, 1, 6, "", ("93.184.215.14", port)), (2, 1, 6, "", ("10.0.0.1", port))]

    monkeypatch.setattr(sending.socket, "getaddrinfo", resolve)
    assert refused("http://rebinding.example/") == (
        "rebinding.example is at 10.0.0.1, which is no public address"
    )


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    asked = []

    def resolve(host, port, **kwargs):
        asked.append(host)
        return [(2, 1, 6, "", ("93.184.215.14", port))]

    def connect(address, timeout):
        raise OSError(f"to {address[0]}")

    monkeypatch.setattr(sending.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(sending.socket, "create_connection", connect)
    assert refused("https://shop.example/") == "OSError: to 93.184.215.14"
    assert asked == ["shop.example"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://shop.example/", "expected http(s)://host/path"),
        ("http://user@shop.example/", "without a user name"),
        ("http:///path", "expected http(s)://host/path"),
        ("http://shop.example:99999/", "ValueError: Port out of range"),
    ],
)
def test_a_url_that_is_none_is_refused(url, message):
    assert message in refused(url)


def test_production_needs_https():
    assert refused("http://shop.example/", allow_http=False).startswith("https is needed")


def test_a_receiver_that_trickles_is_left_in_time(monkeypatch):
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.3)
    server = sending.socket.create_server(("127.0.0.1", 0))

    def trickle():
        connection, _ = server.accept()
        with connection, suppress(OSError):  # until the other side has had enough
            while True:
                connection.sendall(b"H")
                time.sleep(0.05)

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    with server:
        assert "Timeout" in refused(url, allow_private=True)
        thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_a_worker_delivers_what_beat_finds(receiver, tmp_path):
    delivery = send_ping(endpoint_for(receiver.url), now=timezone.now())
    allow = "from django.conf import settings; settings.FASHREC_WEBHOOKS_ALLOW_PRIVATE = True"
    current_app.control.purge()
    worker = WorkerProcess(tmp_path, allow)
    try:
        worker.wait_until_ready()
        enqueue_webhooks()
        wait_for(lambda: WebhookDelivery.objects.filter(state="delivered").exists(), worker)
    finally:
        worker.stop()
    ((headers, _),) = receiver.requests
    assert UUID(headers["webhook-id"]) == delivery.pk
