"""The backbones' shapes, their crops, and how features come out."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import get_model_weights
from torchvision.transforms import v2

from embeddings.nets.backbones import BACKBONES
from embeddings.nets.crops import crop_photo
from embeddings.nets.networks import Network
from tests.embeddings.nets.tiny_backbone import TINY

DIMENSIONS = {"resnet50": 2048, "densenet121": 1024, "vgg16": 4096, "mobilenet_v2": 1280}


def noise(width, height, seed=0):
    values = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize(("name", "dimension"), DIMENSIONS.items())
def test_a_backbone_gives_its_penultimate_layer(name, dimension):
    spec = BACKBONES[name]
    with torch.device("meta"):  # shapes without parameters
        features = spec.cut(spec.build_classifier())(torch.empty(2, 3, 224, 224))

    assert features.shape == (2, dimension)
    assert spec.dimension == dimension


@pytest.mark.parametrize("spec", [BACKBONES[name] for name in DIMENSIONS], ids=DIMENSIONS)
def test_a_backbone_names_its_weights_as_torchvision_publishes_them(spec):
    assert spec.url == get_model_weights(spec.name)["IMAGENET1K_V1"].url


@pytest.mark.parametrize("size", [(168, 224), (224, 168), (256, 256), (401, 333), (31, 40), (1, 1)])
def test_a_crop_is_what_torchvision_makes_of_the_photo(size):
    photo = noise(*size)
    reference = v2.Compose([v2.Resize(256), v2.CenterCrop(224)])(photo)

    crop = crop_photo(photo)

    assert crop.shape == (224, 224, 3)
    assert (crop == np.asarray(reference)).all()


@pytest.mark.parametrize("size", [(1, 50_000), (50_000, 1), (3, 400)])
def test_the_crop_of_a_strip_takes_little_memory_and_has_full_size(size):
    assert crop_photo(noise(*size)).shape == (224, 224, 3)


def test_the_features_of_a_photo_do_not_depend_on_its_batch():
    torch.manual_seed(0)
    network = Network(TINY, TINY.cut(TINY.build_classifier()), device="cpu")
    crops = np.stack([crop_photo(noise(30, 40, seed)) for seed in range(11)])  # beyond one chunk

    together = network.features(crops)
    alone = np.concatenate([network.features(crop[None]) for crop in crops])

    assert together.shape == (11, TINY.dimension)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_photos_are_normalised_by_imagenet_statistics():
    class Identity(torch.nn.Module):
        def forward(self, images):
            return images[:, :, 0, 0]

    network = Network(TINY, Identity(), device="cpu")
    white = np.full((1, 224, 224, 3), 255, np.uint8)

    expected = [[(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]]
    np.testing.assert_allclose(network.features(white), expected, rtol=1e-5)
