"""What a figure was measured with: the code and the machine."""

import os
import platform
import subprocess
import tomllib
from pathlib import Path


def code_version(root: Path) -> str:
    """The git commit of `root`, marked where files differ from it; else the project's version."""
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    if commit and _git(root, "rev-parse", "--show-toplevel") == str(root):
        return f"{commit}, with local changes" if _git(root, "status", "--porcelain") else commit
    with (root / "pyproject.toml").open("rb") as file:
        return f"version {tomllib.load(file)['project']['version']}"


def machine() -> dict[str, str | int | None]:
    """This machine, as benchmarks name it."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints, or None where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
