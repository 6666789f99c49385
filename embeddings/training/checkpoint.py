"""Where a training stands, in one safetensors file that is replaced as a whole."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

MODULE, OPTIMIZER, BEST = "module.", "optimizer.", "best."


class CheckpointMismatch(ValueError):  # noqa: N818 - what is the matter, not a kind of failure
    """A checkpoint that is not of this training, or cannot be read."""


@dataclass
class Progress:
    """How far a training is; epochs and steps that are done."""

    epoch: int = 0
    step: int = 0  # of the epoch in work
    loss_sum: float = 0.0  # of those steps
    losses: list[float] = field(default_factory=list)  # per epoch
    scores: list[float] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0
    n_resumed: int = 0


def write_checkpoint(
    path: Path,
    fingerprint: str,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    progress: Progress,
    best: dict[str, torch.Tensor],
) -> None:
    """Store a training; killed at any moment, the file is the old one or the new one."""
    tensors = {MODULE + name: value for name, value in module.state_dict().items()}
    tensors |= {BEST + name: value for name, value in best.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"{OPTIMIZER}{index}.{name}": value for name, value in state.items()}
    copies = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    metadata = {"fingerprint": fingerprint, "progress": json.dumps(asdict(progress))}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        save_file(copies, partial, metadata)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_checkpoint(
    path: Path, fingerprint: str, module: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[Progress, dict[str, torch.Tensor]] | None:
    """Load a training into `module` and `optimizer`: its progress and best state; None for no file.

    Raises:
        CheckpointMismatch: the file is of another training, or unreadable.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointMismatch(f"{path} cannot be read ({error}); delete it") from error
    if metadata.get("fingerprint") != fingerprint:
        raise CheckpointMismatch(
            f"{path} is of a training with other settings, photos or code: delete it to begin anew"
        )
    module.load_state_dict(_part(tensors, MODULE))
    _load_optimizer(optimizer, _part(tensors, OPTIMIZER))
    return Progress(**json.loads(metadata["progress"])), _part(tensors, BEST)


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _load_optimizer(optimizer: torch.optim.Optimizer, flat: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in flat.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
