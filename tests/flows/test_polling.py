import math
import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekog_emotion.errors import (
    AccessDeniedError,
    InternalServiceError,
    InvalidInputError,
    JobCancelledError,
    JobTimeoutError,
    LimitExceededError,
    ResponseError,
    ServiceError,
    ThrottledError,
    TransportError,
)
from rekog_emotion.flows.polling import PollSchedule, poll
from rekog_emotion.flows.request import seconds
from rekog_emotion.flows.retrying import back_off, called, is_transient, retried
from rekog_emotion.flows.steps import Call, Sleep, Tell, Turn
from rekog_emotion.values.progress import Progress
from tests.stepping import Table

THROTTLED, BROKEN, LOST = ThrottledError("slow down"), InternalServiceError("broken"), TransportError("no answer")
PENDING, DONE = "IN_PROGRESS", "SUCCEEDED"


LOOK = Call("look", {})


@pytest.fixture
def longest_jitter(monkeypatch):
    """Take the upper end of every interval."""
    monkeypatch.setattr(random, "uniform", lambda _, high: high)


def trying(**options):
    """Return the flow of a call that is tried again."""

    def attempt():
        return (yield LOOK)

    return retried(attempt, **options)


def polling(**options):
    """Return the flow that polls as a job does, with errors that say what they were made from."""

    def look():
        answer = yield LOOK
        return None if answer == PENDING else answer

    defaults = {
        "schedule": PollSchedule(),
        "timeout": None,
        "timed_out": lambda waited, failure: JobTimeoutError(f"over after {waited:g} s, {failure}"),
        "cancelled": lambda waited: JobCancelledError(f"cancelled after {waited:g} s"),
    }
    return poll(look, **{**defaults, **options})


