"""The demo's web server and worker: started together, stopped together."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from types import FrameType
from urllib.error import URLError

from fashrec_site.demo.home import DemoError

HOST = "127.0.0.1"
START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 30


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """SIGTERM or SIGINT asked for the end."""


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
    """Run gunicorn and one Celery worker until Ctrl-C or SIGTERM, or until one of them ends."""
    commands = {
        "web server": ["gunicorn", "--bind", f"{HOST}:{port}", "fashrec_site.wsgi"],
        "worker": ["celery", "-A", "fashrec_site", "worker", "--concurrency=1", "--beat"],
    }
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    running: dict[str, subprocess.Popen] = {}
    try:
        for name, arguments in commands.items():
            # A session of their own: Ctrl-C reaches only us, and we end them in order.
            running[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments], start_new_session=True
            )
        _wait_for_answer(port, running["web server"])
        _print_addresses(port)
        while all(process.poll() is None for process in running.values()):
            time.sleep(0.5)
        ended = [name for name, process in running.items() if process.poll() is not None]
        sys.stderr.write(f"The {' and the '.join(ended)} ended by itself.\n")
        return 1
    except Stopped:
        return 0
    finally:
        _end(running)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _wait_for_answer(port: int, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=20):
                return
        except URLError:
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
    console.print("Ctrl-C stops the web server and the worker; `make stop` the databases.\n")


def _end(running: dict[str, subprocess.Popen]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    for process in running.values():
        process.terminate()
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    for process in running.values():
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
