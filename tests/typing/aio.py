"""What type checkers make of the verbs in asyncio; checked with mypy and pyright in strict mode, never run."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, assert_type

import rekog_emotion as rekog
from rekog_emotion import aio


async def photos() -> AsyncIterator[Path | bytes]:
    """Give photos as they come."""
    yield Path("a.jpg")
    yield b"bytes"


async def images() -> None:
    """One, and many."""
    making = aio.aws_client(region_name="eu-west-1")  # pyright: ignore[reportUnknownMemberType] -- of a session of aiobotocore, which is not in the dev extra
    async with making as client:
        assert_type(client, aio.AsyncRekognitionClient)
        assert_type(await aio.detect_image("a.jpg", client=client, timeout=timedelta(seconds=5)), rekog.ImageAnalysis)
    outcomes = aio.detect_images(Path("photos"), client="embedded", workers=2, ordered=True, rate=50)
    assert_type(outcomes, AsyncGenerator[rekog.ImageOutcome, None])
    async for outcome in aio.detect_images(photos(), client=rekog.aws_client(), checkpoint="done.jsonl"):
        assert_type(outcome.analysis, rekog.ImageAnalysis | None)
        assert_type(outcome.result(), rekog.ImageAnalysis)
    await aio.detect_image("a.jpg", client="embeded")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] -- misspelt
    assert_type(await aio.close(), None)


async def videos(addresses: AsyncIterator[str]) -> None:
    """A job, and many."""
    job = await aio.start_video("clip.mp4", client="embedded", attributes="DEFAULT", job_tag="tag")
    assert_type(job, aio.VideoJob)
    assert_type(job.job_id, str)
    assert_type(job.upload, rekog.S3Object | None)
    assert_type(job.source, str | None)
    assert_type(job.to_dict(), dict[str, Any])
    assert_type(await job.status(), rekog.JobStatus)
    assert_type(await job.wait(timeout=60, on_progress=rekog.show_progress()), None)
    assert_type(job.faces(), AsyncGenerator[rekog.TimedFace, None])
    assert_type(await job.result(), rekog.VideoAnalysis)
    assert_type(await job.discard(), None)
    assert_type(await aio.VideoJob.resume("j-1", client="embedded"), aio.VideoJob)
    assert_type(await aio.VideoJob.from_dict(job.to_dict()), aio.VideoJob)
    assert_type(await aio.analyze_video("s3://bucket/a.mp4", timeout=None), rekog.VideoAnalysis)
    async for outcome in aio.analyze_videos(addresses, max_jobs=5, staging="s3://bucket/in/"):
        assert_type(outcome, aio.VideoOutcome)
        assert_type(outcome.job, aio.VideoJob | None)
        assert_type(outcome.analysis, rekog.VideoAnalysis | None)
    assert_type(aio.wait_for_videos([job]), AsyncGenerator[aio.VideoOutcome, None])
    await aio.start_video("clip.mp4", cancel=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] -- to cancel the task is the cancel
