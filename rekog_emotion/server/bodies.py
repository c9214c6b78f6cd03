"""The bodies of requests: how many bytes are held of them at once, and how fast they have to come in."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from rekog_emotion.server.protocol import refusal, throttled

__all__ = ["Body", "Intake"]

# An image of the service's 5 MiB takes 6.7 MiB in Base64.
_LARGEST_BODY: Final = 8 * 1024**2
_HELD: Final = 96 * 1024**2  # bytes of all bodies at once that are no modest ones
_MODEST: Final = 512 * 1024  # bytes; most photographs that are looked at by the thousand are no larger
_MODEST_HELD: Final = 64 * 1024**2  # more than those can fill that wait for memory, see admission
_SMALL: Final = 64 * 1024  # bytes that each connection may hold without asking; a server's buffers are no smaller
_GRACE: Final = 5.0  # seconds, before a body has to come in at the least rate
_LEAST_RATE: Final = 32 * 1024  # bytes a second
_PATIENCE: Final = 1.0  # seconds that an unverified body keeps its room from others
_TOO_LARGE: Final = ("RequestEntityTooLargeException", "Request Entity Too Large")
_TIMED_OUT: Final = (
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period.",
)


class Body:
    """The body of a request, which counts as held until it is released.

    Attributes:
        content: What has come in of it.
        digest: The SHA-256 of that, in hexadecimal, once all is there.
        held: Bytes of the room that it takes.
        turned_out: Its room was given to another.
    """

    def __init__(self, room: _Room) -> None:
        self.content: bytes | bytearray = b""
        self.digest = ""
        self.held = 0
        self.turned_out = False
        self._room = room
        self._deadline: asyncio.Timeout | None = None

    def verified(self) -> None:
        """Keep the room until the end: whoever sends it has a key."""
        self._room.unverified.pop(self, None)

    def release(self) -> None:
        """Give the room back."""
        self.verified()
        held, self.held, self.content = self.held, 0, b""
        self._room.give(held)

    def turn_out(self) -> None:
        """Give the room to somebody else, and end the reading."""
        self.turned_out = True
        self.release()
        if self._deadline is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time())

    def add(self, piece: bytes) -> None:
        """Add a piece."""
        if not self.content:
            self.content = piece
        elif isinstance(self.content, bytearray):
            self.content += piece
        else:
            self.content = bytearray(self.content + piece)

    async def enter(self, size: int, deadline: asyncio.Timeout) -> None:
        """Wait for room.

        Args:
            size: Bytes that all of it has at most.
            deadline: Ends the waiting, and later the reading where the room is wanted for somebody else.
        """
        self._deadline = deadline
        await self._room.take(size)
        self.held = size
        self._room.unverified[self] = asyncio.get_running_loop().time()


class _Room:
    """Bytes that the bodies of a key may take; of those that wait for some, the one that came last is the next.

    The ones before may be strangers' who wait for no answer. While somebody waits, an unverified body that has been
    coming in for a while has to go.

    Args:
        free: How many bytes.
        patience: Seconds of that while.

    Attributes:
        unverified: Bodies of which nobody knows yet whether the key was theirs, and since when; the oldest first.
    """

    def __init__(self, free: int, *, patience: float) -> None:
        self.unverified: dict[Body, float] = {}
        self._free = free
        self._patience = patience
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._looking: asyncio.TimerHandle | None = None

    async def take(self, size: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        self._admit()
        self._look_later()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove((size, turn))
            else:
                self.give(size)
            raise

    def give(self, size: int) -> None:
        self._free += size
        self._admit()

    def _admit(self) -> None:
        for entry in self._waiting[::-1]:
            size, turn = entry
            if size <= self._free and not turn.done():
                self._waiting.remove(entry)
                self._free -= size
                turn.set_result(None)

    def _look_later(self) -> None:
        """See to it that those that stall go in time, if anybody waits for that."""
        if self._looking is None and self._waiting and self.unverified:
            since = next(iter(self.unverified.values()))
            self._looking = asyncio.get_running_loop().call_at(since + self._patience, self._look)

    def _look(self) -> None:
        self._looking = None
        latest = asyncio.get_running_loop().time() - self._patience
        for body, since in list(self.unverified.items()):
            if not self._waiting or since > latest:
                break
            body.turn_out()
        self._look_later()


class Intake:
    """Takes in the bodies of requests, no more of them at once than there is room for.

    A body has to come in within a time, and after some seconds at a least rate. Small ones need no room; large ones
    wait for it, and one whose signature is not yet known to be right may lose it to another. Modest ones have room of
    their own, so that they do not wait for those that keep theirs for long.

    Args:
        timeout: Seconds that a body may wait for room, and may take to come in.
        keys: The keys whose bodies have room of their own, the same for each; ``None`` stands for nobody's.
        largest: Bytes of one body.
        held: Bytes of all bodies that are in hand, without the modest ones.
        modest: Bytes that a modest body has at most, as it says itself.
        modest_held: Bytes of all modest ones that are in hand.
        small: Bytes of a body that needs no room; the buffers of a connection are no smaller.
        grace: Seconds until the least rate has to be kept.
        patience: Seconds after which a large body may lose its room.
    """

    def __init__(
        self,
        *,
        timeout: float,
        keys: Iterable[str | None] = (None,),
        largest: int = _LARGEST_BODY,
        held: int = _HELD,
        modest: int = _MODEST,
        modest_held: int = _MODEST_HELD,
        small: int = _SMALL,
        grace: float = _GRACE,
        patience: float = _PATIENCE,
    ) -> None:
        self._timeout = timeout
        self._largest = largest
        self._modest = modest
        self._small = small
        self._grace = grace
        names = tuple(keys)
        self._rooms = {key: _Room(max(held // len(names), largest), patience=patience) for key in names}
        self._modest_rooms = {key: _Room(max(modest_held // len(names), modest), patience=patience) for key in names}

    async def take(self, receive: Receive, *, key: str | None = None, length: str | None = None) -> Body:
        """Return the body of a request, which is to be released.

        Args:
            receive: Gives it in pieces.
            key: Whose it is said to be.
            length: What the request says of its length, if it does.

        Raises:
            RefusedError: It is too large or too slow, or there was no room for it in time.
            ClientDisconnect: It has not come to its end.
        """
        size = int(length) if length is not None and length.isascii() and length.isdigit() else self._largest
        if size > self._largest:
            raise refusal(*_TOO_LARGE, status=413)
        body = Body((self._modest_rooms if size <= self._modest else self._rooms)[key])
        try:
            await self._read(body, receive, size)
        except TimeoutError:
            roomless = body.turned_out or (len(body.content) > self._small and not body.held)
            body.release()
            raise throttled() if roomless else refusal(*_TIMED_OUT, status=408) from None
        except BaseException:
            body.release()
            raise
        return body

    async def _read(self, body: Body, receive: Receive, size: int) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        digest = hashlib.sha256()
        read = 0
        async with asyncio.timeout(min(self._timeout, self._grace)) as deadline:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ClientDisconnect
                piece: bytes = message.get("body", b"")
                read += len(piece)
                if read > self._largest:
                    raise refusal(*_TOO_LARGE, status=413)
                body.add(piece)
                if read > self._small and not body.held:
                    if body.turned_out:
                        raise TimeoutError
                    deadline.reschedule(loop.time() + self._timeout)
                    await body.enter(max(size, read), deadline)
                    began = loop.time()
                digest.update(piece)
                if not message.get("more_body", False):
                    break
                deadline.reschedule(began + min(self._timeout, self._grace + read / _LEAST_RATE))
        body.digest = digest.hexdigest()
