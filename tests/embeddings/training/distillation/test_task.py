"""The teacher's directions, the losses, and the validation."""

import numpy as np
import pytest
import torch

from embeddings.nets.networks import MEAN, STANDARD_DEVIATION
from embeddings.training.distillation import task
from embeddings.training.distillation.pool import ViewPool
from embeddings.training.distillation.task import relation_loss, same_label_precision
from embeddings.training.distillation.teacher import target_directions, teacher_features


class Counting:
    """A teacher that says the mean colour and counts what it is asked."""

    n_asked = 0

    def features(self, crops):
        self.n_asked += len(crops)
        return crops.reshape(len(crops), -1, 3).mean(axis=1).astype(np.float32)


def test_the_teacher_is_asked_once_about_each_view(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (70, 8, 8, 3), dtype=np.uint8)
    teacher = Counting()
    first, again = (teacher_features(images, teacher, tmp_path / "f.npy") for _ in range(2))
    assert teacher.n_asked == 70  # more than one batch
    assert (first == again).all()
    np.testing.assert_allclose(first, images.reshape(70, -1, 3).mean(axis=1), rtol=1e-3)


def test_a_teacher_of_one_size_is_shown_views_of_that_size(tmp_path):
    class OfOneSize(Counting):
        def features(self, crops):
            assert crops.shape[1:] == (12, 12, 3)
            return super().features(crops)

    images = np.full((3, 8, 8, 3), 90, np.uint8)
    features = teacher_features(images, OfOneSize(), tmp_path / "f.npy", side=12)
    assert (features == 90).all()


def test_directions_keep_the_cosines_of_centred_features():
    features = np.random.default_rng(1).normal(3, 1, (50, 6)).astype(np.float16)
    directions = target_directions(features, 9, seed=0)  # more dimensions than there are
    centred = features.astype(np.float32) - features.astype(np.float32).mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    assert directions.shape == (50, 9)
    np.testing.assert_allclose(directions @ directions.T, unit @ unit.T, atol=1e-4)


def test_directions_keep_the_main_axes_where_there_is_no_room_for_all():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(200, 5)) * [10, 8, 0.01, 0.01, 0.01]
    directions = target_directions(features.astype(np.float32), 2, seed=0)
    centred = features[:, :2] - features[:, :2].mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    np.testing.assert_allclose(directions @ directions.T, unit @ unit.T, atol=0.02)


def test_the_relation_loss_is_0_where_all_similarities_agree_however_turned():
    unit = torch.nn.functional.normalize(torch.randn(7, 4, generator=torch.manual_seed(0)), dim=1)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.manual_seed(1)))[0]
    assert relation_loss(unit @ turn, unit, 0.1).item() == pytest.approx(0, abs=1e-5)
    assert relation_loss(unit.flip(0), unit, 0.1).item() > 0.1


def test_the_relation_loss_is_the_divergence_computed_by_hand():
    own = torch.tensor([[1.0, 0], [0, 1], [1, 0]])
    teacher = torch.tensor([[1.0, 0], [1, 0], [0, 1]])
    # Each row's other two similarities: ours 0 1 | 0 0 | 1 0, the teacher's 1 0 | 1 0 | 0 0.
    high = np.exp(1) / (1 + np.exp(1))
    opposite = high * np.log(high / (1 - high)) + (1 - high) * np.log((1 - high) / high)
    to_even = high * np.log(high / 0.5) + (1 - high) * np.log((1 - high) / 0.5)
    from_even = 0.5 * np.log(0.5 / high) + 0.5 * np.log(0.5 / (1 - high))
    expected = (opposite + to_even + from_even) / 3
    assert relation_loss(own, teacher, 1.0).item() == pytest.approx(expected, rel=1e-4)


class MeanColour(torch.nn.Module):
    """A student that sees mixtures as what lies between."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def learned(self, images):
        return (images * torch.tensor(STANDARD_DEVIATION).view(3, 1, 1)).mean((2, 3)) + (
            torch.tensor(MEAN) * self.scale
        )


@pytest.mark.parametrize("mixed_share", [0.0, 1.0])
def test_what_two_mixed_views_are_to_be_lies_between_them(mixed_share, monkeypatch):
    monkeypatch.setattr(task, "MIXED_SHARE", mixed_share)
    colors = np.eye(3, dtype=np.uint8).repeat(4, axis=0) * 255
    pool = ViewPool(
        images=np.tile(colors[:, None, None], (1, 8, 8, 1)),
        heads=np.zeros(12, np.int64),
        classes=np.arange(12) // 4,
        photos=np.arange(12),
        labels={"colour": ["red", "green", "blue"]},
        fingerprint="",
    )

    def loss_with(targets, weights):
        distillation = task.Distillation(
            MeanColour(),
            3,
            pool=pool,
            targets=targets,
            validation=pool,
            weights=weights,
            views_per_epoch=12,
        )
        return distillation.loss(np.arange(12), np.random.default_rng(5)).item()

    seen = task.LossWeights(label=0.0)
    assert loss_with(np.eye(3, dtype=np.float32).repeat(4, axis=0), seen) == pytest.approx(
        0, abs=1e-4
    )
    assert loss_with(np.eye(3, dtype=np.float32)[[0, 1, 2] * 4], seen) > 0.1


def test_validation_counts_neighbours_of_other_photos_with_the_same_label():
    pool = ViewPool(
        images=np.zeros((7, 1, 1, 3), np.uint8),
        heads=np.array([0, 0, 0, 0, 0, 0, 1]),
        classes=np.array([0, 0, 0, 0, 1, 1, 0]),
        photos=np.array([0, 0, 1, 2, 3, 4, 5]),
        labels={"a": ["x", "y"], "b": ["x"]},
        fingerprint="",
    )
    embedded = np.eye(7)
    shares = [2, 2, 3, 3, 1, 1, 0]  # of five neighbours; views 0 and 1 show one photo
    # With equal similarities the first others are taken, so that the last is missing.
    found = same_label_precision(embedded, pool)
    assert found == pytest.approx(sum(shares) / 35)
