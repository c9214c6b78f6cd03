"""The connections of our own clients: as many as there are callers, and such as can be closed while a call waits.

A call of boto3 cannot be interrupted. What can be is its connection: whoever no longer waits for a call closes it, and
the call ends at once, instead of at the read time-out. What closing it cannot end is done in another thread: to make a
connection, and to renew credentials.

Over a connection that came along into a forked child, parent and child would take each other's answers. So a child has
none of its parent's, of whatever client.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, Final, Protocol, TypedDict
from weakref import WeakSet, ref

from rekog_emotion import forks, workers
from rekog_emotion.clients.beside import credentials_of
from rekog_emotion.clients.protocols import aws_region, is_async, service_region, works_here
from rekog_emotion.clients.sharing import SHARED

__all__ = [
    "Line",
    "Standing",
    "leave",
    "line_of",
    "line_within",
    "make_closable",
    "make_own",
    "pool_of",
    "read_timeout_of",
    "standing",
]

_CALLS: Final = threading.local()
_LEFT_ALONE: Final = "nobody waits for this call any longer"
_CLOSABLE: Final[WeakSet[Any]] = WeakSet()
# In a forked child: what is its own by now, connections and credentials.
_OWN: WeakSet[Any] | None = None


class Going(Protocol):
    """A call that another thread makes."""

    def done(self) -> bool:
        """Tell whether it has ended."""
        ...


# The calls of clients that cannot be interrupted, which nobody waits for.
_LEFT: Final[WeakSet[Going]] = WeakSet()


class Line:
    """The connection of one call: entered in the thread that makes the call, closed from any other.

    Args:
        seconds: After which it is closed by itself, and until which a connection has to be made; left out, it is for
            somebody else to close it.

    Attributes:
        is_closed: Nobody waits for the call any longer.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.is_closed = False
        self._lock = threading.Lock()
        self._connection: Any = None
        self._deadline = None if seconds is None else workers.Deadline(seconds, self.close)
        self._outer: ref[Line] | None = None  # of the call that this one is made in

    def __enter__(self) -> None:
        if self._deadline is not None:
            self._deadline.__enter__()
        self._outer, _CALLS.line = getattr(_CALLS, "line", None), ref(self)

    def __exit__(self, *error: object) -> None:
        if self._deadline is not None:
            self._deadline.__exit__(*error)
            self._deadline = None  # which has this one: neither waits for the garbage collector
        _CALLS.line = self._outer
        with self._lock:
            self._connection = None  # from now on it is another call's

    def close(self) -> None:
        """End the call, now or as soon as it has a connection; after the call it does nothing."""
        with self._lock:
            self.is_closed = True
            _shut(self._connection)

    def carry(self, connection: Any) -> None:  # noqa: ANN401 -- urllib3's
        """Take the connection that the call uses now.

        Raises:
            ConnectionAbortedError: It is closed.
        """
        with self._lock:
            self._connection = connection
            if self.is_closed:
                raise ConnectionAbortedError(_LEFT_ALONE)

    def connect(self, connection: Any, connect: Callable[[], object]) -> None:  # noqa: ANN401 -- likewise
        """Have the connection made that the call is to use.

        Raises:
            ConnectionAbortedError: It is closed, or was before there was a connection.
        """
        self.carry(connection)
        if self._deadline is None:
            connect()
            return

        def make() -> None:  # the search for a host's address, say, nobody can end
            connect()
            with self._lock:
                if self.is_closed:
                    connection.close()

        made = workers.submit(make)
        try:
            error = made.exception(self._deadline.seconds_left)
        except BaseException as late:  # its time is over, or Ctrl-C
            self.close()
            if not isinstance(late, TimeoutError):
                raise
            raise ConnectionAbortedError(_LEFT_ALONE) from None
        if error is not None:
            raise error
        self.carry(connection)


def _shut(connection: Any) -> None:  # noqa: ANN401 -- likewise
    wire = getattr(connection, "sock", None)
    if isinstance(wire, socket.socket):
        with suppress(OSError):  # it is shut already
            socket.socket.shutdown(wire, socket.SHUT_RDWR)  # not ssl's own, which would touch what the call uses


def make_closable(client: object) -> None:
    """Let the calls of a client of ours be ended, where its botocore is built as those that we know."""
    session: Any = getattr(getattr(client, "_endpoint", None), "http_session", None)
    pools = getattr(session, "_pool_classes_by_scheme", None)
    # Connections are made later, of the classes that stand here then, for proxies, too.
    if isinstance(pools, dict) and pools.keys() == {"http", "https"}:
        pools |= _pools(pools["http"], pools["https"])
        _CLOSABLE.add(client)


def line_of(client: object) -> Line | None:
    """Return a line for one call; ``None`` where the client's calls cannot be ended."""
    try:
        return Line() if client in _CLOSABLE else None
    except TypeError:  # it cannot be referenced weakly
        return None


