"""Fixtures for all tests: storage that vanishes, and the real photos where they exist."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


@pytest.fixture(autouse=True)
def private_media(settings, tmp_path):
    """Each test stores its files in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos; tests that need it are skipped where it is absent."""
    if not SHARED_DATA.exists():
        pytest.skip(f"no real photos at {SHARED_DATA}")
    return SHARED_DATA
