"""The garment parser as a task of the training loop."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch.nn.functional import cross_entropy, one_hot

from embeddings.garments.classes import GarmentClass
from embeddings.garments.overlap import garment_iou
from embeddings.nets.garment_parser import STRIDE, GarmentParser
from embeddings.training.loop import autocast
from embeddings.training.parsing.drawing import PHOTO_SHARE, draw_example
from embeddings.training.parsing.examples import BODY, OUTSIDE, SIDE, Examples

DRAWS_PER_EPOCH = 4  # of each example
VALIDATED_AT_ONCE = 8
DRAWING_THREADS = 2
SMOOTHING = 100.0  # pixels; keeps the Dice of an absent class from jumping


class ParserTask:
    """Learns from drawn crops; validates on whole photos, where some are held out."""

    def __init__(
        self,
        module: GarmentParser,
        examples: Examples,
        validation: Examples | None,
        backdrops: np.ndarray,
        photo_share: float = PHOTO_SHARE,
    ) -> None:
        self.module = module.to(memory_format=torch.channels_last)
        self.examples, self.validation, self.backdrops = examples, validation, backdrops
        self.photo_share = photo_share
        self._threads = ThreadPoolExecutor(DRAWING_THREADS, thread_name_prefix="draw")

    def epoch_rows(self, rng: np.random.Generator) -> np.ndarray:
        """Each example `DRAWS_PER_EPOCH` times, in random order."""
        return rng.permutation(np.tile(np.arange(len(self.examples)), DRAWS_PER_EPOCH))

    def loss(self, rows: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        """Of new crops of these examples."""
        draws = list(
            self._threads.map(
                lambda row, own: draw_example(
                    self.examples, int(row), self.backdrops, own, self.photo_share
                ),
                rows,
                rng.spawn(len(rows)),
            )
        )
        classes = torch.from_numpy(np.stack([draw.classes for draw in draws])).long()
        logits = self._logits(np.stack([draw.image for draw in draws]))
        return parsing_loss(logits.float(), classes.to(logits.device))

    def validate(self) -> float | None:
        """The garment IoU averaged over the validation photos, where there are any."""
        if self.validation is None:
            return None
        device = next(self.module.parameters()).device.type
        scores: list[float] = []
        for start in range(0, len(self.validation), VALIDATED_AT_ONCE):
            part = slice(start, start + VALIDATED_AT_ONCE)
            codes = self.validation.codes[part]
            images, codes = _without_common_margin(self.validation.images[part], codes)
            with autocast(device):
                found = self._logits(images).argmax(dim=1).cpu().numpy()
            scores += [_score(*pair) for pair in zip(found, codes, strict=True)]
        return float(np.mean(scores))

    def parameter_groups(self, learning_rate: float) -> list[dict[str, object]]:
        """All at one rate; what is one number a channel is not decayed."""
        vectors = [p for p in self.module.parameters() if p.ndim <= 1]
        kernels = [p for p in self.module.parameters() if p.ndim > 1]
        return [
            {"params": kernels, "lr": learning_rate},
            {"params": vectors, "lr": learning_rate, "weight_decay": 0.0},
        ]

    def _logits(self, images: np.ndarray) -> torch.Tensor:
        """(n, h, w, 3) uint8 -> (n, n_classes, h, w)."""
        device = next(self.module.parameters()).device
        values = torch.from_numpy(np.ascontiguousarray(images)).to(device)
        return self.module(values.permute(0, 3, 1, 2).float())


def parsing_loss(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Cross entropy and Dice in equal parts: the one for every pixel, the other for small classes.

    Args:
        logits: (n, n_classes, h, w) float32.
        classes: (n, h, w) int64.

    Source: Milletari et al., V-Net, 3DV 2016, equation for D, over the classes and the minibatch
        as a whole.
    """
    shown = one_hot(classes, logits.shape[1]).permute(0, 3, 1, 2).float()
    found = logits.softmax(dim=1)
    sums = (0, 2, 3)
    shared, total = (shown * found).sum(sums), (shown + found).sum(sums)  # (n_classes,)
    dice = (2 * shared + SMOOTHING) / (total + SMOOTHING)
    return cross_entropy(logits, classes) + (1 - dice).mean()


def _without_common_margin(images: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What lies outside all photos cut away, up to the parser's stride."""
    inside = codes != OUTSIDE
    height = _to_stride(int(inside.any(axis=(0, 2)).sum()))
    width = _to_stride(int(inside.any(axis=(0, 1)).sum()))
    return images[:, :height, :width], codes[:, :height, :width]


def _to_stride(side: int) -> int:
    return min(SIDE, -(-side // STRIDE) * STRIDE)


def _score(found: np.ndarray, codes: np.ndarray) -> float:
    inside = codes != OUTSIDE
    shown = inside & ~np.isin(codes, (GarmentClass.BACKGROUND, BODY))
    return garment_iou((found > 0) & inside, shown)
