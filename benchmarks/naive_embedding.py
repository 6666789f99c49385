"""The public code's way to embed, re-implemented from its description.

One photo at a time: Pillow, a mask by comparing every pixel with each colour (`np.all`),
torchvision's transforms, the network in fp32 as torchvision builds it, one INSERT.
"""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import v2

from catalog.models import ProductImage
from embeddings.encoders import weights_source
from embeddings.masks import NON_GARMENT_COLORS
from embeddings.models import Backbone, Embedding
from embeddings.nets.backbones import BACKBONES
from embeddings.nets.networks import MEAN, STANDARD_DEVIATION, load_classifier
from embeddings.querysets import mask_fingerprint


class NaiveEmbedding:
    """The network as torchvision builds it, and the transforms of its documentation."""

    def __init__(self, backbone: Backbone) -> None:
        self.backbone, spec = backbone, BACKBONES[backbone.name]
        weights = weights_source().obtain(spec)
        self.network = spec.cut(load_classifier(spec, weights))
        self.transform = v2.Compose(
            [
                v2.Resize(256),
                v2.CenterCrop(224),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(MEAN, STANDARD_DEVIATION),
            ]
        )

    def embed(self, images: Sequence[ProductImage]) -> None:
        """Embed and insert the photos, which carry `mask_method`, one after the other."""
        for image in images:
            with torch.no_grad():
                features = self.network(self.transform(_masked(image)).unsqueeze(0))
            vector = features.squeeze(0).numpy()
            self._insert(image, vector / np.linalg.norm(vector))

    def _insert(self, image: ProductImage, vector: np.ndarray) -> None:
        Embedding.objects.create(
            image=image,
            backbone=self.backbone,
            mask_method=image.mask_method,
            state=Embedding.State.READY,
            vector=vector,
            image_sha256=image.sha256,
            mask_fingerprint=mask_fingerprint(image.mask_method, image.segmentation_sha256),
            weights_sha256=self.backbone.weights_sha256,
        )


def _masked(image: ProductImage) -> Image.Image:
    photo = Image.open(image.image.path).convert("RGB")
    if not image.segmentation_map:
        return photo
    colors = np.array(Image.open(image.segmentation_map.path).convert("RGB"))
    pixels = np.array(photo)
    for color in NON_GARMENT_COLORS.values():
        pixels[np.all(colors == np.array(color), axis=-1)] = 0
    return Image.fromarray(pixels)
