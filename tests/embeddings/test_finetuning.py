"""From products on sale to a registered backbone that embeds them, with a narrow network."""

import pytest
from django.core.management import CommandError, call_command
from safetensors.torch import save_file

from catalog.models import Product
from embeddings.encoders import local_version, weights_folders
from embeddings.finetuning import labelled_sets
from embeddings.models import Backbone, ProductVector
from embeddings.nets.backbones import BACKBONES
from embeddings.nets.finetuned import find_finetuned
from embeddings.photo_sets import PhotoSetError
from tests.embeddings.drawn_photos import photo_of
from tests.embeddings.training.finetuning.labelled_drawings import NARROW, random_classifier
from tests.factories import CategoryFactory, ProductFactory, ProductImageFactory


@pytest.fixture
def shop(settings, tmp_path, monkeypatch):
    """24 products of two categories, and ImageNet weights that are random and narrow."""
    monkeypatch.setitem(BACKBONES, "mobilenet_v2", NARROW)
    settings.FASHREC_HOME = tmp_path / "home"
    settings.FASHREC_WEIGHTS_DIR = tmp_path / "weights"
    settings.FASHREC_WEIGHTS_DIR.mkdir()
    save_file(
        random_classifier().state_dict(), settings.FASHREC_WEIGHTS_DIR / "mobilenet_v2.safetensors"
    )
    for number in range(24):
        category = CategoryFactory(name=("Shirts", "Shoes")[number % 2])
        product = ProductFactory(
            category=category, title=f"title {number}", color=("Red", "Blue")[number // 2 % 2]
        )
        ProductImageFactory(product=product, content=photo_of(number % 2))


def finetune(**options):
    call_command(
        "finetune", labels="category,color", epochs=1, batch_size=4, side=32, views=1, **options
    )


@pytest.mark.django_db(transaction=True)  # indexes are built outside a transaction
def test_the_shop_s_own_photos_make_a_backbone_that_stands_beside_the_others(shop, capsys):
    call_command("embed_products", backbone=["color_layout"], inline=True)
    finetune(name="ours")
    ours = Backbone.objects.get(name="ours")
    assert ours.weights_sha256 == local_version("ours").weights_sha256
    assert ours.preprocessing["stretched_to"] == 32
    said = capsys.readouterr().out
    assert "catalogue: 24 labelled photos." in said
    assert "epoch 1 of 1: loss " in said
    assert "ours is registered" in said

    call_command("embed_products", backbone=["ours"], inline=True)
    n_vectors = {
        name: ProductVector.objects.filter(backbone__name=name).count()
        for name in ("color_layout", "ours")
    }
    assert n_vectors == {"color_layout": 24, "ours": 24}
    call_command("suggest_attributes", "ours")


@pytest.mark.django_db(transaction=True)
def test_a_refit_learns_from_validation_photos_and_keeps_mixture_and_calibration(shop, capsys):
    finetune(name="ours")
    capsys.readouterr()
    call_command("finetune", refit="ours")
    again, ours = (
        find_finetuned(name, weights_folders()).description for name in ("ours_refit", "ours")
    )
    assert (again.weights, again.temperatures, again.calibration) == (
        ours.weights,
        ours.temperatures,
        ours.calibration,
    )
    assert again.weights_sha256 != ours.weights_sha256
    assert again.training["settings"] == ours.training["settings"]
    counts = [sum(d.training["n_photos"]["train"].values()) for d in (ours, again)]
    assert counts[1] == counts[0] + ours.training["n_photos"]["validation"]["catalogue"]
    assert again.training["n_photos"]["validation"] == {"catalogue": 0}
    assert (again.training["refit"], again.metrics) == ("ours", {})
    assert "validation" not in capsys.readouterr().out
    with pytest.raises(CommandError, match="theirs is no fine-tuned backbone; there are: ours, "):
        call_command("finetune", refit="theirs")


@pytest.mark.django_db
def test_a_refit_needs_photos_with_the_same_labels(shop):
    finetune(name="ours")
    Product.objects.update(color="")
    with pytest.raises(CommandError, match="ours tells category, color, and these photos say cat"):
        call_command("finetune", refit="ours")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["color_layout", "resnet50", "../x", "Big"])
def test_a_name_that_is_taken_or_no_file_s_is_refused(shop, name):
    with pytest.raises(CommandError, match="expected a new one of small letters"):
        finetune(name=name)


@pytest.mark.django_db
def test_a_folder_that_is_not_there_is_named(shop, tmp_path):
    with pytest.raises(CommandError, match="nowhere is not a folder"):
        finetune(photos=[tmp_path / "nowhere"])


@pytest.mark.django_db
def test_an_empty_catalogue_is_no_photo_set():
    with pytest.raises(PhotoSetError, match="no product on sale has a photo"):
        labelled_sets()
