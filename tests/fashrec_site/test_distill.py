"""`manage.py distill` with a tiny teacher and a handful of drawn photos."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from embeddings.encoders import load_encoder
from embeddings.nets.backbones import BACKBONES
from tests.embeddings.nets.tiny_backbone import TINY, as_safetensors, tiny_state
from tests.embeddings.training.distillation.photos import draw_phone_photos


@pytest.fixture
def world(settings, tmp_path, monkeypatch) -> Path:
    """A folder of twelve photos, a teacher, a home."""
    settings.FASHREC_HOME = tmp_path / "home"
    settings.FASHREC_WEIGHTS_DIR = tmp_path / "weights"
    settings.FASHREC_WEIGHTS_DIR.mkdir()
    (tmp_path / "weights" / "tiny.safetensors").write_bytes(as_safetensors(tiny_state(seed=1)))
    monkeypatch.setitem(BACKBONES, "tiny", TINY)
    photos = draw_phone_photos(tmp_path / "phones", n=12)
    lines = ["item_id,image,category,sender_id"]
    lines += [f"{p.item_id},{p.path.name},{p.labels['category']},{p.group}" for p in photos]
    (tmp_path / "phones" / "manifest.csv").write_text("\n".join(lines))
    return tmp_path


def distill(world: Path, *arguments: str) -> str:
    out = StringIO()
    sizes = ("--drawn", "0", "--epochs", "2", "--views-per-epoch", "16", "--batch-size", "8")
    output = ("--output", str(world / "home" / "weights" / "fashrec_small.safetensors"))
    options = ("--photos", str(world / "phones"), *sizes, *output, *arguments)
    call_command("distill", *options, stdout=out)
    return out.getvalue()


def test_a_distillation_stores_a_network_that_embeds_and_its_recipe(world):
    printed = distill(world, "--teacher", "tiny")
    assert "epoch 2 of 2" in printed
    record = json.loads((world / "home" / "weights" / "fashrec_small.json").read_text())
    assert record["photos"] == {"phones": 8}
    assert record["start"] == "random numbers"
    assert record["teacher"]["name"] == "tiny"
    assert len(record["log"]["losses"]) == 2
    encoder = load_encoder("fashrec_small")
    assert encoder.version.weights_sha256 == record["sha256"]
    assert encoder.version.preprocessing["stretched_to"] == 128


def test_the_same_seed_gives_the_same_network_and_a_start_another(world):
    weights = world / "home" / "weights" / "fashrec_small.safetensors"
    distill(world, "--teacher", "tiny")
    first = weights.read_bytes()
    assert list((world / "home" / "training").glob("distillation-*")) == []  # its checkpoint
    distill(world, "--teacher", "tiny")
    assert weights.read_bytes() == first
    start = world / "start.safetensors"
    start.write_bytes(first)
    distill(world, "--teacher", "tiny", "--start", str(start))
    assert weights.read_bytes() != first


def test_a_last_distillation_learns_from_the_validation_photos_too(world):
    printed = distill(world, "--teacher", "tiny", "--with-validation")
    assert "validation" not in printed
    record = json.loads((world / "home" / "weights" / "fashrec_small.json").read_text())
    assert (record["photos"], record["n_validation_views"]) == ({"phones": 12}, 0)
    assert (record["log"]["scores"], record["log"]["best_epoch"]) == ([], 2)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [("vgg99", "unknown backbone 'vgg99'"), ("color_layout", "color_layout is no network")],
)
def test_a_teacher_that_cannot_be_asked_is_refused(world, teacher, message):
    with pytest.raises(CommandError, match=message):
        distill(world, "--teacher", teacher)


def test_a_folder_without_labels_is_refused(world):
    (world / "phones" / "manifest.csv").unlink()
    with pytest.raises(CommandError, match="expected a name like"):
        distill(world, "--teacher", "tiny")
