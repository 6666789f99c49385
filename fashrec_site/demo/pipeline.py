"""The demo's steps, each a command that a user could run; what is done already is skipped."""

import secrets
from pathlib import Path

from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.utils import timezone
from rich.console import Console

from catalog.progress import StagedProgress
from shoppers.models import Purchase, Shopper
from shoppers.services import move_simulated_year

SEED = 42
CITY = "48.12,16.24,48.29,16.52"  # so that the stores are near enough for some shoppers
N_SHOPPERS = 50
console = Console(highlight=False, soft_wrap=True)


def run_pipeline(home: Path, photos: Path | None, *, is_new: bool) -> bool:
    """Photos to report; False, with one line of reason, where a step fails."""
    try:
        call_command("migrate", verbosity=0)
        if photos is None:
            _import_drawn(home)
        else:
            _step("Import", f"import_products {photos}")
            call_command("import_products", str(photos), on_error="skip")
        _step("Embed", "embed_products --inline")
        call_command("embed_products", inline=True)
        if not Purchase.objects.exists():
            options = ["--shoppers", str(N_SHOPPERS), "--seed", str(SEED), f"--bounding-box={CITY}"]
            _step("Simulate a year", " ".join(["simulate_purchases", *options]))
            call_command("simulate_purchases", *options)
            move_simulated_year(ending=timezone.now())
        shopper = busiest_shopper()
        _step("Recommend", f"recommend {shopper}")
        call_command("recommend", shopper.external_id)
        _step("Evaluate", "evaluate")
        call_command("evaluate")
    except CommandError as error:
        console.print(f"[red]{error}[/red]")
        return False
    except KeyboardInterrupt:
        console.print("Stopped. What is done stays; the same command goes on from there.")
        return False
    return True


def busiest_shopper() -> Shopper:
    """The shopper with most purchases, the first of them."""
    return Shopper.objects.annotate(n=Count("purchases")).order_by("-n", "id").first()


def ensure_admin() -> str | None:
    """Make the user `admin`; its random password, kept nowhere, or None if it was there."""
    if User.objects.filter(username="admin").exists():
        return None
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser("admin", password=password)
    return password


def _import_drawn(home: Path) -> None:
    from fashrec_site.demo.garments.catalogue import draw_catalogue

    folder = home / "drawn"
    if not (folder / "images").exists():
        _step("Draw some 300 garments", str(folder))
        with StagedProgress() as progress:
            draw_catalogue(folder, seed=SEED, on_progress=progress.stage("Drawing"))
    _step("Import", "import_products drawn")
    call_command("import_products", str(folder))


def _step(title: str, command: str) -> None:
    console.print(f"\n[bold]{title}[/bold]  [dim]{command}[/dim]")
