"""Embedding photos in this process, by the descriptor that needs no weights."""

import io

import numpy as np
import pytest
from django.core.files.base import ContentFile
from PIL import Image

from catalog.models import Product, ProductImage
from embeddings import color_layout, pipeline, services
from embeddings.claims import MAX_ATTEMPTS
from embeddings.encoders import cached_encoder, load_encoder, unit_vectors
from embeddings.models import Backbone, Embedding, ProductVector
from embeddings.nets.errors import WeightsUnavailable
from embeddings.querysets import MaskMethod
from tests.embeddings.drawn_photos import (
    map_with_garment,
    map_without_garment,
    photo_of,
)
from tests.factories import ProductFactory, ProductImageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def backbone():
    return services.register_backbone(name="color_layout")


def drawn_images(n_images, **options):
    return [ProductImageFactory(content=photo_of(seed), **options) for seed in range(n_images)]


def test_every_photo_gets_a_vector_of_length_one_and_serves_its_product(backbone):
    images = drawn_images(5)

    summary = services.embed_missing(backbone=backbone)

    ids, vectors = services.primary_vectors(backbone=backbone)
    assert (summary.n_ready, summary.n_failed) == (5, 0)
    assert ids.tolist() == [image.product_id for image in images]
    assert ids.dtype == np.int64
    assert vectors.shape == (5, color_layout.DIMENSION)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    alone = color_layout.describe_photo(Image.open(io.BytesIO(photo_of(3))))
    np.testing.assert_allclose(vectors[3], alone / np.linalg.norm(alone), atol=1e-3)


def test_embedding_again_does_nothing(backbone):
    drawn_images(3)
    services.embed_missing(backbone=backbone)
    before = list(Embedding.objects.order_by("pk").values_list("pk", "updated_at"))

    summary = services.embed_missing(backbone=backbone)

    assert (summary.n_ready, summary.n_failed) == (0, 0)
    assert list(Embedding.objects.order_by("pk").values_list("pk", "updated_at")) == before


def test_progress_counts_up_to_all_photos(backbone, monkeypatch):
    monkeypatch.setattr(services, "BATCH_SIZE", 2)
    drawn_images(5)
    seen = []

    services.embed_missing(backbone=backbone, on_progress=lambda *counts: seen.append(counts))

    assert seen == [(2, 5), (4, 5), (5, 5)]


def test_masked_and_whole_embeddings_of_one_photo_live_side_by_side(backbone):
    drawn_images(1, segmentation=map_with_garment())

    services.embed_missing(backbone=backbone)
    services.embed_missing(backbone=backbone, mask_method=MaskMethod.NONE)

    vectors = {
        method: services.primary_vectors(backbone=backbone, mask_method=method)[1]
        for method in MaskMethod
    }
    served = services.primary_vectors(backbone=backbone)[1]
    assert Embedding.objects.current().count() == 2
    assert float((vectors["segmentation_map"] @ vectors["none"].T).item()) < 0.99
    np.testing.assert_array_equal(served, vectors["segmentation_map"])


