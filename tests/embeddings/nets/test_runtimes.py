"""Runtimes: which there are, and that each gives the reference's features."""

import numpy as np
import pytest
import torch

from embeddings.nets import int8, runtimes
from embeddings.nets.fidelity import cosines
from embeddings.nets.int8 import load_quantised, quantise
from embeddings.nets.networks import Network
from embeddings.nets.runtimes import (
    CUDA,
    OPENVINO_BF16,
    OPENVINO_FP32,
    OPENVINO_INT8,
    REFERENCE,
    TORCH_BF16,
    accelerated,
    available_runtimes,
)
from tests.embeddings.nets.tiny_backbone import TINY

CROPS = np.random.default_rng(0).integers(0, 255, (11, 224, 224, 3), dtype=np.uint8)


@pytest.fixture
def reference():
    torch.manual_seed(0)
    return Network(TINY, TINY.cut(TINY.build_classifier()))


def processor_with(monkeypatch, flags):
    monkeypatch.setattr(runtimes, "_cpuinfo", lambda: ["model name : P", f"flags : sse {flags}"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_a_processor_with_bf16_is_offered_it_first(monkeypatch):
    processor_with(monkeypatch, "avx512_bf16")
    monkeypatch.setattr(runtimes, "find_spec", lambda name: object())

    assert available_runtimes() == [OPENVINO_BF16, OPENVINO_FP32, TORCH_BF16, REFERENCE]


def test_a_processor_without_bf16_is_not_offered_it(monkeypatch):
    processor_with(monkeypatch, "avx2")
    monkeypatch.setattr(runtimes, "find_spec", lambda name: object())

    assert available_runtimes() == [OPENVINO_FP32, REFERENCE]


@pytest.mark.parametrize(("flags", "can"), [("avx512_vnni", True), ("avx2", False)])
def test_eight_bits_need_photos_and_a_processor_that_is_fast_at_them(monkeypatch, flags, can):
    processor_with(monkeypatch, flags)
    monkeypatch.setattr(runtimes, "find_spec", lambda name: object())

    assert OPENVINO_INT8 not in available_runtimes()
    assert (OPENVINO_INT8 in available_runtimes(with_calibrated=True)) == can


def test_without_openvino_there_is_torch(monkeypatch):
    processor_with(monkeypatch, "amx_bf16")
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None)

    assert available_runtimes() == [TORCH_BF16, REFERENCE]


def test_a_system_that_does_not_name_its_processor_can_still_embed(monkeypatch):
    monkeypatch.setattr(runtimes, "_cpuinfo", list)

    assert available_runtimes()[-1] == REFERENCE
    assert "torch" in runtimes.circumstances()


@pytest.mark.parametrize(
    ("runtime", "worst"),
    [(OPENVINO_FP32, 0.999999), (OPENVINO_BF16, 0.999), (TORCH_BF16, 0.999), (CUDA, 0.999)],
)
def test_a_runtime_gives_the_features_of_the_reference(reference, runtime, worst):
    if runtime not in available_runtimes():
        pytest.skip(f"this machine has no {runtime}")
    before = reference.features(CROPS)

    network = accelerated(reference, runtime)

    for n_photos in (11, 4, 1):
        found = network.features(CROPS[:n_photos])
        assert found.shape == (n_photos, TINY.dimension)
        assert found.dtype == np.float32
        assert cosines(found, before[:n_photos]).min() > worst
    np.testing.assert_array_equal(reference.features(CROPS), before)


def test_eight_bits_are_kept_in_two_files_and_come_near_the_reference(
    reference, tmp_path, monkeypatch
):
    monkeypatch.setattr(int8, "LEFT_ALONE", 0)  # the tiny network has one convolution
    file = tmp_path / "new" / "tiny.xml"

    quantise(reference.module, CROPS, file)

    assert sorted(path.name for path in file.parent.iterdir()) == ["tiny.bin", "tiny.xml"]
    found = load_quantised(file, n_threads=1).features(CROPS)
    similar = cosines(found, reference.features(CROPS))
    assert 0.98 < similar.min() < 0.9999999
