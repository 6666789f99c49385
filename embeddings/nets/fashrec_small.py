"""The small network that is shipped with the package: 112 pixels in, 256 values out."""

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock
from torchvision.ops import Conv2dNormActivation

DIMENSION = 256
WIDTH = 40  # channels of the first stage; each later stage has twice as many
BLOCKS = (1, 2, 2, 1)
LAYOUT_CHANNELS, LAYOUT_CELLS = 32, 4


class FashrecSmall(nn.Module):
    """A narrow residual network that keeps where things are: (n, 3, h, w) -> (n, 256).

    The last stage is averaged over the photo and, through a narrow layer, over 4 x 4 cells; a
    garment's kind shows in its outline, which an average alone forgets.

    Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, basic blocks; the
    cells beside the average are ours.
    """

    def __init__(self, width: int = WIDTH, dimension: int = DIMENSION) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.stem = nn.Sequential(
            Conv2dNormActivation(3, width // 2, stride=2),
            Conv2dNormActivation(width // 2, width, stride=2),
        )
        inputs = [width, *widths[:-1]]
        self.stages = nn.Sequential(
            *(
                _stage(n_in, n_out, n_blocks, stride=1 if index == 0 else 2)
                for index, (n_in, n_out, n_blocks) in enumerate(
                    zip(inputs, widths, BLOCKS, strict=True)
                )
            )
        )
        self.layout = Conv2dNormActivation(widths[-1], LAYOUT_CHANNELS, kernel_size=1)
        n_layout = LAYOUT_CHANNELS * LAYOUT_CELLS**2
        self.embedding = nn.Linear(widths[-1] + n_layout, dimension)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) normalised photos -> (n, dimension), not of unit length."""
        maps = self.stages(self.stem(images))  # (n, 8 * width, h / 32, w / 32)
        average = nn.functional.adaptive_avg_pool2d(maps, 1).flatten(1)
        cells = nn.functional.adaptive_avg_pool2d(self.layout(maps), LAYOUT_CELLS).flatten(1)
        return self.embedding(torch.cat([average, cells], dim=1))


def _stage(n_in: int, n_out: int, n_blocks: int, stride: int) -> nn.Sequential:
    shortcut = None
    if stride != 1 or n_in != n_out:
        shortcut = Conv2dNormActivation(n_in, n_out, 1, stride, activation_layer=None)
    blocks = [BasicBlock(n_in, n_out, stride, shortcut)]
    blocks += [BasicBlock(n_out, n_out) for _ in range(n_blocks - 1)]
    return nn.Sequential(*blocks)
