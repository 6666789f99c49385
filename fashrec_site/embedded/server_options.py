"""The embedded PostgreSQL's settings: ours, and those that FASHREC_POSTGRES_OPTIONS replaces."""

import os
import re
import shlex

from fashrec_site.embedded.service_account import EmbeddedServerError

VARIABLE = "FASHREC_POSTGRES_OPTIONS"
PORT = 5432  # only the socket's name; PGPORT in the environment would change it
# What our own start, stop and clients rely on.
FIXED = {"listen_addresses", "port", "unix_socket_permissions", "unix_socket_directories", "fsync"}


def memory_mb() -> int:
    """This machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


DEFAULTS: dict[str, object] = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "max_connections": 100,
    # An eighth of the memory: ranking reads single rows of a large table, and from PostgreSQL's own
    # buffers a row takes a tenth of the time that it takes from the system's. Taken as it is used.
    "shared_buffers": f"{min(max(256, memory_mb() // 8), 4096)}MB",
    "maintenance_work_mem": f"{min(max(512, memory_mb() // 16), 2048)}MB",
    "jit": "off",  # compiling costs more than it saves on our millisecond queries
}


def server_options() -> dict[str, object]:
    """Name -> value of every setting that the server is started with.

    Raises:
        EmbeddedServerError: FASHREC_POSTGRES_OPTIONS is not `name=value name=value ...`, or it
            names a setting that the embedded server depends on.
    """
    options = dict(DEFAULTS)
    for word in shlex.split(os.environ.get(VARIABLE, "")):
        name, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", name):
            raise EmbeddedServerError(
                f"{VARIABLE} holds {word!r}; expected words like shared_buffers=2GB."
            )
        if name in FIXED:
            raise EmbeddedServerError(
                f"{VARIABLE} sets {name}, which the embedded PostgreSQL depends on; "
                "use a server of your own (DATABASE_URL) for that."
            )
        options[name] = value
    return options
