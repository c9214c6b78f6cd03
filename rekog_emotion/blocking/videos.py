"""Many videos at once: as many jobs as the account may run, and every result as it comes.

Each job is waited for in a thread of its own, which sleeps most of the time; all of them share the client's budget of
calls, and a queue of messages where there is one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sized
from typing import Any, Final

from attrs import define, evolve, field, frozen

from rekog_emotion.blocking.clock import Clock
from rekog_emotion.blocking.gathering import _Gathering
from rekog_emotion.blocking.job import VideoJob
from rekog_emotion.clients.names import resolve_client
from rekog_emotion.clients.protocols import RekognitionClient, Staging
from rekog_emotion.clients.staging import bucket_and_prefix
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.flows.messages import SnsSqs
from rekog_emotion.flows.request import SLOT_TIMEOUT, TIMEOUT, Seconds, seconds, start_parameters
from rekog_emotion.results.outcomes import Outcome
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.sources.naming import name_of
from rekog_emotion.sources.videos import VideoSource
from rekog_emotion.values.progress import OnProgress, Progress

__all__ = ["VideoOutcome", "analyze_videos", "wait_for_videos"]

MAX_JOBS: Final = 20  # AWS's quota of jobs that run at once (Service Quotas L-A6079699)


@frozen(kw_only=True)
class VideoOutcome(Outcome["VideoSource | None", VideoAnalysis]):
    """What became of one video of several: an analysis or an error.

    Attributes:
        source: The video, as it was given; ``None`` of a job that was taken up by its id.
        analysis: All its faces; ``None`` where there was an error.
        error: Why there is no analysis; the ``state`` of a time-out or cancellation takes the job up again.
        job: The job; ``None`` where none was started. It stays in its process: an outcome that is pickled has none.
    """

    job: VideoJob | None = field(default=None, eq=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle all but the job, which has a client."""
        return _outcome, (self.source, self.analysis, self.error)


# Pickle needs a function of the module.
def _outcome(source: VideoSource | None, analysis: VideoAnalysis | None, error: Exception | None) -> VideoOutcome:
    return VideoOutcome(source=source, analysis=analysis, error=error)


@define
class _Task:
    """A video, and its job when it has one."""

    source: VideoSource
    job: VideoJob | None = None


def analyze_videos(
    sources: Iterable[VideoSource],
    *,
    max_jobs: int = MAX_JOBS,
    client: RekognitionClient | str | None = None,
    staging: Staging | str | None = None,
    s3_client: Any = None,  # noqa: ANN401 -- boto3's clients have no importable type
    slot_timeout: Seconds = SLOT_TIMEOUT,
    timeout: Seconds = TIMEOUT,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    face_attributes: str = "ALL",
    job_tag: str | None = None,
    notify: SnsSqs | None = None,
    clock: Clock | None = None,
) -> Iterator[VideoOutcome]:
    """Analyse many videos, a few at a time, and give each outcome as it comes.

    A video that fails is an outcome with its error, and stops no other. Sources are taken as slots get free, so that
    they may be a generator without end. Whoever leaves the loop early ends the waiting: jobs that run go on at the
    service, and the log says, as a warning, from what state each is taken up again; so do the outcomes when ``cancel``
    is set.

    Emotions are how a face looks, not what a person feels.

    Args:
        sources: Paths, ``s3://bucket/key`` or :class:`S3Object`.
        max_jobs: Jobs that run at once.
        client: As for :func:`rekog_emotion.start_video`, and so are all below; one client for all.
        staging: Where local files are uploaded for AWS.
        s3_client: The boto3 S3 client for the uploads.
        slot_timeout: Longest wait for a slot, a video.
        timeout: Longest wait for a job that has started, a video.
        on_progress: Called from several threads, one at a time; ``source`` says which video it is about.
        cancel: Ends all of it.
        face_attributes: ``"ALL"`` or ``"DEFAULT"``.
        job_tag: The same for all.
        notify: Topic and queue, the same for all.
        clock: Where time comes from, for tests.

    Raises:
        InvalidInputError: An argument cannot be used; nothing was uploaded or started.
        ConfigurationError: AWS is not configured.
    """
    if isinstance(max_jobs, bool) or not isinstance(max_jobs, int) or max_jobs < 1:
        msg = f"max_jobs={max_jobs!r} is no number of jobs: pass 1 or more"
        raise InvalidInputError(msg)
    if isinstance(sources, (str, bytes)) or not isinstance(sources, Iterable):
        msg = f"sources= got {type(sources).__name__}: pass a list of videos, or start_video() one"
        raise InvalidInputError(msg)
    slot_limit, limit = seconds(slot_timeout, "slot_timeout"), seconds(timeout, "timeout")
    start_parameters(
        face_attributes=face_attributes, client_request_token=None, job_tag=job_tag, notification_channel=None
    )
    if isinstance(staging, str):
        bucket_and_prefix(staging)
    shared = resolve_client(client)
    telling = threading.Lock()

    def analyze(task: _Task, stop: threading.Event) -> VideoAnalysis:
        def tell(progress: Progress) -> None:
            if on_progress is not None:
                with telling:
                    name = name_of(task.source)
                    on_progress(evolve(progress, source=name))

        task.job = VideoJob.start(
            task.source,
            client=shared,
            staging=staging,
            s3_client=s3_client,
            slot_timeout=slot_limit,
            on_progress=tell,
            cancel=stop,
            face_attributes=face_attributes,
            job_tag=job_tag,
            notify=notify,
            clock=clock,
        )
        return task.job.result(timeout=limit, on_progress=tell, cancel=stop)

    each = (_Task(source) for source in sources)
    tasks = list(each) if isinstance(sources, Sized) else each
    ended = _Gathering(analyze, tasks, workers=max_jobs, cancel=cancel).each()
    return (VideoOutcome(source=e.item.source, analysis=e.result, error=e.error, job=e.item.job) for e in ended)


def wait_for_videos(
    jobs: Iterable[VideoJob],
    *,
    timeout: Seconds = TIMEOUT,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Iterator[VideoOutcome]:
    """Wait for several jobs, and give the outcome of each as it ends, with all its faces.

    Jobs that share a queue (``notify=``) share its messages: one call at a time waits for all of them.

    Args:
        jobs: Jobs that were started, or resumed.
        timeout: Longest wait for each: seconds, a ``timedelta``, or ``None`` for ever.
        on_progress: Called from several threads, one at a time; ``job_id`` says which job it is about.
        cancel: Ends the waits.

    Raises:
        InvalidInputError: ``timeout`` is no duration, or ``jobs`` has something else than jobs.
    """
    if isinstance(jobs, (str, bytes)) or not isinstance(jobs, Iterable):
        msg = f"jobs= got {type(jobs).__name__}: pass a list of jobs, or wait() for one"
        raise InvalidInputError(msg)
    limit, waiting = seconds(timeout, "timeout"), list(jobs)
    for one in waiting:
        if not isinstance(one, VideoJob):
            msg = f"jobs= has {one!r}: pass what start_video() or VideoJob.resume() gave"
            raise InvalidInputError(msg)
    telling = threading.Lock()

    def tell(progress: Progress) -> None:
        if on_progress is not None:
            with telling:
                on_progress(progress)

    def wait(job: VideoJob, stop: threading.Event) -> VideoAnalysis:
        return job.result(timeout=limit, on_progress=tell, cancel=stop)

    ended = _Gathering(wait, waiting, workers=len(waiting), cancel=cancel).each()
    return (VideoOutcome(source=e.item.source, analysis=e.result, error=e.error, job=e.item) for e in ended)
