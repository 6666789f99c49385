"""Training a network by minibatches: the same for the same seed, resumed after a kill, stopped
early.

All randomness of a step is drawn from (seed, epoch, step), never from what ran before it, so that a
resumed training takes the very steps that an uninterrupted one takes, without storing the state of
any random generator.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from embeddings.nets.runtimes import processor_has_bf16
from embeddings.training.checkpoint import Progress, read_checkpoint, write_checkpoint

DRAW_ORDER, DRAW_STEP = 0, 1  # streams of random numbers that must not meet


class Task(Protocol):
    """What is trained: a module, its examples, its loss and what validation says."""

    module: nn.Module  # all that is learned, parameters of the loss included

    def epoch_rows(self, rng: np.random.Generator) -> np.ndarray:
        """The examples of one epoch in order, (n,) of any integers; n is the same each time."""

    def loss(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        """The minibatch's loss, a scalar; the module is in training mode, under autocast."""

    def validate(self) -> float | None:
        """Larger is better; the module is in evaluation mode, no gradients are kept.

        None where no examples are held out: the last epoch is kept, and nothing ends it early.
        """

    def parameter_groups(self, learning_rate: float) -> list[dict[str, object]]:
        """What AdamW takes: `params` and, where it differs, their own `lr` or `weight_decay`."""


@dataclass(frozen=True)
class LoopSettings:
    """How long and how fast to learn; the rate rises over the first steps and falls as a cosine."""

    n_epochs: int
    batch_size: int
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    warmup_share: float = 0.05  # of all steps
    patience: int = 3  # epochs without a better validation after which it stops
    largest_gradient: float = 5.0  # its norm is cut there
    seed: int = 42
    checkpoint_seconds: float = 60.0
    device: str = ""  # "" takes CUDA where there is one
    is_mixed: bool | None = None  # bf16 autocast; None where the device is faster by it

    def __post_init__(self) -> None:
        for name in ("n_epochs", "batch_size", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"the learning rate must be above 0; got {self.learning_rate}")


@dataclass(frozen=True)
class EpochReport:
    """One epoch that ended."""

    epoch: int  # from 1
    n_epochs: int
    loss: float
    score: float | None
    is_best: bool
    seconds: float
    seconds_left: float

    @property
    def line(self) -> str:
        """For a log."""
        best = " (best)" if self.is_best else ""
        validation = "" if self.score is None else f", validation {self.score:.4f}{best}"
        return (
            f"epoch {self.epoch} of {self.n_epochs}: loss {self.loss:.4f}{validation}, "
            f"{self.seconds:.0f} s; about {self.seconds_left / 60:.0f} min left"
        )


@dataclass(frozen=True)
class TrainingLog:
    """What a training came to; the module holds the best epoch's parameters.

    Where nothing was held out that is the last epoch, and there are no scores.
    """

    losses: list[float]  # per epoch
    scores: list[float]
    best_epoch: int  # from 1
    seconds: float  # of all runs together
    n_resumed: int


OnStep = Callable[[str, int, int], None]  # (stage, done, total), as StagedProgress takes it
OnEpoch = Callable[[EpochReport], None]


def training_device(wanted: str = "") -> str:
    """The device to train on: CUDA where there is one, else the processor."""
    return wanted or ("cuda" if torch.cuda.is_available() else "cpu")


def train(
    task: Task,
    settings: LoopSettings,
    *,
    checkpoint: Path,
    fingerprint: str,
    on_step: OnStep | None = None,
    on_epoch: OnEpoch | None = None,
) -> TrainingLog:
    """Train until the epochs are over or validation, where there is one, no longer improves.

    Goes on from `checkpoint` where it is there, and leaves it: the caller deletes it when the
    result is saved. `fingerprint` is everything that the result depends on beside the settings.

    Raises:
        CheckpointMismatch: the checkpoint is of another training.
        FloatingPointError: the loss is no longer finite.
    """
    loop = _Loop(task, settings, f"{settings} {fingerprint}", checkpoint)
    with _reproducible(), _strided_depthwise_in_float32(task.module):
        loop.resume()
        while not loop.is_over:
            loop.run_epoch(on_step, on_epoch)
    return loop.finish()


