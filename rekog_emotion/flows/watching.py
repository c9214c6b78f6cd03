"""What is decided while watching: which frame is looked at, what a failure means, when to try again, when to stop.

The frames are a room of their own (`rekog_emotion.sources.frames`), who is who another (`people.following`); here is
when they are asked, and what is told of it.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Final

from attrs import evolve

from rekog_emotion.errors import (
    CallCancelledError,
    InvalidInputError,
    InvalidMediaError,
    RekogEmotionError,
    needs,
)
from rekog_emotion.flows import detecting, retrying
from rekog_emotion.flows.live import WatchRequest
from rekog_emotion.flows.steps import Cancelled, Facts, Flow, Give, Sleep, Tell, Work
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.moments import Moment, milliseconds, moment_of
from rekog_emotion.sources.images import prepare_image, prepare_pixels
from rekog_emotion.sources.reading import Frame, Frames, StalledError
from rekog_emotion.text import quoted, shown
from rekog_emotion.values.progress import Progress, ProgressEvent
from rekog_emotion.values.videos import TimedFace

with needs("timeline", "Watching"):
    from rekog_emotion.people.following import Follower

__all__ = ["watched"]

_FIRST_WAIT: Final = 1.0  # seconds until a lost stream is opened again, at first
_LONGEST_WAIT: Final = 30.0
_SLOWEST: Final = 60.0  # seconds between samples, however often the service says that it is busy
_QUIET: Final = 10  # samples that went well, after which they come twice as often again


class _Beat:
    """When samples are due: evenly, and further apart while the service is busy.

    Attributes:
        due: Seconds from which on the next frame is looked at.
        interval: Seconds from one sample to the next, as things stand.
    """

    def __init__(self, rate: float) -> None:
        self.due = 0.0
        self.interval = self._asked = 1 / rate
        self._at: float | None = None
        self._went_well = 0

    def taken(self, seconds: float) -> int:
        """Note that a frame was taken; return how many samples were passed over before it."""
        steps = 1
        if self._at is None:
            self._at = seconds
        else:  # the nearest one: frames do not come exactly when they are due
            steps = max(1, math.floor((seconds - self._at) / self._asked + 0.5))
            self._at += steps * self._asked
        self.due = self._at + self.interval
        return steps - 1

    def interrupted(self) -> None:
        """Begin anew with the next frame: while there are none, none are passed over."""
        self.due, self._at = 0.0, None

    def went_well(self) -> None:
        """Come back to the rate that was asked for, by and by."""
        self._went_well += 1
        if self._went_well >= _QUIET:
            self._set(max(self.interval / 2, self._asked))

    def was_refused(self) -> None:
        """Look half as often."""
        self._set(min(self.interval * 2, max(_SLOWEST, self._asked)))

    def _set(self, interval: float) -> None:
        self._went_well = 0
        self.due += interval - self.interval
        self.interval = interval


class _Watch:
    """One watching: what is known from one sample to the next."""

    def __init__(self, frames: Frames, plan: WatchRequest, facts: Facts) -> None:
        self._frames, self._plan = frames, plan
        self._follower = Follower(interval=1 / plan.rate, max_gap=plan.max_gap, smooth=plan.smooth)
        # The next sample is a better second attempt than an old frame.
        self._facts = evolve(facts, retries=False)
        self._beat = _Beat(plan.rate)
        self._name = frames.name
        self._calls = 0
        self._open = self._seen = self._usable = self._looked = False
        self._failures = 0  # to get a frame, in a row
        self._last = -1  # milliseconds of the last frame

    def all(self) -> Flow[None]:
        while not (yield Cancelled()):
            try:
                if not self._open:
                    yield Work(self._frames.open)
                    self._open = True
                frame: Frame | None = yield Work(partial(self._frames.take, self._beat.due))
            except StalledError as stalled:
                yield from self._stalled(stalled)
                continue
            if frame is None:
                return
            self._seen, self._failures = True, 0
            yield from self._look(frame)
            if self._calls == self._plan.max_calls:
                yield from self._reason(frame.seconds, f"max_calls={self._calls} are used up")
                return

    def _stalled(self, stalled: StalledError) -> Flow[None]:
        """Say that there is no frame; open again what is lost, later and later."""
        self._beat.interrupted()
        if stalled.lost and not self._seen:
            mend = "check that it is there, and its name"
            if "://" in self._name:
                mend = "check that a player shows it: the address has to be the video's own, not that of a page"
            msg = f"{shown(self._name)} cannot be watched: {stalled}; {mend}"
            raise InvalidInputError(msg)
        self._failures += 1
        now: float = yield Work(self._frames.now)
        if not stalled.lost:
            yield from self._reason(now, f"{stalled}")
            return
        wait = min(_FIRST_WAIT * 2.0 ** min(self._failures - 1, 10), _LONGEST_WAIT)
        reason = f"{shown(self._name)} is lost: {stalled}; it is opened again in {wait:.0f} s"
        yield Tell(Progress(event=ProgressEvent.WAITING, source=self._name, reason=reason, next_seconds=wait))
        yield Work(self._frames.close)
        self._open = False
        yield from self._reason(now, reason)
        yield Sleep(wait)

    def _look(self, frame: Frame) -> Flow[None]:
        """Have a frame looked at, and say who is there, or why nobody knows."""
        skipped, interval = self._beat.taken(frame.seconds), self._beat.interval
        try:
            prepare = partial(prepare_pixels, seconds=frame.seconds) if self._facts.pixels else prepare_image
            image = yield Work(partial(prepare, frame.picture))
            self._usable = True
            self._calls += 1
            analysis: ImageAnalysis = yield from detecting.detect(
                image, self._plan.attributes, facts=self._facts, timeout=self._plan.timeout, cancellable=True
            )
        except CallCancelledError:
            return  # the loop ends by itself
        except RekogEmotionError as error:
            if retrying.is_transient(error) or retrying.is_broken(error):
                self._beat.was_refused()
            elif not (
                (self._usable and isinstance(error, InvalidInputError))
                or (self._looked and isinstance(error, InvalidMediaError))
            ):
                raise  # the next frame would be no better
            yield from self._reason(frame.seconds, quoted(error), frame=frame, skipped=skipped)
            return
        self._looked = True
        self._beat.went_well()
        yield Give((yield Work(partial(self._moment, frame, analysis, skipped, interval))))

    def _moment(self, frame: Frame, analysis: ImageAnalysis, skipped: int, interval: float) -> Moment:
        self._last = max(milliseconds(frame.seconds), self._last + 1)
        seconds = self._last / 1000
        faces = [TimedFace(timestamp_ms=self._last, face=face) for face in analysis.faces]
        present = self._follower.meet(faces, interval=interval)
        return moment_of(
            evolve(analysis, source=self._name),
            present,
            seconds=seconds,
            frame=frame.picture,
            skipped=skipped,
            source=self._name,
        )

    def _reason(self, seconds: float, reason: str, *, frame: Frame | None = None, skipped: int = 0) -> Flow[None]:
        picture = None if frame is None else frame.picture
        yield Give(Moment(seconds=round(seconds, 3), frame=picture, reason=reason, skipped=skipped, source=self._name))


def watched(frames: Frames, plan: WatchRequest, *, facts: Facts) -> Flow[None]:
    """Give a moment a sample, until there are no more frames, the calls are used up, or the caller cancels.

    A failure that may pass is a moment without people that says why, and so is a stream that is lost, which is opened
    again. What is wrong from the beginning, or will not pass, is raised.

    Args:
        frames: Closed by whoever made them.
        plan: What the caller wants.
        facts: Of the client.
    """
    return _Watch(frames, plan, facts).all()
