"""A small shop with everything that a page can show, and what is difficult to show."""

from datetime import timedelta
from pathlib import Path

from django.utils import timezone
from PIL import Image

from catalog.models import Product, ProductImage, Stock, Store
from shoppers.models import Purchase, Shopper
from tests.recommender.worlds import World, make_world

N_PRODUCTS = 60  # two and a half pages of the catalogue
LONG_NAME = "A coat with a very long name that goes on and on " + "m" * 60
SCRIPT = "<script>document.body.dataset.attacked = 1</script>"


def fill_shop(home: Path) -> None:
    """Products with photos, shoppers with reasons, stores far and wide, and a report."""
    world = make_world()
    for i in range(N_PRODUCTS):
        _add(world, i)
    _rename()
    ids = list(world.products)
    for n, name in enumerate(("simulated-1", "simulated-2", "simulated-3")):
        bought = (ids[n], ids[n + 20], ids[n + 40])
        world.shopper(*bought, external_id=name, trendiness=n / 2, latitude=48.9, longitude=2.4)
    Shopper.objects.update(is_simulated=True)
    _let_some_rise(world)
    stores = [
        Store.objects.create(name="Paris, Rue de la Paix", latitude=48.87, longitude=2.33),
        Store.objects.create(name="Far and wide store", latitude=-33.9, longitude=151.2),
    ]
    Stock.objects.bulk_create(
        Stock(product=product, store=store, quantity=3)
        for i, product in enumerate(world.products.values())
        for store in stores[i % 2 :]
        if i != 5
    )
    _write_report(home / "reports" / "latest")


def _add(world: World, i: int) -> None:
    """Looks go round a circle; kinds, colours and prices in turn."""
    category = ("Dresses", "Rompers_Jumpsuits", "Sweatshirts_Hoodies")[i % 3]
    vector = (1, (i % 12) / 12, (i % 7) / 7)
    product = world.add(f"item-{i}", vector, popularity=10 * i, category=category)
    Product.objects.filter(pk=product.pk).update(
        title=f"Garment number {i}",
        color=("Red", "Navy Blue", "")[i % 3],
        price=None if i == 7 else 10 + i,
        season="Summer",
        year=2025,
    )


def _rename() -> None:
    Product.objects.filter(item_id="item-59").update(title=LONG_NAME)
    Product.objects.filter(item_id="item-58").update(title=SCRIPT)
    Product.objects.filter(item_id="item-57").update(title="")
    ProductImage.objects.filter(product__item_id="item-56").delete()


def _let_some_rise(world: World) -> None:
    shopper = Shopper.objects.create(external_id="crowd")
    now = timezone.now()
    Purchase.objects.bulk_create(
        Purchase(shopper=shopper, product=product, purchased_at=now - timedelta(hours=i))
        for i, product in enumerate(list(world.products.values())[:6])
    )


def _write_report(folder: Path) -> None:
    """A report with what is hardest to fit: many columns, a long line of code, a broad picture."""
    folder.mkdir(parents=True)
    columns = [f"published value {i}" for i in range(14)]
    row = " | ".join
    table = [row(columns), row("---:" for _ in columns), row("64.95 [60.1, 69.8]" for _ in columns)]
    text = ["# Evaluation", "", *table, "", f"`{'x' * 200}`", "", "![Masks](figure_2_masks.png)"]
    (folder / "report.md").write_text("\n".join(text))
    Image.new("RGB", (2400, 900), "white").save(folder / "figure_2_masks.png")
