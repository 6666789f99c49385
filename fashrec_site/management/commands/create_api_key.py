"""`manage.py create_api_key NAME`: a key for a storefront's server."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from fashrec_site.access.keys import issue_key
from shoppers.callers import Scope


class Command(BaseCommand):
    """Prints the key, once."""

    help = (
        "Make an API key for a storefront's server and print it; only its hash is kept. It is "
        "sent as `Authorization: Bearer KEY`, and revoked in the admin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME, scopes and a limit."""
        parser.add_argument("name", metavar="NAME", help="whose key it is")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            default=[],
            help="what it may do beyond reading the catalogue; may be given several times",
        )
        parser.add_argument("--rate-limit", default="", metavar="6000/minute", help="of its own")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it; the key alone goes to stdout, for scripts."""
        try:
            _, key = issue_key(
                name=options["name"], scopes=options["scope"], rate_limit=options["rate_limit"]
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stderr.write("The key is shown this once:")
        self.stdout.write(key)
