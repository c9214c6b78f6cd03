"""Answers the steps of a flow from a table: no client, no clock, no thread."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rekog_emotion.flows.steps import Call, Course, Give, Now, Sleep
from rekog_emotion.values.s3 import S3Object

# When each table begins, so that no flow mistakes the clock for the time that has passed.
BEGIN = 1024.0
# Questions of time, work and reports are answered, and are no part of the table.
_UNSEEN = {"now", "shared", "cancelled", "work", "tell", "give", "begin", "take", "listen"}


def asking():
    """Give what time it is before and after a sleep, and return whether the sleep failed."""
    yield Give((yield Now()))
    try:
        yield Sleep(1.0)
    except ValueError:
        return True
    yield Give((yield Now()))
    return False


class Table:
    """Plays one flow.

    Args:
        answers: What calls are answered with, or thrown, in order; the last one for ever.
        takes: Seconds that each call takes.
        cancelled_at: When the caller cancels.
        turns: Seconds that calls have to wait for their turn, in order; then none.
        staged: What files are staged as, or the error of it.
        stuck: The error of taking an upload away.
        ends_at: When the job ends, where the client tells.
        mailbox: What an expected message lies in, or the error of opening it.

    Attributes:
        now: Seconds that have passed.
        steps: What was to be done, in order, but for questions of time and for reports.
        told: The reports.
        given: The values.
    """

    def __init__(
        self,
        *answers,
        takes=0.0,
        cancelled_at=math.inf,
        turns=(),
        staged=None,
        stuck=None,
        ends_at=math.inf,
        mailbox=None,
    ):
        self.now = 0.0
        self.steps, self.told, self.given = [], [], []
        self._answers, self._takes, self._cancelled_at = list(answers), takes, cancelled_at
        self._turns, self._ends_at, self._mailbox = list(turns), ends_at, mailbox
        self._staged = staged or S3Object(bucket="shelf", name="k-1", version="v-1")
        self._stuck = stuck

    @property
    def sleeps(self):
        """The seconds of every sleep, as they were asked for."""
        return [step.seconds for step in self.steps if isinstance(step, Sleep)]

    @property
    def calls(self):
        """The parameters of every call."""
        return [step.parameters for step in self.steps if isinstance(step, Call)]

    def play(self, flow):
        """Play a flow to its end, and return or raise what it does."""
        course = Course(flow)
        for step in course:
            try:
                course.answer(self._answer(step))
            except BaseException as error:  # noqa: BLE001 -- it is for the flow
                course.fail(error)
        return course.result

    def _answer(self, step):
        kind = type(step).__name__.lower()
        if kind not in _UNSEEN:
            self.steps.append(step)
        return getattr(self, f"_{kind}")(step)

    def _now(self, _):
        return BEGIN + self.now

    def _shared(self, step):
        return step.function(BEGIN + self.now)

    def _list(self, _):
        return self._call(None)

    def _cancelled(self, _):
        return self.now >= self._cancelled_at

    def _work(self, step):
        return step.function()

    def _tell(self, step):
        self.told.append(step.progress)

    def _give(self, step):
        self.given.append(step.value)

    def _begin(self, step):
        try:
            return self.play(step.flow()), None
        except BaseException as error:  # noqa: BLE001 -- it is thrown where the result is wanted
            return None, error

    def _take(self, step):
        result, error = step.handle
        if error is not None:
            raise error
        return result

    def _listen(self, step):
        return self.play(step.flow())

    def _sleep(self, step):
        self.now = max(self.now, min(self.now + step.seconds, self._cancelled_at))

    def _await(self, step):
        self.now = max(self.now, min(self.now + step.seconds, self._ends_at, self._cancelled_at))
        return self.now >= self._ends_at

    def _turn(self, step):
        return self._turns.pop(0) if step.waits and self._turns else 0.0

    def _open(self, _):
        return _thrown(self._mailbox)

    def _stage(self, _):
        return _thrown(self._staged)

    def _discard(self, _):
        return _thrown(self._stuck)

    _remove = _discard

    def _call(self, _):
        self.now += self._takes
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if callable(answer) and not isinstance(answer, BaseException):
            answer = answer()
        return _thrown(dict(answer) if isinstance(answer, Mapping) else answer)


def _thrown(outcome):
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
