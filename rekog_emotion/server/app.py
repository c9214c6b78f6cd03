"""The ASGI application: what comes in by HTTP goes to a client, what that says goes out as the service's answer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from rekog_emotion.clients import RekognitionClient
from rekog_emotion.errors import RekogEmotionError
from rekog_emotion.server import protocol
from rekog_emotion.server.admission import Intake, Lane, unless_gone
from rekog_emotion.server.endings import Endings
from rekog_emotion.server.protocol import METHODS, Answer, RefusedError
from rekog_emotion.server.signatures import SignatureCheck
from rekog_emotion.server.spool import Spool
from rekog_emotion.server.validation import parsed

__all__ = ["create_app"]

_LOG: Final = logging.getLogger(__name__)
# Bytes that an object in S3 may have; the service's limits.
_LARGEST: Final = {
    "DetectFaces": 15 * 1024**2,
    "StartFaceDetection": 10 * 1024**3,
    "GetFaceDetection": 0,
}
_FAILED: Final = ("InternalServerError", "Internal server error")
_WATCH_INTERVAL: Final = 0.5  # seconds


def create_app(
    client: RekognitionClient,
    *,
    keys: Mapping[str, str] | None = None,
    spool: Spool | None = None,
    workers: int = 2,
    waiting: int = 64,
    body_timeout: float = 30.0,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """Return an ASGI application that answers like Amazon Rekognition.

    It stands before any client; the embedded one makes it an endpoint that needs no AWS account. An emotion is how a
    face looks, not what a person feels.

    Args:
        client: Answers DetectFaces, StartFaceDetection and GetFaceDetection; called from several threads at once. It is
            left open at the end.
        keys: Secret access keys by their access key ids. Requests have to be signed with one of them; without any,
            they have to be signed, and nobody looks how.
        spool: Where the client's :class:`S3Objects` keep their copies, left open at the end; without one, a temporary
            folder.
        workers: Requests of one operation that are worked on at once, each in a thread.
        waiting: Requests of one operation that wait for that at most; more get a ThrottlingException.
        body_timeout: Seconds that a request may take to come in.
        clock: Gives the time in seconds since 1970, by which signatures are checked.
    """
    own = Spool()
    spool = own if spool is None else spool
    endpoint = _Endpoint(
        client,
        check=SignatureCheck(keys, clock=clock),
        endings=Endings(client, spool, clock=clock),
        spool=spool,
        intake=Intake(timeout=body_timeout),
        lanes={name: Lane(f"rekog-emotion-{name}", workers=workers, waiting=waiting) for name in METHODS},
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        with closing(own):
            async with endpoint.open():
                yield

    app = Starlette(lifespan=lifespan)
    # No route takes every path: that of Starlette ends at a line break.
    app.router.default = endpoint
    return app


class _Endpoint:
    """Answers every request, whatever is asked."""

    def __init__(
        self,
        client: RekognitionClient,
        *,
        check: SignatureCheck,
        endings: Endings,
        spool: Spool,
        intake: Intake,
        lanes: Mapping[str, Lane],
    ) -> None:
        self._client = client
        self._check = check
        self._endings = endings
        self._spool = spool
        self._intake = intake
        self._lanes = lanes

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
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except RefusedError as refused:
            answer = refused.answer
        except ClientDisconnect:
            return
        await Response(answer.body, answer.status, answer.headers)(scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        query = request.scope["query_string"].decode("latin-1")
        async with self._intake.body(request) as body:
            operation = protocol.operation_of(request.method, request.scope["path"], dict(headers))
            work = partial(self._serve, operation, headers, query, body)
            return await unless_gone(request.receive, self._lanes[operation].run(work))

    def _serve(self, operation: str, headers: list[tuple[str, str]], query: str, body: bytes) -> Answer:
        """Return the answer to a request; runs in a thread."""
        try:
            self._check.check(headers, query, body)
            request = parsed(body, protocol.input_shape(operation))
            return protocol.answer_to(self._ask(operation, request))
        except RefusedError as refused:
            return refused.answer
        except ClientError as error:
            return protocol.answer_to_error(error)
        except (OSError, RekogEmotionError) as error:  # a full disk, for instance, which may come often: one line
            _LOG.error("%s failed: %s", operation, error)
            return protocol.service_error(*_FAILED, status=500).answer
        except Exception:  # noqa: BLE001 -- whatever a client may raise, the caller gets an answer
            _LOG.exception("%s failed", operation)
            return protocol.service_error(*_FAILED, status=500).answer

    def _ask(self, operation: str, request: dict[str, Any]) -> Mapping[str, Any]:
        with self._spool.request(_LARGEST[operation]) as files:
            if operation == "StartFaceDetection":
                self._endings.reserve(request)
            result: Mapping[str, Any] = getattr(self._client, METHODS[operation])(**request)
            if operation == "StartFaceDetection":
                self._endings.add(result["JobId"], request, files)
            return result
