"""Many videos at once in asyncio: as many jobs as the account may run, and every result as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any, Unpack

from attrs import field, frozen

from rekog_emotion.aio.driver import Driver
from rekog_emotion.aio.gathering import gathered
from rekog_emotion.aio.job import VideoJob
from rekog_emotion.aio.options import AnalyzeVideosOptions, StartVideoOptions, WaitForVideosOptions
from rekog_emotion.clients.aio import resolve
from rekog_emotion.clients.staging import check_beside
from rekog_emotion.flows.options import part, spelled_out
from rekog_emotion.flows.request import VideoRequest
from rekog_emotion.flows.videos import (
    JobOutcome,
    Task,
    about,
    asked_for_each,
    check_for_all,
    outcome_of,
    tasks_for,
    waits_for,
)
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.sources.videos import VideoSource
from rekog_emotion.wire.service import MAX_JOBS

__all__ = ["VideoOutcome", "analyze_videos", "wait_for_videos"]


@frozen(kw_only=True)
class VideoOutcome(JobOutcome):
    """What became of one video of several: an analysis or an error, as of :class:`rekog_emotion.VideoOutcome`.

    Attributes:
        source: The video, as it was given; ``None`` of a job that was taken up by its id.
        analysis: All its faces; ``None`` where there was an error.
        error: Why there is no analysis; the ``state`` of a time-out takes the job up again.
        job: The job; ``None`` where none was started. It stays in its process: an outcome that is pickled has none.
    """

    job: VideoJob | None = field(default=None, eq=False)


@spelled_out(AnalyzeVideosOptions, defaults=VideoRequest)
def analyze_videos(
    sources: Iterable[VideoSource] | AsyncIterable[VideoSource],
    *,
    max_jobs: int = MAX_JOBS,
    **options: Unpack[AnalyzeVideosOptions],
) -> AsyncGenerator[VideoOutcome, None]:
    """Analyse many videos, a few at a time, and give each outcome as it comes.

    A video that fails is an outcome with its error, and stops no other. Sources are taken as slots get free, in a
    thread unless they are a list or an asynchronous iterable, so that they may be a generator without end. Whoever
    leaves the loop early, or is cancelled, ends the waiting: jobs that run go on at the service, and the log says, as a
    warning, from what state each is taken up again. ``async with contextlib.aclosing(analyze_videos(...))`` ends it
    before the next statement.

    Emotions are how a face looks, not what a person feels.

    Args:
        sources: Paths, ``s3://bucket/key`` or :class:`S3Object`. An error of the iterable itself is raised when the
            outcomes of those that came before it have been given.
        max_jobs: Jobs that run at once. Default: ``20``, which AWS allows an account.
        **options: Those of ``AnalyzeVideosOptions``.

    Raises:
        InvalidInputError: An argument cannot be used; nothing was uploaded or started.
        ConfigurationError: AWS is not configured; raised when the first outcome is asked for.
    """
    known = () if isinstance(sources, AsyncIterable) else sources
    asked = asked_for_each(known, max_jobs, options, check_beside)
    return _analyzed(sources, max_jobs, asked, options)


async def _analyzed(
    sources: Iterable[VideoSource] | AsyncIterable[VideoSource],
    max_jobs: int,
    asked: VideoRequest,
    options: AnalyzeVideosOptions,
) -> AsyncGenerator[VideoOutcome, None]:
    shared = part(options, StartVideoOptions)
    shared["client"] = client = await resolve(options["client"])
    driver = Driver(client=client)
    await driver.run(check_for_all(asked, client, driver.facts))

    async def analyze(task: Task[VideoJob]) -> VideoAnalysis:
        tell = about(task.source, options["on_progress"])
        own: StartVideoOptions = {**shared, "on_progress": tell}
        task.job = await VideoJob.start(task.source, **own)
        return await task.job.result(timeout=asked.timeout, on_progress=tell)

    tasks: Iterable[Task[VideoJob]] | AsyncIterator[Task[VideoJob]]
    tasks = (Task(source) async for source in sources) if isinstance(sources, AsyncIterable) else tasks_for(sources)
    async with aclosing(gathered(analyze, tasks, workers=max_jobs)) as ends:
        async for end in ends:
            yield outcome_of(end, VideoOutcome)


@spelled_out(WaitForVideosOptions, defaults=VideoRequest)
def wait_for_videos(
    jobs: Iterable[VideoJob], **options: Unpack[WaitForVideosOptions]
) -> AsyncGenerator[VideoOutcome, None]:
    """Wait for several jobs, and give the outcome of each as it ends, with all its faces.

    Jobs that share a queue (``notify=``) share its messages: one call at a time waits for all of them.

    Args:
        jobs: Jobs that were started, or resumed; an error of the iterable itself is raised as in
            :func:`analyze_videos`.
        **options: Those of ``WaitForVideosOptions``.

    Raises:
        InvalidInputError: ``timeout`` is no duration, or ``jobs`` has something else than jobs.
    """
    return _waited(*waits_for(jobs, VideoJob, options), options["on_progress"])


async def _waited(jobs: list[VideoJob], limit: float | None, on_progress: Any) -> AsyncGenerator[VideoOutcome, None]:  # noqa: ANN401 -- checked above
    async def wait(job: VideoJob) -> VideoAnalysis:
        return await job.result(timeout=limit, on_progress=on_progress)

    async with aclosing(gathered(wait, jobs, workers=len(jobs))) as ends:
        async for end in ends:
            yield outcome_of(end, VideoOutcome)
