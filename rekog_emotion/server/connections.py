"""Connections, as many as the process can hold: whoever has shown no key makes room for the others."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, cast

import h11
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from rekog_emotion.logs import logger
from rekog_emotion.server.protocol import MALFORMED, refusal

__all__ = ["Connection", "ConnectionTable", "connection_type", "most_connections", "once_a_second", "trust"]

_LOG: Final = logger(__name__)
_KEY: Final = "rekog_emotion.connection"
_HEAD: Final = (
    10.0  # seconds that the head of a request may take, the wait for its first byte on a new connection included
)
_UNREAD: Final = 30.0  # seconds that a client may leave an answer unread
_READ: Final = 64 * 1024  # bytes that are read at once; asyncio takes four times as many, for each of all connections
_FIRST_READ: Final = 8 * 1024  # bytes, of somebody who may be a stranger
_SIGNED: Final = b"AWS4-HMAC-SHA256"  # in the head of whatever is signed
_STRANGERS: Final = 2  # who are heard in a turn of the loop
_MOST: Final = 2048
# Descriptors that are none of a client's: files, videos, connections to S3, and those of clients just let in.
_RESERVED: Final = 128


def most_connections() -> int:
    """Return how many connections the limit of descriptors of this process allows."""
    if sys.platform == "win32":
        return _MOST
    import resource  # noqa: PLC0415 -- not on Windows

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return _MOST
    return max(1, min(_MOST, max(limit - _RESERVED, limit // 2)))


def trust(scope: Scope) -> None:
    """Note that whoever sent a request may ask, so that the connection outlasts those of strangers.

    Args:
        scope: The request's; without a connection of this server, nothing is noted.
    """
    connection: Connection | None = scope.get("state", {}).get(_KEY)
    if connection is not None:
        connection.trusted()


@contextmanager
def sent_at_once(scope: Scope) -> Iterator[None]:
    """Send what is sent in a block at its end, if the request's connection is one of this server."""
    connection: Connection | None = scope.get("state", {}).get(_KEY)
    if connection is None:
        yield
        return
    connection.gathered.hold()
    try:
        yield
    finally:
        connection.gathered.let_go()


def once_a_second(log: Callable[..., None], *, clock: Callable[[], float] = time.monotonic) -> Callable[..., None]:
    """Return a function that logs like another, at most once a second: what strangers cause must not fill a disk."""
    last = float("-inf")

    def say(message: str, *args: object) -> None:
        nonlocal last
        now = clock()
        if now - last >= 1:
            last = now
            log(message, *args)

    return say


