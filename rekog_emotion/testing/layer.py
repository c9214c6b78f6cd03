"""What stands between the socket and the application of a local endpoint: counts requests, and spoils answers."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from attrs import define, field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rekog_emotion.testing.faults import Fault, FaultPlan
from rekog_emotion.wire.service import START_FACE_DETECTION

if TYPE_CHECKING:
    from rekog_emotion.server.connections import Connection

__all__ = ["Layer"]

Address = tuple[str, int]


@define
class _Answer:
    """An answer of the application, complete."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(factory=list)
    body: bytes = b""

    async def take(self, message: Message) -> None:
        """Be the ``send`` of an application."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    @classmethod
    def of(cls, fault: Fault, body: bytes) -> _Answer:
        """Return the answer that a fault puts in place of the true one."""
        headers = {
            "content-type": fault.content_type,
            "content-length": str(len(body)),
            "x-amzn-requestid": "spoiled-request",
        }
        return cls(fault.status, [(name.encode(), value.encode()) for name, value in headers.items()], body)


class Layer:
    """An ASGI application around another.

    Args:
        app: The application.
        plan: What goes wrong, and when.

    Attributes:
        operations: What was asked, in order.
        job_ids: The jobs that were started, in order.
        ready: Set when the application is.
    """

    def __init__(self, app: ASGIApp, plan: FaultPlan) -> None:
        self.operations: list[str] = []
        self.job_ids: list[str] = []
        self.ready = threading.Event()
        self._app = app
        self._plan = plan
        self._ended = threading.Event()
        self._held: list[threading.Event] = []
        self._transports: dict[Address, asyncio.Transport] = {}

    def end(self) -> None:
        """Let go all answers that are held back."""
        self._ended.set()
        for event in self._held:
            event.set()

    def protocol(self, base: type[Connection]) -> type[Connection]:
        """Return a protocol of uvicorn's such that this layer knows the transports of the connections."""
        transports = self._transports

        class Tracked(base):  # type: ignore[valid-type, misc]  # mypy knows no base that is passed in
            def connection_made(self, transport: asyncio.Transport) -> None:
                transports[transport.get_extra_info("peername")] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.transport.get_extra_info("peername"), None)
                super().connection_lost(exc)

        return Tracked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or go wrong with it."""
        if scope["type"] != "http":
            await self._app(scope, receive, self._noting_readiness(send))
            return
        operation = dict(scope["headers"]).get(b"x-amz-target", b"").decode("latin-1").partition(".")[2]
        self.operations.append(operation)
        fault = self._plan.take(operation)
        if fault is None and operation != START_FACE_DETECTION:
            await self._app(scope, receive, send)
            return
        if fault is not None and fault.until is not None:
            await self._hold(fault.until)
        if fault is None or fault.body is None:
            answer = await self._true_answer(operation, scope, receive)
        else:
            await _drain(receive)
            answer = _Answer.of(fault, fault.body)
        transport = self._transports.get(scope["client"])
        if fault is None or transport is None:
            await _send(answer, send)
        elif fault.reset:
            _reset(transport)
            await _gone(receive)
        elif fault.cut:
            _write_half(transport, answer)
            await _gone(receive)
        else:
            await self._send_slowly(answer, send, transport, fault.interval)

    def _noting_readiness(self, send: Send) -> Send:
        async def noting(message: Message) -> None:
            await send(message)
            if message["type"].startswith("lifespan.startup."):
                self.ready.set()

        return noting

    async def _hold(self, until: threading.Event) -> None:
        self._held.append(until)
        if not self._ended.is_set():
            await asyncio.to_thread(until.wait)

    async def _true_answer(self, operation: str, scope: Scope, receive: Receive) -> _Answer:
        answer = _Answer()
        await self._app(scope, receive, answer.take)
        if operation == START_FACE_DETECTION and answer.status == HTTPStatus.OK:
            job_id = json.loads(answer.body)["JobId"]
            if job_id not in self.job_ids:
                self.job_ids.append(job_id)
        return answer

    async def _send_slowly(
        self, answer: _Answer, send: Send, transport: asyncio.Transport, interval: float | None
    ) -> None:
        if interval is None:
            await _send(answer, send)
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        for byte in answer.body:
            if transport.is_closing():
                return
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            if not self._ended.is_set():
                await asyncio.sleep(interval)
        await send({"type": "http.response.body", "body": b""})


async def _send(answer: _Answer, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _drain(receive: Receive) -> None:
    """Read the whole request: an answer before its end would look like a broken connection to the client."""
    while (await receive()).get("more_body"):
        pass


async def _gone(receive: Receive) -> None:
    """Return when the connection is closed: uvicorn would answer 500 in place of an application that does not."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _reset(transport: asyncio.Transport) -> None:
    # To linger for no time makes a close a reset.
    connection = cast("socket.socket", transport.get_extra_info("socket"))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _write_half(transport: asyncio.Transport, answer: _Answer) -> None:
    lines = [b"HTTP/1.1 %d %s" % (answer.status, HTTPStatus(answer.status).phrase.encode())]
    lines += [name + b": " + value for name, value in answer.headers]
    transport.write(b"\r\n".join([*lines, b"", b""]) + answer.body[: len(answer.body) // 2])
    transport.close()
