from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError

from catalog import services
from catalog.importing.photos import check_files
from catalog.importing.report import ImportRefusedError
from catalog.importing.rows import CatalogImportError
from catalog.models import Category, CategoryGroup, GroupSimilarity, Product, ProductImage
from catalog.services import import_catalog
from tests.catalog.sources import DRESS, draw, write_manifest
from tests.factories import CategoryFactory, ProductFactory

pytestmark = pytest.mark.django_db
HEADER = "item_id,image,category"


def stored_files():
    return {path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}


def everything():
    """All that an import writes, to compare before and after."""
    return (
        list(Category.objects.values()),
        list(CategoryGroup.objects.values()),
        list(Product.objects.values()),
        list(ProductImage.objects.values()),
        stored_files(),
    )


def counts(report):
    return (report.n_products_created, report.n_products_updated, report.n_products_unchanged)


def photo_counts(report):
    return (report.n_photos_created, report.n_photos_replaced, report.n_photos_unchanged)


def test_views_of_one_item_become_photos_of_one_product(tmp_path):
    for shade, view in enumerate(("1_front", "2_front", "3_back")):
        draw(tmp_path / f"MEN-Denim-id_00000089-02_{view}.jpg", shade)
    report = import_catalog(path=tmp_path)
    product = Product.objects.get()
    assert (product.item_id, product.gender) == ("id_00000089-02", "MEN")
    assert [image.view for image in product.images.order_by("view")] == ["back", "front", "front-2"]
    assert ProductImage.objects.primary().get().view == "front"
    assert counts(report) == (1, 0, 0) and photo_counts(report) == (3, 0, 0)


def test_colours_of_one_item_are_products_of_their_own(tmp_path):
    for color in ("01", "02"):
        draw(tmp_path / f"MEN-Denim-id_00000089-{color}_1_front.jpg")
    import_catalog(path=tmp_path)
    assert [product.item_id for product in Product.objects.all()] == [
        "id_00000089-01",
        "id_00000089-02",
    ]


def test_an_item_under_two_genders_is_refused(tmp_path):
    draw(tmp_path / "MEN-Denim-id_00000089-02_1_front.jpg")
    draw(tmp_path / "WOMEN-Denim-id_00000089-02_3_back.jpg")
    with pytest.raises(ImportRefusedError) as error:
        import_catalog(path=tmp_path)
    assert [str(problem) for problem in error.value.report.problems] == [
        "file WOMEN-Denim-id_00000089-02_3_back.jpg: item 'id_00000089-02' has gender 'WOMEN' "
        "here, but 'MEN' in file MEN-Denim-id_00000089-02_1_front.jpg"
    ]


def test_the_stored_photo_is_the_file_byte_for_byte_under_a_name_of_our_own(tmp_path):
    photo = draw(tmp_path / "Dresses" / "=cmd().jpg")
    import_catalog(path=tmp_path)
    image = ProductImage.objects.get()
    with image.image.open() as stored:
        assert stored.read() == photo.read_bytes()
    assert "cmd" not in image.image.name
    assert image.image.name.startswith("products/") and image.image.name.endswith(".jpg")


def test_a_stored_photo_is_named_by_its_content(tmp_path):
    draw(tmp_path / "red.webp").rename(tmp_path / "red.jpg")
    import_catalog(path=tmp_path)
    assert ProductImage.objects.get().image.name.endswith(".webp")


def test_photos_without_a_category_or_gender_are_uncategorized_and_unisex(tmp_path):
    draw(tmp_path / "red.jpg")
    import_catalog(path=tmp_path)
    product = Product.objects.get()
    assert (product.category.name, product.gender) == ("Uncategorized", "UNISEX")


