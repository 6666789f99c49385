"""The photos that people search with: files of random names that no URL leads to.

They lie in PRIVATE_ROOT, which is no part of MEDIA, and only this user may open them. Whatever the
database says, a file that has outlived its hour is deleted.
"""

import secrets
import time
from pathlib import Path

from django.conf import settings

FOLDER = "photo_searches"
MAP_SUFFIX = ".map"


def new_name() -> str:
    """A name that nobody guesses: 128 random bits."""
    return secrets.token_hex(16)


def store(name: str, content: bytes) -> None:
    """Write a file, whole or not at all; one of this name is replaced."""
    path = path_of(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{name}.{secrets.token_hex(4)}.part")
    try:
        partial.touch(mode=0o600, exist_ok=False)
        partial.write_bytes(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read(name: str) -> bytes:
    """The file's content.

    Raises:
        FileNotFoundError: it was deleted.
    """
    return path_of(name).read_bytes()


def delete(name: str) -> None:
    """Delete a photo and its map, where they still are."""
    for path in (path_of(name), path_of(name + MAP_SUFFIX)):
        path.unlink(missing_ok=True)


def delete_older_than(seconds: float) -> int:
    """Delete all files that were written before; how many. For what no row knows of any more."""
    before, n_deleted = time.time() - seconds, 0
    for path in _folder().glob("*"):
        try:
            if path.stat().st_mtime < before:
                path.unlink()
                n_deleted += 1
        except FileNotFoundError:  # another process was first
            continue
    return n_deleted


def path_of(name: str) -> Path:
    """Where the file of this name is."""
    return _folder() / name


def _folder() -> Path:
    return Path(settings.PRIVATE_ROOT) / FOLDER