def test_a_broken_photo_is_failed_with_its_reason_and_the_others_go_on(backbone):
    content = photo_of(1)
    drawn_images(2)
    broken = ProductImageFactory(content=content[: len(content) // 2])
    gone = ProductImageFactory(content=photo_of(7))
    gone.image.storage.delete(gone.image.name)
    all_masked = ProductImageFactory(content=photo_of(8), segmentation=map_without_garment())

    summary = services.embed_missing(backbone=backbone)

    errors = dict(Embedding.objects.filter(state="failed").values_list("image_id", "error"))
    assert (summary.n_ready, summary.n_failed) == (2, 3)
    assert errors[broken.pk].startswith("unreadable: ")
    assert errors[gone.pk].startswith("file missing: ")
    assert "leaves no garment pixel" in errors[all_masked.pk]
    assert ProductVector.objects.count() == 2


def test_failed_photos_are_tried_again_only_when_asked_for(backbone):
    image = ProductImageFactory(content=b"no photo")
    services.embed_missing(backbone=backbone)
    image.image.storage.delete(image.image.name)
    image.image.storage.save(image.image.name, ContentFile(photo_of(1)))

    again = services.embed_missing(backbone=backbone)
    n_forgotten = services.forget_failures(backbone=backbone)
    retried = services.embed_missing(backbone=backbone)

    assert (again.n_ready, again.n_failed) == (0, 0)
    assert n_forgotten == 1
    assert (retried.n_ready, retried.n_failed) == (1, 0)


def encoded(image, image_format="PNG", **options):
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def rotated_by_exif():
    exif = Image.Exif()
    exif[0x0112] = 8
    return encoded(Image.open(io.BytesIO(photo_of(1))), exif=exif)


ODD_PHOTOS = {
    "CMYK": encoded(Image.new("CMYK", (9, 9), (10, 200, 0, 30)), "JPEG"),
    "16-bit": encoded(Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000)),
    "alpha": encoded(Image.new("RGBA", (9, 9), (10, 200, 0, 30))),
    "rotated": rotated_by_exif(),
    "one pixel": encoded(Image.new("RGB", (1, 1), (10, 200, 0))),
    "animated": encoded(
        Image.new("RGB", (9, 9), "red"),
        "GIF",
        save_all=True,
        append_images=[Image.new("RGB", (9, 9), "blue")],
    ),
    "all white": encoded(Image.new("RGB", (9, 9), "white")),
    "all black": encoded(Image.new("RGB", (9, 9), "black")),
    "truncated": photo_of(1)[:60],
    "empty": b"",
    "a page": b"<html></html>",
}


@pytest.mark.parametrize("content", ODD_PHOTOS.values(), ids=ODD_PHOTOS.keys())
def test_any_file_ends_as_a_vector_of_length_one_or_a_reason(backbone, content):
    ProductImageFactory(content=content)

    services.embed_missing(backbone=backbone)

    row = Embedding.objects.get()
    if row.state == Embedding.State.READY:
        assert np.linalg.norm(np.array(row.vector)) == pytest.approx(1, abs=1e-3)
    else:
        assert row.error
    readable = content not in (ODD_PHOTOS["truncated"], b"", ODD_PHOTOS["a page"])
    assert (row.state == Embedding.State.READY) == readable


def test_a_photo_and_its_turned_copy_with_an_orientation_are_the_same(backbone):
    upright = Image.open(io.BytesIO(photo_of(1)))
    exif = Image.Exif()
    exif[0x0112] = 6
    ProductImageFactory(content=encoded(upright))
    ProductImageFactory(content=encoded(upright.transpose(Image.Transpose.ROTATE_90), exif=exif))

    services.embed_missing(backbone=backbone)

    _, vectors = services.primary_vectors(backbone=backbone)
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_vectors_without_direction_become_reasons():
    features = np.array([[3, 4], [0, 0], [np.nan, 1], [np.inf, 0]], np.float32)

    first, *others = unit_vectors(features)

    np.testing.assert_allclose(first, [0.6, 0.8], rtol=1e-6)
    assert [str(other) for other in others] == [
        f"the backbone gave a vector of length {length}, expected a positive one"
        for length in ("0.0", "nan", "inf")
    ]


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(change)`: run `change` between the decoding and the storing of a batch."""

    def arrange(change):
        def store_after_change(claim, outcomes):
            change()
            return store_outcomes(claim, outcomes)

        store_outcomes = pipeline._store_outcomes
        monkeypatch.setattr(pipeline, "_store_outcomes", store_after_change)

    return arrange


def test_the_late_result_of_a_replaced_photo_is_not_served(backbone, meanwhile):
    old, other = drawn_images(2)
    meanwhile(lambda: ProductImage.objects.filter(pk=old.pk).update(sha256="e" * 64))

    summary = services.embed_missing(backbone=backbone)

    assert summary.n_ready == 1
    assert not Embedding.objects.current().filter(image=old).exists()
    assert list(ProductVector.objects.values_list("product_id", flat=True)) == [other.product_id]
    assert list(Embedding.objects.images_without(backbone)) == [old]


def test_a_product_deleted_meanwhile_leaves_no_orphan(backbone, meanwhile):
    gone, other = drawn_images(2)
    meanwhile(lambda: Product.objects.filter(pk=gone.product_id).delete())

    summary = services.embed_missing(backbone=backbone)

    assert summary.n_ready == 1
    assert list(Embedding.objects.values_list("image_id", flat=True)) == [other.pk]


def test_results_of_weights_that_were_replaced_meanwhile_are_not_stored(backbone, meanwhile):
    drawn_images(1)
    meanwhile(lambda: Backbone.objects.update(weights_sha256="e" * 64))

    with pytest.raises(RuntimeError, match="registered with other weights"):
        services.embed_missing(backbone=backbone)

    assert not Embedding.objects.filter(state="ready").exists()
    assert not ProductVector.objects.exists()


def test_registering_other_weights_retires_the_served_vectors_at_once(backbone):
    drawn_images(2)
    services.embed_missing(backbone=backbone)
    Backbone.objects.update(weights_sha256="e" * 64)

    again = services.register_backbone(name="color_layout")

    assert again.pk == backbone.pk
    assert again.weights_sha256 == load_encoder("color_layout").version.weights_sha256
    assert not ProductVector.objects.exists()
    assert services.embed_missing(backbone=again).n_ready == 0  # the old rows fit again
    assert ProductVector.objects.count() == 2


def test_another_preprocessing_under_the_same_weights_embeds_everything_anew(backbone):
    drawn_images(2)
    services.embed_missing(backbone=backbone)
    Backbone.objects.update(preprocessing={"width": 1})

    again = services.register_backbone(name="color_layout")

    assert not ProductVector.objects.exists()
    assert services.embed_missing(backbone=again).n_ready == 2


def test_registering_the_same_weights_again_keeps_everything(backbone):
    drawn_images(2)
    services.embed_missing(backbone=backbone)

    services.register_backbone(name="color_layout")

    assert ProductVector.objects.count() == 2


def test_a_process_with_other_weights_than_registered_refuses_to_embed(backbone):
    with pytest.raises(WeightsUnavailable, match="the weights of color_layout found here have"):
        cached_encoder("color_layout", "e" * 64)


def test_an_unknown_backbone_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown backbone 'alexnet': expected one of resnet50"):
        services.register_backbone(name="alexnet")


def test_a_stopped_run_loses_at_most_the_batches_in_work_and_counts_no_attempt(
    backbone, monkeypatch
):
    monkeypatch.setattr(services, "BATCH_SIZE", 2)
    drawn_images(8)

    def stop(n_done, n_total):
        if n_done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        services.embed_missing(backbone=backbone, on_progress=stop)

    assert Embedding.objects.filter(state="ready").count() == 4
    assert not Embedding.objects.filter(state="started", attempts__gt=0).exists()
    assert services.embed_missing(backbone=backbone).n_ready == 4


def test_a_photo_that_three_processes_were_lost_over_is_given_up(backbone):
    hopeless, hopeful = drawn_images(2)
    for image, attempts in ((hopeless, MAX_ATTEMPTS), (hopeful, MAX_ATTEMPTS - 1)):
        Embedding.objects.create(
            image=image,
            backbone=backbone,
            mask_method="none",
            state="started",
            attempts=attempts,
            image_sha256=image.sha256,
            weights_sha256=backbone.weights_sha256,
        )

    summary = services.embed_missing(backbone=backbone)

    states = dict(Embedding.objects.values_list("image_id", "state"))
    assert (summary.n_ready, summary.n_failed) == (1, 1)
    assert states == {hopeless.pk: "failed", hopeful.pk: "ready"}
    assert Embedding.objects.get(image=hopeless).error == "worker lost"
    assert Embedding.objects.get(image=hopeful).attempts == MAX_ATTEMPTS


def test_attempts_on_an_older_photo_do_not_count_against_the_new_one(backbone):
    (image,) = drawn_images(1)
    Embedding.objects.create(
        image=image,
        backbone=backbone,
        mask_method="none",
        state="started",
        attempts=MAX_ATTEMPTS,
        image_sha256="e" * 64,
        weights_sha256=backbone.weights_sha256,
    )

    assert services.embed_missing(backbone=backbone).n_ready == 1
    assert Embedding.objects.get().attempts == 1


def test_a_better_view_that_arrives_later_serves_the_product(backbone):
    product = ProductFactory()
    ProductImageFactory(product=product, view="back", content=photo_of(1))
    services.embed_missing(backbone=backbone)
    front = ProductImageFactory(product=product, view="front", content=photo_of(2))

    services.embed_missing(backbone=backbone)

    assert ProductVector.objects.get().embedding.image == front


def test_a_lost_product_vector_comes_back_with_the_next_run(backbone):
    drawn_images(2)
    services.embed_missing(backbone=backbone)
    ProductVector.objects.all().delete()

    summary = services.embed_missing(backbone=backbone)

    assert summary.n_ready == 0
    assert ProductVector.objects.count() == 2


def test_vectors_of_inactive_products_are_left_out(backbone):
    images = drawn_images(3)
    services.embed_missing(backbone=backbone)
    Product.objects.filter(pk=images[1].product_id).update(is_active=False)

    for mask_method in (None, MaskMethod.NONE):
        ids, _ = services.primary_vectors(backbone=backbone, mask_method=mask_method)
        assert ids.tolist() == [images[0].product_id, images[2].product_id]


def test_vectors_of_an_empty_catalogue_have_their_shape(backbone):
    ids, vectors = services.primary_vectors(backbone=backbone)

    assert ids.shape == (0,)
    assert vectors.shape == (0, color_layout.DIMENSION)
