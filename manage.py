#!/usr/bin/env python
"""Django's command line for fashrec: `manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    """Run the command named on the command line; what an operator must mend is told in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fashrec_site.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError, ProgrammingError
    from psycopg.errors import UndefinedTable

    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, OperationalError) as error:
        if "--traceback" in sys.argv:
            raise
        kind = "database" if isinstance(error, OperationalError) else "configuration"
        sys.exit(f"{kind}: {' '.join(str(error).split())} (--traceback shows where)")
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)
    except ProgrammingError as error:
        if "--traceback" in sys.argv or not isinstance(error.__cause__, UndefinedTable):
            raise
        sys.exit("database: it has no tables yet, or old ones; run: manage.py migrate")


if __name__ == "__main__":
    main()