def test_importing_twice_changes_nothing(tmp_path):
    draw(tmp_path / "images" / DRESS)
    draw(tmp_path / "segm" / DRESS.replace(".jpg", "_segm.png"))
    import_catalog(path=tmp_path)
    before = everything()
    report = import_catalog(path=tmp_path)
    assert everything() == before
    assert counts(report) == (0, 0, 1) and photo_counts(report) == (0, 0, 1)
    assert (report.n_maps_stored, report.n_categories_created) == (0, 0)


def test_importing_a_manifest_twice_changes_nothing(tmp_path):
    write_manifest(
        tmp_path,
        f"{HEADER},gender,title,year,price,category_group",
        "7,images/7.jpg,Shirts,MEN,A shirt,2011,19.9,Tops",
        "7,images/8.jpg,Shirts,,,,,",
        "9,images/9.jpg,Socks,,,,0,",
    )
    import_catalog(path=tmp_path)
    before = everything()
    assert counts(import_catalog(path=tmp_path)) == (0, 0, 2)
    assert everything() == before


def test_a_changed_photo_replaces_the_old_one_on_the_same_row(
    tmp_path, django_capture_on_commit_callbacks
):
    draw(tmp_path / "red.jpg", shade=1)
    draw(tmp_path / "red_segm.png")
    import_catalog(path=tmp_path)
    old = ProductImage.objects.get()
    draw(tmp_path / "red.jpg", shade=2)
    with django_capture_on_commit_callbacks(execute=True):
        report = import_catalog(path=tmp_path)
    new = ProductImage.objects.get()
    assert new.pk == old.pk and new.sha256 != old.sha256
    assert new.segmentation_map.name == old.segmentation_map.name
    assert photo_counts(report) == (0, 1, 0)
    assert not default_storage.exists(old.image.name)
    assert {Path(new.image.path), Path(new.segmentation_map.path)} == stored_files()


def test_a_changed_map_replaces_the_old_one(tmp_path, django_capture_on_commit_callbacks):
    draw(tmp_path / "red.jpg")
    draw(tmp_path / "red_segm.png", shade=1)
    import_catalog(path=tmp_path)
    old = ProductImage.objects.get()
    draw(tmp_path / "red_segm.png", shade=2)
    with django_capture_on_commit_callbacks(execute=True):
        report = import_catalog(path=tmp_path)
    new = ProductImage.objects.get()
    assert new.segmentation_sha256 != old.segmentation_sha256
    assert (report.n_maps_stored, photo_counts(report)) == (1, (0, 0, 1))
    assert {Path(new.image.path), Path(new.segmentation_map.path)} == stored_files()


def test_the_map_of_a_photo_that_was_replaced_goes_with_it(
    tmp_path, django_capture_on_commit_callbacks
):
    draw(tmp_path / "red.jpg", shade=1)
    draw(tmp_path / "red_segm.png")
    import_catalog(path=tmp_path)
    (tmp_path / "red_segm.png").unlink()
    draw(tmp_path / "red.jpg", shade=2)
    with django_capture_on_commit_callbacks(execute=True):
        import_catalog(path=tmp_path)
    image = ProductImage.objects.get()
    assert (image.segmentation_map.name, image.segmentation_sha256) == ("", "")
    assert stored_files() == {Path(image.image.path)}


def test_a_map_that_is_not_there_this_time_stays(tmp_path):
    draw(tmp_path / "red.jpg")
    draw(tmp_path / "red_segm.png")
    import_catalog(path=tmp_path)
    (tmp_path / "red_segm.png").unlink()
    before = everything()
    import_catalog(path=tmp_path)
    assert everything() == before


def test_changed_values_update_the_product(tmp_path):
    write_manifest(tmp_path, f"{HEADER},title,price", "7,images/7.jpg,Shirts,Old,5")
    import_catalog(path=tmp_path)
    old = Product.objects.get()
    write_manifest(tmp_path, f"{HEADER},title,price", "7,images/7.jpg,Socks,,6.50")
    report = import_catalog(path=tmp_path)
    new = Product.objects.get()
    assert (new.pk, new.title, str(new.price), new.category.name) == (old.pk, "", "6.50", "Socks")
    assert new.updated_at > old.updated_at
    assert counts(report) == (0, 1, 0)


