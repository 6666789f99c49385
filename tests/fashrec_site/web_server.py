"""gunicorn on the test's database and Redis."""

import http.client
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

from tests.embeddings.worker_process import _environment
from tests.fashrec_site.embedded_home import ROOT


@contextmanager
def web_server(home, **variables):
    """gunicorn with two processes on the test's database and Redis; its port."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    environment = _environment(home) | variables | {"PORT": str(port), "WEB_CONCURRENCY": "2"}
    log = home / "web.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "fashrec_site.wsgi"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        for _ in range(600):
            assert server.poll() is None, log.read_text()
            if _is_live(port):
                break
            time.sleep(0.1)
        else:
            raise AssertionError(log.read_text())
        yield port
    finally:
        server.terminate()
        server.wait(timeout=60)


def _is_live(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
