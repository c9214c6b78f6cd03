"""Watching as a table: frames and answers in, calls, waits and moments out; no client, no clock, no thread."""

import numpy as np
import pytest

from rekog_emotion.errors import (
    AccessDeniedError,
    InternalServiceError,
    InvalidInputError,
    InvalidMediaError,
    ResponseError,
    ThrottledError,
    TransportError,
)
from rekog_emotion.flows.live import WatchRequest, asked
from rekog_emotion.flows.steps import Call, Facts, LateError, Sleep
from rekog_emotion.flows.watching import watched
from rekog_emotion.sources.reading import Frame, StalledError
from tests.results.people import face
from tests.stepping import Table

PICTURE = np.zeros((100, 100, 3), np.uint8)
NOBODY = {"FaceDetails": []}
SOMEBODY = {"FaceDetails": [face(emotions={"HAPPY": 90}).to_aws()]}
THROTTLED, BROKEN, LOST = ThrottledError("slow down"), ResponseError("no FaceDetails"), TransportError("no answer")
STALLED = StalledError("no picture came for 6 seconds", lost=False)
GONE = StalledError("it has ended", lost=True)


class Scripted:
    """Frames from a script: each is a picture's seconds, or an error; of a function, what it gives for what is due.

    Attributes:
        events: What was done, in order.
    """

    name = "camera:0"

    def __init__(self, *script, table):
        self.events, self.dues = [], []
        self._script, self._table = list(script), table

    def open(self):
        """Open; what is scripted as a text stands for an error of it."""
        self.events.append("open")
        if self._script and isinstance(self._script[0], str):
            raise StalledError(self._script.pop(0), lost=True)

    def now(self):
        """Return the table's time."""
        return self._table.now

    def take(self, due):
        """Give what is next."""
        self.dues.append(due)
        if not self._script:
            return None
        one = self._script.pop(0)
        if isinstance(one, BaseException):
            raise one
        seconds, picture = one if isinstance(one, tuple) else (one, PICTURE)
        self._table.now = max(self._table.now, seconds)
        return Frame(seconds, picture)

    def close(self):
        """Close."""
        self.events.append("close")


def played(*script, answers=(NOBODY,), rate=2.0, **options):
    """Play a watching; return its table and its frames."""
    plan = {name: options.pop(name) for name in ("max_calls", "timeout") if name in options}
    table = Table(*answers, **options)
    frames = Scripted(*script, table=table)
    flow = watched(frames, WatchRequest(rate=rate, **plan), facts=Facts(retries=True, engine="aws"))
    table.play(flow)
    return table, frames


def told(table):
    """Return what each moment says: its seconds, who is there, why not, and what was skipped."""
    return [(one.seconds, [person.id for person in one.people], one.reason, one.skipped) for one in table.given]


def test_a_call_a_sample():
    """Each frame is looked at once, evenly, and the same person stays the same."""
    table, frames = played(0.0, 0.5, 1.0, answers=[SOMEBODY, SOMEBODY, NOBODY], timeout=7.0)

    assert told(table) == [(0.0, [1], None, 0), (0.5, [1], None, 0), (1.0, [], None, 0)]
    assert [(type(step), step.within) for step in table.steps] == [(Call, 7.0)] * 3
    assert frames.dues == [0.0, 0.5, 1.0, 1.5]
    assert frames.events == ["open"]
    assert [(one.engine, one.source, one.frame is PICTURE) for one in table.given] == [("aws", "camera:0", True)] * 3


@pytest.mark.parametrize(
    ("seconds", "dues", "skipped"),
    [
        # Frames at 30 a second are near to when they are due; times stay on the grid.
        ([0.0, 0.517, 1.02, 1.49], [0.0, 0.5, 1.0, 1.5, 2.0], [0, 0, 0, 0]),
        # A client that takes three seconds and more misses six samples and is at the newest.
        ([0.0, 3.52, 4.01], [0.0, 0.5, 4.0, 4.5], [0, 6, 0]),
        # What came early counts as what was due.
        ([0.0, 0.467, 0.967, 1.468], [0.0, 0.5, 1.0, 1.5, 2.0], [0, 0, 0, 0]),
        # The first one may be of any time.
        ([100.0, 100.5], [0.0, 100.5, 101.0], [0, 0]),
    ],
)
def test_when_samples_are_due(seconds, dues, skipped):
    """Evenly from the first one; those that there was no time for are counted."""
    table, frames = played(*seconds)

    assert frames.dues == dues
    assert [one.skipped for one in table.given] == skipped


