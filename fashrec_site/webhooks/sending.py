"""POST to an address that somebody typed in, without becoming their way into our network.

A name is resolved once, every address that it has must be public, and the connection goes to one of
those, so that a name which resolves differently a moment later gains nothing. Redirects are not
followed, proxies of the environment are not used, and what the receiver answers is not kept.
"""

import socket
import ssl
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import urlsplit

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
DEFAULT_PORTS = {"http": 80, "https": 443}


class SendError(Exception):
    """It was not delivered; the message says why, for the admin's eyes."""


def post(
    url: str, *, body: bytes, headers: Mapping[str, str], allow_private: bool, allow_http: bool
) -> int:
    """The status that the receiver answered with.

    Raises:
        SendError: the URL is not allowed, its address is not public, or nobody answered in time.
    """
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        raise SendError("expected http(s)://host/path, without a user name")
    if parts.scheme == "http" and not allow_http:
        raise SendError("https is needed: what is told would be readable on the way")
    try:
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        address = _public_address(parts.hostname, port, allow_private=allow_private)
        connection = _connection(parts.scheme, parts.hostname, address, port)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return _exchange(connection, path, body, headers)
    except (OSError, HTTPException, ValueError) as error:
        raise SendError(f"{type(error).__name__}: {error}") from error


def _public_address(host: str, port: int, *, allow_private: bool) -> str:
    """An address of `host`; none of them may be private, loopback, link-local or reserved."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [entry[4][0] for entry in found]
    for text in addresses:
        address = ip_address(text.partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if not allow_private and (not address.is_global or address.is_multicast):
            raise SendError(f"{host} is at {address}, which is no public address")
    return addresses[0]


def _connection(scheme: str, host: str, address: str, port: int) -> HTTPConnection:
    """A connection to `address` that calls it `host`, also when it checks the certificate."""
    connected = socket.create_connection((address, port), timeout=CONNECT_SECONDS)
    if scheme == "http":
        connection = HTTPConnection(host, port)
        connection.sock = connected
        return connection
    context = ssl.create_default_context()
    connection = HTTPSConnection(host, port, context=context)
    try:
        connection.sock = context.wrap_socket(connected, server_hostname=host)
    except OSError:
        connected.close()
        raise
    return connection


def _exchange(
    connection: HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]
) -> int:
    """Send, and read no more than the status, before the time is up."""
    deadline = time.monotonic() + TOTAL_SECONDS
    try:
        connection.request("POST", path, body=body, headers=dict(headers))
        return _status(connection.sock, deadline)
    finally:
        connection.close()


def _status(connected: socket.socket, deadline: float) -> int:
    """The status line's number; a receiver that sends a byte now and then gets no longer."""
    line = b""
    while not line.endswith(b"\n") and len(line) < 1000:
        connected.settimeout(max(0.01, deadline - time.monotonic()))
        byte = connected.recv(1)
        if not byte:
            break
        line += byte
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/") or not rest[:3].isdigit():
        raise SendError("the answer is not HTTP")
    return int(rest[:3])
