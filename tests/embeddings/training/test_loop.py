"""The training loop: seeds, resuming, early stopping."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from embeddings.training.checkpoint import CheckpointMismatch
from embeddings.training.loop import LoopSettings, train

SETTINGS = LoopSettings(
    n_epochs=4, batch_size=5, learning_rate=0.05, checkpoint_seconds=0.0, device="cpu"
)


class Line:
    """Learns y = 3 x from 23 noisy points, with dropout, so that each step needs its seed."""

    def __init__(self, scores=None):
        torch.manual_seed(0)
        self.module = nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.Dropout(0.3))
        self.module.append(nn.Linear(8, 1))
        self.x = torch.linspace(-1, 1, 23)[:, None]
        self.scores = iter(scores or [])
        self.n_losses = 0

    def epoch_rows(self, rng):
        return rng.permutation(23)

    def loss(self, rows, rng):
        self.n_losses += 1
        noise = torch.tensor(rng.normal(0, 0.1, (len(rows), 1)), dtype=torch.float32)
        x = self.x[rows]
        return ((self.module(x) - 3 * x - noise) ** 2).mean()

    def validate(self):
        listed = next(self.scores, None)
        if listed is not None:
            return listed
        return -((self.module(self.x) - 3 * self.x) ** 2).mean().item()

    def parameter_groups(self, learning_rate):
        return [{"params": list(self.module.parameters())}]


class Killed(BaseException):
    pass


def killed_after(n_steps):
    def on_step(stage, done, total):
        if done == n_steps:
            raise Killed

    return on_step


def parameters(task):
    return torch.cat([value.flatten().float() for value in task.module.state_dict().values()])


def test_the_same_seed_gives_the_same_network_and_another_one_another(tmp_path):
    networks = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        task = Line()
        settings = LoopSettings(n_epochs=2, batch_size=5, seed=seed, device="cpu")
        train(task, settings, checkpoint=tmp_path / name, fingerprint="")
        networks.append(parameters(task))
    assert torch.equal(networks[0], networks[1])
    assert not torch.equal(networks[0], networks[2])


@pytest.mark.parametrize("n_steps", [1, 4, 6])  # within an epoch, at its end, in the second
def test_a_killed_training_goes_on_as_if_nothing_had_been(tmp_path, n_steps):
    whole = Line()
    log = train(whole, SETTINGS, checkpoint=tmp_path / "whole", fingerprint="x")
    with pytest.raises(Killed):
        train(
            Line(),
            SETTINGS,
            checkpoint=tmp_path / "part",
            fingerprint="x",
            on_step=killed_after(n_steps),
        )
    rest = Line()
    resumed = train(rest, SETTINGS, checkpoint=tmp_path / "part", fingerprint="x")
    assert rest.n_losses == 4 * 4 - n_steps
    assert torch.equal(parameters(rest), parameters(whole))
    assert (resumed.losses, resumed.scores) == (log.losses, log.scores)
    assert (log.n_resumed, resumed.n_resumed) == (0, 1)


@pytest.mark.parametrize(
    ("name", "value"), [("n_epochs", 0), ("batch_size", 0), ("learning_rate", 0.0)]
)
def test_settings_that_cannot_train_are_refused(name, value):
    with pytest.raises(ValueError, match=f"; got {value}"):
        replace(SETTINGS, **{name: value})


def test_a_finished_training_takes_no_step_again(tmp_path):
    first = Line()
    log = train(first, SETTINGS, checkpoint=tmp_path / "c", fingerprint="x")
    again = Line()
    assert train(again, SETTINGS, checkpoint=tmp_path / "c", fingerprint="x").scores == log.scores
    assert again.n_losses == 0
    assert torch.equal(parameters(again), parameters(first))


def test_it_stops_when_validation_stalls_and_keeps_the_best_epoch(tmp_path):
    settings = LoopSettings(n_epochs=9, batch_size=5, patience=2, device="cpu")
    task = Line(scores=[0.1, 0.5, 0.4, 0.5, 0.9])
    seen = {}

    def remember(report):
        seen[report.epoch] = parameters(task)

    log = train(task, settings, checkpoint=tmp_path / "c", fingerprint="", on_epoch=remember)
    assert (log.scores, log.best_epoch) == ([0.1, 0.5, 0.4, 0.5], 2)
    assert torch.equal(parameters(task), seen[2])


def test_it_keeps_the_last_epoch_where_nothing_is_held_out(tmp_path, monkeypatch):
    task = Line()
    monkeypatch.setattr(task, "validate", lambda: None)
    seen = []
    log = train(
        task,
        replace(SETTINGS, patience=1),
        checkpoint=tmp_path / "c",
        fingerprint="",
        on_epoch=lambda report: seen.append((parameters(task), report.line)),
    )
    assert (log.scores, log.best_epoch, len(log.losses)) == ([], 4, 4)
    assert torch.equal(parameters(task), seen[-1][0])
    assert "validation" not in seen[-1][1]


def test_it_learns(tmp_path):
    settings = LoopSettings(n_epochs=60, batch_size=5, learning_rate=0.02, patience=60)
    log = train(Line(), settings, checkpoint=tmp_path / "c", fingerprint="")
    assert log.scores[log.best_epoch - 1] > -0.3 > log.scores[0]


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    train(Line(), SETTINGS, checkpoint=tmp_path / "c", fingerprint="these photos")
    with pytest.raises(CheckpointMismatch, match="delete it to begin anew"):
        train(Line(), SETTINGS, checkpoint=tmp_path / "c", fingerprint="other photos")


def test_a_checkpoint_that_was_cut_off_is_refused(tmp_path):
    train(Line(), SETTINGS, checkpoint=tmp_path / "c", fingerprint="")
    content = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointMismatch, match="cannot be read"):
        train(Line(), SETTINGS, checkpoint=tmp_path / "c", fingerprint="")


def test_a_loss_that_is_not_finite_is_an_error(tmp_path):
    task = Line()
    task.x = task.x * np.nan
    with pytest.raises(FloatingPointError, match="the loss is nan in epoch 1"):
        train(task, SETTINGS, checkpoint=tmp_path / "c", fingerprint="")


def test_fewer_examples_than_a_batch_are_an_error(tmp_path):
    settings = LoopSettings(n_epochs=1, batch_size=24)
    with pytest.raises(ValueError, match="23 examples are fewer than one batch of 24"):
        train(Line(), settings, checkpoint=tmp_path / "c", fingerprint="")


class Depthwise(Line):
    """The same behind two convolutions by channels, the second with a stride; it notes types."""

    def __init__(self):
        super().__init__()
        self.convolutions = [nn.Conv2d(2, 2, 3, stride, 1, groups=2) for stride in (1, 2)]
        self.module = nn.Sequential(*self.convolutions, nn.Flatten(), nn.Linear(8, 1))
        self.dtypes = set()

    def loss(self, rows, rng):
        values = torch.ones(len(rows), 2, 4, 4)
        seen = []
        for convolution in self.convolutions:
            values = convolution(values)
            seen.append(values.dtype)
        self.dtypes.add(tuple(seen))
        return self.module[2:](values).square().mean()

    def validate(self):
        return None


def test_strided_depthwise_convolutions_are_trained_in_fp32_and_left_as_they_were(tmp_path):
    task = Depthwise()
    settings = replace(SETTINGS, n_epochs=1, is_mixed=True)
    train(task, settings, checkpoint=tmp_path / "c", fingerprint="f")
    assert task.dtypes == {(torch.bfloat16, torch.float32)}
    assert all("forward" not in vars(layer) for layer in task.convolutions)
