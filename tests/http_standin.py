"""A real HTTP server that gives scripted answers in place of the service, and writes down what it was asked."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from attrs import field, frozen

Reply = Callable[["_Handler"], None]


@frozen
class Request:
    """What the client sent: the operation of ``X-Amz-Target``, the parsed body and all headers.

    Of S3, which has no such header, it is the method and the bytes.
    """

    operation: str
    body: Any
    headers: Mapping[str, str]


@frozen
class Answer:
    """An answer of the service: JSON unless the body is bytes.

    Attributes:
        body: What is sent; bytes go out as they are.
        status: HTTP status code.
        headers: Sent besides the length and the content type.
        cut: Bytes of the body that are announced but never sent.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    cut: int = 0

    def __call__(self, handler: _Handler) -> None:
        """Send it."""
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "Content-Length": str(len(body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} {responses.get(self.status, '')}", *(f"{k}: {v}" for k, v in headers.items())]
        # In one write: in two, the second would wait 40 ms for the acknowledgement of the first.
        handler.wfile.write("\r\n".join([*lines, "", ""]).encode() + body[: len(body) - self.cut])
        handler.close_connection = self.cut > 0


def fault(code: str, message: str | None = None, *, status: int = 400, request_id: str = "request-1") -> Answer:
    """Return an error of the service in its wire shape."""
    body = {"__type": code} if message is None else {"__type": code, "Message": message}
    return Answer(body, status=status, headers={"x-amzn-RequestId": request_id})


def reset(handler: _Handler) -> None:
    """Reset the connection, as a dying host does."""
    # To linger for no time makes a close a reset, unless the orderly shutdown of the server comes first.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(handler.connection.detach())
    handler.close_connection = True


def close(handler: _Handler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True


def silence(handler: _Handler) -> None:
    """Never answer: hold the connection until the server stops."""
    handler.server.standin.released.wait()
    handler.close_connection = True


class HttpStandin:
    """A server on a free port of this machine, for the length of a ``with`` block.

    Attributes:
        requests: What was asked, in order.
        released: Set when the server stops, so that nobody waits for it.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.released = threading.Event()
        self._arrived = threading.Condition()
        self._scripts: defaultdict[str, deque[Reply]] = defaultdict(deque)
        self._server = _Server(self)
        # Shutting down waits for one turn of the loop.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """The address, for ``endpoint_url``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def script(self, operation: str, *replies: Reply) -> None:
        """Answer the operation with these replies in turn, and with the last one from then on."""
        self._scripts[operation] = deque(replies)

    def operations(self) -> list[str]:
        """Return the names of what was asked, in order."""
        return [request.operation for request in self.requests]

    def wait_for(self, count: int) -> None:
        """Return when so many requests have come in: a client that gives up is ahead of the server."""
        with self._arrived:
            self._arrived.wait_for(lambda: len(self.requests) >= count, timeout=60)

    def reply_to(self, request: Request) -> Reply:
        """Write the request down and return the next reply to it."""
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
        script = self._scripts[request.operation]
        if not script:
            return fault("NotScripted", f"the stand-in has no reply to {request.operation}")
        return script.popleft() if len(script) > 1 else script[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    # Not daemons, so that closing joins them.
    daemon_threads = False
    # Of more than five at once, as is the default, the others would come in after a second.
    request_queue_size = 128

    def __init__(self, standin: HttpStandin) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.standin = standin
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().close_request(request)

    def server_close(self) -> None:
        # Clients keep idle connections open; their threads would wait for another request for ever.
        for connection in list(self._connections):
            with suppress(OSError):  # closed meanwhile
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up is part of many tests.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body: Any = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target")
        if target is not None:
            body = json.loads(body)
        operation = self.command if target is None else target.rpartition(".")[2]
        self.server.standin.reply_to(Request(operation, body, dict(self.headers)))(self)

    # The methods of S3.
    do_DELETE = do_POST  # noqa: N815 -- the name is http.server's
    do_GET = do_POST  # noqa: N815 -- likewise
    do_HEAD = do_POST  # noqa: N815 -- likewise
    do_PUT = do_POST  # noqa: N815 -- likewise

    def log_message(self, *_: object) -> None:
        """Say nothing."""
