"""The network that is shipped with the package."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from embeddings.nets.backbones import BACKBONES
from embeddings.nets.errors import WeightsUnavailable
from embeddings.nets.fashrec_small import LEARNED, FashrecSmall
from embeddings.nets.networks import load_network
from embeddings.nets.weights import WeightsSource
from embeddings.training.distillation.storing import store_student

SPEC = BACKBONES["fashrec_small"]


@pytest.mark.parametrize("side", [112, 128, 224])
def test_it_takes_photos_of_several_sizes(side):
    with torch.device("meta"):
        assert FashrecSmall()(torch.empty(3, 3, side, side)).shape == (3, SPEC.dimension)


def test_a_mirrored_photo_has_the_same_learned_part():
    torch.manual_seed(0)
    student, images = FashrecSmall().eval(), torch.rand(2, 3, 128, 128)
    with torch.no_grad():
        vectors, mirrored = student(images), student(images.flip(3))
        assert not torch.allclose(student.learned(images), student.learned(images.flip(3)))
    torch.testing.assert_close(vectors[:, :LEARNED], mirrored[:, :LEARNED])
    torch.testing.assert_close(vectors[:, :LEARNED].norm(dim=1), torch.ones(2))


def test_what_is_stored_is_small_and_loads_as_it_was(tmp_path):
    torch.manual_seed(0)
    student = FashrecSmall().eval()
    for layer in student.modules():  # as after a training, so that fusing them changes weights
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.3, 2)
    n_bytes = store_student(student, {"recipe": 1}, tmp_path / "fashrec_small.safetensors")
    assert n_bytes < 6_000_000
    network, sha256 = load_network(SPEC, WeightsSource(tmp_path))
    record = json.loads((tmp_path / "fashrec_small.json").read_text())
    assert record == {"recipe": 1, "sha256": sha256, "bytes": n_bytes}
    crops = np.random.default_rng(0).integers(0, 255, (5, 128, 128, 3), dtype=np.uint8)
    found = network.features(crops)
    images = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    mean = torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1) * 255
    deviation = torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1) * 255
    with torch.no_grad():
        expected = student((images - mean) / deviation).numpy()
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


def test_values_beyond_fp16_are_not_stored(tmp_path):
    student = FashrecSmall()
    student.embedding.bias.data[0] = 1e6
    with pytest.raises(ValueError, match=r"embedding\.bias holds values beyond fp16"):
        store_student(student, {}, tmp_path / "x.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_without_its_file_it_says_so(tmp_path):
    spec = replace(SPEC, weights_file="nowhere.safetensors")
    with pytest.raises(WeightsUnavailable, match=r"nowhere\.safetensors is missing"):
        load_network(spec, WeightsSource(tmp_path))


def test_the_shipped_weights_are_those_that_their_record_tells_of(tmp_path):
    file = SPEC.bundled_file
    record = json.loads(file.with_suffix(".json").read_text())
    assert record["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.stat().st_size <= 6_000_000
    network, _ = load_network(SPEC, WeightsSource(tmp_path))
    crops = np.random.default_rng(0).integers(0, 255, (2, 128, 128, 3), dtype=np.uint8)
    features = network.features(crops)
    assert np.isfinite(features).all()
    assert np.abs(features[0] - features[1]).max() > 0.01
