"""Wait until a job has ended: look at it now and then, or wait for the service's message."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

from rekog_emotion.blocking import clock as _clock
from rekog_emotion.clients.protocols import capabilities
from rekog_emotion.errors import ResponseError
from rekog_emotion.flows import messages, pages, polling, retrying
from rekog_emotion.flows.budget import Budget
from rekog_emotion.flows.messages import SnsSqs
from rekog_emotion.flows.resuming import WaysOut
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.progress import OnProgress, Progress, ProgressEvent, tell
from rekog_emotion.values.words import JobStatus

if TYPE_CHECKING:
    from rekog_emotion.clients.protocols import RekognitionClient

__all__ = ["POLLS", "Lookout"]

# For jobs of unknown length, in docs/reliability.md beside other ways to poll.
POLLS: Final = polling.PollSchedule(share=0.098, floor=1.75, lead=1.75, cap=900.0)
_REAL: Final = 1 / 60
# No job is expected to be ready in less than a twentieth of its video's length, nor looked for later than this.
_SHARE_OF_VIDEO, _LATEST_FIRST_LOOK = 0.05, 60.0


@frozen(kw_only=True)
class Lookout:
    """One wait for the end of a job.

    Attributes:
        client: Of boto3's shape.
        job_id: The service's id.
        notify: Where the service sends its message, or ``None``.
        fresh: The job was started here, with a token of its own: it has not ended before it began.
        video_seconds: The length of its video, where it is known.
        budget: What all looks of the client share, or ``None``.
        clock: Where time comes from.
        ways_out: What to say when the wait ends before the job.
    """

    client: RekognitionClient
    job_id: str
    notify: SnsSqs | None
    fresh: bool
    video_seconds: float | None
    budget: Budget | None
    clock: _clock.Clock
    ways_out: Callable[[], WaysOut]

    def until_ended(
        self, limit: float | None, on_progress: OnProgress | None, cancel: threading.Event | None
    ) -> tuple[VideoAnalysis, int]:
        """Return what the job said when it had ended, and how many looks it took.

        Args:
            limit: Seconds, or ``None`` for ever.
            on_progress: Called at every look and wait.
            cancel: Ends the wait when set.
        """
        looks, broken = 0, 0
        watch: messages.Watch | None = None
        sleep: Callable[[float], None] | None = None
        schedule: polling.Schedule = self._schedule()

        def look() -> VideoAnalysis:
            nonlocal looks, broken
            try:
                page = pages.look(self.client, self.job_id)
            except ResponseError:
                broken += 1
                raise
            looks, broken = looks + 1, 0
            tell(on_progress, Progress(event=ProgressEvent.POLLED, job_id=self.job_id, status=page.status))
            return page

        def is_unfinished(page: VideoAnalysis) -> bool:
            said_to_have_failed = watch is not None and watch.completion is not None and watch.completion.failed
            return page.status == JobStatus.IN_PROGRESS and not said_to_have_failed

        def is_passing(error: BaseException) -> bool:
            return retrying.is_transient(error) or (retrying.is_broken(error) and broken < retrying.ATTEMPTS)

        def on_wait(waited: float, interval: float) -> None:
            tell(
                on_progress,
                Progress(event=ProgressEvent.WAITING, job_id=self.job_id, seconds=waited, next_seconds=interval),
            )

        with ExitStack() as stack:
            if self.notify is not None:
                watch = stack.enter_context(
                    messages.watch(
                        self.notify, self.job_id, client=self.client, polls=schedule, clock=self.clock, cancel=cancel
                    )
                )
                sleep = watch.sleep
            elif "ends" in capabilities(self.client):
                sleep = self._until(self.client.ended(self.job_id), cancel)  # type: ignore[attr-defined]  # it says so
            page = polling.poll(
                look,
                unfinished=is_unfinished,
                schedule=schedule if watch is None else watch,
                timeout=limit,
                clock=self.clock,
                cancel=cancel,
                sleep=sleep,
                pace=self._pace,
                look_first=watch is None or not self.fresh,
                on_wait=on_wait,
                timed_out=lambda waited, failure: self.ways_out().timed_out(waited, failure),
                cancelled=lambda waited: self.ways_out().wait_cancelled(waited),
                tolerate=is_passing,
            )
        return page, looks

    def _until(self, end: Future[None], cancel: threading.Event | None) -> Callable[[float], None]:
        """Return a sleep that ends with the job; where it is not in this process that the job ends, the clock's.

        The work takes real time, whatever the clock: a small part of each sleep is real, so that a clock of tests does
        not run away from it.
        """
        heard = False
        stop = _clock.Ended(end, cancel)

        def sleep(seconds: float) -> None:
            nonlocal heard
            if heard:
                self.clock.sleep(seconds, cancel)
            elif not end.done():
                begin = self.clock.now()
                if not stop.wait(seconds * _REAL):
                    self.clock.sleep(max(begin + seconds - self.clock.now(), 0.0), stop)
            heard = end.done()

        return sleep

    def _schedule(self) -> polling.PollSchedule:
        if self.video_seconds is None or not self.fresh:
            return POLLS
        return evolve(POLLS, first=min(_SHARE_OF_VIDEO * self.video_seconds, _LATEST_FIRST_LOOK))

    def _pace(self) -> float:
        return 0.0 if self.budget is None else self.budget.reserve(self.clock.now())