def test_what_the_source_does_not_speak_of_stays_as_curators_left_it(tmp_path):
    draw(tmp_path / "red.jpg")
    ProductFactory(
        item_id="red", gender="GIRLS", title="Red", category__name="Dresses", is_active=False
    )
    assert counts(import_catalog(path=tmp_path)) == (0, 0, 1)
    product = Product.objects.get()
    assert (product.gender, product.title, product.category.name, product.is_active) == (
        "GIRLS",
        "Red",
        "Dresses",
        False,
    )


def test_a_new_photo_of_a_product_is_added(tmp_path):
    write_manifest(tmp_path, f"{HEADER},view", "7,images/7.jpg,Shirts,back")
    import_catalog(path=tmp_path)
    write_manifest(tmp_path, f"{HEADER},view", "7,images/8.jpg,Shirts,front")
    report = import_catalog(path=tmp_path)
    assert photo_counts(report) == (1, 0, 0)
    assert ProductImage.objects.primary().get().view == "front"


def test_products_that_the_source_does_not_have_are_left_alone(tmp_path):
    other = ProductFactory(item_id="other")
    draw(tmp_path / "red.jpg")
    import_catalog(path=tmp_path)
    assert Product.objects.filter(pk=other.pk, is_active=True).exists()


def test_a_new_category_joins_its_manifests_group(tmp_path):
    write_manifest(tmp_path, f"{HEADER},category_group", "7,images/7.jpg,Dresses,Dress")
    import_catalog(path=tmp_path)
    assert Category.objects.get().group.name == "Dress"
    assert CategoryGroup.objects.count() == 1


def test_a_new_deepfashion_category_joins_its_shipped_group(tmp_path):
    draw(tmp_path / "Cardigans" / "1.jpg")
    import_catalog(path=tmp_path)
    assert Category.objects.get().group.name == "Knitwear"
    assert (CategoryGroup.objects.count(), GroupSimilarity.objects.count()) == (6, 15)


def test_any_other_new_category_gets_a_group_of_its_own(tmp_path):
    draw(tmp_path / "Sandals" / "1.jpg")
    import_catalog(path=tmp_path)
    assert Category.objects.get().group.name == "Sandals"
    assert GroupSimilarity.objects.count() == 0


def test_a_category_that_exists_keeps_its_group_with_a_warning(tmp_path):
    CategoryFactory(name="Shirts", group__name="Curated")
    write_manifest(tmp_path, f"{HEADER},category_group", "7,images/7.jpg,Shirts,Tops")
    report = import_catalog(path=tmp_path)
    assert Category.objects.get().group.name == "Curated"
    assert report.warnings == [
        "category 'Shirts' stays in group 'Curated'; the source lists it under 'Tops'"
    ]


def one_good_and_four_bad(folder):
    write_manifest(
        folder,
        f"{HEADER},price",
        "7,images/7.jpg,Shirts,5",
        "8,images/8.jpg,Shirts,NaN",
        "9,images/9.jpg,Shirts,5",
        "10,none.jpg,Shirts,5",
        "7,images/7.jpg,Shirts,5",
    )
    (folder / "images/9.jpg").write_bytes(b"no photo")
    return [
        "line 3: price: Enter a number, got 'NaN'",
        "line 4: photo: it is not a JPEG, PNG or WEBP image",
        "line 5: image: there is no such file, got 'none.jpg'",
        "line 6: the same photo of item '7' again, after line 2",
    ]


def test_stop_writes_nothing_at_all(tmp_path):
    expected = one_good_and_four_bad(tmp_path)
    before = everything()
    with pytest.raises(ImportRefusedError) as error:
        import_catalog(path=tmp_path)
    assert [str(problem) for problem in error.value.report.problems] == expected
    assert str(error.value) == (
        "Nothing was imported: 4 of 5 photos or lines have problems. "
        "Correct them, or import the rest with --on-error skip."
    )
    assert everything() == before


