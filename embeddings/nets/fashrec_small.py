"""The small network that is shipped with the package: 128 pixels in, one vector out."""

import math

import torch
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock
from torchvision.ops import Conv2dNormActivation

LEARNED = 256  # values that are learned
N_DIRECTIONS, OUTLINE_CELLS = 8, 8
OUTLINE = N_DIRECTIONS * OUTLINE_CELLS**2
COLORS = 3 * OUTLINE_CELLS**2
DIMENSION = LEARNED + OUTLINE + COLORS
WIDTHS = (48, 96, 192)
BLOCKS = (1, 2, 2)
LAYOUT_CHANNELS, LAYOUT_CELLS = 32, 4
# Lengths of the fixed parts beside the learned one's 1, chosen on the validation part.
OUTLINE_LENGTH, COLORS_LENGTH = 1.0, 0.4
LUMINANCE = (0.299, 0.587, 0.114)
DEVIATION = (0.229, 0.224, 0.225)  # of ImageNet, by which the input was divided
WHITE = (2.2489, 2.4286, 2.6400)  # as the input has it
TINY = 1e-6


class Outlines(nn.Module):
    """How strong edges are in eight directions, and colours: (n, 3, h, w) -> two maps.

    The maps are (n, 8, h / 2, w / 2) and (n, 3, h / 2, w / 2). Nothing in it is learned: on a few
    thousand photos first filters that are given leave more to learn for the rest.

    Source: a plain form of histograms of oriented gradients (Dalal and Triggs, CVPR 2005) as the
    first layer of a learned network, as Oyallon et al. (ICCV 2017) begin with fixed wavelets.
    """

    def __init__(self) -> None:
        super().__init__()
        angles = torch.arange(N_DIRECTIONS) * (math.pi / N_DIRECTIONS)
        weights = torch.tensor(LUMINANCE) * torch.tensor(DEVIATION)
        # Stored with the weights: a network is built empty, and takes all from their file.
        self.register_buffer("cosines", angles.cos().view(1, -1, 1, 1))
        self.register_buffer("sines", angles.sin().view(1, -1, 1, 1))
        self.register_buffer("luminance", weights.view(1, 3, 1, 1))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Edges and colours, both by means of 2 x 2 pixels."""
        colors = functional.avg_pool2d(images, 2)
        light = functional.pad((colors * self.luminance).sum(1, keepdim=True), (1, 1, 1, 1))
        dx = light[:, :, 1:-1, 2:] - light[:, :, 1:-1, :-2]
        dy = light[:, :, 2:, 1:-1] - light[:, :, :-2, 1:-1]
        strength = (dx * dx + dy * dy + TINY).sqrt()
        along = (dx * self.cosines + dy * self.sines).abs()  # (n, 8, h / 2, w / 2)
        nearest = math.cos(math.pi / N_DIRECTIONS)  # each edge counts for its two nearest
        return functional.relu(along - nearest * strength), colors


class FashrecSmall(nn.Module):
    """A narrow residual network over outlines and colours: (n, 3, h, w) -> (n, 960).

    The vector has three parts: what is learned (length 1), the outlines in 8 x 8 cells and the
    colours there, from white. The last stage is averaged over the photo and, through a narrow
    layer, over 4 x 4 cells: a garment's kind shows in its outline, which an average forgets.

    Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, basic blocks; the
    fixed first layer and the cells beside the average are ours.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outlines = Outlines()
        self.stem = nn.Sequential(
            nn.BatchNorm2d(N_DIRECTIONS + 3),
            Conv2dNormActivation(N_DIRECTIONS + 3, WIDTHS[0], stride=2),
        )
        inputs = (WIDTHS[0], *WIDTHS[:-1])
        stages = zip(inputs, WIDTHS, BLOCKS, strict=True)
        self.stages = nn.Sequential(
            *(_stage(n_in, n_out, n, 2 if n_in != n_out else 1) for n_in, n_out, n in stages)
        )
        self.layout = Conv2dNormActivation(WIDTHS[-1], LAYOUT_CHANNELS, kernel_size=1)
        self.outline_norm = nn.BatchNorm1d(OUTLINE)
        n_all = WIDTHS[-1] + LAYOUT_CHANNELS * LAYOUT_CELLS**2 + OUTLINE
        self.dropout = nn.Dropout(0.1)
        self.embedding = nn.Linear(n_all, LEARNED)
        self.register_buffer("white", torch.tensor(WHITE).view(1, 3, 1, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) normalised photos -> (n, 960); without directions only where all is flat.

        The learned part is the mean of the photo's and its mirror image's.
        """
        # As one batch: layers are fused where the network is loaded, each for one call of it.
        edges, colors = self.outlines(torch.cat([images, images.flip(3)]))
        outlines, layouts = self._outline(edges), self._colors(colors)
        seen, mirrored = _unit(self._learned(edges, colors, outlines)).chunk(2)
        outline, layout = outlines.chunk(2)[0], layouts.chunk(2)[0]
        learned = _unit(seen + mirrored)
        return torch.cat((learned, OUTLINE_LENGTH * outline, COLORS_LENGTH * layout), dim=1)

    def learned(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) -> (n, 256): the part that training changes, of any length."""
        edges, colors = self.outlines(images)
        return self._learned(edges, colors, self._outline(edges))

    def _learned(
        self, edges: torch.Tensor, colors: torch.Tensor, outline: torch.Tensor
    ) -> torch.Tensor:
        pooled = functional.avg_pool2d(edges, 2)
        maps = torch.cat([(pooled + TINY).sqrt(), functional.avg_pool2d(colors, 2)], dim=1)
        maps = self.stages(self.stem(maps))  # (n, 192, h / 32, w / 32)
        average = functional.adaptive_avg_pool2d(maps, 1).flatten(1)
        cells = functional.adaptive_avg_pool2d(self.layout(maps), LAYOUT_CELLS).flatten(1)
        together = torch.cat([average, cells, self.outline_norm(outline)], dim=1)
        return self.embedding(self.dropout(together))

    def _outline(self, edges: torch.Tensor) -> torch.Tensor:
        cells = functional.adaptive_avg_pool2d(edges, OUTLINE_CELLS)
        return _unit((cells + TINY).sqrt().flatten(1))

    def _colors(self, colors: torch.Tensor) -> torch.Tensor:
        cells = functional.adaptive_avg_pool2d(colors - self.white, OUTLINE_CELLS)
        return _unit(cells.flatten(1))


def _unit(rows: torch.Tensor) -> torch.Tensor:
    return rows / (rows.square().sum(dim=1, keepdim=True) + TINY).sqrt()


def _stage(n_in: int, n_out: int, n_blocks: int, stride: int) -> nn.Sequential:
    shortcut = None
    if stride != 1 or n_in != n_out:
        shortcut = Conv2dNormActivation(n_in, n_out, 1, stride, activation_layer=None)
    blocks = [BasicBlock(n_in, n_out, stride, shortcut)]
    blocks += [BasicBlock(n_out, n_out) for _ in range(n_blocks - 1)]
    return nn.Sequential(*blocks)
