"""`python -m fashrec_site.demo`: what `make demo` runs."""

import argparse
import os
import sys
from pathlib import Path

from fashrec_site.demo.home import DemoError, check_photos, demo_home, prepare_home
from fashrec_site.demo.serving import check_port
from fashrec_site.home import fashrec_home


def main() -> int:
    """Check the options, enter the demo's home, run the pipeline, serve."""
    options = _parse()
    try:
        photos = check_photos(options.photos)
        if options.serve:
            check_port(options.port)
        home = demo_home(fashrec_home())
        is_new = prepare_home(home, photos)
    except DemoError as error:
        sys.stderr.write(f"make demo: {error}\n")
        return 2
    _enter(home)

    # Only now, as importing Django's settings reads the environment.
    from fashrec_site.demo.pipeline import run_pipeline
    from fashrec_site.demo.serving import serve

    if not run_pipeline(home, photos, is_new=is_new):
        return 1
    return serve(options.port) if options.serve else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make demo",
        description="Photos to masked embeddings, a simulated year, recommendations and a report.",
    )
    parser.add_argument("--photos", type=Path, help="your photos instead of drawn garments")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--no-serve", dest="serve", action="store_false")
    return parser.parse_args()


def _enter(home: Path) -> None:
    """Make `home` this process's home, with its embedded servers whatever else is configured.

    Set to nothing rather than removed: what is unset would be read from a `.env` file again.
    """
    os.environ["FASHREC_HOME"] = str(home)
    os.environ["FASHREC_DEMO"] = "1"
    for name in ("DATABASE_URL", "REDIS_URL", "FASHREC_ENV", "STATIC_ROOT"):
        os.environ[name] = ""
    os.environ["DJANGO_SETTINGS_MODULE"] = "fashrec_site.settings"
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main())
