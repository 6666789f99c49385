"""Learning labels: classification of each, and a metric in which a set's categories cluster."""

from collections.abc import Sequence

import numpy as np
import torch
from pytorch_metric_learning.losses import SupConLoss
from torch import nn

from embeddings.nets.label_network import LabelNetwork, Parts
from embeddings.nets.networks import MEAN, STANDARD_DEVIATION
from embeddings.training.finetuning.photos import TrainingPhotos
from embeddings.training.finetuning.views import View

METRIC_SHARE = 0.3  # of the loss beside the classifiers'
LABEL_SMOOTHING = 0.05
HEAD_RATE = 10.0  # what is new learns faster than what ImageNet taught
ROWS_AT_ONCE = 64


class LabelTask:
    """A label network, the stored views of its photos, and how well it tells validation photos.

    `views` are of the training photos, `clean` is of all photos. Rows of an epoch name training
    photos by their position among them.
    """

    def __init__(
        self,
        module: LabelNetwork,
        photos: TrainingPhotos,
        views: Sequence[View],
        clean: View,
    ) -> None:
        self.module, self._photos, self._views, self._clean = module, photos, views, clean
        self._train = photos.rows("train")
        self._metric_loss = SupConLoss(temperature=0.1)
        self._clusters = _clusters(photos)

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
        """Cross entropy of each label that is known, and the supervised contrastive loss."""
        parts = self._parts(*self._drawn_views(rows, rng))
        photos = self._train[rows]
        device = parts.metric.device
        total = torch.zeros((), device=device)
        for name, logits in parts.logits.items():
            targets = torch.from_numpy(self._photos.targets[name][photos]).to(device)
            n_known = (targets >= 0).sum()
            if n_known:
                summed = nn.functional.cross_entropy(
                    logits.float(),
                    targets,
                    ignore_index=-1,
                    label_smoothing=LABEL_SMOOTHING,
                    reduction="sum",
                )
                total = total + summed / len(rows)
        clusters = torch.from_numpy(self._clusters[photos]).to(device)
        with torch.autocast(device.type, enabled=False):  # bf16 has no digits for near neighbours
            metric_loss = self._metric_loss(parts.metric.float(), clusters)
        return total + METRIC_SHARE * metric_loss

    def validate(self) -> float:
        """Mean accuracy over the heads, on validation photos as they are."""
        rows = self._photos.rows("validation")
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
        """What the network says of photos as they are, in evaluation mode and fp32."""
        self.module.eval()
        found = [
            self._parts(self._clean.stem[part], self._clean.cells[part])
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

    def _parts(self, stem: np.ndarray, cells: np.ndarray) -> Parts:
        device = self.module.metric.weight.device
        activations = torch.from_numpy(np.asarray(stem, dtype=np.float32)).to(device)
        return self.module.parts(
            activations.contiguous(memory_format=torch.channels_last), normalised(cells, device)
        )


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
    """What the metric pulls together: a set's first label, by a number of its own; (n,) int64."""
    clusters = np.zeros(len(photos.split), np.int64)
    offset = 1
    seen: set[str] = set()
    for head in photos.heads:
        if head.set_name in seen:
            continue
        seen.add(head.set_name)
        targets = photos.targets[head.name]
        clusters[targets >= 0] = targets[targets >= 0] + offset
        offset += len(head.values)
    return clusters


def _joined(tensors: list[torch.Tensor]) -> np.ndarray:
    return torch.cat(tensors).float().cpu().numpy()
