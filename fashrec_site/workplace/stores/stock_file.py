"""Stock as a file: item id, store and quantity, both ways, with the errors of each row."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.widgets import Widget
from tablib import Dataset
from unfold.contrib.import_export.forms import ImportForm

from catalog.models import Product, Stock, Store

COLUMNS = ("item_id", "store", "quantity")
MAX_BYTES = 5_000_000
FORMULAE = ("=", "+", "-", "@")  # a text that a spreadsheet would run; an apostrophe stops it


class StockImportForm(ImportForm):
    """Refuses what is too large to be read into memory at once."""

    def clean_import_file(self) -> UploadedFile:
        """The file, if it is small enough."""
        upload = self.cleaned_data["import_file"]
        if upload.size > MAX_BYTES:
            raise ValidationError(
                f"the file has {upload.size:,} bytes; at most {MAX_BYTES:,} are read at once"
            )
        return upload


class NamedRow(Widget):
    """A cell that names a row of another table, all of which were read in one query."""

    def __init__(self, what: str, attribute: str) -> None:
        super().__init__()
        self.what, self.attribute = what, attribute
        self.known: dict[str, Any] = {}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        """The row; ValueError where there is none of that name."""
        name = _text(value)
        if not name:
            raise ValueError(f"expected the {self.what}; the cell is empty")
        if name.startswith("'") and name not in self.known:
            name = name[1:]  # from an export of ours
        if name not in self.known:
            raise ValueError(f"no {self.what} “{name}”")
        return self.known[name]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Its name; nothing for the row that a new one takes the place of."""
        name = "" if value is None else str(getattr(value, self.attribute))
        return f"'{name}" if name.startswith(FORMULAE) else name


class Quantity(Widget):
    """A whole number, not negative."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        """The number; ValueError for anything else, such as 2.5 or nothing."""
        text = _text(value).removesuffix(".0")  # how spreadsheets write a whole number
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise ValueError(f"expected a whole number from 0 on; got “{_text(value)[:40]}”")
        return int(text)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> int:
        """A number, for spreadsheets that add."""
        return value


class KnownStock(BaseInstanceLoader):
    """The stock that a file is about, read in one query."""

    def __init__(self, resource: "StockResource", dataset: Dataset | None = None) -> None:
        super().__init__(resource, dataset)
        rows = Stock.objects.filter(product__in=resource.fields["item_id"].widget.known.values())
        self.known = {(stock.product_id, stock.store_id): stock for stock in rows}

    def get_instance(self, row: dict[str, Any]) -> Stock | None:
        """The row's stock, where the store has that product already."""
        try:
            product = self.resource.fields["item_id"].clean(row)
            store = self.resource.fields["store"].clean(row)
        except ValueError:
            return None  # the import says what is wrong with the row
        return self.known.get((product.pk, store.pk))


class StockResource(ModelResource):
    """One row per product and store; a row that is there already gets the new quantity."""

    item_id = Field("product", "item_id", NamedRow("product with the item id", "item_id"))
    store = Field("store", "store", NamedRow("store", "name"))
    quantity = Field("quantity", "quantity", Quantity())

    class Meta:
        model = Stock
        fields = COLUMNS
        export_order = COLUMNS
        import_id_fields = ("item_id", "store")
        instance_loader_class = KnownStock
        skip_unchanged = True
        report_skipped = True
        use_transactions = True

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        """Read the products and stores that the file names, and add up what is one article's."""
        self.seen: set[tuple[str, str]] = set()
        self.written: set[tuple[int, int]] = set()
        missing = [name for name in COLUMNS if name not in (dataset.headers or ())]
        if missing:
            raise ValidationError(f"The file has no column {' and no '.join(missing)}.")
        ids, names = (_names(dataset[column]) for column in COLUMNS[:2])
        products = Product.objects.filter(item_id__in=ids).select_related("merged_into")
        stores = Store.objects.filter(name__in=names)
        self.fields["item_id"].widget.known = {p.item_id: p.merged_into or p for p in products}
        self.fields["store"].widget.known = {s.name: s for s in stores}
        self.totals = self._totals(dataset)

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        """Refuse the second row of a pair: which of the two holds?

        A row of a merged product is no such: its pieces are counted in the first row of the two.
        """
        pair = _text(row.get("item_id")), _text(row.get("store"))
        if pair in self.seen:
            raise ValidationError(f"“{pair[0]}” in “{pair[1]}” came in an earlier row already")
        self.seen.add(pair)
        stock = self._stock_of(row)
        row["is_counted"] = stock in self.written
        if stock in self.totals:
            self.written.add(stock)
            row["quantity"] = row["quantity"] if row["is_counted"] else self.totals[stock]

    def skip_row(
        self, instance: Stock, original: Stock, row: dict[str, Any], *args: Any, **kwargs: Any
    ) -> bool:
        """Also what an earlier row counted."""
        return row.get("is_counted") or super().skip_row(instance, original, row, *args, **kwargs)

    def _stock_of(self, row: dict[str, Any]) -> tuple[int, int] | None:
        """The keys of the product and the store that a row is about; None where one is unknown."""
        try:
            return self.fields["item_id"].clean(row).pk, self.fields["store"].clean(row).pk
        except ValueError:
            return None

    def _totals(self, dataset: Dataset) -> dict[tuple[int, int], int]:
        """Pieces by product and store, of all rows that can be read."""
        totals: dict[tuple[int, int], int] = Counter()
        for row in dataset.dict:
            stock = self._stock_of(row)
            with suppress(ValueError):
                totals[stock] += self.fields["quantity"].clean(row)
        del totals[None]
        return totals


def _names(cells: Iterable[Any]) -> set[str]:
    """The cells' texts, and what an apostrophe before one kept from being a formula."""
    texts = {_text(cell) for cell in cells}
    return texts | {text[1:] for text in texts if text.startswith("'")}


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip().replace("\0", "")
