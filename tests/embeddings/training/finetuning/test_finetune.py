"""From labelled photos to a backbone's two files, with a network of random parameters."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import load_file

from embeddings.nets.backbones import BACKBONES
from embeddings.nets.crops import WholePhoto
from embeddings.nets.errors import WeightsRejected
from embeddings.nets.finetuned import KIND, find_finetuned, finetuned_names
from embeddings.nets.networks import load_network
from embeddings.nets.weights import WeightsSource, file_sha256
from embeddings.photos import read_photo
from embeddings.training.checkpoint import CheckpointMismatch
from tests.embeddings.training.finetuning.labelled_drawings import NARROW, SETTINGS, run, two_sets


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Photos, and what was made of them."""
    folder = tmp_path_factory.mktemp("trained")
    sets = two_sets(folder / "photos")
    sets["shop"][5].path.write_bytes(b"no photo")
    return sets, folder, run(sets, folder, replace(SETTINGS, measure_test=True))


def test_the_two_files_describe_what_was_trained(trained):
    _, folder, described = trained
    assert json.loads((folder / "mine.json").read_text()) == json.loads(json.dumps(described))
    assert described["heads"] == {
        "category": ["Dark", "Light"],
        "color": ["Blue", "Red"],
        "category@phone": ["Dark", "Light"],
    }
    assert described["weights_sha256"] == file_sha256(folder / "mine.safetensors")
    assert sum(weight**2 for weight in described["weights"].values()) == pytest.approx(1, abs=1e-5)
    assert set(described["metrics"]) == {"validation", "test"}


def test_it_leaves_no_checkpoint_and_no_views(trained):
    _, folder, _ = trained
    left = [path.name for path in (folder / "cache").rglob("*") if path.is_file()]
    assert sorted(left) == ["pixels.npy", "readable.npy"]


def test_the_files_load_as_a_backbone_whose_vectors_have_length_one(trained, monkeypatch):
    monkeypatch.setitem(BACKBONES, "mobilenet_v2", NARROW)
    sets, folder, described = trained
    spec = find_finetuned("mine", [folder])
    network, sha256 = load_network(spec, WeightsSource(cache_dir=folder))
    with sets["shop"][0].path.open("rb") as file:
        crop = WholePhoto(32).crop(read_photo(file))
    found = network.features(np.stack([crop, 255 - crop, crop]))
    assert sha256 == described["weights_sha256"]
    assert found.shape == (3, described["dimension"]) == (3, spec.dimension)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    assert found[0] == pytest.approx(found[2])
    assert abs(found[0] - found[1]).max() > 1e-3


def test_a_killed_training_gives_the_same_network(trained, tmp_path):
    sets, whole, _ = trained

    def kill(stage, done, total):
        if stage == "training" and done == 2:
            raise Killed

    with pytest.raises(Killed):
        run(sets, tmp_path, on_step=kill)
    assert not (tmp_path / "mine.safetensors").exists()
    with pytest.raises(CheckpointMismatch):
        run(sets, tmp_path, replace(SETTINGS, labels=("category",)))
    described = run(sets, tmp_path)
    assert described["training"]["log"]["n_resumed"] == 1
    a, b = load_file(tmp_path / "mine.safetensors"), load_file(whole / "mine.safetensors")
    assert all((a[name] == b[name]).all() for name in b)


def test_unreadable_photos_are_left_out(trained):
    parts = trained[2]["training"]["n_photos"].values()
    assert sum(part["shop"] for part in parts) == 31
    assert sum(part["phone"] for part in parts) == 16


def test_labels_that_no_set_has_are_an_error(tmp_path):
    sets = two_sets(tmp_path / "photos")
    with pytest.raises(ValueError, match="no label to learn: expected photos with sleeve"):
        run(sets, tmp_path, replace(SETTINGS, labels=("sleeve",)))


@pytest.mark.parametrize("side", [16, 100, 288])
def test_a_side_that_the_trunk_cannot_take_is_an_error(side):
    with pytest.raises(ValueError, match=f"side {side}: expected a multiple of 32"):
        replace(SETTINGS, side=side)


def test_files_are_found_by_name_in_the_first_folder_that_has_both(trained, tmp_path):
    _, folder, _ = trained
    (tmp_path / "mine.json").write_text("{}")
    assert find_finetuned("mine", [tmp_path, folder]).file == folder / "mine.safetensors"
    assert find_finetuned("other", [tmp_path, folder]) is None
    assert finetuned_names([tmp_path, folder]) == ["mine"]


@pytest.mark.parametrize("content", ["[", json.dumps({"kind": KIND})])
def test_a_broken_description_is_refused(tmp_path, content):
    (tmp_path / "mine.json").write_text(content)
    (tmp_path / "mine.safetensors").write_bytes(b"")
    with pytest.raises(WeightsRejected, match="no description of a backbone"):
        find_finetuned("mine", [tmp_path])
