"""Where the embedded servers live: folders that their account can reach, sockets short enough."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from fashrec_site.embedded.locks import exclusive
from fashrec_site.embedded.service_account import Account

# Root's own folders (a 0700 temporary folder, /root) cannot be entered by the service user. Rather
# than open them to everybody, servers then live here, and FASHREC_HOME/servers links to it.
SYSTEM_FOLDER = Path("/var/lib/fashrec")
LONGEST_SOCKET_PATH = 100  # bytes; Linux allows 107, macOS 103, with the longest name included


def servers_folder(home: Path, account: Account) -> Path:
    """The folder of the servers' data: `home/servers`, or where that points to."""
    link = home / "servers"
    if not link.exists():
        home.mkdir(parents=True, exist_ok=True)
        with exclusive(home / "servers.lock"):
            if not link.exists():
                _place_servers(link, account)
    return link.resolve()


def _place_servers(link: Path, account: Account) -> None:
    link.unlink(missing_ok=True)  # a dangling link: its target was deleted
    if account.can_reach(link):
        account.own(link)
        return
    SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    target = account.own(Path(tempfile.mkdtemp(prefix="servers-", dir=SYSTEM_FOLDER)))
    link.symlink_to(target)
    sys.stderr.write(
        f"Embedded servers: their data is in {target}, as {link.parent} is closed to their user.\n"
    )


def socket_folder(servers: Path, account: Account) -> Path:
    """The folder of the servers' sockets: `servers/run`, or where that points to if too long."""
    link = servers / "run"
    if not link.exists():
        with exclusive(servers / "run.lock"):
            if not link.exists():
                _place_sockets(link, account)
    return link.resolve()


def _place_sockets(link: Path, account: Account) -> None:
    link.unlink(missing_ok=True)
    if len(os.fsencode(link / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET_PATH:
        account.own(link)
    else:
        link.symlink_to(account.own(Path(tempfile.mkdtemp(prefix="fashrec-", dir="/tmp"))))


def reachable_copy(original: Path, account: Account) -> Path:
    """`original` (a program's file or folder), or a copy of it that `account` can execute."""
    if account.can_reach(original):
        return original
    copy = SYSTEM_FOLDER / f"{original.name}-{original.stat().st_mtime_ns}"
    if not copy.exists():
        SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        with exclusive(SYSTEM_FOLDER / "copies.lock"):
            if not copy.exists():
                _copy_for_everybody(original, copy)
    return copy


def _copy_for_everybody(original: Path, copy: Path) -> None:
    """Copy beside the place and rename, so that no half copy is ever taken for a whole one."""
    with tempfile.TemporaryDirectory(prefix="partial-", dir=SYSTEM_FOLDER) as folder:
        partial = Path(folder) / original.name
        if original.is_dir():
            shutil.copytree(original, partial, symlinks=True)
        else:
            shutil.copy2(original, partial)
        for path in (partial, *partial.rglob("*")):  # a umask of 077 may have closed them
            if not path.is_symlink():
                executable = 0o111 if path.is_dir() or path.stat().st_mode & 0o100 else 0
                path.chmod(path.stat().st_mode | 0o444 | executable)
        partial.rename(copy)
