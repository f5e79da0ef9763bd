"""Where the server is, as `--to` says it; reads and writes nothing."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from devtune.errors import RecipeError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a base URL such as `http://127.0.0.1:8000/v1`."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme == "https"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_address(text: str) -> Address:
    """Take a base URL apart. Raises `RecipeError`, which repeats nothing that may be a key."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise RecipeError("--to: no URL; give one like http://127.0.0.1:8000/v1") from None
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not re.fullmatch(r"[\w.:%-]+", host, re.ASCII):
        raise RecipeError("--to: no URL; give one like http://127.0.0.1:8000/v1")
    if parts.username is not None or parts.query or parts.fragment:
        raise RecipeError(
            "--to: give scheme, host, port and path alone; the agent sends its key itself"
        )
    return Address(parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"))


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach a server that listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
