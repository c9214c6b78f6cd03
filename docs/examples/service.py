"""A web service that finds faces: one client, limits, deadlines, back-pressure, and a video's faces as they come."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

import rekog_emotion as rekog
from rekog_emotion import aio

MOST_BYTES = 5 * 1024 * 1024  # what the service takes of a picture
AT_ONCE, MOST_WAITING = 20, 40


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make the client when the process starts, and close it when it ends."""
    async with aio.aws_client() as client:
        app.state.client = client
        app.state.room, app.state.waiting = asyncio.Semaphore(AT_ONCE), 0
        yield


app = FastAPI(lifespan=lifespan)


async def body_of(request: Request) -> bytes:
    """Read a body, and no more of it than a picture may have."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "pictures have 5 MiB at most")
    return bytes(body)


@asynccontextmanager
async def place(request: Request) -> AsyncIterator[None]:
    """Let so many through at once, let some more wait, and send the others away: they come back later."""
    state = request.app.state
    if state.waiting >= MOST_WAITING:
        raise HTTPException(503, "busy", {"Retry-After": "1"})
    state.waiting += 1
    try:
        await state.room.acquire()
    finally:
        state.waiting -= 1
    try:
        yield
    finally:
        state.room.release()


@app.post("/faces")
async def faces(request: Request) -> dict[str, list[str]]:
    """Find the faces of a picture."""
    content = await body_of(request)
    async with place(request):
        try:
            photo = await aio.detect_image(content, client=request.app.state.client, timeout=10)
        except rekog.InvalidInputError as error:  # no image, too small, damaged: the message says it
            raise HTTPException(400, str(error)) from error
        except (rekog.ThrottledError, rekog.TransportError) as error:
            raise HTTPException(503, str(error)) from error
    return {"emotions": [str(face.dominant_emotion.type) for face in photo.faces if face.dominant_emotion]}


@app.post("/videos")
async def start(address: str, request: Request) -> dict[str, str]:
    """Start the job of a video in S3."""
    try:
        job = await aio.start_video(address, client=request.app.state.client, slot_timeout=10)
    except rekog.InvalidInputError as error:
        raise HTTPException(400, str(error)) from error
    except rekog.JobTimeoutError as error:  # as many jobs as may run
        raise HTTPException(503, str(error)) from error
    return {"job_id": job.job_id}


@app.get("/videos/{job_id}/faces")
async def stream(job_id: str, request: Request) -> StreamingResponse:
    """Give the faces of a job as server-sent events, as they are read; who hangs up ends the reading."""
    job = await aio.VideoJob.resume(job_id, client=request.app.state.client)

    async def events() -> AsyncIterator[str]:
        try:
            async with aclosing(job.faces(timeout=900)) as found:
                async for one in found:
                    yield f"data: {json.dumps(one.to_aws())}\n\n"
            yield "event: end\ndata: {}\n\n"
        except rekog.RekogEmotionError as error:  # the answer has begun: its status can tell nothing any more
            yield f"event: error\ndata: {json.dumps(str(error))}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")
