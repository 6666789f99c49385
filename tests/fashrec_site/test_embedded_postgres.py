"""The embedded PostgreSQL, with real processes: started, found again, killed and obstructed."""

import os
import subprocess
import threading
import time

import psutil
import psycopg
import pytest

from fashrec_site.embedded import postgres
from fashrec_site.embedded.service_account import EmbeddedServerError, service_account
from tests.fashrec_site.embedded_home import (
    connect,
    kill,
    manage,
    postmaster,
    postmasters,
    run_python,
    starter,
    temporary_home,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def home():
    with temporary_home() as place:
        yield place


def test_three_starters_at_the_same_moment_make_one_durable_server_that_outlives_them(home):
    starters = [starter("postgres", home) for _ in range(3)]
    outcomes = [process.communicate(timeout=60) for process in starters]

    assert {out for out, _ in outcomes} == {f"{home}/servers/run\n"}, outcomes
    [server] = postmasters(home)
    assert server.uids().real != 0
    with connect(home) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW full_page_writes").fetchone() == ("on",)
    assert postmaster(home) == server


def test_rows_survive_a_stop_and_kills_of_the_server(home):
    with connect(home) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    for n in range(3):
        with connect(home) as connection:
            connection.execute("INSERT INTO kept VALUES (%s)", [n])
        kill(postmaster(home)) if n else postgres.stop(home)

    with connect(home) as connection:
        assert connection.execute("SELECT n FROM kept ORDER BY n").fetchall() == [(0,), (1,), (2,)]
    assert len(postmasters(home)) == 1


def test_a_statement_that_outlives_its_killed_server_ends_before_the_next_one_starts(home):
    busy = connect(home)
    backend = psutil.Process(busy.info.backend_pid)
    loop = "DO $$ BEGIN WHILE clock_timestamp() < %r::timestamptz LOOP END LOOP; END $$"
    with connect(home) as connection:
        [until] = connection.execute("SELECT (clock_timestamp() + '2 s')::text").fetchone()
    endless = threading.Thread(target=run_until_cut_off, args=(busy, loop % until))
    endless.start()
    time.sleep(0.3)
    kill(postmaster(home))
    assert backend.is_running()

    with connect(home) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    endless.join()
    assert not backend.is_running() or backend.status() == psutil.STATUS_ZOMBIE


def run_until_cut_off(connection, statement):
    try:
        connection.execute(statement)
    except psycopg.OperationalError:
        pass
    finally:
        connection.close()


@pytest.mark.parametrize("content", ["{bystander}\n/elsewhere\n1\n5432\n", "", "4", "no number"])
def test_a_pid_file_that_is_broken_or_names_another_process_does_not_stop_a_start(home, content):
    postgres.ensure_running(home)
    postgres.stop(home)
    options = service_account(home).popen_options()
    with subprocess.Popen(["sleep", "60"], **options) as bystander:
        for pid_file in ("postgres/postmaster.pid", "run/.s.PGSQL.5432.lock"):
            (home / "servers" / pid_file).write_text(content.format(bystander=bystander.pid))
            os.chown(home / "servers" / pid_file, *(home / "servers").stat()[4:6])
        with connect(home) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert bystander.poll() is None
        bystander.kill()


def test_a_folder_that_holds_something_else_is_refused_and_left_untouched(home):
    foreign = home / "servers/postgres/thesis.txt"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("years of work")

    result = manage(home, "migrate", "--skip-checks")

    assert result.returncode == 1
    assert result.stderr == (
        f"database: {foreign.parent} holds files but no PostgreSQL data (PG_VERSION is missing). "
        "It was left untouched: move it away to start anew. (--traceback shows where)\n"
    )
    assert [p.name for p in foreign.parent.iterdir()] == ["thesis.txt"]
    assert foreign.read_text() == "years of work"


def test_damaged_data_is_one_line_with_the_servers_own_reason(home):
    postgres.ensure_running(home)
    postgres.stop(home)
    control = home / "servers/postgres/global/pg_control"
    control.rename(control.with_name("mislaid"))

    with pytest.raises(EmbeddedServerError) as refusal:
        postgres.ensure_running(home)

    assert "pg_ctl failed: pg_ctl: error: could not open file" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    control.with_name("mislaid").rename(control)


def test_a_long_home_with_blanks_and_quotes_works_whatever_the_callers_pgport():
    with temporary_home(f"o'clock {'x' * 110}") as home:
        host = run_python(
            "-c",
            "import sys, pathlib; from fashrec_site.embedded import postgres\n"
            "print(postgres.ensure_running(pathlib.Path(sys.argv[1])))",
            str(home),
            PGPORT="6000",
        )
        assert "/fashrec-" in host.stdout, host.stderr
        with connect(home) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


@as_root
def test_a_home_closed_to_other_users_is_not_opened_but_served_from_a_system_folder():
    with temporary_home("closed/home") as home:
        home.parent.mkdir(mode=0o700)
        process = starter("postgres", home)
        _, told = process.communicate(timeout=60)

        target = (home / "servers").resolve()
        assert told == (
            f"Embedded servers: their data is in {target}, as {home} is closed to their user.\n"
        )
        assert target.parent.as_posix() == "/var/lib/fashrec"
        assert home.parent.stat().st_mode & 0o777 == 0o700
        with connect(home) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert manage(home, "stop_servers").stdout == f"Stopped: PostgreSQL of {home}.\n"


@as_root
def test_an_ordinary_users_servers_are_the_users_own_for_root_too_and_closed_to_others(home):
    nobody, other = 65534, 1
    home.mkdir()
    os.chown(home, nobody, nobody)
    become = (
        "import os, sys, pathlib; from fashrec_site.embedded import postgres, service_account\n"
        "os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))\n"
        "try: print(postgres.ensure_running(pathlib.Path(sys.argv[1])))\n"
        "except service_account.EmbeddedServerError as error: print(error)"
    )

    started = run_python("-c", become, str(home), str(nobody))
    refused = run_python("-c", become, str(home), str(other))

    assert started.stdout == f"{home}/servers/run\n", started.stderr
    assert postmaster(home).uids().real == nobody
    assert refused.stdout == (
        f"The embedded servers in {home} belong to user id {nobody}, and this is {other}. "
        "Run as that user, or set FASHREC_HOME to a folder of your own.\n"
    )
    assert postgres.stop(home)
    postgres.ensure_running(home)
    assert postmaster(home).uids().real == nobody


def test_a_process_that_lives_on_recovers_from_a_killed_server(home):
    script = (
        "import django, psutil; django.setup()\n"
        "from django.db import connection\n"
        "def ask(sql='SELECT 1'):\n"
        "    with connection.cursor() as cursor: return cursor.execute(sql).fetchone()\n"
        "print(ask())\n"
        "backend = psutil.Process(ask('SELECT pg_backend_pid()')[0])\n"
        "server = backend.parent()\n"
        "server.kill()\n"
        # A server that is still dying accepts a connection and drops it at the first question.
        "psutil.wait_procs([server, backend], timeout=10)\n"
        "connection.close()\n"
        "print(ask())\n"
    )
    variables = {"FASHREC_HOME": str(home), "DJANGO_SETTINGS_MODULE": "fashrec_site.settings"}
    for pool in ("0", "1"):
        result = run_python("-W", "ignore", "-c", script, DATABASE_POOL=pool, **variables)
        assert result.stdout == "(1,)\n(1,)\n", result.stderr


def test_dbshell_needs_no_installed_postgresql_client(home):
    result = manage(home, "dbshell", "--", "-Atc", "SELECT 6 * 7")

    assert result.stdout == "42\n", result.stderr


def test_checking_starts_nothing_and_stopping_says_what_it_stopped(home):
    assert manage(home, "check").returncode == 0
    assert not (home / "servers").exists()
    assert manage(home, "stop_servers").stdout == "Nothing was running.\n"
    postgres.ensure_running(home)
    assert manage(home, "stop_servers").stdout == f"Stopped: PostgreSQL of {home}.\n"
    assert postmasters(home) == []


def test_with_servers_of_ones_own_the_embedded_ones_are_not_even_imported(home):
    script = (
        "import sys, django; django.setup()\n"
        "import fashrec_site.wsgi, fashrec_site.urls\n"
        "from django.db import OperationalError, connection\n"
        "from fashrec_site.celery import app\n"
        "try: connection.ensure_connection()\n"
        "except OperationalError: print('own database')\n"
        "print(app.connection_for_write().hostname)\n"
        "print([name for name in sys.modules if 'embedded' in name])\n"
    )
    result = run_python(
        *("-W", "ignore", "-c", script),
        FASHREC_HOME=str(home),
        DJANGO_SETTINGS_MODULE="fashrec_site.settings",
        DATABASE_URL="postgres://user:password@127.0.0.1:1/fashrec",
        REDIS_URL="redis://127.0.0.1:1/0",
    )

    assert result.stdout == "own database\n127.0.0.1\n[]\n", result.stderr
    assert not (home / "servers").exists()
