"""Who may ask without a key: programs of this machine, and pages that it serves; and what a browser asks before."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.server.protocol import refusal
from rekog_emotion.wire.service import ENGINE_HEADER

__all__ = ["ANSWER_HEADERS", "Neighbours", "checked_origins"]

#: What pages may read of an answer, beside its body.
ANSWER_HEADERS: Final = ("x-amzn-RequestId", ENGINE_HEADER, "Date")

_DENIED: Final = "AccessDeniedException"
_HOST: Final = re.compile(r"(?P<name>\[[^\[\]]+\]|[^\[\]:@/]+)(?::[0-9]{1,5})?")
# As browsers write it: no path, no user. Schemes of browser extensions and app frameworks are among them.
_ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>\[[0-9a-f:.]+\]|[^\s/?#@,*:\[\]]+)(?P<port>:[0-9]+)?"
)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class Neighbours:
    """Lets only programs of this machine pass, and its own pages.

    A page from elsewhere can have a browser send requests here. Its origin gives it away, or, where its own name has
    been made to lead here (DNS rebinding), the host that is asked for.

    Args:
        origins: Pages of these may ask, too.
    """

    def __init__(self, origins: Iterable[str] = ()) -> None:
        self._origins = frozenset(origins)

    def check(self, headers: Sequence[tuple[str, str]]) -> None:
        """Check who asks.

        Args:
            headers: Names in lower case, and values, as they came; of several hosts or origins, each has to pass.

        Raises:
            RefusedError: It may be a page from elsewhere.
        """
        hosts, origins = ([value for name, value in headers if name == wanted] for wanted in ("host", "origin"))
        if not hosts or not all(map(_is_here, hosts)):
            message = (
                "Without a key this endpoint answers to the host localhost, 127.0.0.1 or [::1] only; start it with "
                "--access-key to be reached by another name."
            )
            raise refusal(_DENIED, message, status=403)
        if not self._origins.union(f"http://{host}" for host in hosts).issuperset(origins):
            message = (
                "Without a key this endpoint answers to pages of its own origin only; start it with --allow-origin to "
                "let pages of another one in."
            )
            raise refusal(_DENIED, message, status=403)


def checked_origins(origins: Iterable[str]) -> list[str]:
    """Return origins as browsers write them.

    Raises:
        InvalidInputError: One of them is none.
    """
    return [_origin(origin) for origin in origins]


def _origin(text: str) -> str:
    parts = _ORIGIN.fullmatch(text.lower())
    if parts is None:
        msg = (
            f"the origin {text!r} is no single origin: name scheme, host and port alone, such as http://localhost:3000"
        )
        raise InvalidInputError(msg)
    port = parts["port"] or ""
    if port == _DEFAULT_PORTS.get(parts["scheme"]):
        port = ""
    return f"{parts['scheme']}://{parts['host']}{port}"


@lru_cache(64)
def _is_here(host: str) -> bool:
    """Tell whether a host is a name of this machine for itself."""
    parts = _HOST.fullmatch(host)
    if parts is None:
        return False
    name = parts["name"]
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name.lower() == "localhost"
