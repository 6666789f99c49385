"""The distillation as the training loop takes it: losses, batches and a validation."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from embeddings.nets.networks import MEAN, STANDARD_DEVIATION
from embeddings.training.distillation.pool import ViewPool

TRAINING_SIDE = 112  # pixels that are cut from a view
VALIDATION_AT_ONCE = 128
MIXED_SHARE = 0.6  # of the batches, whose views are mixed in pairs
MIXING = 0.4  # both parameters of the beta distribution that shares are drawn from


@dataclass(frozen=True)
class LossWeights:
    """How much each part of the loss counts."""

    direction: float = 2.0  # 1 - cosine to the teacher's direction
    relation: float = 1.0  # between the similarities within a batch, the teacher's and one's own
    label: float = 1.0  # cross-entropy of the labels, one head for each set of them
    temperature: float = 0.1  # of the similarities
    smoothing: float = 0.1  # of the labels


class Distillation:
    """A student with heads for the labels, which serve only here.

    `targets` is (n, dimension) of unit length, a row for each view of `pool`. Validation is the
    share of each of `validation`'s views' five nearest views of other photos with its label.
    """

    def __init__(
        self,
        student: nn.Module,
        dimension: int,
        *,
        pool: ViewPool,
        targets: np.ndarray,
        validation: ViewPool | None,
        weights: LossWeights,
        views_per_epoch: int,
    ) -> None:
        heads = [nn.Linear(dimension, len(names)) for names in pool.labels.values()]
        self.module = nn.ModuleDict({"student": student, "heads": nn.ModuleList(heads)})
        self.pool, self.validation, self.weights = pool, validation, weights
        self.targets = torch.from_numpy(targets)
        self.n_rows = min(views_per_epoch, len(pool))

    def epoch_rows(self, rng: np.random.Generator) -> np.ndarray:
        """Views in random order."""
        return rng.permutation(len(self.pool))[: self.n_rows]

    def loss(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        """The weighted sum of the parts, over a batch of views as they are or mixed in pairs.

        The target of two views that are mixed lies between theirs: Zhang et al., mixup: Beyond
        Empirical Risk Minimization, ICLR 2018.
        """
        rows = np.sort(rows)
        images = self._prepared(self.pool.images[rows], rng)
        targets = self.targets[torch.from_numpy(rows)].to(images.device)
        share, others = 1.0, np.arange(len(rows))
        if rng.random() < MIXED_SHARE:
            share, others = rng.beta(MIXING, MIXING), rng.permutation(len(rows))
            images = images.lerp(images[others], 1 - share)
            targets = functional.normalize(targets.lerp(targets[others], 1 - share), dim=1)
        embedded = self.module["student"].learned(images).float()  # (b, dimension)
        unit = functional.normalize(embedded, dim=1)
        weights = self.weights
        direction = (1 - (unit * targets).sum(dim=1)).mean()
        relation = relation_loss(unit, targets, weights.temperature)
        label = share * self._label_loss(embedded, rows)
        if share < 1:
            label = label + (1 - share) * self._label_loss(embedded, rows[others])
        return weights.direction * direction + weights.relation * relation + weights.label * label

    def validate(self) -> float | None:
        """Same-label precision@5 of the validation views, where there are any."""
        if self.validation is None:
            return None
        return same_label_precision(self.embed(self.validation.images), self.validation)

    def parameter_groups(self, learning_rate: float) -> list[dict[str, object]]:
        """Weight decay on matrices and filters only, not on biases and normalisations."""
        parameters = list(self.module.parameters())
        return [
            {"params": [p for p in parameters if p.ndim > 1]},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]

    def embed(self, images: np.ndarray) -> np.ndarray:
        """(n, side, side, 3) uint8 -> (n, dimension) float32."""
        parts = []
        for start in range(0, len(images), VALIDATION_AT_ONCE):
            batch = self._normalized(images[start : start + VALIDATION_AT_ONCE])
            parts.append(self.module["student"](batch).float().cpu().numpy())
        return np.concatenate(parts)

    def _prepared(self, images: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        """A piece of the views, mirrored or not: the teacher has seen nearly the same.

        Cut, not scaled: photos are embedded at the views' scale later.
        """
        room = max(0, images.shape[1] - TRAINING_SIDE)
        top, left = rng.integers(room + 1, size=2)
        side = min(TRAINING_SIDE, images.shape[1])
        step = 1 if rng.random() < 0.5 else -1
        return self._normalized(images[:, top : top + side, left : left + side][:, :, ::step])

    def _normalized(self, images: np.ndarray) -> torch.Tensor:
        """(n, side, side, 3) uint8 -> (n, 3, side, side) float32 in channels-last."""
        device = next(self.module.parameters()).device
        batch = torch.from_numpy(np.array(images)).to(device).float()
        mean = torch.tensor(MEAN, device=device).mul(255)
        deviation = torch.tensor(STANDARD_DEVIATION, device=device).mul(255)
        return ((batch - mean) / deviation).permute(0, 3, 1, 2)

    def _label_loss(self, embedded: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        """Cross-entropy by the head of each view's own set of labels, averaged over the batch."""
        heads, classes = self.pool.heads[rows], torch.from_numpy(self.pool.classes[rows])
        total = embedded.new_zeros(())
        for index in np.unique(heads):
            chosen = torch.from_numpy(np.flatnonzero(heads == index))
            scores = self.module["heads"][int(index)](embedded[chosen])
            total = total + functional.cross_entropy(
                scores.float(),
                classes[chosen].to(scores.device),
                label_smoothing=self.weights.smoothing,
                reduction="sum",
            )
        return total / len(rows)


def relation_loss(own: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """How far one's own similarities within a batch are from the teacher's, both of unit rows.

    The Kullback-Leibler divergence of each row's softmax over the other rows.

    Source: Passalis and Tefas, Learning Deep Representations with Probabilistic Knowledge Transfer,
    ECCV 2018, with a softmax of cosines as in SEED (Fang et al., ICLR 2021).
    """
    others = ~torch.eye(len(own), dtype=torch.bool, device=own.device)
    ours = (own @ own.T)[others].view(len(own), -1) / temperature  # (b, b - 1)
    theirs = (teacher @ teacher.T)[others].view(len(own), -1) / temperature
    return functional.kl_div(
        ours.log_softmax(dim=1), theirs.log_softmax(dim=1), log_target=True, reduction="batchmean"
    )


def same_label_precision(embedded: np.ndarray, pool: ViewPool) -> float:
    """The share of each view's five nearest views of other photos, by cosine, with its label."""
    unit = embedded / np.maximum(np.linalg.norm(embedded, axis=1, keepdims=True), 1e-12)
    similarity = unit @ unit.T
    similarity[pool.photos[:, None] == pool.photos[None, :]] = -np.inf
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :5]
    keys = pool.heads * 10_000 + pool.classes
    return float((keys[nearest] == keys[:, None]).mean())