def test_skip_writes_the_rest(tmp_path):
    expected = one_good_and_four_bad(tmp_path)
    report = import_catalog(path=tmp_path, on_error="skip")
    assert [str(problem) for problem in report.problems] == expected
    assert [product.item_id for product in Product.objects.all()] == ["7"]
    assert ProductImage.objects.count() == len(stored_files()) == 1


def test_skip_refuses_too_where_no_row_is_good(tmp_path):
    draw(tmp_path / "red.jpg").write_bytes(b"")
    with pytest.raises(ImportRefusedError) as error:
        import_catalog(path=tmp_path, on_error="skip")
    assert str(error.value) == (
        "Nothing was imported: all 1 photos or lines have problems. Correct them first."
    )


def test_an_unreadable_map_is_a_problem_of_its_photo(tmp_path):
    draw(tmp_path / "red.jpg")
    (tmp_path / "red_segm.png").write_bytes(b"no map")
    with pytest.raises(ImportRefusedError) as error:
        import_catalog(path=tmp_path)
    assert [str(problem) for problem in error.value.report.problems] == [
        "file red.jpg: segmentation map: it is not a PNG image"
    ]


def test_a_photo_that_changes_during_the_import_stops_it_and_leaves_no_file(tmp_path, monkeypatch):
    draw(tmp_path / "a.jpg", shade=1)
    last = draw(tmp_path / "b.jpg", shade=2)

    def check_then_change(files):
        outcomes = list(check_files(files))
        draw(last, shade=3)
        return outcomes

    monkeypatch.setattr(services, "check_files", check_then_change)
    before = everything()
    with pytest.raises(CatalogImportError, match="changed while it was being imported"):
        import_catalog(path=tmp_path)
    assert everything() == before


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (OSError(28, "No space left on device"), CatalogImportError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (IntegrityError("a constraint"), IntegrityError),
    ],
)
def test_whatever_stops_the_writing_leaves_no_row_and_no_file(
    tmp_path, monkeypatch, failure, raised
):
    monkeypatch.setattr(services, "BATCH", 2)
    for shade in range(5):
        draw(tmp_path / f"{shade}.jpg", shade)

    def fail_at_the_second_batch(stage, done, total):
        if (stage, done) == ("Writing the catalogue", 4):
            assert len(stored_files()) == 4
            raise failure

    before = everything()
    with pytest.raises(raised):
        import_catalog(path=tmp_path, on_progress=fail_at_the_second_batch)
    assert everything() == before


def test_progress_counts_up_to_the_end_of_each_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(services, "BATCH", 2)
    for shade in range(3):
        draw(tmp_path / f"{shade}.jpg", shade)
    heard = []
    import_catalog(path=tmp_path, on_progress=lambda *told: heard.append(told))
    assert heard == [
        ("Reading photos", 1, 3),
        ("Reading photos", 2, 3),
        ("Reading photos", 3, 3),
        ("Writing the catalogue", 2, 3),
        ("Writing the catalogue", 3, 3),
    ]


def test_the_queries_of_an_import_do_not_grow_with_its_products(
    tmp_path, django_assert_max_num_queries
):
    for shade in range(40):
        draw(tmp_path / f"{shade}.jpg", shade)
    with django_assert_max_num_queries(20):
        import_catalog(path=tmp_path)
    with django_assert_max_num_queries(10):
        import_catalog(path=tmp_path)


def test_deleting_a_product_deletes_its_files(tmp_path, django_capture_on_commit_callbacks):
    draw(tmp_path / "red.jpg")
    draw(tmp_path / "red_segm.png")
    import_catalog(path=tmp_path)
    assert len(stored_files()) == 2
    with django_capture_on_commit_callbacks(execute=True):
        Product.objects.get().delete()
    assert stored_files() == set()
