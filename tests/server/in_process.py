"""An ASGI application that is asked in this process, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from itertools import chain
from typing import Any, Self

from attrs import frozen

JSON = "application/x-amz-json-1.1"
SIGNED = "AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-west-1/rekognition/aws4_request, SignedHeaders=host, Signature=0"


@frozen
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an error."""
        return self.content["__type"]

    @property
    def message(self) -> str | None:
        """The text of an error, as botocore finds it."""
        return self.content.get("message", self.content.get("Message"))


class InProcess:
    """An application that has started up, for the length of a ``with`` block."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._runner = asyncio.Runner()
        self._lifespan = app.router.lifespan_context(app)

    def __enter__(self) -> Self:
        self.run(self._lifespan.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._lifespan.__aexit__(None, None, None))
        self._runner.close()

    def run(self, work: Any) -> Any:
        """Run a coroutine where the application runs."""
        return self._runner.run(work)

    def ask(self, operation: str, content: Any = None, **request: Any) -> Reply:
        """Ask as a client does that signs somehow; whatever is named replaces that."""
        return self.run(self.asked(operation, content, **request))

    async def asked(
        self,
        operation: str = "DetectFaces",
        content: Any = None,
        *,
        method: str = "POST",
        path: str = "/",
        query: str = "",
        headers: dict[str, str | None] | None = None,
        raw_headers: list[tuple[str, str]] | None = None,
        body: bytes | Iterable[bytes] | None = None,
        leave: asyncio.Event | None = None,
    ) -> Reply:
        """Ask; a body in several pieces comes in so, and whoever leaves does so when the event is set.

        A body that has a method ``answered`` is told when the answer begins; raw headers stand in place of all others.
        """
        named = {
            "host": "localhost",
            "content-type": JSON,
            "x-amz-target": f"RekognitionService.{operation}",
            "authorization": SIGNED,
            **(headers or {}),
        }
        if body is None:
            body = json.dumps(content).encode()
        pieces = [body] if isinstance(body, bytes) else body
        answered = getattr(body, "answered", lambda: None)
        pairs = [(name, value) for name, value in named.items() if value is not None]
        sent: list[dict[str, Any]] = []
        incoming = chain(
            ({"type": "http.request", "body": piece, "more_body": True} for piece in pieces),
            [{"type": "http.request", "body": b"", "more_body": False}],
        )

        async def receive() -> dict[str, Any]:
            message = next(incoming, None)
            if message is None:
                await (leave or asyncio.Event()).wait()
                return {"type": "http.disconnect"}
            return message

        async def send(message: dict[str, Any]) -> None:
            if not sent:
                answered()
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in raw_headers or pairs],
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
        }
        await self.app(scope, receive, send)
        if not sent:
            return Reply(0, {}, b"")
        start, *rest = sent
        headers_back = {name.decode(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], headers_back, b"".join(message.get("body", b"") for message in rest))
