"""A network that knows labels: a backbone's trunk, a look at colours, and one vector of it all."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse

COLOR_GRID = 32  # cells a side, over which colours are averaged
COLOR_CHANNELS = 32
N_GLANCES = 4  # places that the colour branch looks at
HIDDEN = 512
METRIC = 128
DROPOUT = 0.3
# The first block that is trained. Below it the trunk stays ImageNet's, so that its activations are
# computed once for all epochs: on two cores that makes the difference between hours and minutes.
TRAINED_FROM = {"mobilenet_v2": 8, "resnet50": 7}  # of the children in their order


class Parts(NamedTuple):
    """What the network says of photos, before it becomes one vector."""

    metric: torch.Tensor  # (n, METRIC), of unit length
    colors: torch.Tensor  # (n, N_GLANCES * COLOR_CHANNELS), of unit length
    logits: dict[str, torch.Tensor]  # head -> (n, n_labels)


class ColorGlances(nn.Module):
    """Colours where the trunk finds them worth looking: (n, 3, h, w) cells -> (n, 4 * 32).

    A trunk for ImageNet forgets colours, and a histogram of the photo counts the background. Each
    glance averages embedded colours over the cells, by attention that sees colour and content.
    """

    def __init__(self, n_stem: int) -> None:
        super().__init__()
        self.embed = nn.Sequential(
            nn.Conv2d(3, COLOR_CHANNELS, 1),
            nn.ReLU(),
            nn.Conv2d(COLOR_CHANNELS, COLOR_CHANNELS, 1),
            nn.ReLU(),
        )
        self.by_color = nn.Conv2d(COLOR_CHANNELS, N_GLANCES, 1)
        self.by_content = nn.Conv2d(n_stem, N_GLANCES, 1)

    def forward(self, cells: torch.Tensor, stem: torch.Tensor) -> torch.Tensor:
        """(n, 3, 32, 32) mean colours and the trunk's (n, n_stem, h, w) -> (n, 128)."""
        embedded = self.embed(cells)  # (n, 32, 32, 32)
        content = nn.functional.interpolate(self.by_content(stem), size=(COLOR_GRID, COLOR_GRID))
        attention = (self.by_color(embedded) + content).flatten(2).softmax(dim=2)  # (n, 4, 1024)
        looked_at = torch.bmm(attention, embedded.flatten(2).transpose(1, 2))  # (n, 4, 32)
        return looked_at.flatten(1)


class LabelNetwork(nn.Module):
    """Trunk, colours, a metric embedding and a classifier for each label.

    Its vector is made of parts of unit length, each times its weight: the metric embedding, the
    colours, and for each label the square roots of its probabilities, whose products are the
    Bhattacharyya coefficient. Weights' squares sum to one, so that the cosine of two photos is the
    weighted mean of their parts' cosines. Weights and temperatures are chosen after training.
    """

    def __init__(
        self, frozen: nn.Module, trained: nn.Module, heads: Mapping[str, int], side: int
    ) -> None:
        super().__init__()
        self.frozen, self.trained = frozen, trained
        n_stem, n_features = _channels(frozen), _channels(trained)
        self.side, self.head_names = side, tuple(heads)
        self.colors = ColorGlances(n_stem)
        n_joint = n_features + N_GLANCES * COLOR_CHANNELS
        self.hidden = nn.Sequential(
            nn.Dropout(DROPOUT), nn.Linear(n_joint, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT)
        )
        self.metric = nn.Linear(HIDDEN, METRIC)
        self.heads = nn.ModuleList(nn.Linear(HIDDEN, n_labels) for n_labels in heads.values())
        n_parts = 2 + len(heads)
        self.register_buffer("weights", torch.full((n_parts,), n_parts**-0.5))
        self.register_buffer("temperatures", torch.ones(len(heads)))

    def color_cells(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 3, side, side) -> (n, 3, 32, 32) mean colours."""
        return nn.functional.avg_pool2d(images, self.side // COLOR_GRID)

    def _whole(self, images: torch.Tensor) -> Parts:
        return self.parts(self.frozen(images), self.color_cells(images))

    def parts(self, stem: torch.Tensor, cells: torch.Tensor) -> Parts:
        """From the frozen part's activations and the mean colours."""
        features = self.trained(stem).mean(dim=(2, 3))
        colors = self.colors(cells, stem)
        hidden = self.hidden(torch.cat([features, colors], dim=1))
        logits = [head(hidden) for head in self.heads]
        return Parts(
            nn.functional.normalize(self.metric(hidden), dim=1),
            nn.functional.normalize(colors, dim=1),
            dict(zip(self.head_names, logits, strict=True)),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 3, side, side) normalised photos -> (n, dimension) of unit length.

        What is said of a photo is the mean of what is said of it and of its mirror image.
        """
        parts = mean_of_parts(*(self._whole(seen) for seen in (images, images.flip(3))))
        pieces = [parts.metric * self.weights[0], parts.colors * self.weights[1]]
        for index, logits in enumerate(parts.logits.values()):
            # The square root of a softmax: half its logarithm.
            roots = (0.5 * nn.functional.log_softmax(logits / self.temperatures[index], 1)).exp()
            pieces.append(roots * self.weights[2 + index])
        return torch.cat(pieces, dim=1)


def mean_of_parts(a: Parts, b: Parts) -> Parts:
    """Logits are averaged, directions too."""
    return Parts(
        nn.functional.normalize(a.metric + b.metric, dim=1),
        nn.functional.normalize(a.colors + b.colors, dim=1),
        {name: (logits + b.logits[name]) / 2 for name, logits in a.logits.items()},
    )


def build_label_network(
    backbone: str, classifier: nn.Module, heads: Mapping[str, int], side: int
) -> LabelNetwork:
    """A torchvision classifier of `backbone` with new heads in place of its own.

    Batch normalisation is folded into the convolutions and not trained: batches are small.
    """
    children = _trunk(backbone, classifier.eval())
    cut = TRAINED_FROM[backbone]
    frozen = fuse(nn.Sequential(*children[:cut])).requires_grad_(False)
    trained = fuse(nn.Sequential(*children[cut:])).requires_grad_(True)
    return LabelNetwork(frozen, trained, heads, side)


def _trunk(backbone: str, classifier: nn.Module) -> list[nn.Module]:
    """All before the pooling, in order."""
    if backbone == "mobilenet_v2":
        return list(classifier.features)
    return list(classifier.children())[:-2]  # without average and classifier


def _channels(trunk: nn.Module) -> int:
    """How many the last convolution gives."""
    return [m.out_channels for m in trunk.modules() if isinstance(m, nn.Conv2d)][-1]
