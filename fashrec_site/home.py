"""FASHREC_HOME: the one folder in which this installation keeps its data."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def fashrec_home() -> Path:
    """The absolute data folder: FASHREC_HOME, else `.fashrec` in the project."""
    configured = os.environ.get("FASHREC_HOME", "").strip()
    return Path(configured).expanduser().resolve() if configured else PROJECT_ROOT / ".fashrec"


def make_home(home: Path) -> Path:
    """`home`, which exists from now on and can be written to.

    Raises:
        ImproperlyConfigured: it cannot be made or written to.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"FASHREC_HOME cannot be made: {error}.") from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"FASHREC_HOME={home} cannot be written to by user id {os.geteuid()}; "
            "change its owner, or set FASHREC_HOME to a folder of yours."
        )
    return home


def generated_secret_key(home: Path) -> str:
    """A random key kept in `home/secret_key`, made on first use; for development only."""
    path = home / "secret_key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    partial = home / f"secret_key.{os.getpid()}"
    partial.touch(mode=0o600)
    partial.write_text(secrets.token_urlsafe(50))
    try:
        os.link(partial, path)  # fails when another process was first: then theirs counts
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    return path.read_text().strip()
