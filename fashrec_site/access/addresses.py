"""From which address a request comes, for counting; a header is believed only from our proxies."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

NOWHERE = "127.0.0.1"  # a unix socket has no peer address; it is of this machine
IPV6_PREFIX = 64  # what one customer of a provider has at least


def client_address(request: HttpRequest) -> str:
    """The address that the request came from.

    It is the connection's. Only where that is one of FASHREC_TRUSTED_PROXIES, the last entry of
    X-Forwarded-For that is not: proxies append, so what stands before it is the client's own claim.
    """
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    if address is None or not _is_trusted(address, settings.FASHREC_TRUSTED_PROXIES):
        return str(address or NOWHERE)
    for entry in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        forwarded = _parsed(entry.strip())
        if forwarded is None:
            break
        address = forwarded
        if not _is_trusted(forwarded, settings.FASHREC_TRUSTED_PROXIES):
            break
    return str(address)


def counted_address(request: HttpRequest) -> str:
    """What is counted together: an IPv4 address, or the /64 network of an IPv6 one."""
    address = _parsed(client_address(request))
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_PREFIX), strict=False))
    return str(address or NOWHERE)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _is_trusted(address: IPv4Address | IPv6Address, networks: Sequence[str]) -> bool:
    return any(address in ip_network(network) for network in networks)
