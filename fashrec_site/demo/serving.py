"""The demo's web server and workers: started together, stopped together."""

import socket
import subprocess
import sys
import time
import urllib.request

from fashrec_site.demo.home import DemoError
from fashrec_site.processes import CELERY, PHOTO_WORKER, run_together

HOST = "127.0.0.1"
START_TIMEOUT_SECONDS = 60


def check_port(port: int) -> None:
    """Whether `port` can be listened on.

    Raises:
        DemoError: it is taken, or no port.
    """
    if not 1 <= port <= 65535:
        raise DemoError(f"PORT must be from 1 to 65535; got {port}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DemoError(
                f"port {port} cannot be used ({error.strerror}); "
                f"choose another: make demo PORT={port + 1 if port < 65535 else 8000}"
            ) from error


def serve(port: int) -> int:
    """Run gunicorn and two workers until Ctrl-C or SIGTERM, or until one of them ends."""

    def greet(running: dict[str, subprocess.Popen]) -> None:
        _wait_for_answer(port, running["web server"])
        _print_addresses(port)

    commands = {
        "web server": ["gunicorn", "--bind", f"{HOST}:{port}", "fashrec_site.wsgi"],
        "worker": [*CELERY, "--concurrency=1", "--beat"],
        "worker for photos": PHOTO_WORKER,
    }
    return run_together(commands, greet)


def _wait_for_answer(port: int, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=20):
                return
        except OSError:  # not there yet, or slow
            time.sleep(0.2)


def _print_addresses(port: int) -> None:
    from django.conf import settings

    from fashrec_site.demo.pipeline import console, ensure_admin

    password = ensure_admin()
    site = f"http://{HOST}:{port}"
    console.print(f"\n[bold]{site}/[/bold]  the shop")
    console.print(f"[bold]{site}/report/[/bold]  the evaluation")
    console.print(f"[bold]{site}/admin/[/bold]  user admin, password {password or 'unchanged'}")
    if password is None:
        reset = f"FASHREC_HOME={settings.FASHREC_HOME} {sys.executable} manage.py changepassword"
        console.print(f"  a new password: {reset} admin")
    console.print(f"[bold]{site}/graphql/[/bold]  the API")
    console.print("Ctrl-C stops the web server and the workers; `make stop` the databases.\n")