class _Gathered:
    """A transport that can hold back what is written, to send it at once: sending costs as much as parsing."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever a transport has
        return getattr(self._transport, name)

    def hold(self) -> None:
        """Hold back what is written from now on."""
        self._held = []

    def let_go(self) -> None:
        """Write what was held back."""
        held, self._held = self._held, None
        if held:
            self._transport.write(b"".join(held))

    def write(self, data: bytes) -> None:
        """Write, now or later."""
        if self._held is None:
            self._transport.write(data)
        else:
            self._held.append(data)

    def close(self) -> None:
        """Close, when all has been written."""
        self.let_go()
        self._transport.close()


class ConnectionTable:
    """Which connections there are, which has to go when there are too many, and which wait until they are heard.

    Args:
        most: Connections that there may be.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # Each in the order in which they came to be so.
        self._strangers: dict[Connection, None] = {}
        self._resting: dict[Connection, None] = {}
        self._working: dict[Connection, None] = {}
        self._waiting: dict[Connection, None] = {}
        self._is_hearing = False
        self._say = once_a_second(_LOG.warning)

    def enter(self, connection: Connection) -> None:
        """Take a connection in, at the cost of the oldest stranger, else of the one that has rested longest."""
        self._strangers[connection] = None
        if len(self._strangers) + len(self._resting) + len(self._working) > self._most:
            self._say(
                "%d connections are open, as many as there may be; the oldest without a signed request are closed",
                self._most,
            )
            victim = next(iter(self._strangers))
            if victim is connection and self._resting:
                victim = next(iter(self._resting))
            self.leave(victim)
            victim.drop()

    def work(self, connection: Connection) -> None:
        """Note that a trusted request is at work."""
        self.leave(connection)
        self._working[connection] = None

    def rest(self, connection: Connection) -> None:
        """Note that no request is at work any more."""
        if connection in self._working:
            del self._working[connection]
            self._resting[connection] = None

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        for group in (self._strangers, self._resting, self._working, self._waiting):
            group.pop(connection, None)

    def is_stranger(self, connection: Connection) -> bool:
        """Tell whether a connection has sent nothing yet that is rightly signed."""
        return connection in self._strangers

    def wait(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        """Have a connection heard when it is its turn: however many come at once, the loop turns fast."""
        self._waiting[connection] = None
        if not self._is_hearing:
            self._is_hearing = True
            loop.call_soon(self._hear, loop)

    def _hear(self, loop: asyncio.AbstractEventLoop) -> None:
        for connection in list(islice(self._waiting, _STRANGERS)):
            del self._waiting[connection]
            connection.hear()
        self._is_hearing = bool(self._waiting)
        if self._is_hearing:
            loop.call_soon(self._hear, loop)


class Connection(H11Protocol):
    """uvicorn's connection, with limits of time, and a place in a table."""

    table: ConnectionTable

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- as uvicorn makes it
        super().__init__(*args, **kwargs)
        self.logger = _HTTP_LOG
        self.app_state = {**self.app_state, _KEY: self}
        self.gathered: _Gathered
        self._plain: asyncio.Transport
        self._unheard = b""
        self._head_by: float | None = None
        self._unread: asyncio.TimerHandle | None = None

    def trusted(self) -> None:
        """Note that the request at work has a right to be there."""
        self.table.work(self)

    def drop(self) -> None:
        """End the connection now, what is unsent included: the kernel, too, would keep that for long."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Take a place; the first head has to come soon."""
        super().connection_made(transport)
        self._plain = transport
        self._read_at_once(_FIRST_READ)
        self.gathered = _Gathered(transport)
        self.transport = cast("asyncio.Transport", self.gathered)
        self._await_head()
        self.table.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self.table.leave(self)
        self._unset_keepalive_if_required()
        self._stop_unread()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, or have it wait: the head of a stranger, and of whoever has much to say.

        Who signs and is brief has to wait for nobody who does not.
        """
        begins = self.conn.their_state is h11.IDLE and self.table.is_stranger(self)
        if not begins or (len(data) < _FIRST_READ and _SIGNED in data):
            self._hear(data)
            return
        if self._unheard:
            self.transport.pause_reading()
        self._unheard += data
        self.table.wait(self, self.loop)

    def hear(self) -> None:
        """Take what waits."""
        if not self.transport.is_closing():
            data, self._unheard = self._unheard, b""
            self.transport.resume_reading()
            self._hear(data)

    def _hear(self, data: bytes) -> None:
        """Take what came; see whether a head is still under way."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._await_head()
        else:
            self._head_by = None
            self._read_at_once(_READ)

    def _read_at_once(self, size: int) -> None:
        if hasattr(self._plain, "max_size"):
            self._plain.max_size = size

    def _await_head(self) -> None:
        """Close the connection unless a head is complete in time, however much of it comes until then."""
        if self._head_by is None:
            self._head_by = self.loop.time() + _HEAD
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_at(self._head_by, self.timeout_keep_alive_handler)

    def on_response_complete(self) -> None:
        """Rest, or see that what is left of the answer is taken."""
        self.table.rest(self)
        super().on_response_complete()
        if self.transport.is_closing():
            if self.transport.get_write_buffer_size():
                self._start_unread()
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._await_head()  # of which a part came with the request before

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, whether what it was sent has been taken or not."""
        super().timeout_keep_alive_handler()
        if self.transport.get_write_buffer_size():
            self.drop()

    def pause_writing(self) -> None:
        """See that an answer that does not fit into the buffers is taken in time."""
        super().pause_writing()
        self._start_unread()

    def resume_writing(self) -> None:
        """Note that it was taken."""
        super().resume_writing()
        self._stop_unread()

    def _start_unread(self) -> None:
        self._stop_unread()
        self._unread = self.loop.call_later(_UNREAD, self.drop)

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the service's form; if an answer has begun already, there is no other."""
        if self.cycle is not None and not self.cycle.response_complete:
            # Its application is not to answer any more.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            answer = refusal(MALFORMED, msg).answer
            headers = [*answer.headers, (b"connection", b"close")]
            for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=answer.body)):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: the request is answered as if it had not asked for another protocol, as HTTP has it."""


def connection_type(most: int) -> type[Connection]:
    """Return uvicorn's protocol for a server that may have so many connections."""

    class Tabled(Connection):
        table = ConnectionTable(most)

    return Tabled


class _OnceASecond(logging.Filter):
    """Lets each text pass once a second, and all errors but those of tasks that the end of the server has cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
        now = time.monotonic()
        if now - self._last.get(record.msg, float("-inf")) < 1:
            return False
        self._last[record.msg] = now
        return True


# What uvicorn says of single requests: strangers cause it.
_HTTP_LOG: Final = logger(f"{__name__}.http")
_HTTP_LOG.addFilter(_OnceASecond())
