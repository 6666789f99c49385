"""Fixtures for all tests: storage that vanishes, and the real photos where they exist."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import settings as hypothesis_settings

from fashrec_site.embedded import redis

# No test asserts a time: another process may have the core.
hypothesis_settings.register_profile("unhurried", deadline=None)
hypothesis_settings.load_profile("unhurried")

HERE = Path(__file__).resolve().parent
SHARED_DATA = HERE.parent.parent / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a world stay in one process: those of a file, or of a folder's conftest."""
    for item in items:
        shares_folder = (item.path.parent / "conftest.py").exists() and item.path.parent != HERE
        group = item.path.parent if shares_folder else item.path
        item.add_marker(pytest.mark.xdist_group(str(group.relative_to(HERE))))


@pytest.fixture(autouse=True)
def private_media(settings, tmp_path):
    """Each test stores its files in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PRIVATE_ROOT = tmp_path / "private"


@pytest.fixture
def own_home(settings, tmp_path) -> Path:
    """A FASHREC_HOME of the test, whose tasks go to all tests' Redis and start none there."""
    settings.REDIS_URL = settings.REDIS_URL or redis.ensure_running(settings.FASHREC_HOME)
    settings.FASHREC_HOME = tmp_path
    return tmp_path


@pytest.fixture(autouse=True)
def empty_cache():
    """What one test was answered is no answer to the next."""
    cache.clear()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos; tests that need it are skipped where it is absent."""
    if not SHARED_DATA.exists():
        pytest.skip(f"no real photos at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture
def ask(client: Client) -> Callable[..., dict[str, Any]]:
    """Ask the GraphQL endpoint as the test's client; the whole answer."""

    def post(query: str, **variables: Any) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        response = client.post("/graphql/", body, content_type="application/json")
        assert response.status_code == 200, response.content
        return response.json()

    return post
