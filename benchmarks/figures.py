"""How a benchmark's figures are summed up and kept: with machine, versions and commit."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from fashrec_site.home import PROJECT_ROOT


def spread_ms(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and extremes in milliseconds."""
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000
    low, high = min(seconds) * 1000, max(seconds) * 1000
    return {
        name: round(float(value), 3)
        for name, value in (("p50_ms", p50), ("p95_ms", p95), ("min_ms", low), ("max_ms", high))
    }


def report(name: str, figures: dict[str, Any], path: Path | None) -> None:
    """Print the figures as JSON, and write them to `path` if there is one."""
    text = json.dumps({"benchmark": name, **_circumstances(), **figures}, indent=2)
    print(text)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")


def _circumstances() -> dict[str, Any]:
    return {
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        },
        "commit": _commit(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _commit() -> str:
    result = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip() or "unknown"
