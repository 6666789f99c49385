import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.importing.source import read_source
from catalog.shipped_similarity import shipped_similarity
from fashrec_site.demo.garments.catalogue import draw_catalogue, plan_products
from fashrec_site.demo.garments.palette import LABEL_COLORS

NAME = re.compile(r"(WOMEN|MEN)-([A-Za-z_]+)-id_\d{8}-\d{2}_\d+_[a-z]+\.jpg")
NOT_GARMENT = {LABEL_COLORS[label] for label in ("background", "hair", "face", "skin")}
N_PRODUCTS = 81  # three colourways of each category for each gender that wears it


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("garments") / "drawn"
    n_photos = draw_catalogue(folder, seed=42, n_products=N_PRODUCTS)
    return folder, n_photos


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def colors_in(path: Path) -> set[tuple[int, ...]]:
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    return {tuple(color) for color in np.unique(pixels, axis=0).tolist()}


def test_every_photo_has_a_deepfashion_name_and_a_map(drawn):
    folder, n_photos = drawn
    photos = sorted(path.name for path in (folder / "images").iterdir())
    maps = sorted(path.name for path in (folder / "segm").iterdir())

    assert [name for name in photos if not NAME.fullmatch(name)] == []
    assert maps == sorted(f"{Path(name).stem}_segm.png" for name in photos)
    assert len(photos) == n_photos > N_PRODUCTS


def test_every_photo_is_a_row_of_the_manifest_that_the_import_reads(drawn):
    folder, n_photos = drawn
    source = read_source(folder, None)

    assert source.problems == []
    assert source.warnings == []
    assert len(source.rows) == n_photos
    assert all(row.segmentation_map for row in source.rows)
    first = source.rows[0]
    assert first.item_id == "id_00000001-01"
    assert first.product["title"] == f"{first.product['color']} tee"
    assert first.product["price"] == Decimal("21.90")


def test_shipped_categories_and_both_genders_are_drawn(drawn):
    folder, _ = drawn
    matches = [NAME.fullmatch(path.name) for path in (folder / "images").iterdir()]
    categories = {match[2] for match in matches}

    assert len(categories) == 17
    assert categories <= {name for names in shipped_similarity().groups.values() for name in names}
    assert {match[1] for match in matches} == {"WOMEN", "MEN"}
    assert not {match[2] for match in matches if match[1] == "MEN"} & {"Dresses", "Skirts"}


def test_some_products_have_a_second_photo_from_another_view(drawn):
    folder, _ = drawn
    views = Counter(path.stem.rsplit("_", 2)[-1] for path in (folder / "images").iterdir())

    assert views["front"] == N_PRODUCTS
    assert views["side"] >= 1
    assert views["full"] >= 1


def test_maps_have_the_photos_size_and_only_known_colors_with_garment(drawn):
    folder, _ = drawn
    for photo in (folder / "images").iterdir():
        segmentation_map = folder / "segm" / f"{photo.stem}_segm.png"
        with Image.open(photo) as image, Image.open(segmentation_map) as labels:
            assert image.size == labels.size == (300, 450)
        colors = colors_in(segmentation_map)
        assert colors <= set(LABEL_COLORS.values())
        assert colors - NOT_GARMENT
        assert LABEL_COLORS["background"] in colors


def test_a_map_lies_on_its_photo(tmp_path):
    """The first product is a plain tank: its label's pixels show little but its own colour."""
    draw_catalogue(tmp_path / "drawn", seed=42, n_products=1)
    product = plan_products(seed=42, n_products=1)[0]
    stem = product.file_stem(1, "front")
    with Image.open(tmp_path / "drawn" / "images" / f"{stem}.jpg") as image:
        pixels = np.asarray(image.convert("RGB")).astype(float)
    with Image.open(tmp_path / "drawn" / "segm" / f"{stem}_segm.png") as image:
        is_top = (np.asarray(image.convert("RGB")) == LABEL_COLORS["top"]).all(axis=2)

    distance = np.linalg.norm(pixels - product.colors.base, axis=2)
    assert product.pattern == "plain"
    assert (distance[is_top] < 90).mean() > 0.95
    assert (distance[~is_top] < 90).mean() < 0.5


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    for name, seed in (("first", 7), ("again", 7), ("other", 8)):
        draw_catalogue(tmp_path / name, seed=seed, n_products=4)

    first, again, other = (files_of(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert set(first.values()).isdisjoint(other.values())


def test_a_drawing_that_is_cut_short_leaves_nothing_under_its_name(tmp_path):
    def stop(n_drawn: int, n_products: int) -> None:
        if n_drawn == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_catalogue(tmp_path / "drawn", seed=1, n_products=3, on_progress=stop)
    assert not (tmp_path / "drawn").exists()

    seen = []
    draw_catalogue(
        tmp_path / "drawn", seed=1, n_products=3, on_progress=lambda *counts: seen.append(counts)
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert [path.name for path in tmp_path.iterdir()] == ["drawn"]


def test_colorways_of_a_design_share_its_number_and_differ_in_color():
    products = plan_products(seed=42, n_products=6)

    assert [(p.design, p.color) for p in products] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 1),
        (2, 2),
        (2, 3),
    ]
    assert len({p.colors.base for p in products[:3]}) == 3
    assert len({(p.gender, p.category, p.pattern) for p in products[:3]}) == 1
