"""`manage.py evaluate_backbone` on drawn photos, by the descriptor that needs no weights."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image, ImageDraw

from embeddings.photo_sets import split_of
from tests.factories import CategoryFactory, ProductFactory, ProductImageFactory

SHAPES = {"Shirts": "rectangle", "Caps": "ellipse"}
COLORS = ("red", "blue", "green")
TEST_TITLES = [title for title in map(str, range(60)) if split_of(title) == "test"]
OTHER_TITLES = [title for title in map(str, range(60)) if split_of(title) != "test"]


def draw_photo(path: Path, category: str, color: str, seed: int) -> None:
    image = Image.new("RGB", (48, 64), "white")
    low, high = np.random.default_rng(seed).integers((4, 34), (12, 44))
    getattr(ImageDraw.Draw(image), SHAPES[category])((low, low, high, high + 12), fill=color)
    image.save(path)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Twenty-four photos in two categories and three colours, six titles of the test part."""
    (tmp_path / "shop").mkdir()
    lines = ["item_id,image,category,category_group,gender,title,color"]
    for n in range(24):
        category, color = list(SHAPES)[n % 2], COLORS[n % 3]
        title = TEST_TITLES[n] if n < 6 else OTHER_TITLES[n]
        draw_photo(tmp_path / "shop" / f"{n}.png", category, color, seed=n)
        lines.append(
            f"{n},{n}.png,{category},All,{'MEN' if n % 4 < 2 else 'WOMEN'},{title},{color}"
        )
    (tmp_path / "shop" / "manifest.csv").write_text("\n".join(lines))
    return tmp_path / "shop"


def evaluate(*arguments: str | Path, name: str = "color_layout") -> str:
    out = StringIO()
    call_command("evaluate_backbone", name, *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def own_home(settings, tmp_path):
    settings.FASHREC_HOME = tmp_path / "home"
    return settings.FASHREC_HOME


def test_a_folder_is_measured_without_a_database(folder, own_home, tmp_path):
    printed = evaluate("--photos", folder, "--json", tmp_path / "figures.json")
    results = json.loads((tmp_path / "figures.json").read_text())
    first = results["rows"][0]
    assert (first["variant"], first["gallery"], first["label"]) == (
        "whole photo, cosine",
        "all others",
        "category",
    )
    assert (first["n_queries"], first["n_gallery"]) == (6, 24)
    assert first["precision_at_5"] > 0.8  # a rectangle is not an ellipse; by chance .5
    assert {row["label"] for row in results["rows"]} == {"category", "color", "gender"}
    assert {row["variant"] for row in results["rows"]} == {
        "whole photo, cosine",
        "whole photo, Euclidean",
        "thumbnails of 16 pixels, cosine",
    }
    assert [row["category"] for row in results["categories"]] == ["Caps", "Shirts"]
    assert "all others; same category: precision@5 0." in printed


def test_the_report_is_a_page_with_its_pictures_and_nothing_is_embedded_twice(folder, own_home):
    for _ in range(2):
        printed = evaluate("--photos", folder)
    page = Path(printed.rsplit("Report: ", 1)[1].strip())
    assert "<h1>color_layout as a retrieval backbone</h1>" in page.read_text()
    names = {path.name for path in page.parent.iterdir()}
    assert {"evaluation.json", "report.html"} <= names
    assert len(list((own_home / "features").rglob("*.npy"))) == 1


def test_masked_photos_are_measured_beside_whole_ones(folder, own_home, tmp_path):
    (folder / "segm").mkdir()
    for n in range(24):
        Image.new("RGB", (48, 64), (200, 0, 90)).save(folder / "segm" / f"{n}_segm.png")
    evaluate("--photos", folder, "--json", tmp_path / "figures.json")
    rows = json.loads((tmp_path / "figures.json").read_text())["rows"]
    assert {"segmentation map, cosine", "whole photo, cosine"} <= {row["variant"] for row in rows}


def test_found_garments_are_measured_beside_whole_photos(folder, own_home, tmp_path):
    evaluate("--photos", folder, "--masks", "white_background", "--json", tmp_path / "figures.json")
    rows = json.loads((tmp_path / "figures.json").read_text())["rows"]
    first = {row["variant"]: row["average_precision"] for row in reversed(rows)}
    # What was white is black now, so that other photos are near.
    assert first["white background removed, cosine"] != first["whole photo, cosine"]


def test_a_photo_that_cannot_be_read_is_counted_and_left_out(folder, own_home, tmp_path):
    (folder / "20.png").write_bytes(b"no image")
    evaluate("--photos", folder, "--json", tmp_path / "figures.json")
    results = json.loads((tmp_path / "figures.json").read_text())
    assert results["settings"]["n_unreadable"] == 1
    assert results["rows"][0]["n_gallery"] == 23


def test_phone_photos_search_by_the_label_map(folder, own_home, tmp_path):
    phones = tmp_path / "phones"
    phones.mkdir()
    lines = ["item_id,image,category,sender_id"]
    senders = [title for title in TEST_TITLES if split_of(title) == "test"]
    for n, (label, shape) in enumerate([("Shirt", "Shirts"), ("Hat", "Caps"), ("Body", "Caps")]):
        draw_photo(phones / f"{n}.png", shape, "red", seed=90 + n)
        lines.append(f"{n},{n}.png,{label},{senders[n]}")
    (phones / "manifest.csv").write_text("\n".join(lines))
    evaluate("--photos", folder, "--queries", phones, "--json", tmp_path / "figures.json")
    (row,) = json.loads((tmp_path / "figures.json").read_text())["search"]
    assert (row["variant"], row["n_queries"]) == ("phones -> shop", 2)  # no category for a body
    assert row["precision_at_5"] > 0.8


@pytest.mark.django_db
def test_the_database_is_measured_by_default(folder, own_home):
    for n in range(12):
        category = list(SHAPES)[n % 2]
        title = TEST_TITLES[n] if n < 4 else OTHER_TITLES[n]
        product = ProductFactory(category=CategoryFactory(name=category), title=title)
        ProductImageFactory(product=product, content=(folder / f"{n}.png").read_bytes())
    printed = evaluate()
    assert "whole photo, cosine; all others; same category: precision@5" in printed
    assert "4 queries" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--photos", "nowhere"], "nowhere is not a folder"),
        (["--photos", ".", "--runtime", "abacus"], "manifest.csv"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(tmp_path, own_home, arguments, message):
    arguments = [str(tmp_path) if one == "." else one for one in arguments]
    with pytest.raises(CommandError, match=message):
        evaluate(*arguments)


def test_an_unknown_backbone_is_refused(folder, own_home):
    with pytest.raises(CommandError, match="unknown backbone 'vgg99'"):
        evaluate("--photos", folder, name="vgg99")


def test_a_folder_without_a_test_part_is_refused(folder, own_home):
    manifest = folder / "manifest.csv"
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join([lines[0], *lines[7:]]))
    with pytest.raises(CommandError, match="0 of them in the test part"):
        evaluate("--photos", folder)
