"""The ASGI application: what comes in by HTTP goes to a client, what that says goes out as the service's answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from rekog_emotion.clients.protocols import RekognitionClient
from rekog_emotion.errors import RekogEmotionError
from rekog_emotion.logs import logger
from rekog_emotion.redaction import withhold
from rekog_emotion.server import protocol
from rekog_emotion.server.admission import Lane, TooHeavyError, unless_gone
from rekog_emotion.server.bodies import Body, Intake
from rekog_emotion.server.connections import sent_at_once, trust
from rekog_emotion.server.endings import Endings
from rekog_emotion.server.objects import weigh_picture
from rekog_emotion.server.origins import ANSWER_HEADERS, Neighbours, checked_origins
from rekog_emotion.server.protocol import MALFORMED, Answer, RefusedError, refusal
from rekog_emotion.server.signatures import Claim, SignatureCheck
from rekog_emotion.server.spool import Spool
from rekog_emotion.server.validation import parsed
from rekog_emotion.wire.service import (
    DETECT_FACES,
    GET_FACE_DETECTION,
    MAX_IMAGE_OBJECT_BYTES,
    MAX_VIDEO_BYTES,
    METHODS,
    START_FACE_DETECTION,
)

__all__ = ["create_app"]

_LOG: Final = logger(__name__)
# Bytes that an object in S3 may have; the service's limits.
_LARGEST: Final = {
    DETECT_FACES: MAX_IMAGE_OBJECT_BYTES,
    START_FACE_DETECTION: MAX_VIDEO_BYTES,
    GET_FACE_DETECTION: 0,
}
_WATCH_INTERVAL: Final = 0.5  # seconds
# Clients that may go on sending at once after they were refused; seconds, in all and without a byte; bytes.
_LINGERING: Final = 16
_LINGER: Final = 2.0
_LINGER_IDLE: Final = 0.25
_LINGER_PACE: Final = 0.002  # from one piece to the next, of all that are taken from several of them
_LARGEST_LEFT: Final = 64 * 1024**2
_PREFLIGHT_AGE: Final = 24 * 60 * 60  # seconds that a browser need not ask again

Headers = Sequence[tuple[str, str]]
RawHeaders = Sequence[tuple[bytes, bytes]]


def create_app(
    client: RekognitionClient,
    *,
    keys: Mapping[str, str] | None = None,
    spool: Spool | None = None,
    workers: int = 2,
    waiting: int = 64,
    body_timeout: float = 30.0,
    allow_origins: Iterable[str] = (),
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """Return an ASGI application that answers like Amazon Rekognition.

    It stands before any client; the embedded one makes it an endpoint that needs no AWS account. An emotion is how a
    face looks, not what a person feels.

    Args:
        client: Answers DetectFaces, StartFaceDetection and GetFaceDetection; called from several threads at once. It is
            left open at the end.
        keys: Secret access keys by their access key ids. Requests have to be signed with one of them; without any,
            they have to be signed, and nobody looks how; then only programs of this machine may ask, by a host that is
            ``localhost`` or a loopback address, and no page from elsewhere.
        spool: Where the client's :class:`S3Objects` keep their copies, left open at the end; without one, a temporary
            folder.
        workers: Requests of one operation that are worked on at once, each in a thread.
        waiting: Requests of one operation that wait for that at most; more get a ThrottlingException.
        body_timeout: Seconds that a request may take to come in.
        allow_origins: Pages of these origins, such as ``http://localhost:3000``, may ask from a browser.
        clock: Gives the time in seconds since 1970, by which signatures are checked.

    Raises:
        InvalidInputError: What should be an origin is none.
    """
    origins = checked_origins(allow_origins)
    own = Spool()
    spool = own if spool is None else spool
    endpoint = _Endpoint(
        client,
        check=SignatureCheck(keys, clock=clock),
        neighbours=Neighbours(origins) if keys is None else None,
        endings=Endings(client, spool, clock=clock),
        spool=spool,
        intake=Intake(timeout=body_timeout, keys=(None,) if keys is None else keys),
        lanes={name: Lane(f"rekog-emotion-{name}", workers=workers, waiting=waiting) for name in METHODS},
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        with closing(own):
            async with endpoint.open():
                yield

    app = _Application(lifespan=lifespan)
    # No route takes every path: that of Starlette ends at a line break.
    app.router.default = endpoint
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("POST",),
            allow_headers=("*",),
            expose_headers=ANSWER_HEADERS,
            allow_private_network=True,  # a browser asks for it where a public page calls this machine
            max_age=_PREFLIGHT_AGE,
        )
    return app


class _Application(Starlette):
    """Starlette without its pages for errors and its way to routes that are not there, which cost each request time."""

    def build_middleware_stack(self) -> ASGIApp:
        app: ASGIApp = self._app
        for kind, args, options in reversed(self.user_middleware):
            app = kind(app, *args, **options)
        return app

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_way = self.router.routes or scope["type"] == "lifespan"
        await (self.router if has_way else self.router.default)(scope, receive, send)


class _Endpoint:
    """Answers every request, whatever is asked."""

    def __init__(
        self,
        client: RekognitionClient,
        *,
        check: SignatureCheck,
        neighbours: Neighbours | None,
        endings: Endings,
        spool: Spool,
        intake: Intake,
        lanes: Mapping[str, Lane],
    ) -> None:
        self._client = client
        self._check = check
        self._neighbours = neighbours
        self._endings = endings
        self._spool = spool
        self._intake = intake
        self._lanes = lanes
        self._lingering = _Lingering()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Watch the jobs as long as the server runs; at its end wait for the work that is left."""
        watch = asyncio.create_task(self._endings.watch(_WATCH_INTERVAL))
        try:
            yield
        finally:
            watch.cancel()
            for lane in self._lanes.values():
                await asyncio.to_thread(lane.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        named = dict(headers)
        try:
            operation, claim = self._asked(scope, headers, named)
            if claim is not None and claim.digest is not None:
                claim.verify(claim.digest)
                trust(scope)
            key = None if claim is None else claim.key
            body = await self._intake.take(receive, key=key, length=named.get("content-length"))
        except RefusedError as refused:
            await _send_early(refused.answer, named, receive, send, self._lingering)
            return
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            await _give_up(send)
            raise
        try:
            if claim is not None:
                claim.verify(body.digest)
            body.verified()
            trust(scope)
            work = partial(self._serve, operation, body)
            answer = await unless_gone(receive, self._lanes[operation].run(work))
        except RefusedError as refused:
            answer = refused.answer
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            await _give_up(send)
            raise
        finally:
            body.release()
        with sent_at_once(scope):
            await _send(answer, answer.headers, send)

    def _asked(self, scope: Scope, headers: Headers, named: Mapping[str, str]) -> tuple[str, Claim | None]:
        """Return the operation, and who says to ask for it; all that is refused here needs no body.

        Raises:
            RefusedError: It is not to be answered.
        """
        if "transfer-encoding" in named and "content-length" in named:
            # A proxy before this server might take another of the two, and the rest of the body for a request.
            raise refusal(MALFORMED, "A request has a Transfer-Encoding or a Content-Length, not both.")
        if self._neighbours is not None:
            self._neighbours.check(headers)
        operation = protocol.operation_of(scope["method"], scope["path"], named)
        return operation, self._check.claimed(headers, scope["query_string"].decode("latin-1"))

    def _serve(self, operation: str, body: Body) -> Answer:
        """Return the answer to a request; runs in a thread."""
        try:
            request = parsed(body.content, protocol.input_shape(operation))
            return protocol.answer_to(self._ask(operation, request))
        except TooHeavyError:
            raise
        except RefusedError as refused:
            return refused.answer
        except ClientError as error:
            return protocol.answer_to_error(error)
        except (OSError, RekogEmotionError) as error:  # a full disk, for instance, which may come often: one line
            withhold(error)
            _LOG.error("%s failed: %s", operation, error)
            return _failed()
        except Exception as error:  # noqa: BLE001 -- whatever a client may raise, the caller gets an answer
            withhold(error)
            _LOG.exception("%s failed", operation)
            return _failed()

    def _ask(self, operation: str, request: dict[str, Any]) -> Mapping[str, Any]:
        picture = request.get("Image", {}).get("Bytes")
        if picture is not None:
            weigh_picture(picture)
        with self._spool.request(_LARGEST[operation]) as files:
            if operation == START_FACE_DETECTION:
                self._endings.reserve(request)
            result: Mapping[str, Any] = getattr(self._client, METHODS[operation])(**request)
            if operation == START_FACE_DETECTION:
                self._endings.add(result["JobId"], request, files)
            return result


def _failed() -> Answer:
    return protocol.service_error("InternalServerError", "Internal server error", status=500).answer


async def _send(answer: Answer, headers: RawHeaders, send: Send, *, more_body: bool = False) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": more_body})


async def _give_up(send: Send) -> None:
    """Answer at the end of the server, which has waited for long enough: SDKs ask again."""
    answer = _failed()
    await _send(answer, [*answer.headers, (b"connection", b"close")], send)


async def _send_early(
    answer: Answer, named: Mapping[str, str], receive: Receive, send: Send, lingering: _Lingering
) -> None:
    """Send an answer to a stranger's request before its body has come in, and end the connection.

    What comes then is not kept; and whoever goes on asking has to come anew.
    """
    await _send(answer, [*answer.headers, (b"connection", b"close")], send, more_body=True)
    has_body = named.get("content-length", "0") != "0" or "transfer-encoding" in named
    if has_body:
        await lingering.drain(receive)
    await send({"type": "http.response.body", "body": b""})


class _Lingering:
    """Clients that go on sending after they were refused: they would not see the answer if the connection ended."""

    def __init__(self) -> None:
        self._there = 0
        self._turn = asyncio.Lock()

    async def drain(self, receive: Receive) -> None:
        """Take what a client sends, unless there are too many: of these, some will not see the answer."""
        if self._there == _LINGERING:
            return
        self._there += 1
        try:
            async with asyncio.timeout(_LINGER):
                await self._take(receive)
        except TimeoutError:
            pass
        finally:
            self._there -= 1

    async def _take(self, receive: Receive) -> None:
        left = _LARGEST_LEFT
        while left > 0:
            async with asyncio.timeout(_LINGER_IDLE):
                message = await receive()
            if message["type"] != "http.request" or not message.get("more_body", False):
                break
            left -= len(message["body"])
            if self._there > 1:  # however many they are, little time goes into it
                async with self._turn:
                    await asyncio.sleep(_LINGER_PACE)
