"""Settings: what production refuses, and that `.env.example` lists what the code reads."""

import ast
import os
import re

import pytest

from fashrec_site.embedded import server_options
from tests.fashrec_site.embedded_home import ROOT, manage, temporary_home

PRODUCTION = {
    "FASHREC_ENV": "production",
    "SECRET_KEY": "r4nd0m-" * 10,
    "ALLOWED_HOSTS": "shop.example",
    "DATABASE_URL": "postgres://user:password@127.0.0.1:1/fashrec",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
ENV_EXAMPLE = (ROOT / ".env.example").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SET_BY_THE_CODE = {"DJANGO_SETTINGS_MODULE"}


def variables_read(*files: str) -> set[str]:
    """Names given to `env.<type>(...)` or to `os.environ` in the source of `files`."""
    names = set()
    for file in files:
        for node in ast.walk(ast.parse((ROOT / file).read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                source = ast.unparse(node.func.value)
                argument = node.args[0]
                if source in ("env", "os.environ") and isinstance(argument, ast.Constant):
                    names.add(argument.value)
    return names


def test_the_example_lists_exactly_the_variables_that_the_code_and_compose_read():
    read = variables_read("fashrec_site/settings.py", "fashrec_site/home.py", "gunicorn.conf.py")
    read |= set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) | {server_options.VARIABLE}
    listed = set(re.findall(r"^#?([A-Z_]+)=", ENV_EXAMPLE, flags=re.MULTILINE))

    assert listed == read - SET_BY_THE_CODE


def test_the_operators_guide_explains_every_variable():
    listed = set(re.findall(r"^#?([A-Z_]+)=", ENV_EXAMPLE, flags=re.MULTILINE))
    explained = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/operating.md").read_text(), re.M))

    assert explained == listed


def test_the_example_holds_no_secret_that_could_be_left_in_place():
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "ALLOWED_HOSTS"):
        assert f"\n{name}=\n" in ENV_EXAMPLE
        assert f"${{{name}:?set {name} in .env}}" in COMPOSE


def test_production_names_everything_that_is_missing():
    missing = ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"]
    with temporary_home() as home:
        result = manage(home, "migrate", **PRODUCTION | dict.fromkeys(missing, ""))

    assert result.returncode == 1
    assert result.stderr == (
        f"configuration: FASHREC_ENV=production needs {', '.join(missing)} (see .env.example). "
        "(--traceback shows where)\n"
    )


def test_production_refuses_debug():
    with temporary_home() as home:
        result = manage(home, "check", **PRODUCTION, DEBUG="1")

    assert result.stderr == (
        "configuration: FASHREC_ENV=production refuses DEBUG=1; unset DEBUG. "
        "(--traceback shows where)\n"
    )


def test_production_settings_pass_djangos_deployment_checks_without_any_server():
    with temporary_home() as home:
        result = manage(home, "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert result.returncode == 0, result.stderr


def test_a_short_secret_key_fails_the_deployment_checks():
    settings = PRODUCTION | {"SECRET_KEY": "change-me"}
    with temporary_home() as home:
        result = manage(home, "check", "--deploy", "--fail-level", "WARNING", **settings)

    assert result.returncode == 1
    assert "security.W009" in result.stderr


def test_a_database_that_does_not_answer_is_one_line():
    with temporary_home() as home:
        result = manage(home, "migrate", **PRODUCTION)

    assert result.returncode == 1
    assert result.stderr.startswith("database: connection failed: ")
    assert result.stderr.count("\n") == 1
    assert "password" not in result.stderr


def test_a_home_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    result = manage(tmp_path / "file" / "home", "check")

    assert result.returncode == 1
    assert result.stderr == (
        "configuration: FASHREC_HOME cannot be made: [Errno 20] Not a directory: "
        f"'{tmp_path}/file/home'. (--traceback shows where)\n"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_to_is_one_line(tmp_path):
    tmp_path.chmod(0o500)
    result = manage(tmp_path, "check")

    assert result.stderr.startswith(f"configuration: FASHREC_HOME={tmp_path} cannot be written to")


def test_replicas_need_a_primary_and_a_positive_bound(tmp_path):
    replicas = {"DATABASE_REPLICA_URLS": "postgres://user@127.0.0.1:1/fashrec"}
    alone = manage(tmp_path, "check", **replicas)
    primary = {"DATABASE_URL": "postgres://user@127.0.0.1:2/fashrec"}
    unbound = manage(tmp_path, "check", **replicas, **primary, DATABASE_REPLICA_MAX_LAG_SECONDS="0")

    assert alone.stderr == (
        "configuration: DATABASE_REPLICA_URLS needs DATABASE_URL, their primary. "
        "(--traceback shows where)\n"
    )
    assert unbound.stderr.startswith(
        "configuration: DATABASE_REPLICA_MAX_LAG_SECONDS must be positive."
    )


@pytest.mark.parametrize("name", ["Vienna", "../etc", "Europe"])
def test_a_time_zone_that_is_none_is_one_line(tmp_path, name):
    result = manage(tmp_path, "check", FASHREC_TIME_ZONE=name)

    assert result.stderr == (
        "configuration: FASHREC_TIME_ZONE must be an IANA name such as Europe/Vienna; "
        f'got "{name}". (--traceback shows where)\n'
    )


def test_a_currency_that_is_no_code_is_one_line(tmp_path):
    result = manage(tmp_path, "check", FASHREC_CURRENCY="euros")

    assert result.stderr == (
        'configuration: FASHREC_CURRENCY must be an ISO 4217 code such as EUR; got "euros". '
        "(--traceback shows where)\n"
    )
