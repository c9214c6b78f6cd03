"""The application behind a socket: where it may listen, and uvicorn."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from rekog_emotion.errors import ConfigurationError, InvalidInputError
from rekog_emotion.logs import logger
from rekog_emotion.server.connections import Connection, connection_type, most_connections, once_a_second
from rekog_emotion.server.heap import give_back_large_blocks

__all__ = ["listen", "serve", "uvicorn_server"]

_LOG: Final = logger(__name__)
_GRACE: Final = 30  # seconds that answers under way are waited for at the end
_QUEUE: Final = 1024  # connections that wait to be taken in
_ACCEPTED: Final = 64  # connections that are taken in at once, before any of them is counted
_IDLE: Final = 75  # seconds that a connection is kept open between requests; SDKs drop theirs sooner


def listen(host: str, port: int, *, public: bool) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: Name or address.
        port: Port; 0 takes a free one.
        public: Whether others than this machine may reach it.

    Raises:
        InvalidInputError: The host is unknown, or others could reach it and must not.
        ConfigurationError: The address is not this machine's, or the port is in use.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        msg = f"the host {host} is unknown: name an address of this machine, such as 127.0.0.1"
        raise InvalidInputError(msg) from error
    if not public and not ipaddress.ip_address(address[0]).is_loopback:
        msg = (
            f"others can reach the host {host}, and could use this endpoint without a key: name --access-key and "
            "--secret-key-file, or stay at --host 127.0.0.1"
        )
        raise InvalidInputError(msg)
    # asyncio switches Nagle's algorithm off where a socket says that it is TCP; else answers wait for an ACK, 40 ms.
    listener = socket.socket(family, kind, protocol)
    try:
        # As servers do, so that the next one need not wait for the connections of this one to be forgotten.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_QUEUE)
    except OSError as error:
        listener.close()
        msg = f"cannot listen at {host} port {port}: {error.strerror}; name another --port, or 0 for a free one"
        raise ConfigurationError(msg) from error
    return listener


def uvicorn_server(
    app: ASGIApp, protocol: Callable[[type[Connection]], type[Connection]] = lambda connection: connection
) -> _Server:
    """Return uvicorn, set up for an application of :func:`~rekog_emotion.server.create_app`.

    Args:
        app: The application.
        protocol: Gives what stands in place of a class of connections, a subclass of it for instance.
    """
    config = uvicorn.Config(
        app,
        http=protocol(connection_type(most_connections())),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_ACCEPTED,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=_GRACE,
    )
    return _Server(config)


class _Server(uvicorn.Server):
    """uvicorn, with a long queue before it, few words where no descriptor is left, and without its signals.

    It would raise each of them anew when it is done, wherever the process is by then.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        say = once_a_second(_LOG.warning)

        def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            if "socket.accept()" in context["message"]:
                say("no connection can be taken in for a second: %s", context.get("exception"))
            else:
                loop.default_exception_handler(context)

        asyncio.get_running_loop().set_exception_handler(handle)
        await super().startup(sockets)
        for listener in sockets or ():
            # asyncio has set it to what it takes in at once.
            listener.listen(_QUEUE)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to :func:`serve`."""
        yield

    def hang_up(self) -> None:
        """Close all connections, also those that wait for an answer."""
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


def serve(app: ASGIApp, listener: socket.socket, *, then: Callable[[], object] = lambda: None) -> None:
    """Serve until SIGINT or SIGTERM, and until the answers under way are out.

    SIGINT after that hangs up on whoever still waits; more of either do nothing.

    Args:
        app: The application.
        listener: The socket, from :func:`listen`.
        then: Called at the end, when signals still do nothing: what it closes is closed wholly.
    """
    give_back_large_blocks()
    server = uvicorn_server(app)
    with _signals(partial(_end, server)):
        server.run(sockets=[listener])
        then()


def _end(server: _Server, number: int, _: FrameType | None) -> None:
    if server.should_exit and number == signal.SIGINT:  # who waits for an end presses Ctrl-C again
        with suppress(RuntimeError):  # the loop has ended, or has not begun
            asyncio.get_running_loop().call_soon_threadsafe(server.hang_up)
    server.should_exit = True


@contextmanager
def _signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handled in before.items():
            signal.signal(number, handled)
