"""A FASHREC_HOME of one test, and what is needed to look at its servers from outside."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg

from fashrec_site.embedded import postgres, redis

ROOT = Path(__file__).resolve().parent.parent.parent
START = {
    "postgres": "import sys, pathlib; from fashrec_site.embedded import postgres as server;",
    "redis": "import sys, pathlib; from fashrec_site.embedded import redis as server;",
}


@contextlib.contextmanager
def temporary_home(name: str = "home") -> Iterator[Path]:
    """A short path that any user can enter (pytest's own are closed); servers end with it."""
    parent = Path(tempfile.mkdtemp(prefix="fr-", dir="/tmp"))
    parent.chmod(0o755)
    home = parent / name
    try:
        yield home
    finally:
        for server in (postgres, redis):
            server.stop(home)
        if (home / "servers").is_symlink():
            shutil.rmtree((home / "servers").resolve())
        sockets = home / "servers" / "run"
        if sockets.is_symlink():
            shutil.rmtree(sockets.resolve())
        shutil.rmtree(parent)


def starter(server: str, home: Path) -> subprocess.Popen[str]:
    """Another process that uses the server and exits; it prints what it was told."""
    code = START[server] + "print(server.ensure_running(pathlib.Path(sys.argv[1])))"
    return subprocess.Popen(
        [sys.executable, "-c", code, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def manage(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`manage.py arguments` in `home`."""
    return run_python("manage.py", *arguments, FASHREC_HOME=str(home), **variables)


def run_python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Python with `variables` added to the environment, to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | variables,
        timeout=120,
    )


def connect(home: Path, database: str = postgres.DATABASE) -> psycopg.Connection:
    host = postgres.ensure_running(home)
    return psycopg.connect(host=host, user=postgres.USER, dbname=database, autocommit=True)


def postmaster(home: Path) -> psutil.Process:
    pid_file = (home / "servers").resolve() / "postgres" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().split()[0]))


def postmasters(home: Path) -> list[psutil.Process]:
    """The live servers whose data folder is that of `home`, however many there are."""
    data = str((home / "servers").resolve() / "postgres")
    processes = psutil.process_iter(["name", "cmdline"])
    return [p for p in processes if data in (p.info["cmdline"] or []) and "-D" in p.cmdline()]


def redis_servers(home: Path) -> list[psutil.Process]:
    """The live Redis servers of `home`; Redis shows its socket as its command line."""
    socket = str((home / "servers").resolve() / "run" / "redis.sock")
    processes = psutil.process_iter(["name", "cmdline"])
    return [p for p in processes if socket in " ".join(p.info["cmdline"] or [])]


def kill(process: psutil.Process) -> None:
    """End `process` with SIGKILL and wait until it is gone."""
    process.kill()
    with contextlib.suppress(psutil.TimeoutExpired):  # a zombie whose parent does not collect it
        process.wait(5)
