"""Reading folders of labelled photos."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from embeddings.photo_sets import LabelledPhoto, PhotoSetError, read_photo_set

NAMES = ("WOMEN-Dresses-id_00000012-01_4_full", "MEN-Denim-id_00000012-02_1_front")


def write_manifest(folder: Path, *lines: str) -> None:
    (folder / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")


def draw(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 6), "red").save(path)
    return path


def test_a_manifest_gives_every_column_as_a_label_and_the_title_as_the_group(tmp_path):
    photo = draw(tmp_path / "images" / "7.jpg")
    write_manifest(
        tmp_path,
        "item_id,image,gender,category,title,color",
        "7,images/7.jpg,MEN, Shirts ,Check Shirt,",
    )
    assert read_photo_set(tmp_path) == [
        LabelledPhoto(
            path=photo,
            item_id="7",
            group="Check Shirt",
            labels={"gender": "MEN", "category": "Shirts", "title": "Check Shirt"},
        )
    ]


def test_without_a_title_the_sender_is_the_group_and_without_both_the_item(tmp_path):
    draw(tmp_path / "a.jpg")
    write_manifest(tmp_path, "item_id,image,category,sender_id", "1,a.jpg,Hat,204", "2,a.jpg,Hat,")
    assert [photo.group for photo in read_photo_set(tmp_path)] == ["204", "2"]


def test_deepfashion_names_give_labels_article_numbers_and_maps(tmp_path):
    photos = [draw(tmp_path / "images" / f"{name}.jpg") for name in NAMES]
    segmentation_map = draw(tmp_path / "segm" / f"{NAMES[0]}_segm.png")
    assert read_photo_set(tmp_path) == [
        LabelledPhoto(
            photos[1], "id_00000012-02", "00000012", {"category": "Denim", "gender": "MEN"}
        ),
        LabelledPhoto(
            photos[0],
            "id_00000012-01",
            "00000012",
            {"category": "Dresses", "gender": "WOMEN"},
            segmentation_map,
        ),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["item_id,image", "1,a.jpg"], "lacks the column category"),
        (["item_id,image,category", "1,b.jpg,Hat"], "line 2: there is no file 'b.jpg'"),
        (["item_id,image,category", "1,../a.jpg,Hat"], "expected a path beneath its folder"),
        (["item_id,image,category", "1,a.jpg,"], "line 2: category is empty"),
        (["item_id,image,category"], "holds no labelled photo"),
    ],
)
def test_an_unusable_manifest_is_refused_with_its_reason(tmp_path, lines, message):
    draw(tmp_path / "a.jpg")
    write_manifest(tmp_path, *lines)
    with pytest.raises(PhotoSetError, match=message):
        read_photo_set(tmp_path)


def test_a_folder_of_other_names_is_refused(tmp_path):
    draw(tmp_path / "holiday.jpg")
    with pytest.raises(PhotoSetError, match="expected a name like"):
        read_photo_set(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(PhotoSetError, match="is not a folder"):
        read_photo_set(tmp_path / "nowhere")


def test_reading_photo_sets_loads_neither_django_nor_torch():
    code = "import sys, embeddings.photo_sets; sys.exit(bool({'django', 'torch'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