# --- what passes ---


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (THROTTLED, True),
        (BROKEN, True),
        (LOST, True),
        (ServiceError("?"), False),
        (AccessDeniedError("no"), False),
        (LimitExceededError("20 jobs"), False),
        (ResponseError("garbage"), False),
        (InvalidInputError("no"), False),
        (ConnectionResetError(), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_what_passes(error, transient):
    """Throttling, a failing service and no answer may pass; a full account takes minutes, which is another matter."""
    assert is_transient(error) == transient


# --- durations ---


@pytest.mark.parametrize(
    ("duration", "expected"),
    [(None, None), (0, 0.0), (2.5, 2.5), (timedelta(minutes=2), 120.0), (math.inf, math.inf), (10**400, math.inf)],
)
def test_durations(duration, expected):
    """A duration is a number of seconds, a timedelta, or none."""
    assert seconds(duration, "timeout") == expected


@pytest.mark.parametrize("duration", [-1, math.nan, True, "60", timedelta(seconds=-1)])
def test_no_durations(duration):
    """Anything else is refused by the name of its argument."""
    with pytest.raises(InvalidInputError) as caught:
        seconds(duration, "timeout")

    assert str(caught.value) == (
        f"timeout={duration!r} is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever"
    )


# --- retry ---


@pytest.mark.usefixtures("longest_jitter")
@pytest.mark.parametrize(
    ("outcomes", "sleeps"),
    [
        (["answer"], []),
        ([BROKEN, "answer"], [0.5]),
        ([LOST, LOST, LOST, LOST, "answer"], [0.5, 1, 2, 4]),
        ([THROTTLED, THROTTLED, THROTTLED, THROTTLED, "answer"], [1, 2, 4, 8]),
        ([BROKEN, THROTTLED, LOST, "answer"], [0.5, 2, 2]),
    ],
)
def test_tries_again(outcomes, sleeps):
    """The longest wait doubles with each failure, and is twice as long after throttling."""
    table = Table(*outcomes)

    assert table.play(trying()) == "answer"
    waits = [Sleep(seconds) for seconds in sleeps]
    assert table.steps == [LOOK, *(step for wait in waits for step in (wait, LOOK))]


@pytest.mark.usefixtures("no_jitter")
def test_waits_are_full_jitter():
    """A wait is anything between nothing and its longest."""
    table = Table(BROKEN, BROKEN, "answer")
    table.play(trying())

    assert table.sleeps == [0.25, 0.5]


@pytest.mark.parametrize("error", [THROTTLED, BROKEN, LOST])
def test_gives_up_after_five_attempts(error):
    """The last error is raised as it is, not wrapped."""
    table = Table(BROKEN, BROKEN, BROKEN, BROKEN, error)

    with pytest.raises(type(error)) as caught:
        table.play(trying())

    assert caught.value is error
    assert (len(table.calls), len(table.sleeps)) == (5, 4)


@pytest.mark.parametrize("error", [AccessDeniedError("no"), LimitExceededError("20"), ValueError("bug"), SystemExit()])
def test_does_not_try_again_what_would_fail_again(error):
    """An error that does not pass is raised at once."""
    table = Table(error)

    with pytest.raises(type(error)) as caught:
        table.play(trying())

    assert caught.value is error
    assert table.steps == [LOOK]


def test_leaves_trying_again_to_a_client_that_does():
    """Whoever makes several attempts by himself gets one step."""
    table = Table(BROKEN)

    with pytest.raises(InternalServiceError):
        table.play(called(LOOK, ours=False))

    assert table.steps == [LOOK]


@pytest.mark.usefixtures("longest_jitter")
@pytest.mark.parametrize(("takes", "calls", "sleeps"), [(29.25, 3, [0.5, 1]), (29.5, 3, [0.5, 0.5]), (60, 1, [])])
def test_cuts_a_wait_that_would_pass_the_minute(takes, calls, sleeps):
    """A wait that ends with the minute is made, a longer one is cut to what is left of it."""
    table = Table(BROKEN, takes=takes)

    with pytest.raises(InternalServiceError):
        table.play(trying())

    assert (len(table.calls), table.sleeps) == (calls, sleeps)


@pytest.mark.usefixtures("longest_jitter")
def test_a_cancelled_retry_makes_no_further_call():
    """Cancelled in the second wait, it raises the error that it has, at once."""
    table = Table(BROKEN, LOST, "answer", cancelled_at=0.75)

    with pytest.raises(TransportError) as caught:
        table.play(trying())

    assert caught.value is LOST
    assert (len(table.calls), table.sleeps, table.now) == (2, [0.5, 1], 0.75)


def test_a_success_is_a_success_though_cancelled():
    """Whoever cancels too late gets the answer."""
    assert Table("answer", cancelled_at=0).play(trying()) == "answer"


def test_a_closed_flow_is_no_failure():
    """Whoever drops a flow between two steps has it ended there."""
    flow = trying()
    next(flow)
    assert flow.send(0.0) == LOOK
    flow.close()

    with pytest.raises(StopIteration):
        next(flow)


# --- the schedule ---


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(
    ("waited", "interval"),
    [(0, 1), (5, 1), (10, 1), (30, 3), (600, 60), (1200, 120), (5000, 120)],
)
def test_waits_a_tenth_of_the_time_waited(waited, interval):
    """Between a floor and a cap."""
    assert PollSchedule().interval(waited) == pytest.approx(interval)


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(("waited", "interval"), [(0, 5), (30, 7), (5000, 124)])
def test_a_setback_comes_on_top(waited, interval):
    """A failed look waits longer, even at the cap."""
    assert PollSchedule().interval(waited, setback=4) == pytest.approx(interval)


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(
    ("schedule", "waited", "interval"),
    [
        (PollSchedule(lead=4), 0.0, 2.0),
        (PollSchedule(lead=4), 0.99, 2.0),
        (PollSchedule(lead=4), 1.0, 1.0),
        (PollSchedule(first=10), 0.0, 10.0),
        (PollSchedule(first=10), 3.0, 7.0),
        (PollSchedule(first=10), 9.5, 1.0),
        (PollSchedule(first=10, lead=4), 0.5, 9.5),
    ],
)
def test_the_first_looks(schedule, waited, interval):
    """The first wait is a random part of the lead; before something can be expected there is none."""
    assert schedule.interval(waited) == interval


@pytest.mark.parametrize(
    ("error", "failures", "seconds"),
    [
        *((BROKEN, failures, seconds) for failures, seconds in [(1, 0.5), (2, 1), (6, 16), (7, 20), (5000, 20)]),
        *((THROTTLED, failures, seconds) for failures, seconds in [(1, 1), (2, 2), (5, 16), (6, 20), (5000, 20)]),
        (None, 1, 0.5),
    ],
)
def test_backs_off(error, failures, seconds):
    """Twice as long after each failure, and after throttling; never longer than twenty seconds."""
    assert back_off(error, failures) == seconds


@given(
    waited=st.floats(0, 1e9),
    setback=st.floats(0, 20),
    share=st.floats(0, 1),
    floor=st.floats(0.01, 10),
    room=st.floats(0, 1000),
    jitter=st.floats(0, 0.5),
)
def test_jitter_stays_in_its_bounds(waited, setback, share, floor, room, jitter):
    """An interval is nowhere further from its middle than the jitter allows."""
    schedule = PollSchedule(share=share, floor=floor, cap=floor + room, jitter=jitter)
    middle = min(max(share * waited, floor), floor + room) + setback

    interval = schedule.interval(waited, setback)

    assert (1 - jitter) * middle <= interval * (1 + 1e-9)
    assert interval <= (1 + jitter) * middle * (1 + 1e-9)


# --- poll ---


def test_looks_first():
    """What is finished already costs one look and no wait."""
    table = Table(DONE)

    assert table.play(polling()) == DONE
    assert table.steps == [LOOK]


@pytest.mark.usefixtures("no_jitter")
def test_polls_by_the_schedule():
    """A floor of a second, then a tenth of what was waited."""
    table = Table(*[PENDING] * 14, DONE)

    assert table.play(polling()) == DONE
    assert table.sleeps == pytest.approx([1] * 10 + [1, 1.1, 1.21, 1.331])


@pytest.mark.usefixtures("no_jitter")
def test_time_in_a_look_is_time_waited():
    """Slow looks stretch the interval as the waits do."""
    table = Table(PENDING, PENDING, DONE, takes=40)

    table.play(polling())

    assert table.sleeps == pytest.approx([4, 8.4])


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(
    ("outcomes", "sleeps"),
    [
        ([BROKEN, DONE], [1.5]),
        ([LOST, LOST, LOST, DONE], [1.5, 2, 3]),
        ([THROTTLED, THROTTLED, PENDING, THROTTLED, DONE], [2, 3, 1, 2]),
        ([PENDING, THROTTLED, PENDING, DONE], [1, 2, 1]),
    ],
)
def test_a_failed_look_is_a_longer_wait(outcomes, sleeps):
    """The more failures in a row, the longer; an answer that is not final makes an end of the row."""
    table = Table(*outcomes)

    assert table.play(polling()) == DONE
    assert table.sleeps == pytest.approx(sleeps)


@pytest.mark.usefixtures("no_jitter")
def test_fails_for_days():
    """A thousand failures in a row are the longest setback each, and no number grows beyond bounds."""
    table = Table(*[BROKEN] * 2000, DONE)

    assert table.play(polling()) == DONE
    assert table.sleeps[-1] == 120 + 20


@pytest.mark.parametrize("error", [AccessDeniedError("no"), ResponseError("garbage"), KeyError("bug"), SystemExit()])
def test_what_does_not_pass_ends_the_wait(error):
    """The failure of a look is raised as it is."""
    table = Table(PENDING, error)

    with pytest.raises(type(error)) as caught:
        table.play(polling())

    assert caught.value is error
    assert len(table.calls) == 2


@pytest.mark.usefixtures("no_jitter")
def test_tolerates_what_the_caller_says():
    """Waiting for a slot is polling, too: a full account is no failure, and makes no wait longer."""
    full = LimitExceededError("20 jobs")

    def tolerate(error):
        return error is full or is_transient(error)

    table = Table(full, BROKEN, full, full, DONE)

    assert table.play(polling(tolerate=tolerate)) == DONE
    assert table.sleeps == pytest.approx([1, 1.5, 1, 1])


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(
    ("timeout", "looks", "waited"),
    [(0, 1, 0), (0.875, 2, 0.875), (1, 2, 1), (3.5, 5, 3.5), (10.5, 12, 10.5), (11, 12, 11)],
)
def test_a_wait_that_would_pass_the_deadline_is_cut(timeout, looks, waited):
    """It looks at least once, and once more at the deadline."""
    table = Table(PENDING)

    with pytest.raises(JobTimeoutError) as caught:
        table.play(polling(timeout=timeout))

    assert str(caught.value) == f"over after {waited} s, None"
    assert (len(table.calls), table.now) == (looks, waited)
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("no_jitter")
def test_a_budget_s_wait_that_would_pass_the_deadline_is_cut():
    """What the others leave of the quota is no reason not to look at all."""
    table = Table(DONE, turns=[5.0])

    assert table.play(polling(timeout=2, takes_turns=True)) == DONE
    assert table.steps == [Turn(), Sleep(2), LOOK]


@pytest.mark.parametrize("turns", [[0.5, 0.25], [0.0]])
def test_a_look_waits_for_its_turn(turns):
    """As long as the budget says, and not at all where it has room."""
    table = Table(PENDING, DONE, turns=turns)

    table.play(polling(takes_turns=True, schedule=PollSchedule(jitter=0)))

    looks = [[Turn(), *([Sleep(turn)] if turn else []), LOOK] for turn in (*turns, 0.0)[:2]]
    assert table.steps == [*looks[0], Sleep(1), *looks[1]]


def test_cancelled_while_waiting_for_its_turn():
    """Then there is no look."""
    table = Table(DONE, turns=[5.0], cancelled_at=3)

    with pytest.raises(JobCancelledError) as caught:
        table.play(polling(takes_turns=True))

    assert (str(caught.value), table.steps) == ("cancelled after 3 s", [Turn(), Sleep(5.0)])


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(("timeout", "steps"), [(None, [Sleep(1), LOOK]), (0.5, [Sleep(0.5), LOOK])])
def test_may_wait_first(timeout, steps):
    """Where nothing is to be seen yet."""
    table = Table(DONE)

    assert table.play(polling(look_first=False, timeout=timeout)) == DONE
    assert table.steps == steps


@pytest.mark.usefixtures("no_jitter")
def test_a_timeout_names_the_failure_of_the_last_look():
    """Its cause is what went wrong last; nothing of tenacity shows."""
    with pytest.raises(JobTimeoutError) as caught:
        Table(PENDING, THROTTLED).play(polling(timeout=5))

    assert str(caught.value) == "over after 5 s, slow down"
    assert caught.value.__cause__ is THROTTLED


def test_finished_at_the_deadline_is_finished():
    """A look that takes longer than the deadline and finds the job done gives its answer."""
    assert Table(DONE, takes=100).play(polling(timeout=1)) == DONE


def test_cancelled_before_the_first_look():
    """Nothing is called."""
    for look_first in (True, False):
        table = Table(DONE, cancelled_at=0)
        with pytest.raises(JobCancelledError) as caught:
            table.play(polling(look_first=look_first))

        assert str(caught.value) == "cancelled after 0 s"
        assert table.steps == []
        assert caught.value.__cause__ is None


@pytest.mark.usefixtures("no_jitter")
def test_cancelled_while_waiting():
    """The wait ends at once, without another look."""
    table = Table(PENDING, cancelled_at=3.25)

    with pytest.raises(JobCancelledError) as caught:
        table.play(polling())

    assert str(caught.value) == "cancelled after 3.25 s"
    assert (len(table.calls), table.sleeps) == (4, [1, 1, 1, 1])


@pytest.mark.usefixtures("no_jitter")
def test_time_begins_with_the_wait():
    """Whatever the clock says then."""
    table = Table(PENDING)
    table.now = 100.0

    with pytest.raises(JobTimeoutError) as caught:
        table.play(polling(timeout=2, pause=telling))

    assert str(caught.value) == "over after 2 s, None"
    assert [(told.seconds, told.next_seconds) for told in table.told] == [(0, 1), (1, 1)]


@pytest.mark.usefixtures("no_jitter")
def test_tells_before_each_wait():
    """How long it has waited, and how long it is going to; the last one is cut to what is left."""
    table = Table(PENDING, BROKEN, PENDING)

    with pytest.raises(JobTimeoutError):
        table.play(polling(timeout=4, pause=telling))

    assert [(told.seconds, told.next_seconds) for told in table.told] == [(0, 1), (1, 1.5), (2.5, 1), (3.5, 0.5)]
    assert table.sleeps == [1, 1.5, 1, 0.5]


def test_an_error_of_the_listener_ends_the_wait():
    """What a listener raises is for the caller."""
    table = Table(PENDING)

    def interrupted(*_):
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        table.play(polling(pause=interrupted))

    assert table.steps == [LOOK]


def telling(waited, seconds):
    """Be a wait that is told of."""
    yield Tell(Progress(event="WAITING", seconds=waited, next_seconds=seconds))
    yield Sleep(seconds)


@given(
    timeout=st.floats(0, 10_000),
    takes=st.floats(0, 100),
    outcomes=st.lists(st.sampled_from([PENDING, THROTTLED, BROKEN, LOST]), min_size=1, max_size=20),
)
def test_never_sleeps_past_the_deadline(timeout, takes, outcomes):
    """Whatever looks take and give, all sleeps together end before the deadline, and every error is ours."""
    table = Table(*outcomes, takes=takes)

    with pytest.raises(JobTimeoutError):
        table.play(polling(timeout=timeout))

    assert math.fsum(table.sleeps) <= timeout + 1e-9
    assert table.now <= timeout + takes + 1e-9
    assert len(table.calls) == len(table.sleeps) + 1
