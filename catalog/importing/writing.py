"""Writing items into the catalogue: bulk statements, and only what differs."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from django.utils import timezone

from catalog.importing.items import Item
from catalog.importing.photos import CheckedImage, read_image_file
from catalog.importing.report import ImportReport
from catalog.importing.rows import CatalogImportError, ImportRow, printable, shown
from catalog.models import Category, CategoryGroup, Product, ProductImage
from catalog.shipped_similarity import ensure_shipped_groups, shipped_group
from catalog.stored_files import NewFiles, delete_after_commit

UNCATEGORIZED = "Uncategorized"
PHOTO_COLUMNS = ("image", "segmentation_map", "sha256", "segmentation_sha256")


def ensure_categories(
    names: Iterable[str], groups: Mapping[str, str], report: ImportReport
) -> dict[str, Category]:
    """The categories by name, created where they are new.

    A new one joins the group that the source gives it, else its shipped group, else a group
    named like itself. One that exists keeps its group: a curator may have chosen it.
    """
    wanted = sorted(set(names))
    categories = Category.objects.select_related("group").in_bulk(wanted, field_name="name")
    for name in wanted:
        category = categories.get(name)
        if category is None:
            categories[name] = Category.objects.create(name=name, group=_group(name, groups))
            report.n_categories_created += 1
        elif name in groups and groups[name] != category.group.name:
            report.warnings.append(
                f"category {shown(name)} stays in group {shown(category.group.name)}; "
                f"the source lists it under {shown(groups[name])}"
            )
    return categories


def _group(category: str, groups: Mapping[str, str]) -> CategoryGroup:
    name = groups.get(category)
    if name is None:
        name = shipped_group(category)
        if name is not None:
            ensure_shipped_groups()
    return CategoryGroup.objects.get_or_create(name=name or category)[0]


class CatalogWriter:
    """Writes items inside the caller's transaction and counts in `report` what that changed."""

    def __init__(
        self,
        *,
        categories: Mapping[str, Category],
        checked: Mapping[Path, CheckedImage],
        files: NewFiles,
        report: ImportReport,
    ) -> None:
        self.categories = categories
        self.checked = checked
        self.files = files
        self.report = report

    def write(self, items: Sequence[Item]) -> None:
        """Create or update the products of these items and their photos (6 queries at most)."""
        products = self._write_products(items)
        self._write_photos(items, products)

    def _write_products(self, items: Sequence[Item]) -> dict[str, Product]:
        products = Product.objects.in_bulk([item.item_id for item in items], field_name="item_id")
        new, updated, changed_fields = [], [], set()
        for item in items:
            values = self._values(item)
            product = products.get(item.item_id)
            if product is None:
                if "category_id" not in values:
                    values["category_id"] = self.categories[UNCATEGORIZED].pk
                new.append(Product(item_id=item.item_id, **values))
                continue
            differing = {name for name in values if getattr(product, name) != values[name]}
            if differing:
                for name in differing:
                    setattr(product, name, values[name])
                product.updated_at = timezone.now()  # bulk_update leaves auto_now alone
                changed_fields |= differing
                updated.append(product)
        if updated:
            Product.objects.bulk_update(updated, [*sorted(changed_fields), "updated_at"])
        for product in Product.objects.bulk_create(new):
            products[product.item_id] = product
        self.report.n_products_created += len(new)
        self.report.n_products_updated += len(updated)
        self.report.n_products_unchanged += len(items) - len(new) - len(updated)
        return products

    def _values(self, item: Item) -> dict[str, object]:
        values = {
            name: Product._meta.get_field(name).get_default() if value is None else value
            for name, value in item.product.items()
        }
        if "category" in values:  # by key: comparing rows would fetch each product's category
            values["category_id"] = self.categories[str(values.pop("category"))].pk
        return values

    def _write_photos(self, items: Sequence[Item], products: Mapping[str, Product]) -> None:
        stored = {
            (image.product_id, image.view): image
            for image in ProductImage.objects.filter(product__in=products.values())
        }
        new, changed = [], []
        for item in items:
            product = products[item.item_id]
            for view, row in item.photos.items():
                image = stored.get((product.pk, view)) or ProductImage(product=product, view=view)
                is_new, differs = image.pk is None, self._take_photo(image, row)
                if is_new:
                    new.append(image)
                elif differs:
                    changed.append(image)
        ProductImage.objects.bulk_create(new)
        if changed:
            ProductImage.objects.bulk_update(changed, PHOTO_COLUMNS)

    def _take_photo(self, image: ProductImage, row: ImportRow) -> bool:
        """Put the row's photo and map on an image where they differ; whether they did."""
        photo = self.checked[row.image]
        photo_differs = image.sha256 != photo.sha256
        if photo_differs:
            self._count_photo(is_new=image.pk is None)
            delete_after_commit(image.image)
            image.image = self._store("image", row.image, photo)
            image.sha256 = photo.sha256
        else:
            self.report.n_photos_unchanged += 1
        if row.segmentation_map is not None:
            return self._take_map(image, row.segmentation_map) or photo_differs
        if photo_differs:  # what map there is belongs to the photo that was replaced
            delete_after_commit(image.segmentation_map)
            image.segmentation_map = image.segmentation_sha256 = ""
        return photo_differs

    def _take_map(self, image: ProductImage, path: Path) -> bool:
        found = self.checked[path]
        if image.segmentation_sha256 == found.sha256:
            return False
        delete_after_commit(image.segmentation_map)
        image.segmentation_map = self._store("segmentation_map", path, found)
        image.segmentation_sha256 = found.sha256
        self.report.n_maps_stored += 1
        return True

    def _count_photo(self, *, is_new: bool) -> None:
        if is_new:
            self.report.n_photos_created += 1
        else:
            self.report.n_photos_replaced += 1

    def _store(self, field: str, path: Path, checked: CheckedImage) -> str:
        content = read_image_file(path)
        if hashlib.sha256(content).hexdigest() != checked.sha256:
            raise CatalogImportError(
                f"{printable(str(path))} changed while it was being imported; "
                "nothing was imported. Run the import again."
            )
        return self.files.store(ProductImage._meta.get_field(field), content, checked.suffix)