@pytest.mark.parametrize("error", [THROTTLED, LOST, BROKEN, InternalServiceError("oops")], ids=str)
def test_a_failure_that_may_pass_is_a_moment_with_a_reason(error):
    """It is not tried again: the next sample is better, and later by twice the time."""
    table, frames = played(0.0, 0.5, 1.5, answers=[NOBODY, error, NOBODY])

    assert told(table) == [(0.0, [], None, 0), (0.5, [], str(error), 0), (1.5, [], None, 1)]
    assert len(table.calls) == 3
    assert frames.dues == [0.0, 0.5, 1.5, 2.5]


def test_a_late_call_is_a_reason():
    """Whoever answers too late is not waited for."""
    table, _ = played(0.0, 0.5, answers=[LateError(), NOBODY], timeout=3.0, takes=3.0)

    reason = "DetectFaces got no answer after 3.0 s; the call may have reached the service, and may be charged"
    assert told(table)[0] == (0.0, [], reason, 0)


def test_a_busy_service_is_asked_half_as_often_until_it_is_not():
    """At least once a minute; and after ten good answers twice as often again, up to what was asked for."""
    times = [float(k * 100) for k in range(1, 40)]
    table, frames = played(0.0, *times, answers=[THROTTLED] * 9 + [NOBODY], rate=2.0)

    waits = [round(due - seconds, 6) for due, seconds in zip(frames.dues[1:], [0.0, *times], strict=True)]
    assert waits[:9] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert waits[18:20] == [30.0, 30.0]
    assert waits[28:31] == [15.0, 15.0, 15.0]
    assert len(table.given) == 40


def since(table):
    """Return who is there since when at each moment that was looked at, and since when who leads does."""
    return [
        (one.seconds, [(person.id, person.here_since, person.since) for person in one.people])
        for one in table.given
        if one.reason is None
    ]


@pytest.mark.parametrize(
    "times",
    [[0.0, 1.0, 2.0, 3.0], [0.0, 0.75, 1.5], [0.0, 1.1, 2.2, 3.3], [0.0, 2.4, 2.9, 5.3]],
    ids=["a second", "less", "a slow client", "now and then"],
)
def test_who_never_left_has_been_there_all_along(times):
    """Samples that were skipped, or that the source never gave, are no gap."""
    table, _ = played(*times, answers=[SOMEBODY])

    assert since(table) == [(time, [(1, 0.0, 0.0)]) for time in times]


def test_who_was_not_in_a_sample_begins_anew():
    """And so does whoever comes after a time that is too long to be known again: an unplugged camera, a lost stream."""
    table, _ = played(0.0, 0.5, 1.0, answers=[SOMEBODY, NOBODY, SOMEBODY])
    lost, _ = played(0.0, GONE, 1.5, GONE, 31.5, answers=[SOMEBODY])

    assert since(table) == [(0.0, [(1, 0.0, 0.0)]), (0.5, []), (1.0, [(1, 1.0, 1.0)])]
    assert since(lost) == [(0.0, [(1, 0.0, 0.0)]), (1.5, [(1, 0.0, 0.0)]), (31.5, [(2, 31.5, 31.5)])]


def test_who_is_there_while_the_service_is_busy_has_been_there_all_along():
    """However rare samples become, and when they come twice as often again."""
    waits = [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5]
    quiet = [127.5 + 60.0 * k for k in range(12)]
    table, _ = played(*waits, *quiet, answers=[SOMEBODY, *[THROTTLED] * 7, SOMEBODY])

    assert since(table) == [(time, [(1, 0.0, 0.0)]) for time in [0.0, *quiet]]


@pytest.mark.parametrize(
    ("script", "answers", "error", "message"),
    [
        ([0.0], [AccessDeniedError("no")], AccessDeniedError, "no"),
        ([0.0, 0.5], [NOBODY, AccessDeniedError("no")], AccessDeniedError, "no"),
        ([0.0], [InvalidMediaError("no picture")], InvalidMediaError, "no picture"),
        (
            [(0.0, PICTURE[:50])],
            [NOBODY],
            InvalidInputError,
            "<array>: the image has 100 x 50 pixels, and at least 80 a side are needed; pass a larger one",
        ),
        (
            [GONE],
            [NOBODY],
            InvalidInputError,
            "camera:0 cannot be watched: it has ended; check that it is there, and its name",
        ),
        (
            ["connection refused"],
            [NOBODY],
            InvalidInputError,
            "camera:0 cannot be watched: connection refused; check that it is there, and its name",
        ),
    ],
    ids=["denied", "denied later", "refused picture", "small picture", "nothing there", "not opened"],
)
def test_what_is_wrong_from_the_beginning_or_will_not_pass_is_raised(script, answers, error, message):
    """The next sample would be no better."""
    with pytest.raises(error) as caught:
        played(*script, answers=answers)

    assert str(caught.value) == message


