"""Labels told of a folder's test part: the figures, and the file."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from embeddings.attributes import evaluation
from embeddings.encoders import BackboneVersion
from embeddings.photo_sets import LabelledPhoto
from tests.embeddings.attributes.told import description, registered
from tests.embeddings.drawn_photos import photo_of

pytestmark = pytest.mark.django_db
# By the split's hash "b" is trained on; these four are tested.
TESTED = ("a", "e", "f", "q5")


class RedTeller:
    """Stands in for a network: tells Shirts, MEN, and .6 of Red of every photo."""

    version = BackboneVersion("mine", description()["dimension"], "1" * 64, {})

    def prepare(self, photo, coverage, mask):
        assert photo.image.size == photo.size
        return np.zeros(1)

    def encode(self, prepared):
        told = np.sqrt([1.0, 0.0, 0.2, 0.6, 0.2, 1.0])
        vector = np.concatenate([np.full(4, 0.5**0.5), told]) * 5**-0.5
        return np.repeat(vector[None], len(prepared), axis=0)


@pytest.fixture
def photos(tmp_path, settings, monkeypatch):
    settings.FASHREC_WEIGHTS_DIR = tmp_path / "weights"
    registered(settings.FASHREC_WEIGHTS_DIR)
    monkeypatch.setattr(evaluation, "load_encoder", lambda name: RedTeller())
    path = tmp_path / "photo.png"
    path.write_bytes(photo_of(1))
    colors = {"b": "White"} | dict(zip(TESTED, ("Red", "Red", "White", "Mauve"), strict=True))
    return [
        LabelledPhoto(path, group, group, {"category": "Shirts", "color": color})
        for group, color in colors.items()
    ]


def test_only_the_test_part_is_told_and_unknown_values_are_left_out(photos):
    measured = evaluation.evaluate_attributes("mine", photos, set_name="shop")
    assert measured["color"] == {
        "n_photos": 3,
        "top1": pytest.approx(2 / 3),
        "macro_f1": pytest.approx((0.8 + 0) / 2),
        "majority": pytest.approx(1 / 3),  # White, which the trained photo is
        "calibration_error": pytest.approx(2 / 3 - 0.6, abs=1e-6),
    }
    assert measured["category"]["top1"] == 1
    assert "gender" not in measured


def test_the_command_writes_its_figures(photos, tmp_path, monkeypatch, capsys):
    module = "embeddings.management.commands.evaluate_attributes"
    monkeypatch.setattr(f"{module}.read_photo_set", lambda folder: photos)
    call_command(
        "evaluate_attributes", "mine", photos=tmp_path / "shop", json=tmp_path / "figures.json"
    )
    assert "color: top-1 0.667, macro-F1 0.400" in capsys.readouterr().out
    written = json.loads((tmp_path / "figures.json").read_text())
    assert (written["backbone"], written["photos"]) == ("mine", "shop")
    assert written["labels"]["color"]["n_photos"] == 3
    with pytest.raises(CommandError, match="other tells no labels"):
        call_command("evaluate_attributes", "other", photos=tmp_path)
