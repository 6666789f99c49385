"""Stores on the map, and their stock from files."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook, load_workbook

from catalog.models import Stock, Store
from catalog.places import Place
from fashrec_site.workplace.stores.map import map_of
from fashrec_site.workplace.stores.stock_file import StockResource
from tests.factories import ProductFactory, StockFactory, StoreFactory
from tests.fashrec_site.workplace.world import staff

pytestmark = pytest.mark.django_db
STOCK = "/admin/catalog/stock/"
HEAD = "item_id,store,quantity\n"


@pytest.fixture
def shelves() -> Stock:
    """Three pieces of one product in Vienna; another product and Graz have none."""
    ProductFactory(item_id="hat")
    StoreFactory(name="Graz")
    return StockFactory(product__item_id="coat", store=StoreFactory(name="Vienna"), quantity=3)


def upload(client, text: str | bytes, name: str = "stock.csv"):
    """The first step of an import: what it would do."""
    content = text.encode() if isinstance(text, str) else text
    data = {"import_file": SimpleUploadedFile(name, content), "format": name.endswith("xlsx") * 1}
    return client.post(f"{STOCK}import/", data)


def confirm(client, answer):
    """The second step."""
    form = answer.context["confirm_form"].initial
    return client.post(f"{STOCK}process_import/", form)


def stock() -> dict[tuple[str, str], int]:
    rows = Stock.objects.values_list("product__item_id", "store__name", "quantity")
    return {(item, store): quantity for item, store, quantity in rows}


def test_a_file_adds_and_changes_after_it_was_shown(admin_client, shelves):
    answer = upload(admin_client, f"{HEAD}coat,Vienna,7\nhat,Graz,2\n")
    assert stock() == {("coat", "Vienna"): 3}
    assert confirm(admin_client, answer).status_code == 302
    assert stock() == {("coat", "Vienna"): 7, ("hat", "Graz"): 2}


def test_a_spreadsheet_does_the_same(admin_client, shelves):
    book = Workbook()
    for row in (("item_id", "store", "quantity"), ("coat", "Vienna", 7), ("hat", "Graz", 2.0)):
        book.active.append(row)
    content = BytesIO()
    book.save(content)
    confirm(admin_client, upload(admin_client, content.getvalue(), "stock.xlsx"))
    assert stock() == {("coat", "Vienna"): 7, ("hat", "Graz"): 2}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("cap,Vienna,1", "no product with the item id “cap”"),
        ("coat,Linz,1", "no store “Linz”"),
        ("coat,Vienna,2.5", "expected a whole number from 0 on; got “2.5”"),
        ("coat,Vienna,-1", "got “-1”"),
        ("coat,Vienna,", "got “”"),
        ("coat,Vienna,99999999999", "expected a whole number"),
        (",Vienna,1", "the cell is empty"),
        ("coat,Vienna,1\ncoat,Vienna,2", "came in an earlier row already"),
        ("<script>alert(1)</script>,Vienna,1", "no product with the item id “&lt;script&gt;"),
    ],
)
def test_a_bad_row_is_shown_with_its_reason_and_nothing_is_written(
    admin_client, shelves, row, reason
):
    answer = upload(admin_client, f"{HEAD}hat,Graz,5\n{row}\n")
    assert reason in answer.content.decode()
    assert "confirm_form" not in answer.context
    assert stock() == {("coat", "Vienna"): 3}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("item,store,amount\ncoat,Vienna,1\n", "The file has no column item_id and no quantity."),
        (b"\xff\xfe\x00", "UnicodeDecodeError"),
        (HEAD + "x" * 5_000_001, "at most 5,000,000 are read at once"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(admin_client, shelves, content, reason):
    assert reason in upload(admin_client, content).content.decode()
    assert stock() == {("coat", "Vienna"): 3}


def test_reading_a_file_costs_the_same_queries_whatever_its_length(shelves):
    n_queries = []
    for n_rows in (1, 20):
        for n in range(n_rows):
            ProductFactory(item_id=f"p-{n_rows}-{n}")
        rows = [(f"p-{n_rows}-{n}", "Graz", n) for n in range(n_rows)]
        resource = StockResource()
        with CaptureQueriesContext(connection) as queries:
            result = resource.import_data(_dataset(rows), dry_run=True)
        assert not result.has_errors() and not result.has_validation_errors()
        n_queries.append(sum(query["sql"].startswith("SELECT") for query in queries))
    assert n_queries[0] == n_queries[1]


def _dataset(rows):
    from tablib import Dataset

    return Dataset(*rows, headers=["item_id", "store", "quantity"])


def test_an_export_starts_no_formula_and_can_be_imported_again(admin_client, shelves):
    store = Store.objects.create(name="=cmd()", latitude=1, longitude=1)
    StockFactory(product__item_id="@cape", store=store, quantity=1)
    data = {"format": "1", "resource": "", "item_id": "on", "store": "on", "quantity": "on"}
    content = admin_client.post(f"{STOCK}export/", data).content
    sheet = load_workbook(BytesIO(content)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == ["item_id", "store", "quantity"]
    assert sorted(rows[1:], key=str) == [["'@cape", "'=cmd()", 1], ["coat", "Vienna", 3]]
    before = stock()
    Stock.objects.all().delete()
    confirm(admin_client, upload(admin_client, content, "stock.xlsx"))
    assert stock() == before


def test_an_analyst_exports_and_imports_nothing(client, shelves):
    client.force_login(staff("viewer", groups=("analyst",)))
    assert upload(client, f"{HEAD}coat,Vienna,7\n").status_code == 403
    assert client.post(f"{STOCK}process_import/").status_code == 403
    assert client.get(f"{STOCK}export/").status_code == 200


@pytest.mark.parametrize(
    ("latitude", "longitude", "reason"),
    [
        ("91", "0", "less than or equal to 90"),
        ("10", "-181", "greater than or equal to -180"),
        ("0", "0", "0, 0 lies in the Atlantic"),
        ("nan", "0", "Enter a number"),
        ("48,2", "x", "Enter a number"),
    ],
)
def test_a_place_that_cannot_be_is_refused(admin_client, latitude, longitude, reason):
    data = {"name": "Nowhere", "latitude": latitude, "longitude": longitude}
    answer = admin_client.post("/admin/catalog/store/add/", data)
    assert reason in answer.content.decode()
    assert not Store.objects.exists()


def test_a_map_holds_its_stores_and_the_place_that_they_are_near_to():
    vienna = Store(pk=1, name="Vienna", latitude=48.2, longitude=16.4)
    sydney = Store(pk=2, name="Sydney", latitude=-33.9, longitude=151.2)
    one = map_of([vienna], chosen=vienna)
    assert one.view_box == "86 -521 156 78"
    assert [(m.x, m.y, m.is_chosen) for m in one.marks] == [("164.0", "-482.0", True)]
    both = map_of([vienna, sydney], origin=Place(64.1, -21.9))
    left, top, width, height = map(float, both.view_box.split())
    for x, y in ((164, -482), (1512, 339), (-219, -641)):
        assert left < x < left + width and top < y < top + height
    assert map_of([]).view_box == "-1800 -900 3600 1800"


def test_a_name_on_the_map_stands_for_the_stores_that_it_would_cover():
    places = {"Vienna": (48.2, 16.4), "Wien Mitte": (48.21, 16.39), "Graz": (47.1, 15.4)}
    stores = [
        Store(pk=n, name=name, latitude=x, longitude=y)
        for n, (name, (x, y)) in enumerate(places.items())
    ]
    assert [mark.label for mark in map_of(stores).marks] == ["Vienna and 1 more", "", "Graz"]


def test_a_map_near_the_edge_of_the_world_stays_inside_it():
    fiji = Store(pk=1, name="Fiji", latitude=-89.0, longitude=179.9)
    left, top, width, height = map(float, map_of([fiji]).view_box.split())
    assert left + width <= 1800 and top + height <= 900


def test_the_list_draws_every_store_and_links_it(admin_client):
    n_queries = []
    for n in (1, 10):
        StoreFactory.create_batch(n)
        with CaptureQueriesContext(connection) as queries:
            page = admin_client.get("/admin/catalog/store/").content.decode()
        n_queries.append(len(queries))
    assert page.count('<circle class="store"') == 11
    assert n_queries[0] == n_queries[1] <= 12
