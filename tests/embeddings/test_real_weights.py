"""The real mobilenet_v2 on real photos; skipped where they are absent."""

import numpy as np
import pytest
from PIL import Image

from embeddings import services
from embeddings.admission import candidate_ways, choose_way
from embeddings.models import Backbone, FidelityCheck
from embeddings.querysets import MaskMethod
from tests.factories import ProductImageFactory

pytestmark = pytest.mark.django_db
SHA256 = "0fd1534f8664a254658ce5abbaf8aaf57a4f8e506491e5be623634337e079fec"


@pytest.fixture
def mobilenet(shared_data, settings) -> Backbone:
    settings.FASHREC_WEIGHTS_DIR = shared_data / "weights"
    return services.register_backbone(name="mobilenet_v2")


def street_photos(shared_data, n_photos):
    """The first photos and their maps, as (photo, map) bytes."""
    folder = shared_data / "deepfashion_format"
    photos = sorted((folder / "images").glob("*.jpg"))[:n_photos]
    return [
        (photo.read_bytes(), (folder / "segm" / f"{photo.stem}_segm.png").read_bytes())
        for photo in photos
    ]


def test_the_weights_are_registered_by_their_hash_and_chosen_when_they_are_here(mobilenet):
    assert (mobilenet.dimension, mobilenet.weights_sha256) == (1280, SHA256)
    assert services.best_backbone() == "mobilenet_v2"


def test_masked_and_whole_photos_differ_and_each_is_most_like_itself(mobilenet, shared_data):
    for photo, segmentation in street_photos(shared_data, 8):
        ProductImageFactory(content=photo, segmentation=segmentation)

    services.embed_missing(backbone=mobilenet)
    services.embed_missing(backbone=mobilenet, mask_method=MaskMethod.NONE)

    _, masked = services.primary_vectors(backbone=mobilenet)
    _, whole = services.primary_vectors(backbone=mobilenet, mask_method=MaskMethod.NONE)
    own = (masked * whole).sum(axis=1)
    assert own.max() < 0.99
    assert own.mean() > (masked @ whole.T).mean()
    assert ((masked @ masked.T).argmax(axis=1) == np.arange(8)).all()


def test_a_photo_saved_anew_stays_nearer_to_itself_than_to_others(mobilenet, shared_data, tmp_path):
    files = sorted((shared_data / "catalog" / "images").glob("*.jpg"))[:6]
    for file in files:
        Image.open(file).save(tmp_path / "again.jpg", quality=60)
        ProductImageFactory(content=file.read_bytes())
        ProductImageFactory(content=(tmp_path / "again.jpg").read_bytes())

    services.embed_missing(backbone=mobilenet)

    _, vectors = services.primary_vectors(backbone=mobilenet)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    assert similarity.argmax(axis=1).tolist() == [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10]
    assert similarity[::2, 1::2].diagonal().min() > 0.8


def test_the_fastest_way_of_this_machine_is_faithful_on_real_photos(mobilenet, shared_data):
    for file in sorted((shared_data / "catalog" / "images").glob("*.jpg"))[:96]:
        ProductImageFactory(content=file.read_bytes())

    decision = choose_way(mobilenet, min_photos=96)

    (check,) = FidelityCheck.objects.exclude(way="reduced decoding")
    assert decision.way == candidate_ways()[0]
    assert (check.is_admitted, check.figures["n_photos"]) == (True, 96)
    assert FidelityCheck.objects.get(way="reduced decoding").figures["worst_cosine"] > 0.995
