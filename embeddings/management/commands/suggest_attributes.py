"""`manage.py suggest_attributes`: what photos say of their products, for a curator to take."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from catalog.progress import StagedProgress
from embeddings.attributes import services
from embeddings.models import Backbone


class Command(BaseCommand):
    """Reads stored vectors; no photo is looked at again."""

    help = (
        "Suggest category, colour, gender, season and usage of products by a fine-tuned backbone "
        "that embedded them. Nothing changes until a curator accepts a suggestion in the admin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("backbone", metavar="NAME", help="a backbone that finetune made")
        parser.add_argument(
            "--min-confidence",
            type=float,
            default=services.MIN_CONFIDENCE,
            help="to fill an empty field (%(default)s)",
        )
        parser.add_argument(
            "--min-against",
            type=float,
            default=services.MIN_AGAINST,
            help="to contradict what a product has (%(default)s)",
        )

    def handle(self, **options: object) -> None:
        """Suggest, and count."""
        for name in ("min_confidence", "min_against"):
            if not 0 <= options[name] <= 1:
                raise CommandError(f"--{name.replace('_', '-')}: expected a number from 0 to 1")
        backbone = Backbone.objects.filter(name=options["backbone"]).first()
        if backbone is None:
            known = ", ".join(Backbone.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(
                f"no backbone {options['backbone']} is registered; there are: {known or 'none yet'}"
            )
        try:
            with StagedProgress() as bars:
                found = services.suggest_attributes(
                    backbone=backbone,
                    min_confidence=options["min_confidence"],
                    min_against=options["min_against"],
                    on_progress=bars.stage("products"),
                )
        except services.NoAttributesError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{found.n_products:,} products looked at, {found.n_open:,} suggestions are open."
        )
