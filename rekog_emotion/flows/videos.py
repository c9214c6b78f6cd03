"""Many videos: what may be asked for, what becomes of each, and what is said of those that nobody waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from typing import Any, Final, Generic, TypeVar

from attrs import define, evolve, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.flows.job import JobHandle
from rekog_emotion.flows.request import CheckBeside, VideoRequest, asked_for, limit_of
from rekog_emotion.flows.steps import Facts, Flow, Open
from rekog_emotion.logs import logger
from rekog_emotion.results.outcomes import Outcome
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.sources.naming import name_of, told_of
from rekog_emotion.sources.videos import VideoSource
from rekog_emotion.text import shown
from rekog_emotion.values.progress import OnProgress, Progress

__all__ = [
    "READY",
    "End",
    "JobOutcome",
    "Left",
    "Task",
    "about",
    "asked_for_each",
    "check_for_all",
    "check_jobs",
    "check_videos",
    "log_what_is_left",
    "outcome_of",
    "tasks_for",
    "waits_for",
    "workers_at",
]

J = TypeVar("J")
H = TypeVar("H", bound=JobHandle)
V = TypeVar("V", bound="JobOutcome")
R = TypeVar("R")
T = TypeVar("T")
_log: Final = logger("rekog_emotion")

READY: Final = 1
"""Ends a worker that may lie ready before another item is taken: who is slow to use results is not run over by them."""


@frozen
class End(Generic[T, R]):
    """How the work on one item of many ended."""

    item: T
    result: R | None = None
    error: Exception | None = None


@define
class Task(Generic[J]):
    """A video, and its job when it has one."""

    source: VideoSource
    job: J | None = None


@frozen
class Left:
    """A worker has left; with an error where the items could not be taken, or the work on one was ended."""

    error: BaseException | None = None
    item: Any = None


@frozen
class JobOutcome(Outcome[VideoSource | None, VideoAnalysis]):
    """What became of one video of several; each world adds its job."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle all but the job, which has a client."""
        return _outcome, (type(self), self.source, self.analysis, self.error)


# Pickle needs a function of the module.
def _outcome(
    kind: type[JobOutcome], source: VideoSource | None, analysis: VideoAnalysis | None, error: Exception | None
) -> JobOutcome:
    return kind(source=source, analysis=analysis, error=error)


def check_videos(sources: object, max_jobs: object) -> None:
    """Refuse what are no videos, and no number of jobs.

    Raises:
        InvalidInputError: One of them cannot be used.
    """
    if isinstance(max_jobs, bool) or not isinstance(max_jobs, int) or max_jobs < 1:
        msg = f"max_jobs={max_jobs!r} is no number of jobs: pass 1 or more"
        raise InvalidInputError(msg)
    if isinstance(sources, (str, bytes)) or not isinstance(sources, Iterable):
        msg = f"sources= got {type(sources).__name__}: pass a list of videos, or start_video() one"
        raise InvalidInputError(msg)


def check_jobs(jobs: Iterable[J], kind: type[J]) -> list[J]:
    """Return what is to be waited for.

    Args:
        jobs: What the caller passed. An error of an iterable that has given some, and started them perhaps, is raised
            by whoever goes through them all.
        kind: What each has to be.

    Raises:
        InvalidInputError: They are something else.
    """
    if isinstance(jobs, (str, bytes)) or not isinstance(jobs, Iterable):
        msg = f"jobs= got {type(jobs).__name__}: pass a list of jobs, or wait() for one"
        raise InvalidInputError(msg)
    waiting: list[J] = []
    try:
        for one in jobs:
            waiting.append(one)  # noqa: PERF402 -- those before an error are kept
    except Exception as error:
        if not waiting:
            raise
        waiting = _Failing(waiting, error)
    for one in waiting[:]:
        if not isinstance(one, kind):
            msg = f"jobs= has {one!r}: pass what start_video() or VideoJob.resume() gave"
            raise InvalidInputError(msg)
    return waiting


class _Failing(list[J]):
    """Jobs, and then an error.

    Args:
        jobs: The jobs.
        error: What is raised after the last of them.
    """

    def __init__(self, jobs: list[J], error: Exception) -> None:
        super().__init__(jobs)
        self._error = error

    def __iter__(self) -> Iterator[J]:
        yield from super().__iter__()
        raise self._error


def asked_for_each(
    sources: object, max_jobs: object, options: Mapping[str, Any], check_beside: CheckBeside
) -> VideoRequest:
    """Return what is asked for each of several videos: first come the checks of `check_videos`, then `asked_for`."""
    check_videos(sources, max_jobs)
    return asked_for(options, check_beside)


def check_for_all(asked: VideoRequest, client: object, facts: Facts) -> Flow[None]:
    """Refuse what is wrong for each of several videos, before the first: what the client cannot do, or be asked by.

    Args:
        asked: For each of them.
        client: Who runs their jobs.
        facts: Of the client.

    Raises:
        InvalidInputError: The client cannot do what is asked.
        ConfigurationError: The queue of messages cannot be asked.
    """
    asked.check_client(client, facts.can)
    if asked.notify is not None:
        yield Open(asked.notify)


def tasks_for(sources: Iterable[VideoSource]) -> Iterable[Task[Any]]:
    """Return the work on several videos, which are taken one by one where nobody knows their number."""
    tasks = (Task[Any](source) for source in sources)
    return list(tasks) if isinstance(sources, Sized) else tasks


def workers_at(items: object, most: int) -> int:
    """Return how many workers there is work for, where the items can be counted; else as many as may be."""
    return min(most, len(items)) if isinstance(items, Sized) else most


def waits_for(jobs: Iterable[H], kind: type[H], options: Mapping[str, Any]) -> tuple[list[H], float | None]:
    """Return the jobs that are to be waited for, each of a kind, and for how many seconds.

    Raises:
        InvalidInputError: They, or an option of the wait, cannot be used.
    """
    limit = limit_of(options)
    return check_jobs(jobs, kind), limit


def outcome_of(end: End[Any, VideoAnalysis], kind: Callable[..., V]) -> V:
    """Return what became of a video, whose work was a `Task`, or of a job, as the kind that the world has for it."""
    item = end.item
    job = item.job if isinstance(item, Task) else item
    return kind(source=item.source, analysis=end.result, error=end.error, job=job)


def about(source: VideoSource, on_progress: OnProgress | None) -> OnProgress | None:
    """Return what tells a caller which of several videos an event is about."""
    if on_progress is None:
        return None

    def told(progress: Progress) -> None:
        on_progress(evolve(progress, source=name_of(source)))

    return told


def log_what_is_left(result: object, error: BaseException | None, item: Any = None) -> None:  # noqa: ANN401 -- of either verb
    """Say how to take up a job of which nobody is given the end, and what else is known of it.

    Args:
        result: What the work gave, if anything.
        error: Why there is no result; one without a text of its own is told with the name of the source.
        item: What was worked on, if it is known.
    """
    if error is None:
        if isinstance(result, VideoAnalysis):
            _log.warning(
                "job %s has ended, and nobody took its result: it is kept for 7 days", shown(result.job_id or "")
            )
        return
    state, notes = getattr(error, "state", None), getattr(error, "__notes__", [])
    if state is not None:
        notes = [f"state: {state!r}", *notes]
    if notes or getattr(error, "job_id", None) is not None:
        source = getattr(item, "source", None)
        about = "" if source is None else f"{told_of(source)}: "
        what = str(error) or f"{about}{type(error).__name__}"
        _log.warning("%s (%s)" if notes else "%s%s", what, "; ".join(notes))
