"""Look for products that may be the same article twice."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog.progress import StagedProgress
from embeddings.duplicates.services import (
    AlreadySearchingError,
    NothingToCompareError,
    find_duplicates,
)


class Command(BaseCommand):
    """`manage.py find_duplicates`."""

    help = (
        "Look for products whose photos show the same article, however they were saved, cropped "
        "or put on another background, and put the pairs into the review queue of the admin. Only "
        "what is new or changed since the last time is looked at; stopped at any moment, the next "
        "run goes on. Needs embeddings (manage.py embed_products)."
    )

    def handle(self, *args: object, **options: object) -> None:
        """Search, and say what came of it."""
        try:
            with StagedProgress() as progress:
                report = find_duplicates(now=timezone.now(), on_progress=progress)
        except (NothingToCompareError, AlreadySearchingError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped; run it again to go on.", returncode=130) from error
        if report.n_unreadable:
            self.stderr.write(f"{report.n_unreadable:,} photos could not be read.")
        self.stdout.write(
            f"Compared {report.n_compared:,} products: {report.n_new:,} new pairs; "
            f"{report.n_open:,} wait for a decision (admin, Assortment, Duplicates)."
        )
