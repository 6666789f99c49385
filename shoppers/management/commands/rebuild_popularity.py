"""Count all purchases anew."""

from typing import Any

from django.core.management.base import BaseCommand

from shoppers.services import rebuild_popularity


class Command(BaseCommand):
    """`manage.py rebuild_popularity`."""

    help = (
        "Count all purchases into the products' popularity anew. The database keeps it right; "
        "this is for one that was written to with its triggers off."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild, and say how much was wrong."""
        n_wrong = rebuild_popularity()
        self.stdout.write(
            f"Corrected the popularity of {n_wrong:,} products."
            if n_wrong
            else "The popularity of every product was right."
        )
