"""Wait until a job has ended: look at it now and then, or wait for the service's message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import define, evolve, field

from rekog_emotion.errors import ResponseError
from rekog_emotion.flows import messages, pages, polling, retrying
from rekog_emotion.flows.combining import tidied
from rekog_emotion.flows.messages import SnsSqs
from rekog_emotion.flows.resuming import WaysOut
from rekog_emotion.flows.steps import Await, Facts, Flow, Now, Open, Shared, Sleep, Tell
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.progress import Progress, ProgressEvent
from rekog_emotion.values.words import JobStatus

__all__ = ["POLLS", "Lookout"]

# For jobs of unknown length, in docs/reliability.md beside other ways to poll.
POLLS: Final = polling.PollSchedule(share=0.098, floor=1.75, lead=1.75, cap=900.0)
# No job is expected to be ready in less than a twentieth of its video's length, nor looked for later than this.
_SHARE_OF_VIDEO, _LATEST_FIRST_LOOK = 0.05, 60.0


@define(kw_only=True)
class Lookout:
    """One wait for the end of a job.

    Attributes:
        job_id: The service's id.
        facts: Of the client.
        notify: Where the service sends its message, or ``None``.
        fresh: The job was started here, with a token of its own: it has not ended before it began.
        video_seconds: The length of its video, where it is known.
        ways_out: What to say when the wait ends before the job.
        looks: How many looks it took.
    """

    job_id: str
    facts: Facts
    notify: SnsSqs | None
    fresh: bool
    video_seconds: float | None
    ways_out: Callable[[], WaysOut]
    looks: int = field(default=0, init=False)
    _broken: int = field(default=0, init=False)
    _heard: bool = field(default=False, init=False)
    _watch: messages.Watch | None = field(default=None, init=False)
    _known: dict[str, Any] = field(factory=dict, init=False)  # of how far the work is

    def until_ended(self, limit: float | None) -> Flow[VideoAnalysis]:
        """Return what the job said when it had ended.

        Args:
            limit: Seconds, or ``None`` for ever.
        """
        if self.notify is None:
            return (yield from self._poll(limit))
        mailbox: messages.Mailbox = yield Open(self.notify)
        yield Shared(lambda _: mailbox.expect(self.job_id))
        begin, long_poll = (yield Now()), self.notify.long_poll
        self._watch = messages.Watch(mailbox, self.job_id, polls=self._polls(), long_poll=long_poll, begin=begin)
        return (yield from tidied(self._poll(limit), Shared(lambda _: mailbox.forget(self.job_id))))

    def _poll(self, limit: float | None) -> Flow[VideoAnalysis]:
        return polling.poll(
            self._look,
            schedule=self._watch or self._polls(),
            timeout=limit,
            timed_out=lambda waited, failure: self.ways_out().timed_out(waited, failure),
            cancelled=lambda waited: self.ways_out().wait_cancelled(waited),
            tolerate=self._is_passing,
            pause=self._pause,
            takes_turns=not self.facts.files,
            look_first=self._watch is None or not self.fresh,
        )

    def _look(self) -> Flow[VideoAnalysis | None]:
        try:
            page = yield from pages.look(self.job_id)
        except ResponseError:
            self._broken += 1
            raise
        self.looks, self._broken = self.looks + 1, 0
        yield Tell(Progress(event=ProgressEvent.POLLED, job_id=self.job_id, status=page.status, **self._known))
        watch = self._watch
        said_to_have_failed = watch is not None and watch.completion is not None and watch.completion.failed
        return None if page.status == JobStatus.IN_PROGRESS and not said_to_have_failed else page

    def _is_passing(self, error: BaseException) -> bool:
        return retrying.is_transient(error) or (retrying.is_broken(error) and self._broken < retrying.ATTEMPTS)

    def _pause(self, waited: float, seconds: float) -> Flow[None]:
        event = ProgressEvent.WAITING
        yield Tell(Progress(event=event, job_id=self.job_id, seconds=waited, next_seconds=seconds, **self._known))
        if self._watch is not None:
            yield from self._watch.sleep(seconds)
        elif self.facts.ends and not self._heard:
            self._heard = yield Await(self.job_id, seconds, self._advanced)
        else:
            yield Sleep(seconds)

    def _advanced(self, fraction: float, seconds_left: float | None) -> Progress | None:
        if fraction == self._known.get("fraction"):
            return None
        self._known.update(fraction=fraction, seconds_left=seconds_left)
        return Progress(event=ProgressEvent.ANALYZING, job_id=self.job_id, **self._known)

    def _polls(self) -> polling.PollSchedule:
        if self.video_seconds is None or not self.fresh:
            return POLLS
        return evolve(POLLS, first=min(_SHARE_OF_VIDEO * self.video_seconds, _LATEST_FIRST_LOOK))
