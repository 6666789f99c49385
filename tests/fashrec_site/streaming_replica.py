"""A primary and a streaming replica on loopback: real servers of the embedded wheel's binaries."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest

from fashrec_site.embedded import postgres
from fashrec_site.embedded.locks import wait_until
from fashrec_site.embedded.service_account import Account, EmbeddedServerError, service_account
from tests.fashrec_site.embedded_home import temporary_home

START_SECONDS = 60


@dataclass
class Server:
    """One PostgreSQL with its data in `folder`, on a port of 127.0.0.1."""

    folder: Path
    bin: Path
    account: Account
    port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen[bytes] | None = None

    def run(self, program: str, *arguments: object) -> None:
        """Run a program of the server's version to its end, as the server's user."""
        command = [str(self.bin / program), *map(str, arguments)]
        result = subprocess.run(
            command, capture_output=True, check=False, **self.account.popen_options()
        )
        assert result.returncode == 0, result.stderr.decode()

    def start(self) -> None:
        """Start it, or start it again, and return when it answers."""
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        command = [str(self.bin / "postgres"), "-D", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *(word for option in options for word in ("-c", option))],
                stdout=log,
                stderr=log,
                **self.account.popen_options(),
            )
        answers = wait_until(self._answers, START_SECONDS)
        assert answers, (self.folder / "log").read_text()

    def kill(self) -> None:
        """End it, with the processes it forked, as a power cut would."""
        processes = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=START_SECONDS)

    def stop(self) -> None:
        """End it at once, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()

    def url(self, database: str = "fashrec") -> str:
        """Its DATABASE_URL."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str, database: str = "fashrec") -> list[tuple[object, ...]]:
        """Run one statement on it, by a connection of its own."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        try:
            return bool(self.execute("SELECT 1", "postgres"))
        except psycopg.OperationalError:
            return False


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def primary_and_replica() -> Iterator[tuple[Server, Server, Path]]:
    """A primary with an empty database, its streaming replica, and a folder for FASHREC_HOME."""
    with temporary_home() as home:
        home.mkdir()
        servers = [_server(home.parent, name) for name in ("primary", "replica")]
        primary, replica = servers
        try:
            options = ["--auth=trust", "--encoding=UTF8", "--username=postgres", "--no-sync"]
            primary.run("initdb", *options, "-D", primary.folder)
            primary.start()
            primary.execute("CREATE DATABASE fashrec", "postgres")
            source = f"host=127.0.0.1 port={primary.port} user=postgres"
            copy = ("-D", replica.folder, "-d", source, "-c", "fast", "--no-sync")
            replica.run("pg_basebackup", *copy, "--write-recovery-conf")
            replica.start()
            yield primary, replica, home
        finally:
            for server in servers:
                server.stop()


def _server(parent: Path, name: str) -> Server:
    try:
        account = service_account(parent)
        bin_folder = postgres.program(parent, name="pg_basebackup").parent
    except EmbeddedServerError as error:
        pytest.skip(f"no PostgreSQL to replicate: {error}")
    if not (bin_folder / "pg_basebackup").exists():
        pytest.skip(f"no pg_basebackup in {bin_folder}")
    return Server(account.own(parent / name), bin_folder, account)
