"""A backbone in eight bits: calibrated on photos by NNCF, kept as a file, run by OpenVINO.

For processors that multiply eight bits fast and bf16 not at all.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from openvino import Core, save_model
from torch import nn

from embeddings.nets.openvino_network import PHOTOS_PER_REQUEST, OpenVinoNetwork, as_model

# Convolutions at the network's beginning that keep their precision, as eight bits lose most there:
# of MobileNetV2's 52 three gave a mean-centred cosine of .9945, eight .9951, fourteen .9953; wanted
# is .995.
LEFT_ALONE = 14


def quantise(module: nn.Module, crops: np.ndarray, file: Path) -> None:
    """Write `module` in eight bits to `file` (.xml; its values lie beside it in .bin).

    Both are replaced as a whole, the .xml last.

    Args:
        module: in inference mode, on the CPU, (n, 3, side, side) -> (n, dimension).
        crops: (n, side, side, 3) uint8, photos as it will see them; some 300 are enough.
        file: where it is kept.
    """
    with _silent_nncf() as nncf:
        side = crops.shape[1]
        model = as_model(module, side)
        model.reshape([1, side, side, 3])
        nodes = [node for node in model.get_ordered_ops() if "Convolution" in node.get_type_name()]
        small = nncf.quantize(
            model,
            nncf.Dataset([crop[None] for crop in crops]),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(crops),
            fast_bias_correction=False,
            ignored_scope=nncf.IgnoredScope(
                names=[node.get_friendly_name() for node in nodes[:LEFT_ALONE]]
            ),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                overflow_fix=nncf.OverflowFix.DISABLE  # for processors without VNNI
            ),
        )
    small.reshape([PHOTOS_PER_REQUEST, side, side, 3])
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.stem}.{os.getpid()}.part.xml")
    save_model(small, partial, compress_to_fp16=False)
    partial.with_suffix(".bin").replace(file.with_suffix(".bin"))
    partial.replace(file)


def load_quantised(file: Path, *, n_threads: int) -> OpenVinoNetwork:
    """What `quantise` wrote; whatever is not in eight bits runs in fp32."""
    return OpenVinoNetwork(Core().read_model(file), precision="f32", n_threads=n_threads)


@contextmanager
def _silent_nncf() -> Iterator[object]:
    """NNCF, which else reports its use to its maker unless in CI, and each layer to the log."""
    with patch.dict(os.environ, {"CI": "true"}):
        import nncf

        nncf.set_log_level(logging.ERROR)
        yield nncf
