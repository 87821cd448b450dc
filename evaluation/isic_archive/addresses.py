"""Which addresses may be asked: listed hosts over https, at a public address of the internet."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from evaluation.isic_archive.types import ArchiveError

PORTS = {"https": 443, "http": 80}
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that a gateway translates to IPv4 ones (RFC 6052)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Target:
    """One checked address: connect to `ip`, but speak of `host`."""

    scheme: str
    host: str
    ip: str
    port: int
    path: str


@dataclass(frozen=True)
class Rules:
    """`hosts` are exact names; `allow_private` is for a local archive: http, any port, private addresses."""

    hosts: frozenset[str]
    allow_private: bool

    def target(self, url: str) -> Target:
        """Check an address and resolve its name, once. Raises ArchiveError."""
        parts, port = self._parsed(url)
        host = parts.hostname or ""
        if host not in self.hosts:
            raise ArchiveError(
                "host-not-listed", f"The archive points to the host “{host}”, which is not listed. Ask the operator."
            )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(parts.scheme, host, self._resolved(host, port), port, path)

    def _parsed(self, url: str) -> tuple[SplitResult, int]:
        try:
            if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
                raise ValueError
            parts = urlsplit(url)
            usual = PORTS[parts.scheme]
            port = usual if parts.port is None else parts.port
        except (ValueError, KeyError) as error:
            raise ArchiveError("bad-address", f"{url[:200]!r} is no web address. Correct it.") from error
        if parts.username is not None or parts.password is not None:
            raise ArchiveError(
                "bad-address", f"An address at “{parts.hostname}” holds a user or a password. Remove it."
            )
        if not self.allow_private and (parts.scheme, port) != ("https", 443):
            raise ArchiveError("bad-address", f"{parts.hostname} is not asked over https on its usual port. Use https.")
        return parts, port

    def _resolved(self, host: str, port: int) -> str:
        """Return one address of the host, IPv4 before IPv6; all of them must be public."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ArchiveError(
                "unreachable", f"The name {host} has no address ({error}). Check the connection and start again."
            ) from error
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        private = [address for address in addresses if not is_public(address)]
        if private and not self.allow_private:
            raise ArchiveError(
                "address-not-public", f"{host} resolves to {private[0]}, which is not public. Ask the operator."
            )
        return str(min(addresses, key=lambda address: address.version))


def is_public(address: Address) -> bool:
    """Whether an address belongs to a host of the public internet; IPv6 in disguise of IPv4 does not."""
    if address.version == 6:
        disguised = address.ipv4_mapped or address.sixtofour or address.teredo or address in TRANSLATED
        if disguised or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
