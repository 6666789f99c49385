"""Products with drawn photos and hand-placed vectors, ready to be compared."""

from io import BytesIO

from embeddings.models import Backbone, ProductVector
from tests.embeddings.duplicates.test_fingerprints import BLUE, shirt
from tests.factories import (
    BackboneFactory,
    EmbeddingFactory,
    ProductFactory,
    ProductImageFactory,
    ProductVectorFactory,
)

ON_BLUE = (90, 140, 200)


def png(photo) -> bytes:
    buffer = BytesIO()
    photo.save(buffer, "PNG")
    return buffer.getvalue()


def add_product(backbone: Backbone, item_id: str, photo, vector, **fields) -> ProductVector:
    product = ProductFactory(item_id=item_id, **fields)
    image = ProductImageFactory(product=product, content=png(photo))
    embedding = EmbeddingFactory(image=image, backbone=backbone, vector=vector)
    return ProductVectorFactory(
        product=product, backbone=backbone, embedding=embedding, vector=vector
    )


def shirts() -> Backbone:
    """Two photos of one shirt, "red" and "red-copy", and a blue one of the same cut."""
    backbone = BackboneFactory()
    add_product(backbone, "red", shirt(), [1, 0, 0], title="Striped shirt")
    add_product(backbone, "red-copy", shirt(background=ON_BLUE), [0.8, 0.6, 0], title="Shirt, red")
    add_product(backbone, "blue", shirt(BLUE), [0.96, 0.28, 0], title="Blue shirt")
    return backbone
