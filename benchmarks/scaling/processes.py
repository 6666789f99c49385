"""Commands in processes of their own, with the time and the memory that each took."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from fashrec_site.home import PROJECT_ROOT

POLL_SECONDS = 0.05


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
        peak, done = 0.0, 0
        while not done:
            time.sleep(POLL_SECONDS)
            peak = max(peak, _peak_memory_mib(process.pid))
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines() or ["no output"]
            raise ValueError(f"manage.py {' '.join(arguments)} failed: {lines[-1]}")
    return Usage(seconds, usage.ru_utime + usage.ru_stime, peak)


def _peak_memory_mib(pid: int) -> float:
    """The most that a running process had in memory so far; 0 once it has ended.

    Not from its resource usage at the end: on Linux that begins with the memory of the process that
    started it.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return _memory_mib(pid)
    peaks = [int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:")]
    return peaks[0] if peaks else 0.0


def _memory_mib(pid: int) -> float:
    """What a process has now, where the system keeps no peak of it."""
    try:
        return psutil.Process(pid).memory_info().rss / 2**20
    except psutil.Error:
        return 0.0
