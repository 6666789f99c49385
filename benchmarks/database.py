"""What the benchmarks read from and set in their own PostgreSQL."""

import os
from typing import Any

import numpy as np
import psutil
from django.db import connection
from numpy.typing import NDArray

REPORTED = ("shared_buffers", "maintenance_work_mem", "max_parallel_maintenance_workers", "fsync")


def choose_server_options() -> None:
    """Settings for a benchmark's server where none were given: a quarter of the memory each.

    Read when the server starts; an operator sets the same variable for their own home.
    """
    quarter_mb = psutil.virtual_memory().total // 4 // 2**20
    chosen = (
        f"shared_buffers={min(quarter_mb, 8192)}MB maintenance_work_mem={min(quarter_mb, 8192)}MB "
        "max_wal_size=8GB checkpoint_timeout=15min"
    )
    os.environ.setdefault("FASHREC_POSTGRES_OPTIONS", chosen)


def category_similarity() -> NDArray[np.float64]:
    """(n_categories, n_categories) CatSim of the categories with the keys 1 to n."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT a_id, b_id, similarity FROM catalog_categorypair")
        rows = np.array(cursor.fetchall(), dtype=np.float64)
    keys = rows[:, :2].astype(np.int64) - 1
    similarity = np.zeros((keys.max() + 1, keys.max() + 1))
    similarity[keys[:, 0], keys[:, 1]] = rows[:, 2]
    return similarity


def server_facts() -> dict[str, Any]:
    """Version and the settings that matter here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)",
            [[*REPORTED, "server_version"]],
        )
        facts = dict(cursor.fetchall())
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        return facts | {"pgvector": cursor.fetchone()[0]}
