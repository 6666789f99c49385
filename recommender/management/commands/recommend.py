"""`manage.py recommend SHOPPER`: one shopper's recommendations as tables, with their terms."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from catalog.models import Product
from recommender.answers import Recommendation, RecommendationSet
from recommender.ranking import RankingError, RankingSettings, backbone_named, default_profile
from recommender.services import recommend
from shoppers.models import Shopper

TERMS = ("visual", "popularity", "category", "proximity", "merchandising")


class Command(BaseCommand):
    """Prints each purchase's rail and the merged list."""

    help = (
        "Print the recommendations of one shopper: for every purchase the products that go with "
        "it, then all merged. The weighted terms, with what the shop adds, add up to the "
        "relevance."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """SHOPPER and the settings that override the default profile."""
        parser.add_argument("shopper", metavar="SHOPPER", help="the shopper's external id")
        parser.add_argument("--k", type=int, help="recommendations per purchase (1 to 100)")
        parser.add_argument("--backbone", metavar="NAME", help="whose vectors to compare")
        parser.add_argument(
            "--path",
            choices=["exact", "index"],
            help="how candidates are found (default: the index where it can answer)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Look the shopper up, rank, print."""
        name = options["backbone"]
        try:
            settings = RankingSettings.from_profile(default_profile()).with_changes(
                k=options["k"], backbone=backbone_named(name) if name else None
            )
        except RankingError as error:
            raise CommandError(str(error)) from error
        answer = recommend(
            shopper=_shopper(options["shopper"]), settings=settings, path=options["path"]
        )
        console = Console(file=self.stdout, width=None if self.stdout.isatty() else 120)
        for table in _tables(answer):
            console.print(table)
        console.print(_settings_line(answer))


def _shopper(external_id: str) -> Shopper:
    try:
        return Shopper.objects.get(external_id=external_id)
    except Shopper.DoesNotExist:
        examples = ", ".join(Shopper.objects.values_list("external_id", flat=True)[:3])
        hint = f"for example {examples}" if examples else "there are none: simulate_purchases"
        raise CommandError(f"No shopper {external_id!r} ({hint}).") from None


def _tables(answer: RecommendationSet) -> list[Table]:
    rails = [
        _table(f"Because of {_named(rail.because.product)}", rail.items) for rail in answer.rails
    ]
    title = "All together" if rails else "No comparable purchases: popular, in line with t"
    return [*rails, _table(title, answer.items[: answer.settings.k * 2])]


def _table(title: str, items: list[Recommendation]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("product", overflow="fold")
    table.add_column("category")
    terms = [name for name in TERMS if any(getattr(item.terms, name) for item in items)]
    for name in (*terms, "relevance", "NormPop", "km"):
        table.add_column(name, justify="right")
    table.add_column("nearest store")
    for item in items:
        place = item.availability
        known = place is not None and place.distance_km is not None
        table.add_row(
            f"{_named(item.product)}{' (pinned)' if item.pinned else ''}",
            item.product.category.name,
            *(f"{getattr(item.terms, name):.3f}" for name in terms),
            f"{item.relevance:.3f}",
            f"{item.normalized_popularity:.2f}",
            f"{place.distance_km:,.0f}" if known else "-",
            place.store.name if place else "-",
        )
    return table


def _named(product: Product) -> str:
    return f"{product.item_id} {product.title}".strip()


def _settings_line(answer: RecommendationSet) -> str:
    used = answer.settings
    return (
        f"tier {answer.tier}, profile {used.profile_name}, backbone {used.backbone}, weights "
        f"{used.weight_visual}/{used.weight_popularity}/{used.weight_category}"
        f"/{used.weight_proximity}, "
        f"exponent {used.penalty_exponent}, k {used.k}, log {answer.id}"
    )
