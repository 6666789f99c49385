"""pytest plugin: tests have a home of their own and touch no user's catalogue or queue.

Loaded with `-p`, before pytest-django reads the settings.
"""

import os

from fashrec_site.home import fashrec_home

# Each process of pytest-xdist has one of its own, below that of the process which started it.
os.environ["FASHREC_HOME"] = str(fashrec_home() / os.environ.get("PYTEST_XDIST_WORKER", "test"))
# Emptied rather than removed: what is unset would be read from a `.env` file.
for name in (
    "FASHREC_ENV",
    "DATABASE_URL",
    "DATABASE_REPLICA_URLS",
    "REDIS_URL",
    "DEBUG",
    "FASHREC_WEIGHTS_DIR",
):
    os.environ[name] = ""
# Tests ask from one address, as often as they like; those of the limits set their own.
for name in ("FASHREC_RATE_LIMIT", "FASHREC_LOGIN_RATE_LIMIT", "FASHREC_SIGNUP_RATE_LIMIT"):
    os.environ[name] = "off"