class _Loop:
    """The state of one training."""

    def __init__(
        self, task: Task, settings: LoopSettings, fingerprint: str, checkpoint: Path
    ) -> None:
        self.task, self.settings = task, settings
        self.device = training_device(settings.device)
        task.module.to(self.device)
        self.optimizer = torch.optim.AdamW(
            task.parameter_groups(settings.learning_rate),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.best: dict[str, torch.Tensor] = {}
        self.state = Progress()
        self._fingerprint, self._path = fingerprint, checkpoint
        self.n_steps = len(self._rows(0)) // settings.batch_size
        if self.n_steps == 0:
            raise ValueError(
                f"{len(self._rows(0))} examples are fewer than one batch of {settings.batch_size}"
            )

    @property
    def is_over(self) -> bool:
        """All epochs are done, or the last ones brought nothing."""
        n_stale = self.state.epoch - self.state.best_epoch
        return self.state.epoch >= self.settings.n_epochs or n_stale >= self.settings.patience

    def resume(self) -> None:
        """Take up the checkpoint, where there is one."""
        found = read_checkpoint(self._path, self._fingerprint, self.task.module, self.optimizer)
        if found is not None:
            self.state, self.best = found
            self.state.n_resumed += 1

    def run_epoch(self, on_step: OnStep | None, on_epoch: OnEpoch | None) -> None:
        """The rest of the current epoch, and its validation."""
        state, n_steps = self.state, self.n_steps
        rows, batch_size = self._rows(state.epoch), self.settings.batch_size
        self.task.module.train()
        stored = clock = time.monotonic()
        for step in range(state.step, n_steps):
            state.loss_sum += self._step(rows[step * batch_size : (step + 1) * batch_size], step)
            state.step = step + 1
            now = time.monotonic()
            state.seconds, clock = state.seconds + now - clock, now
            if now - stored > self.settings.checkpoint_seconds:
                self._store()
                stored = now
            if on_step:
                done = state.epoch * n_steps + step + 1
                on_step("training", done, self.settings.n_epochs * n_steps)
        self._end_epoch(clock, on_epoch)

    def _step(self, rows: np.ndarray, step: int) -> float:
        epoch = self.state.epoch
        rng = self._rng(DRAW_STEP, epoch, step)
        torch.manual_seed(int(rng.integers(2**62)))  # for dropout
        factor = self._rate_factor(epoch * self.n_steps + step)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        with autocast(self.device, self.settings.is_mixed):
            loss = self.task.loss(rows, rng)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} in epoch {epoch + 1}")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.task.module.parameters(), self.settings.largest_gradient)
        self.optimizer.step()
        return loss.item()

    def _rate_factor(self, step: int) -> float:
        n_all = self.settings.n_epochs * self.n_steps
        n_warm = max(1, round(self.settings.warmup_share * n_all))
        if step < n_warm:
            return (step + 1) / n_warm
        return 0.5 * (1 + math.cos(math.pi * (step - n_warm) / max(1, n_all - n_warm)))

    def _end_epoch(self, clock: float, on_epoch: OnEpoch | None) -> None:
        state = self.state
        self.task.module.eval()
        with torch.no_grad():
            score = self.task.validate()
        is_best = score is None or not state.scores or score > max(state.scores)
        if score is not None:
            state.scores.append(float(score))
        state.losses.append(state.loss_sum / self.n_steps)
        state.epoch, state.step, state.loss_sum = state.epoch + 1, 0, 0.0
        if is_best:
            state.best_epoch = state.epoch
            self.best = {k: v.detach().cpu().clone() for k, v in _state(self.task).items()}
        state.seconds += time.monotonic() - clock
        self._store()
        if on_epoch:
            on_epoch(self._report(score, is_best))

    def _report(self, score: float | None, is_best: bool) -> EpochReport:
        state, n_epochs = self.state, self.settings.n_epochs
        seconds = state.seconds / state.epoch
        left = seconds * (n_epochs - state.epoch)
        return EpochReport(state.epoch, n_epochs, state.losses[-1], score, is_best, seconds, left)

    def finish(self) -> TrainingLog:
        """The best epoch's parameters in the module, which is left in evaluation mode."""
        self.task.module.load_state_dict(self.best)
        self.task.module.eval()
        state = self.state
        return TrainingLog(
            state.losses, state.scores, state.best_epoch, state.seconds, state.n_resumed
        )

    def _store(self) -> None:
        write_checkpoint(
            self._path,
            self._fingerprint,
            self.task.module,
            self.optimizer,
            progress=self.state,
            best=self.best,
        )

    def _rows(self, epoch: int) -> np.ndarray:
        return self.task.epoch_rows(self._rng(DRAW_ORDER, epoch))

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self.settings.seed, *stream])


def _state(task: Task) -> dict[str, torch.Tensor]:
    return task.module.state_dict()


def autocast(device: str, is_mixed: bool | None = None) -> torch.autocast:
    """Bf16 where it is wanted; None takes it where the device is faster by it."""
    if is_mixed is None:
        is_mixed = device == "cuda" or processor_has_bf16()
    return torch.autocast(device, torch.bfloat16, enabled=is_mixed)


@contextmanager
def _strided_depthwise_in_float32(module: nn.Module) -> Iterator[None]:
    """Such convolutions without autocast: on processors bf16's gradient takes twenty times longer.

    576 channels of 14 x 14, stride 2, a batch of 64 on one core: 240 ms in bf16, 13 in fp32.
    """
    layers = [layer for layer in module.modules() if _is_strided_depthwise(layer)]
    for layer in layers:
        layer.forward = partial(_in_float32, layer.forward)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward  # the class's own is left


def _is_strided_depthwise(layer: nn.Module) -> bool:
    is_depthwise = isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1
    return is_depthwise and max(layer.stride) > 1


def _in_float32(forward: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    with torch.autocast(x.device.type, enabled=False):
        return forward(x.float())


@contextmanager
def _reproducible() -> Iterator[None]:
    """Algorithms that give the same sums each time, where torch has them."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