def line_within(client: object, seconds: float) -> Line | None:
    """Return a line for one call that its own thread can make, as it ends in time: nothing else than it may wait.

    Returns:
        ``None`` where the client's calls cannot be ended, or its credentials may be renewed first.
    """
    credentials: Any = credentials_of(client)
    # Credentials that do not change are of that very class; those that do have a method by which they say so.
    if credentials is None or (type(credentials).__name__ != "Credentials" and _are_due(credentials)):
        return None
    return Line(seconds) if client in _CLOSABLE else None


def _are_due(credentials: Any) -> bool:  # noqa: ANN401 -- botocore's, of any class
    is_due = getattr(credentials, "refresh_needed", None)
    return is_due is None or bool(is_due())


def leave(client: object, call: Going, line: Line | None) -> str:
    """Stop waiting for a call, and say what goes on of it: nothing where its connection can be closed.

    Args:
        client: Makes the call.
        call: Has not ended.
        line: Its connection, if it can be closed.
    """
    if line is not None:
        line.close()
        return ""
    if works_here(client):
        return "the work goes on in its thread until it ends"
    with SHARED.lock:
        _LEFT.add(call)
        under_way = sum(not one.done() for one in _LEFT)
    limit = read_timeout_of(client)
    until = "by itself" if limit is None else f"at the client's own read time-out of {limit:g} s at the latest"
    return f"this client's calls cannot be interrupted: it ends {until} ({under_way} such under way)"


def read_timeout_of(client: object) -> float | None:
    """Return the seconds after which a boto3 client gives up waiting for an answer, ``None`` where it is not known."""
    limit = getattr(getattr(getattr(client, "meta", None), "config", None), "read_timeout", None)
    return float(limit) if isinstance(limit, (int, float)) else None


def pool_of(client: object) -> int | None:
    """Return how many connections a boto3 client keeps, ``None`` of any other."""
    number = getattr(getattr(getattr(client, "meta", None), "config", None), "max_pool_connections", None)
    return number if isinstance(number, int) else None


class Standing(TypedDict):
    """What a batch is told of how a client stands to its service.

    Attributes:
        region: Of the service, if it is known.
        aws: The same, if it is AWS that answers.
        pool: Connections that the client keeps, if it says so.
        waits: Whoever finds none of them free waits for one, as in aiohttp; urllib3 makes another one.
    """

    region: str | None
    aws: str | None
    pool: int | None
    waits: bool


def standing(client: object) -> Standing:
    """Return how a client, of either world, stands to its service."""
    return Standing(
        region=service_region(client),
        aws=aws_region(client),
        pool=pool_of(client),
        waits=is_async(client, "detect_faces"),
    )


def make_own(client: object) -> None:
    """See, before a call, that a boto3 client uses nothing that came along into this process when it was forked.

    Neither connections, nor locks that only a thread of the parent could give back.
    """
    if _OWN is not None:  # pragma: no cover -- tested in forked children, where nothing is measured
        session: Any = getattr(getattr(client, "_endpoint", None), "http_session", None)
        managers = getattr(session, "_manager", None), *getattr(session, "_proxy_managers", {}).values()
        credentials: Any = credentials_of(client)
        with SHARED.lock:
            for manager in managers:
                if hasattr(manager, "pools") and manager not in _OWN:
                    forks.abandon(manager.pools)  # to close it would take its locks
                    manager.pools = type(manager.pools)()
                    _OWN.add(manager)
            if hasattr(credentials, "_refresh_lock") and credentials not in _OWN:
                credentials._refresh_lock = threading.Lock()  # noqa: SLF001 -- there is no other way to it
                _OWN.add(credentials)


def _begin_anew() -> None:  # pragma: no cover -- likewise
    global _OWN  # noqa: PLW0603 -- there is one a process
    _OWN = WeakSet()


forks.in_child(_begin_anew)


@cache
def _pools(*known: type[Any]) -> dict[str, type[Any]]:
    """Return botocore's classes of pools, whose connections tell the call of their thread that it has them."""

    class _Telling:
        """Asks the line of its call before it is made, and before it is used."""

        def connect(self) -> None:
            connect = super().connect  # type: ignore[misc]  # of the connection that this is mixed into
            line = _line()
            if line is None:
                connect()
            else:
                line.connect(self, connect)

        def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- urllib3's
            line = _line()
            if line is not None:
                line.carry(self)
            super().request(*args, **kwargs)  # type: ignore[misc]  # likewise

    def telling(pool: Any) -> type[Any]:  # noqa: ANN401 -- likewise
        connection = type(pool.ConnectionCls.__name__, (_Telling, pool.ConnectionCls), {})
        return type(pool.__name__, (pool,), {"ConnectionCls": connection})

    return dict(zip(("http", "https"), map(telling, known), strict=True))


def _line() -> Line | None:
    """Return the line of the call that this thread makes."""
    # Not kept: Ctrl-C may come before a line is left, which would be closed under later calls of the thread.
    line: ref[Line] | None = getattr(_CALLS, "line", None)
    return None if line is None else line()
