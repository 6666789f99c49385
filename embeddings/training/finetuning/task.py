"""Learning labels: classification of each, and a metric in which a set's categories cluster."""

from collections.abc import Sequence

import numpy as np
import torch
from pytorch_metric_learning.losses import SupConLoss
from torch import nn

from embeddings.nets.label_network import LabelNetwork, Parts, mean_of_parts
from embeddings.nets.networks import MEAN, STANDARD_DEVIATION
from embeddings.training.finetuning.bars import heads_that_count
from embeddings.training.finetuning.photos import TrainingPhotos
from embeddings.training.finetuning.views import View

METRIC_SHARE = 0.3  # of the loss beside the classifiers'
SIDE_SHARE = 0.3  # of a label that nobody searches by, beside the others
CLUSTERED_BY = ("category", "gender")  # what the metric pulls together
MIXED_SHARE = 0.7  # of the minibatches
MIXING = 0.3  # both parameters of the beta distribution that shares are drawn from
LABEL_SMOOTHING = 0.05
HEAD_RATE = 10.0  # what is new learns faster than what ImageNet taught
ROWS_AT_ONCE = 64


class LabelTask:
    """A label network, the stored views of its photos, and how well it tells validation photos.

    `views` are of the training photos, `clean` are all photos as they are and mirrored. Rows of an
    epoch name training photos by their position among them.
    """

    def __init__(
        self,
        module: LabelNetwork,
        photos: TrainingPhotos,
        views: Sequence[View],
        clean: Sequence[View],
    ) -> None:
        self.module, self._photos, self._views, self._clean = module, photos, views, clean
        self._train = photos.rows("train")
        self._metric_loss = SupConLoss(temperature=0.1)
        self._clusters = _clusters(photos)
        counts = heads_that_count(module.head_names)
        self._shares = {name: 1.0 if name in counts else SIDE_SHARE for name in module.head_names}

    def epoch_rows(self, rng: np.random.Generator) -> np.ndarray:
        """Every training photo once."""
        return rng.permutation(len(self._train))

    def parameter_groups(self, learning_rate: float) -> list[dict[str, object]]:
        """The trunk at the rate, what is new at ten times it."""
        trunk = [p for p in self.module.trained.parameters() if p.requires_grad]
        known = {id(p) for p in trunk}
        new = [p for p in self.module.parameters() if p.requires_grad and id(p) not in known]
        return [
            {"params": trunk, "lr": learning_rate},
            {"params": new, "lr": HEAD_RATE * learning_rate},
        ]

    def loss(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        """Cross entropy of each label that is known, of photos as they are and mixed in pairs.

        Photos as they are have the supervised contrastive loss beside it. Source: Zhang et al.,
        mixup: Beyond Empirical Risk Minimization, ICLR 2018; mixed are the frozen trunk's
        activations (Verma et al., Manifold Mixup, ICML 2019).
        """
        stem, cells = self._drawn_views(rows, rng)
        photos = self._train[rows]
        if rng.random() >= MIXED_SHARE:
            parts = self._parts(stem, cells)
            return self._cross_entropy(parts, photos) + METRIC_SHARE * self._metric(parts, photos)
        share = rng.beta(MIXING, MIXING)
        others = rng.permutation(len(rows))
        parts = self._parts(stem, cells, mixed_with=others, share=share)
        own, theirs = (self._cross_entropy(parts, p) for p in (photos, photos[others]))
        return share * own + (1 - share) * theirs

    def _cross_entropy(self, parts: Parts, photos: np.ndarray) -> torch.Tensor:
        """Over all labels of the minibatch's photos, per photo."""
        device = parts.metric.device
        total = torch.zeros((), device=device)
        for name, logits in parts.logits.items():
            targets = torch.from_numpy(self._photos.targets[name][photos]).to(device)
            if (targets >= 0).any():
                summed = nn.functional.cross_entropy(
                    logits.float(),
                    targets,
                    ignore_index=-1,
                    label_smoothing=LABEL_SMOOTHING,
                    reduction="sum",
                )
                total = total + self._shares[name] * summed / len(photos)
        return total

    def _metric(self, parts: Parts, photos: np.ndarray) -> torch.Tensor:
        device = parts.metric.device
        clusters = torch.from_numpy(self._clusters[photos]).to(device)
        with torch.autocast(device.type, enabled=False):  # bf16 has no digits for near neighbours
            return self._metric_loss(parts.metric.float(), clusters)

    def validate(self) -> float | None:
        """Mean accuracy over the heads, on validation photos as they are, where there are any."""
        rows = self._photos.rows("validation")
        if not len(rows):
            return None
        logits = self.describe(rows).logits
        accuracies = []
        for name, scores in logits.items():
            targets = self._photos.targets[name][rows]
            known = targets >= 0
            if known.any():
                accuracies.append(np.mean(scores.argmax(axis=1)[known] == targets[known]))
        return float(np.mean(accuracies))

    @torch.no_grad()
    def describe(self, rows: np.ndarray) -> "Described":
        """What the network says of photos, in evaluation mode and fp32."""
        self.module.eval()
        found = [
            mean_of_parts(*(self._parts(view.stem[part], view.cells[part]) for view in self._clean))
            for part in np.split(rows, range(ROWS_AT_ONCE, len(rows), ROWS_AT_ONCE))
        ]
        return Described(
            metric=_joined([parts.metric for parts in found]),
            colors=_joined([parts.colors for parts in found]),
            logits={
                name: _joined([parts.logits[name] for parts in found])
                for name in self.module.head_names
            },
        )

    def _drawn_views(
        self, rows: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """One of each photo's views."""
        drawn = [self._views[number] for number in rng.integers(len(self._views), size=len(rows))]
        pairs = list(zip(drawn, rows, strict=True))
        stem = np.stack([view.stem[row] for view, row in pairs])
        return stem, np.stack([view.cells[row] for view, row in pairs])

    def _parts(
        self,
        stem: np.ndarray,
        cells: np.ndarray,
        mixed_with: np.ndarray | None = None,
        share: float = 1.0,
    ) -> Parts:
        """Of photos, or of each mixed with another one's `1 - share`."""
        device = self.module.metric.weight.device
        activations = torch.from_numpy(np.asarray(stem, dtype=np.float32)).to(device)
        colors = normalised(cells, device)
        if mixed_with is not None:
            activations = activations.lerp(activations[mixed_with], 1 - share)
            colors = colors.lerp(colors[mixed_with], 1 - share)
        return self.module.parts(activations.contiguous(memory_format=torch.channels_last), colors)


class Described:
    """Parts as arrays: metric (n, d), colors (n, c), logits[head] (n, n_labels), all float32."""

    def __init__(
        self, metric: np.ndarray, colors: np.ndarray, logits: dict[str, np.ndarray]
    ) -> None:
        self.metric, self.colors, self.logits = metric, colors, logits


def normalised(pixels: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """(n, h, w, 3) uint8 -> (n, 3, h, w) by ImageNet's statistics."""
    values = torch.from_numpy(np.asarray(pixels)).to(device).permute(0, 3, 1, 2).float() / 255
    mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
    return (values - mean) / torch.tensor(STANDARD_DEVIATION, device=device).view(1, 3, 1, 1)


def _clusters(photos: TrainingPhotos) -> np.ndarray:
    """What the metric pulls together, by numbers: (n,) int64.

    Photos of one set that agree in all that is clustered by; one that lacks such a label is alone.
    """
    clusters = -1 - np.arange(len(photos.split))
    offset = 0
    for set_name in dict.fromkeys(head.set_name for head in photos.heads):
        heads = [head for head in photos.heads if head.set_name == set_name]
        heads = [head for head in heads if head.label in CLUSTERED_BY] or heads[:1]
        targets = np.stack([photos.targets[head.name] for head in heads], axis=1)
        known = (targets >= 0).all(axis=1)
        _, numbers = np.unique(targets[known], axis=0, return_inverse=True)
        clusters[known] = numbers.reshape(-1) + offset
        offset += known.sum()
    return clusters


def _joined(tensors: list[torch.Tensor]) -> np.ndarray:
    return torch.cat(tensors).float().cpu().numpy()