def test_a_frame_that_cannot_be_used_later_is_a_reason():
    """A stream that was good changes its size, or a frame is refused: the next one may be good again."""
    small = (0.5, PICTURE[:50])
    table, frames = played(0.0, small, 1.0, 1.5, answers=[NOBODY, InvalidMediaError("no picture"), NOBODY])

    assert told(table) == [
        (0.0, [], None, 0),
        (0.5, [], "<array>: the image has 100 x 50 pixels, and at least 80 a side are needed; pass a larger one", 0),
        (1.0, [], "no picture", 0),
        (1.5, [], None, 0),
    ]
    assert frames.dues == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_a_small_frame_after_a_busy_service_is_a_reason():
    """The stream has shown a picture that can be used, whether anybody has looked at it or not."""
    table, _ = played(0.0, (0.5, PICTURE[:50]), answers=[THROTTLED])

    assert [one.reason.partition(";")[0] for one in table.given] == [
        "slow down",
        "<array>: the image has 100 x 50 pixels, and at least 80 a side are needed",
    ]


def test_what_is_lost_is_opened_again_later_and_later():
    """Each time it is told, and a frame begins the count anew; the time without frames was not skipped."""
    refused = ["connection refused"] * 6
    table, frames = played(0.0, GONE, *refused, 95.0, GONE, 97.0, 97.5)

    sleeps = [step.seconds for step in table.steps if isinstance(step, Sleep)]
    assert sleeps == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 1.0]
    assert told(table)[:2] == [
        (0.0, [], None, 0),
        (0.0, [], "camera:0 is lost: it has ended; it is opened again in 1 s", 0),
    ]
    assert told(table)[7:] == [
        (61.0, [], "camera:0 is lost: connection refused; it is opened again in 30 s", 0),
        (95.0, [], None, 0),
        (95.0, [], "camera:0 is lost: it has ended; it is opened again in 1 s", 0),
        (97.0, [], None, 0),
        (97.5, [], None, 0),
    ]
    assert frames.events == ["open", *["close", "open"] * 8]
    assert [(one.event, one.source, one.next_seconds) for one in table.told] == [
        ("WAITING", "camera:0", seconds) for seconds in sleeps
    ]


def test_what_stalls_without_being_lost_is_waited_for():
    """The caller's own frames cannot be opened again."""
    table, frames = played(STALLED, 8.0, STALLED)

    assert told(table) == [
        (0.0, [], "no picture came for 6 seconds", 0),
        (8.0, [], None, 0),
        (8.0, [], "no picture came for 6 seconds", 0),
    ]
    assert frames.events == ["open"]


def test_a_budget_ends_it():
    """With a moment that says so; calls that failed count, as they may be charged."""
    table, _ = played(0.0, 0.5, 1.0, 1.5, answers=[NOBODY, THROTTLED, NOBODY], max_calls=3)

    assert len(table.calls) == 3
    assert told(table)[-1] == (1.0, [], "max_calls=3 are used up", 0)


@pytest.mark.parametrize("cancelled_at", [0.0, 0.2, 1.0, 31.0])
def test_cancelling_ends_it(cancelled_at):
    """Between two samples, during a call, or while something lost is waited for."""
    table, _ = played(0.0, GONE, *["refused"] * 100, cancelled_at=cancelled_at)

    assert table.now <= max(cancelled_at, 0.0)
    assert all(one.reason for one in table.given[1:])


def test_a_call_without_a_limit_can_be_cancelled():
    """It is waited for as long as it takes, or until the caller cancels."""
    table, _ = played(0.0, timeout=None)

    assert [step.within for step in table.steps] == [float("inf")]


def test_a_call_that_is_cancelled_gives_nothing():
    """What came of it nobody knows."""
    table, _ = played(0.0, 0.5, answers=[LateError()], takes=1.0, cancelled_at=1.0)

    assert told(table) == []


def test_who_listens_is_looked_at_last():
    """What is wrong with the watching itself is told first."""
    with pytest.raises(InvalidInputError, match=r"^rate=0 is no rate"):
        asked({"rate": 0, "smooth": -1, "on_progress": 5, "cancel": 5})
    with pytest.raises(InvalidInputError, match=r"^smooth is -1, and has"):
        asked({"smooth": -1, "on_progress": 5, "cancel": 5})
    with pytest.raises(InvalidInputError, match=r"^on_progress= got int"):
        asked({"on_progress": 5, "cancel": 5})
    with pytest.raises(InvalidInputError, match=r"^cancel= got int"):
        asked({"on_progress": None, "cancel": 5})

    assert asked({"on_progress": None, "timeout": 1}) == WatchRequest(timeout=1.0)
