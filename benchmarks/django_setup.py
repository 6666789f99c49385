"""Django in the benchmark's own home: never in a user's catalogue."""

import os
from pathlib import Path

from benchmarks.database import choose_server_options
from fashrec_site.home import fashrec_home

BENCHMARK_HOME = "benchmark"


def set_up(folder: str = "") -> Path:
    """Set Django up in FASHREC_HOME/benchmark (or a folder in it), which is returned."""
    home = fashrec_home() / BENCHMARK_HOME / folder
    os.environ["FASHREC_HOME"] = str(home)
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashrec_site.settings")
    choose_server_options()
    set_up_again()
    return home


def set_up_again() -> None:
    """Set Django up in a child process, which inherits the environment."""
    import django

    django.setup()
