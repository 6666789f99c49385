"""Which rivals are measured: those asked for and installed, with a clear word on the others."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.protocol.contenders import Contender
from benchmarks.protocol.oracle import World
from benchmarks.stages import Stages

PACKAGES = {"faiss": "faiss-cpu", "lancedb": "lancedb"}
INSTALL = "pip install -r benchmarks/requirements-rivals.txt"


def missing_rivals(wanted: Sequence[str]) -> dict[str, str]:
    """Those of `wanted` (keys of PACKAGES) that are not installed, and what to do about it."""
    return {
        name: f"not measured: {PACKAGES[name]} is not installed ({INSTALL})"
        for name in wanted
        if find_spec(name) is None
    }


def build_rivals(
    wanted: Sequence[str], world: World, folder: Path, stages: Stages
) -> list[Contender]:
    """The installed ones of `wanted`, each with its index built."""
    rivals: list[Any] = []
    absent = missing_rivals(wanted)
    if "faiss" in wanted and "faiss" not in absent:
        from benchmarks.rivals.faiss_index import FaissReranked

        rivals.append(FaissReranked(world, stages))
    if "lancedb" in wanted and "lancedb" not in absent:
        from benchmarks.rivals.lance_table import LanceReranked

        rivals.append(LanceReranked(world, folder / "lancedb", stages))
    return rivals
