"""The demo's own home: a folder that is emptied when PHOTOS changes, and nothing else ever is."""

import json
import os
import shutil
import sys
from pathlib import Path

from fashrec_site.embedded import postgres, redis

MARKER = "demo.json"  # says that the folder is the demo's, and whose photos it holds
PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class DemoError(Exception):
    """The demo cannot start; one line says why and what to do."""


def demo_home(home: Path) -> Path:
    """Where the demo lives, inside the user's home but apart from the user's catalogue."""
    return home / "demo"


def check_photos(photos: Path | None) -> Path | None:
    """The absolute folder of photos, None for the drawn garments.

    Raises:
        DemoError: not a folder, or no photo in it.
    """
    if photos is None:
        return None
    folder = photos.expanduser().resolve()
    if not folder.is_dir():
        what = "a file" if folder.exists() else "not there"
        raise DemoError(f"PHOTOS={photos} is {what}; give a folder of photos")
    for _, _, names in os.walk(folder):
        if any(Path(name).suffix.lower() in PHOTO_SUFFIXES for name in names):
            return folder
    raise DemoError(
        f"PHOTOS={photos} holds no photo ({', '.join(sorted(PHOTO_SUFFIXES))}) at any depth"
    )


def prepare_home(home: Path, photos: Path | None) -> bool:
    """Make the demo's home, emptied first if it was made from other photos; whether it is new.

    Raises:
        DemoError: the folder exists and is not the demo's.
    """
    marker = home / MARKER
    wanted = {"photos": str(photos) if photos else "drawn"}
    if home.exists() and any(home.iterdir()):
        if not marker.is_file():
            raise DemoError(
                f"{home} holds files but is not the demo's own folder ({MARKER} is missing); "
                "it was left untouched: move it away, or set FASHREC_HOME elsewhere"
            )
        made_from = json.loads(marker.read_text(encoding="utf-8"))
        if made_from == wanted:
            return False
        sys.stderr.write(
            f"make demo: {home} was made from {made_from['photos']} photos; it is emptied for "
            f"{wanted['photos']}, with its users, keys and decisions.\n"
        )
        _remove(home)
    home.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps(wanted), encoding="utf-8")
    return True


def _remove(home: Path) -> None:
    """Stop the demo's servers and delete its folder, and the one that `servers` may point to."""
    postgres.stop(home)
    redis.stop(home)
    servers = home / "servers"
    if servers.is_symlink():
        shutil.rmtree(servers.resolve(), ignore_errors=True)
    shutil.rmtree(home)
