"""`python -m benchmarks.http_load.generator SPEC OUT`: requests by threads, each with a connection.

A process of its own and free of Django, so that it takes as little as may be of the cores that it
shares with the server. With a rate, requests are due at regular times, and one that has to wait for
a free client counts from when it was due (no coordinated omission). Without, each client asks again
as soon as it was answered.
"""

import http.client
import itertools
import json
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"  # never anywhere else
TIMEOUT_SECONDS = 60
BROKEN = 0  # the status of a request that got no answer


@dataclass(frozen=True)
class Request:
    """One request; the body is read from a file, where it is bytes."""

    kind: str
    path: str
    body: str = ""
    body_file: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body's bytes."""
        return Path(self.body_file).read_bytes() if self.body_file else self.body.encode()


@dataclass(frozen=True)
class Spec:
    """What to send for how long; the requests are repeated in their order."""

    port: int
    requests: list[Request]
    seconds: float
    n_clients: int
    rate: float = 0.0  # requests a second; 0: as soon as answered
    pause_seconds: float = 0.0  # of a client after a refusal (429)

    def write(self, path: Path) -> Path:
        """The spec as a file for the process."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> "Spec":
        """What `write` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(**values | {"requests": [Request(**r) for r in values["requests"]]})


@dataclass(frozen=True)
class Answer:
    """What came of a request, timed from when it was due."""

    kind: str
    due: float  # seconds since the start
    seconds: float
    status: int  # BROKEN without an answer
    code: str = ""  # of a GraphQL error


class Generator:
    """Sends a spec's requests and keeps what came of them."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.answers: list[Answer] = []
        self._requests = [(request, request.content()) for request in spec.requests]
        self._numbers = itertools.count()  # its next() is atomic
        self._started = 0.0

    def run(self) -> list[Answer]:
        """All answers, once the time is over and the last one is there."""
        self._started = time.perf_counter()
        threads = [threading.Thread(target=self._client) for _ in range(self.spec.n_clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.answers

    def _client(self) -> None:
        connection = http.client.HTTPConnection(HOST, self.spec.port, timeout=TIMEOUT_SECONDS)
        while (due := self._next_due()) is not None:
            number, due_at = due
            request, content = self._requests[number % len(self._requests)]
            status, code = _ask(connection, request, content)
            seconds = time.perf_counter() - self._started - due_at
            self.answers.append(Answer(request.kind, due_at, seconds, status, code))
            if status == http.client.TOO_MANY_REQUESTS:
                time.sleep(self.spec.pause_seconds)
        connection.close()

    def _next_due(self) -> tuple[int, float] | None:
        """The next request's number and when it is due; None when the time is over."""
        number = next(self._numbers)
        elapsed = time.perf_counter() - self._started
        due_at = number / self.spec.rate if self.spec.rate else elapsed
        if due_at >= self.spec.seconds:
            return None
        time.sleep(max(0.0, due_at - elapsed))
        return number, due_at


def _ask(
    connection: http.client.HTTPConnection, request: Request, content: bytes
) -> tuple[int, str]:
    """Status and GraphQL error code; a search that is told to wait is asked for again."""
    try:
        status, headers, body = _exchange(connection, "POST", request.path, content, request)
        while status == http.client.ACCEPTED:
            time.sleep(0.2)
            status, headers, body = _exchange(connection, "GET", headers["Location"], b"", request)
    except (OSError, http.client.HTTPException) as error:
        connection.close()  # the next request opens it again
        return BROKEN, type(error).__name__
    return status, _error_code(body)


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    content: bytes,
    request: Request,
) -> tuple[int, Any, bytes]:
    connection.request(method, path, content or None, request.headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def _error_code(body: bytes) -> str:
    if b'"errors"' not in body:
        return ""
    try:
        errors = json.loads(body).get("errors") or []
    except ValueError:
        return "NO_JSON"
    return errors[0].get("extensions", {}).get("code", "UNCODED") if errors else ""


def main() -> None:
    """Run the spec of the first argument; write the answers to the second."""
    spec_file, out_file = map(Path, sys.argv[1:3])
    answers = Generator(Spec.read(spec_file)).run()
    out_file.write_text(json.dumps([asdict(answer) for answer in answers]), encoding="utf-8")


if __name__ == "__main__":
    main()
