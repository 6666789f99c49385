"""The command that measures how garments are found."""

import json

import pytest
from django.core.management import CommandError, call_command

from embeddings.mask_evaluation import measuring
from embeddings.mask_evaluation.intervals import mean_with_interval
from tests.embeddings.garments.drawn import write_street_photos

pytestmark = pytest.mark.usefixtures("no_parser")


@pytest.fixture
def no_parser(monkeypatch):
    """Grabcut in the parser's place, which is measured in its own tests."""
    monkeypatch.setattr(
        "embeddings.management.commands.evaluate_masks.METHODS",
        (measuring.WHOLE, "grabcut"),
    )


def test_each_method_is_compared_with_the_maps(tmp_path, capsys):
    photos = write_street_photos(tmp_path / "street", 6)
    output, sheet = tmp_path / "masks.json", tmp_path / "worst.png"

    call_command("evaluate_masks", photos=photos, part="all", json=output, worst=sheet)

    values = json.loads(output.read_text())
    whole, grabcut = values["methods"]["none"], values["methods"]["grabcut"]
    garment_share = (0.9 - 0.25) / 3
    assert whole["garment_iou"]["mean"] == pytest.approx(garment_share, abs=0.02)
    assert grabcut["garment_iou"]["mean"] > whole["garment_iou"]["mean"] + 0.3
    assert values["methods"]["differences"]["none - grabcut"]["mean"] < -0.3
    assert (values["data"], values["benchmark"]) == ("street, all part", "masks")
    assert "grabcut" in capsys.readouterr().out
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_maps_may_lie_in_a_folder_of_their_own(tmp_path, capsys):
    photos = write_street_photos(tmp_path, 2)

    call_command(
        "evaluate_masks",
        photos=photos / "images",
        segmentation=photos / "segm",
        part="all",
    )

    assert "2 photos (all):" in capsys.readouterr().out


def test_a_part_without_photos_and_a_missing_palette_are_told(tmp_path):
    photos = write_street_photos(tmp_path, 1)

    with pytest.raises(CommandError, match="no photo with a map is in the part"):
        for part in ("train", "test"):
            call_command("evaluate_masks", photos=photos, part=part)
    (photos / "palette.json").unlink()
    with pytest.raises(CommandError, match="no palette: name a JSON file"):
        call_command("evaluate_masks", photos=photos, part="all")


def test_a_folder_without_maps_is_told_so_before_a_palette_is_asked_for(tmp_path):
    photos = write_street_photos(tmp_path, 1)
    for path in (*photos.rglob("*_segm.png"), photos / "palette.json"):
        path.unlink()

    with pytest.raises(CommandError, match="has a segmentation map: name the folder of maps"):
        call_command("evaluate_masks", photos=photos, part="all")


def test_an_interval_holds_the_mean_of_what_varies_and_none_what_does_not():
    varied = mean_with_interval(measuring.np.array([0.0, 1.0] * 50))

    assert varied["mean"] == 0.5
    assert 0.35 < varied["interval"][0] < 0.5 < varied["interval"][1] < 0.65
    assert mean_with_interval(measuring.np.array([1.0, 1.0]))["interval"] is None
