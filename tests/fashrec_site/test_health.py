"""The probes, and the checks of what the site runs on."""

import pytest
from django.core.checks import run_checks
from django.db.migrations.recorder import MigrationRecorder

from fashrec_site import checks
from tests.fashrec_site.embedded_home import run_python, temporary_home


def test_the_live_probe_asks_nobody_and_takes_any_host_name(client):
    response = client.get("/health/live", headers={"host": "10.0.0.7:8000"})

    assert (response.status_code, response.json()) == (200, {"status": "live"})


@pytest.mark.django_db
def test_the_ready_probe_names_each_dependency(client):
    response = client.get("/health/ready", headers={"host": "10.0.0.7:8000"})

    expected = {"status": "ready", "database": "up", "redis": "up"}
    assert (response.status_code, response.json()) == (200, expected)


@pytest.mark.django_db
def test_a_missing_migration_is_not_ready(client):
    MigrationRecorder.Migration.objects.filter(app="catalog").delete()

    response = client.get("/health/ready")

    expected = {"status": "not ready", "database": "not migrated", "redis": "up"}
    assert (response.status_code, response.json()) == (503, expected)


@pytest.mark.django_db
def test_without_redis_the_site_is_ready_and_says_so(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    response = client.get("/health/ready")

    expected = {"status": "ready", "database": "up", "redis": "down"}
    assert (response.status_code, response.json()) == (200, expected)


def test_without_a_database_nothing_of_it_is_told():
    script = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "for probe in ('live', 'ready'):\n"
        "    response = Client().get(f'/health/{probe}')\n"
        "    print(response.status_code, response.content.decode())\n"
    )
    with temporary_home() as home:
        result = run_python(
            *("-c", script),
            FASHREC_HOME=str(home),
            DJANGO_SETTINGS_MODULE="fashrec_site.settings",
            DATABASE_URL="postgres://planted:secret@127.0.0.1:1/fashrec",
            REDIS_URL="redis://127.0.0.1:1/0",
        )

    assert result.stdout == (
        '200 {"status": "live"}\n503 {"status": "not ready", "database": "down", "redis": "down"}\n'
    ), result.stderr
    assert "secret" not in result.stderr


@pytest.mark.django_db
def test_the_embedded_pgvector_is_recent_enough():
    assert checks.check_pgvector(None, databases=["default"]) == []


@pytest.mark.django_db
def test_an_old_pgvector_is_an_error_with_what_to_do(monkeypatch):
    monkeypatch.setattr(checks, "MINIMUM_PGVECTOR", (99, 0, 1))

    [message] = run_checks(tags=["database"], databases=["default"])

    assert message.id == "fashrec.E002"
    assert "; 99.0.1 or later is needed" in message.msg
    assert "ALTER EXTENSION vector UPDATE" in message.hint
