"""Addresses as Go writes them: `host:port` to and from sockets, errors in Go's words.

The API answers these errors with status 500 and their text, which clients match on.
"""

import errno
import os
import socket

LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65535


class AddressError(Exception):
    """An address that cannot be used; the message is Go's."""


def split(address: str) -> tuple[str, int]:
    """Split `host:port`; the host may be empty or in brackets, the port a number or a service."""
    host, colon, port = address.rpartition(":")
    if not colon:
        raise AddressError(f"address {address}: missing port in address")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise AddressError(f"address {address}: too many colons in address")
    return host, _port(port)


def _port(text: str) -> int:
    if text.isascii() and text.isdigit():
        if int(text) > HIGHEST_PORT:
            raise AddressError(f"address {text}: invalid port")
        return int(text)
    if not text:
        return 0
    try:
        return socket.getservbyname(text, "tcp")
    except OSError:
        raise AddressError(f"lookup tcp/{text}: unknown port") from None


def join(host: str, port: int) -> str:
    """Write an address as Go does, with brackets around IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def resolve(address: str) -> str:
    """Give the address with its host looked up, as `net.ResolveTCPAddr(…).String()`."""
    if not address:
        return ":0"
    host, port = split(address)
    return join(_look_up(host), port) if host else f":{port}"


def _look_up(host: str) -> str:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        raise AddressError(f"lookup {host}: no such host") from None
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    return next((address for address in addresses if ":" not in address), addresses[0])


def listen(address: str, *, backlog: int) -> socket.socket:
    """Bind and listen; no host means loopback, port 0 a free one."""
    try:
        host, port = split(address) if address else ("", 0)
        host = _look_up(host or LOOPBACK)
    except AddressError as error:
        raise AddressError(f"listen tcp: {error}") from None
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(backlog)
    except OSError as error:
        bound.close()
        reason = os.strerror(error.errno or errno.EINVAL).lower()
        raise AddressError(f"listen tcp {join(host, port)}: bind: {reason}") from None
    bound.settimeout(0)
    return bound


def listening_on(bound: socket.socket) -> str:
    """Give the address a socket listens on."""
    name = bound.getsockname()
    return join(str(name[0]), int(name[1]))
