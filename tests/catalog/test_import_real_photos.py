"""The real photos, where they are."""

import csv

import pytest
from PIL import Image

from catalog.importing.items import choose_groups, collect_items, refuse_contradictions
from catalog.importing.source import read_source
from catalog.models import Category, Product, ProductImage
from catalog.services import import_catalog


@pytest.mark.django_db
def test_deepfashion_photos_are_imported_with_their_maps(shared_data):
    folder = shared_data / "deepfashion_format"
    report = import_catalog(path=folder / "images", segmentation=folder / "segm")
    assert (report.problems, report.warnings) == ([], [])
    assert (report.n_products_created, report.n_maps_stored) == (818, 818)
    image = ProductImage.objects.get(product__item_id="id_00000012-01")
    assert (image.view, image.product.category.name) == ("full", "Blouses_Shirts")
    assert image.product.category.group.name == "Tops"
    with image.segmentation_map.open() as stored, Image.open(stored) as found:
        assert found.height == 400
    assert Category.objects.count() == 13
    again = import_catalog(path=folder)  # images/ beside segm/
    assert (again.n_products_unchanged, again.n_photos_unchanged) == (818, 818)
    assert again.n_maps_stored == 0


@pytest.fixture(scope="module")
def catalogue(shared_data):
    return read_source(shared_data / "catalog", None)


def test_every_line_of_the_real_manifest_is_an_item_without_a_problem(catalogue):
    rows, contradictions = refuse_contradictions(catalogue.rows)
    assert (catalogue.problems, contradictions, catalogue.warnings) == ([], [], [])
    assert len(collect_items(rows)) == 6620


def test_the_three_categories_under_two_groups_take_the_majoritys(catalogue):
    groups, warnings = choose_groups(catalogue.rows)
    assert (groups["Sandals"], groups["Flip Flops"]) == ("Sandal", "Flip Flops")
    assert groups["Messenger Bag"] == "Bags"
    assert [warning.split(" is listed")[0] for warning in warnings] == [
        "category 'Flip Flops'",
        "category 'Messenger Bag'",
        "category 'Sandals'",
    ]


@pytest.mark.django_db
def test_real_photos_of_a_manifest_are_imported(shared_data, tmp_path):
    folder = shared_data / "catalog"
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:40]
    (tmp_path / "images").mkdir()
    with (tmp_path / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        (tmp_path / row["image"]).write_bytes((folder / row["image"]).read_bytes())
    report = import_catalog(path=tmp_path)
    assert (report.n_products_created, report.n_photos_created) == (40, 40)
    product = Product.objects.get(item_id=rows[0]["item_id"])
    assert (product.title, product.year) == (rows[0]["title"], int(rows[0]["year"]))
