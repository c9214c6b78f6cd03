"""The web service of the documentation, before a stand-in of AWS."""

import asyncio
import json
import runpy
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.http_standin import Answer, silence
from tests.scripted import STARTED, page
from tests.tasks import run

pytest.importorskip("fastapi")
PHOTO = (Path(__file__).parents[1] / "data" / "astronaut.jpg").read_bytes()
SERVICE = Path(__file__).parents[2] / "docs" / "examples" / "service.py"
FACES = {"FaceDetails": [{"Confidence": 99.5, "Emotions": [{"Type": "HAPPY", "Confidence": 98.0}]}]}


@asynccontextmanager
async def living(app):
    """Start an application and end it."""
    async with app.router.lifespan_context(app):
        yield


async def ask(app, method, path, body=b"", query=""):
    """Return the status and the body of an answer."""
    sent, asked = [], False
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode()}
    scope |= {"headers": [], "app": app, "http_version": "1.1", "scheme": "http", "asgi": {"version": "3.0"}}

    async def receive():
        nonlocal asked
        if asked:  # it hangs up when it has its answer
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:])


def test_the_service(aws):
    """Photos, what is wrong with them, a job, and its faces as events."""
    app = runpy.run_path(str(SERVICE))["app"]
    aws.script("DetectFaces", Answer(FACES))
    aws.script("StartFaceDetection", Answer(STARTED))
    aws.script("GetFaceDetection", Answer(page(0, 500)))

    async def main():
        async with living(app):
            assert await ask(app, "POST", "/faces", PHOTO) == (200, b'{"emotions":["HAPPY"]}')
            assert (await ask(app, "POST", "/faces", b"no photo"))[0] == 400
            assert (await ask(app, "POST", "/faces", bytes(6_000_000)))[0] == 413
            assert await ask(app, "POST", "/videos", query="address=s3://bucket/a.mp4") == (200, b'{"job_id":"j-1"}')
            assert (await ask(app, "POST", "/videos", query="address=nowhere.mp4"))[0] == 400
            app.state.waiting = 40
            assert (await ask(app, "POST", "/faces", PHOTO))[0] == 503
            return await ask(app, "GET", "/videos/j-1/faces")

    status, events = run(main())
    first, second, end, _ = events.decode().split("\n\n")
    assert (status, end) == (200, "event: end\ndata: {}")
    assert [json.loads(one.removeprefix("data: "))["Timestamp"] for one in (first, second)] == [0, 500]


def test_who_hangs_up_ends_the_reading(aws):
    """The faces of the first page have been sent; the page that is fetched ahead is left, and so is its connection."""
    app = runpy.run_path(str(SERVICE))["app"]
    aws.script("GetFaceDetection", Answer(page(0, then="next")), silence)
    sent = asyncio.Event()
    address = "/videos/j-1/faces"
    scope = {"type": "http", "method": "GET", "path": address, "raw_path": address.encode(), "query_string": b""}
    scope |= {"headers": [], "app": app, "http_version": "1.1", "scheme": "http", "asgi": {"version": "3.0"}}

    async def receive():
        await sent.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message.get("body"):
            sent.set()

    async def main():
        async with living(app):
            await app(scope, receive, send)

    run(main())
    assert {one.operation for one in aws.requests} == {"GetFaceDetection"}
