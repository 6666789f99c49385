"""The student as it is stored and shipped: half the precision, its recipe beside it."""

import hashlib
import json
import os
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

LARGEST_BYTES = 6_000_000  # a package should not weigh more for it


def store_student(student: nn.Module, record: dict[str, object], file: Path) -> int:
    """Write the parameters in fp16 to `file` and `record` as JSON beside it; the size in bytes.

    Each is replaced as a whole, the weights last.

    Raises:
        ValueError: it is too large to be shipped, or does not fit into fp16.
    """
    state = {name: _half(name, value) for name, value in student.state_dict().items()}
    content = save(state)
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"{len(content):,} bytes, expected at most {LARGEST_BYTES:,}")
    record = {**record, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    file.parent.mkdir(parents=True, exist_ok=True)
    _replace(file.with_suffix(".json"), (json.dumps(record, indent=1) + "\n").encode())
    _replace(file, content)
    return len(content)


def _half(name: str, value: torch.Tensor) -> torch.Tensor:
    if not value.is_floating_point():
        return value.cpu().contiguous()
    half = value.detach().cpu().half().contiguous()
    if not torch.isfinite(half).all():
        raise ValueError(f"{name} holds values beyond fp16")
    return half


def _replace(file: Path, content: bytes) -> None:
    partial = file.with_name(f"{file.name}.{os.getpid()}.part")
    partial.write_bytes(content)
    partial.replace(file)
