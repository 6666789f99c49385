"""The command, in this process and without a worker."""

import socket

import pytest
from django.core.management import CommandError, call_command

from embeddings.models import Embedding
from embeddings.querysets import MaskMethod
from tests.embeddings.drawn_photos import map_with_garment, photo_of
from tests.factories import ProductImageFactory

pytestmark = pytest.mark.django_db(transaction=True)  # indexes are built outside a transaction


def test_without_a_worker_the_command_says_what_to_do():
    ProductImageFactory()

    with pytest.raises(CommandError, match=r"no Celery worker answered .*`make worker`.*--inline"):
        call_command("embed_products", backbone=["color_layout"])

    assert not Embedding.objects.exists()


def test_without_a_queue_the_command_says_what_to_do(settings):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"

    with pytest.raises(CommandError, match=r"the task queue cannot be reached .*--inline"):
        call_command("embed_products", backbone=["color_layout"])


def test_inline_several_backbones_embed_in_turn_and_again_do_nothing(capsys, tmp_path, settings):
    ProductImageFactory(content=photo_of(1))

    call_command("embed_products", backbone=["color_layout"], inline=True)
    call_command("embed_products", backbone=["color_layout"], inline=True)

    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("color_layout: 1 photos embedded, 0 failed in ")
    assert second == "color_layout: nothing is missing (1 embeddings)."


def test_failures_are_listed_each_time_and_retried_only_on_demand(capsys):
    image = ProductImageFactory(content=b"no photo")
    call_command("embed_products", backbone=["color_layout"], inline=True)
    capsys.readouterr()

    call_command("embed_products", backbone=["color_layout"], inline=True)
    listed = capsys.readouterr()
    call_command("embed_products", backbone=["color_layout"], inline=True, retry_failed=True)
    retried = capsys.readouterr()

    assert listed.out == "color_layout: nothing is missing (0 embeddings).\n"
    assert f"{image.product.item_id} (front): not an image" in listed.err
    assert "color_layout: trying 1 failed photos again." in retried.out
    assert "color_layout: 0 photos embedded, 1 failed" in retried.out


def test_a_mask_method_can_be_forced():
    ProductImageFactory(content=photo_of(1), segmentation=map_with_garment())

    call_command("embed_products", backbone=["color_layout"], inline=True, mask="none")

    assert Embedding.objects.get().mask_method == MaskMethod.NONE


def test_missing_weights_are_one_line_and_nothing_is_registered(settings, tmp_path, monkeypatch):
    settings.FASHREC_HOME, settings.FASHREC_WEIGHTS_DIR = tmp_path, None
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # a network that leads nowhere
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")

    with pytest.raises(CommandError, match="no weights for vgg16: looked for") as error:
        call_command("embed_products", backbone=["vgg16"], inline=True)

    assert "\n" not in str(error.value)
    assert not Embedding.objects.exists()


def test_an_interrupted_command_says_how_to_go_on(monkeypatch):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("embeddings.services.embed_missing", interrupted)

    with pytest.raises(CommandError, match="the same command goes on from there") as error:
        call_command("embed_products", backbone=["color_layout"], inline=True)

    assert error.value.returncode == 130


@pytest.fixture
def offline(settings, tmp_path, monkeypatch):
    """A home without weights, on a machine without a network."""
    settings.FASHREC_HOME, settings.FASHREC_WEIGHTS_DIR = tmp_path, None
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")


def test_offline_the_backbone_of_the_package_embeds_and_is_named_with_the_reason(offline, capsys):
    ProductImageFactory(content=photo_of(1))

    call_command("embed_products", inline=True)

    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith(
        "Backbone fashrec_small: it comes with the package; larger ones see more (no weights for"
    )
    assert second.startswith("fashrec_small: 1 photos embedded, 0 failed")


def test_without_even_that_one_the_descriptor_embeds(offline, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("embeddings.nets.backbones.BUNDLED_WEIGHTS", tmp_path)

    call_command("embed_products", inline=True)

    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(
        "Backbone color_layout: it needs no weights, and colour is all it sees (no weights for"
    )
