"""Many videos at once: as many jobs as the account may run, and every result as it comes.

Each job is waited for in a thread of its own, which sleeps most of the time; all of them share the client's budget of
calls, and a queue of messages where there is one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Unpack

from attrs import field, frozen

from rekog_emotion.blocking.driver import Driver
from rekog_emotion.blocking.gathering import _Gathering
from rekog_emotion.blocking.job import VideoJob
from rekog_emotion.blocking.options import AnalyzeVideosOptions, StartVideoOptions, WaitForVideosOptions
from rekog_emotion.clients.names import resolve_client
from rekog_emotion.clients.staging import check_beside_in_threads
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
from rekog_emotion.values.progress import OnProgress, Progress
from rekog_emotion.wire.service import MAX_JOBS

__all__ = ["VideoOutcome", "analyze_videos", "wait_for_videos"]


@frozen(kw_only=True)
class VideoOutcome(JobOutcome):
    """What became of one video of several: an analysis or an error.

    Attributes:
        source: The video, as it was given; ``None`` of a job that was taken up by its id.
        analysis: All its faces; ``None`` where there was an error.
        error: Why there is no analysis; the ``state`` of a time-out or cancellation takes the job up again.
        job: The job; ``None`` where none was started. It stays in its process: an outcome that is pickled has none.
    """

    job: VideoJob | None = field(default=None, eq=False)


@spelled_out(AnalyzeVideosOptions, defaults=VideoRequest)
def analyze_videos(
    sources: Iterable[VideoSource], *, max_jobs: int = MAX_JOBS, **options: Unpack[AnalyzeVideosOptions]
) -> Iterator[VideoOutcome]:
    """Analyse many videos, a few at a time, and give each outcome as it comes.

    A video that fails is an outcome with its error, and stops no other. Sources are taken as slots get free, so that
    they may be a generator without end. Whoever leaves the loop early ends the waiting: jobs that run go on at the
    service, and the log says, as a warning, from what state each is taken up again; so do the outcomes when ``cancel``
    is set.

    Emotions are how a face looks, not what a person feels.

    Args:
        sources: Paths, ``s3://bucket/key`` or :class:`S3Object`. An error of the iterable itself is raised when the
            outcomes of those that came before it have been given.
        max_jobs: Jobs that run at once. Default: ``20``, which AWS allows an account.
        **options: Those of ``AnalyzeVideosOptions``.

    Raises:
        InvalidInputError: An argument cannot be used; nothing was uploaded or started.
        ConfigurationError: AWS is not configured.
    """
    asked = asked_for_each(sources, max_jobs, options, check_beside_in_threads)
    shared, told = part(options, StartVideoOptions), _one_at_a_time(options["on_progress"])
    shared["client"] = client = resolve_client(options["client"])
    driver = Driver(client=client)
    driver.run(check_for_all(asked, client, driver.facts))

    def analyze(task: Task[VideoJob], stop: threading.Event) -> VideoAnalysis:
        tell = about(task.source, told)
        own: StartVideoOptions = {**shared, "on_progress": tell, "cancel": stop}
        task.job = VideoJob.start(task.source, **own)
        return task.job.result(timeout=asked.timeout, on_progress=tell, cancel=stop)

    ended = _Gathering(analyze, tasks_for(sources), workers=max_jobs, cancel=options["cancel"]).each()
    return (outcome_of(end, VideoOutcome) for end in ended)


@spelled_out(WaitForVideosOptions, defaults=VideoRequest)
def wait_for_videos(jobs: Iterable[VideoJob], **options: Unpack[WaitForVideosOptions]) -> Iterator[VideoOutcome]:
    """Wait for several jobs, and give the outcome of each as it ends, with all its faces.

    Jobs that share a queue (``notify=``) share its messages: one call at a time waits for all of them.

    Args:
        jobs: Jobs that were started, or resumed; an error of the iterable itself is raised as in
            :func:`analyze_videos`.
        **options: Those of ``WaitForVideosOptions``.

    Raises:
        InvalidInputError: ``timeout`` is no duration, or ``jobs`` has something else than jobs.
    """
    waiting, limit = waits_for(jobs, VideoJob, options)
    tell = _one_at_a_time(options["on_progress"])

    def wait(job: VideoJob, stop: threading.Event) -> VideoAnalysis:
        return job.result(timeout=limit, on_progress=tell, cancel=stop)

    ended = _Gathering(wait, waiting, workers=len(waiting), cancel=options["cancel"]).each()
    return (outcome_of(end, VideoOutcome) for end in ended)


def _one_at_a_time(on_progress: OnProgress | None) -> OnProgress | None:
    """Return what tells a caller from several threads."""
    if on_progress is None:
        return None
    telling = threading.Lock()

    def tell(progress: Progress) -> None:
        with telling:
            on_progress(progress)

    return tell
