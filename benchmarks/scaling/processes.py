"""Commands in processes of their own, with the time and the memory that each took."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fashrec_site.home import PROJECT_ROOT


@dataclass(frozen=True)
class Usage:
    """What a process took."""

    seconds: float
    cpu_seconds: float
    peak_memory_mib: float


def run_command(arguments: Sequence[str], home: Path) -> Usage:
    """`manage.py` with `arguments`, to its end.

    Raises:
        ValueError: the command failed; with the last line that it wrote.
    """
    environment = os.environ | {"FASHREC_HOME": str(home)}
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, str(PROJECT_ROOT / "manage.py"), *arguments],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)  # of this child, not of all so far
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines() or ["no output"]
            raise ValueError(f"manage.py {' '.join(arguments)} failed: {lines[-1]}")
    unit = 2**10 if sys.platform == "linux" else 2**20  # macOS counts bytes
    return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)
