import math
import random
import threading
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
from rekog_emotion.flows.retrying import is_transient, retry
from rekog_emotion.testing import VirtualClock

THROTTLED, BROKEN, LOST = ThrottledError("slow down"), InternalServiceError("broken"), TransportError("no answer")
PENDING, DONE = "IN_PROGRESS", "SUCCEEDED"


class Script:
    """Something to call: gives or raises what it was told, the last one for ever."""

    def __init__(self, *outcomes, takes=0.0, clock=None):
        self.outcomes, self.takes, self.clock, self.calls = list(outcomes), takes, clock, 0

    def __call__(self):
        """Take its time, then give or raise what comes next."""
        self.calls += 1
        if self.clock is not None:
            self.clock.advance(self.takes)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


@pytest.fixture
def time():
    """Give a clock that nobody waits for."""
    return VirtualClock()


@pytest.fixture
def longest_jitter(monkeypatch):
    """Take the upper end of every interval."""
    monkeypatch.setattr(random, "uniform", lambda _, high: high)


def wait_for_job(look, time, **options):
    """Poll as a job does, with errors that say what they were made from."""
    defaults = {
        "unfinished": lambda answer: answer == PENDING,
        "schedule": PollSchedule(),
        "timeout": None,
        "timed_out": lambda waited, failure: JobTimeoutError(f"over after {waited:g} s, {failure}"),
        "cancelled": lambda waited: JobCancelledError(f"cancelled after {waited:g} s"),
    }
    return poll(look, clock=time, **{**defaults, **options})


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
    [(None, None), (0, 0.0), (2.5, 2.5), (timedelta(minutes=2), 120.0), (math.inf, math.inf)],
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
        f"timeout={duration!r} is no duration: pass seconds, a timedelta, or None to wait for ever"
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
def test_tries_again(time, outcomes, sleeps):
    """The longest wait doubles with each failure, and is twice as long after throttling."""
    assert retry(Script(*outcomes), clock=time) == "answer"
    assert time.sleeps == sleeps


@pytest.mark.usefixtures("no_jitter")
def test_waits_are_full_jitter(time):
    """A wait is anything between nothing and its longest."""
    retry(Script(BROKEN, BROKEN, "answer"), clock=time)

    assert time.sleeps == [0.25, 0.5]


@pytest.mark.parametrize("error", [THROTTLED, BROKEN, LOST])
def test_gives_up_after_five_attempts(time, error):
    """The last error is raised as it is, not wrapped."""
    call = Script(BROKEN, BROKEN, BROKEN, BROKEN, error)

    with pytest.raises(type(error)) as caught:
        retry(call, clock=time)

    assert caught.value is error
    assert (call.calls, len(time.sleeps)) == (5, 4)


@pytest.mark.parametrize("error", [AccessDeniedError("no"), LimitExceededError("20"), ValueError("bug"), SystemExit()])
def test_does_not_try_again_what_would_fail_again(time, error):
    """An error that does not pass is raised at once."""
    call = Script(error)

    with pytest.raises(type(error)) as caught:
        retry(call, clock=time)

    assert caught.value is error
    assert (call.calls, time.sleeps) == (1, [])


@pytest.mark.usefixtures("longest_jitter")
@pytest.mark.parametrize(("takes", "calls", "sleeps"), [(29.25, 3, [0.5, 1]), (29.5, 3, [0.5, 0.5]), (60, 1, [])])
def test_cuts_a_wait_that_would_pass_the_minute(time, takes, calls, sleeps):
    """A wait that ends with the minute is made, a longer one is cut to what is left of it."""
    call = Script(BROKEN, takes=takes, clock=time)

    with pytest.raises(InternalServiceError):
        retry(call, clock=time)

    assert (call.calls, time.sleeps) == (calls, sleeps)


@pytest.mark.usefixtures("longest_jitter")
def test_a_cancelled_retry_makes_no_further_call(time):
    """Cancelled in the second wait, it raises the error that it has, at once."""
    cancel, call = threading.Event(), Script(BROKEN, LOST, "answer")
    time.at(0.75, cancel.set)

    with pytest.raises(TransportError) as caught:
        retry(call, clock=time, cancel=cancel)

    assert caught.value is LOST
    assert (call.calls, time.sleeps, time.now()) == (2, [0.5, 1], 0.75)


def test_a_success_is_a_success_though_cancelled(time):
    """Whoever cancels too late gets the answer."""
    cancel = threading.Event()
    cancel.set()

    assert retry(Script("answer"), clock=time, cancel=cancel) == "answer"


def test_retries_on_the_clock_of_the_library(clock):
    """Without a clock of its own a call uses the system's, which tests replace."""
    retry(Script(BROKEN, "answer"))

    assert len(clock.sleeps) == 1


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


def test_looks_first(time):
    """What is finished already costs one look and no wait."""
    look = Script(DONE)

    assert wait_for_job(look, time) == DONE
    assert (look.calls, time.sleeps) == (1, [])


@pytest.mark.usefixtures("no_jitter")
def test_polls_by_the_schedule(time):
    """A floor of a second, then a tenth of what was waited."""
    look = Script(*[PENDING] * 14, DONE)

    assert wait_for_job(look, time) == DONE
    assert time.sleeps == pytest.approx([1] * 10 + [1, 1.1, 1.21, 1.331])


@pytest.mark.usefixtures("no_jitter")
def test_time_in_a_look_is_time_waited(time):
    """Slow looks stretch the interval as the waits do."""
    look = Script(PENDING, PENDING, DONE, takes=40, clock=time)

    wait_for_job(look, time)

    assert time.sleeps == pytest.approx([4, 8.4])


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
def test_a_failed_look_is_a_longer_wait(time, outcomes, sleeps):
    """The more failures in a row, the longer; an answer that is not final makes an end of the row."""
    assert wait_for_job(Script(*outcomes), time) == DONE
    assert time.sleeps == pytest.approx(sleeps)


@pytest.mark.usefixtures("no_jitter")
def test_fails_for_days(time):
    """A thousand failures in a row are the longest setback each, and no number grows beyond bounds."""
    look = Script(*[BROKEN] * 2000, DONE)

    assert wait_for_job(look, time) == DONE
    assert time.sleeps[-1] == 120 + 20


@pytest.mark.parametrize("error", [AccessDeniedError("no"), ResponseError("garbage"), KeyError("bug"), SystemExit()])
def test_what_does_not_pass_ends_the_wait(time, error):
    """The failure of a look is raised as it is."""
    look = Script(PENDING, error)

    with pytest.raises(type(error)) as caught:
        wait_for_job(look, time)

    assert caught.value is error
    assert look.calls == 2


@pytest.mark.usefixtures("no_jitter")
def test_tolerates_what_the_caller_says(time):
    """Waiting for a slot is polling, too: a full account is no failure, and makes no wait longer."""
    full = LimitExceededError("20 jobs")

    def tolerate(error):
        return error is full or is_transient(error)

    assert wait_for_job(Script(full, BROKEN, full, full, DONE), time, tolerate=tolerate) == DONE
    assert time.sleeps == pytest.approx([1, 1.5, 1, 1])


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(
    ("timeout", "looks", "waited"), [(0, 1, 0), (0.9, 2, 0.9), (1, 2, 1), (3.5, 5, 3.5), (10.5, 12, 10.5), (11, 12, 11)]
)
def test_a_wait_that_would_pass_the_deadline_is_cut(time, timeout, looks, waited):
    """It looks at least once, and once more at the deadline."""
    look = Script(PENDING)

    with pytest.raises(JobTimeoutError) as caught:
        wait_for_job(look, time, timeout=timeout)

    assert str(caught.value) == f"over after {waited} s, None"
    assert (look.calls, time.now()) == (looks, waited)
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("no_jitter")
def test_a_budget_s_wait_that_would_pass_the_deadline_is_cut(time):
    """What the others leave of the quota is no reason not to look at all."""
    look = Script(DONE)

    assert wait_for_job(look, time, timeout=2, pace=lambda: 5.0) == DONE
    assert (look.calls, time.sleeps) == (1, [2])


@pytest.mark.usefixtures("no_jitter")
def test_a_timeout_names_the_failure_of_the_last_look(time):
    """Its cause is what went wrong last; nothing of tenacity shows."""
    with pytest.raises(JobTimeoutError) as caught:
        wait_for_job(Script(PENDING, THROTTLED), time, timeout=5)

    assert str(caught.value) == "over after 5 s, slow down"
    assert caught.value.__cause__ is THROTTLED


def test_finished_at_the_deadline_is_finished(time):
    """A look that takes longer than the deadline and finds the job done gives its answer."""
    assert wait_for_job(Script(DONE, takes=100, clock=time), time, timeout=1) == DONE


def test_cancelled_before_the_first_look(time):
    """Nothing is called."""
    cancel, look = threading.Event(), Script(DONE)
    cancel.set()

    with pytest.raises(JobCancelledError) as caught:
        wait_for_job(look, time, cancel=cancel)

    assert str(caught.value) == "cancelled after 0 s"
    assert (look.calls, time.sleeps) == (0, [])
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("no_jitter")
def test_cancelled_while_waiting(time):
    """The wait ends at once, without another look."""
    cancel, look = threading.Event(), Script(PENDING)
    time.at(3.25, cancel.set)

    with pytest.raises(JobCancelledError) as caught:
        wait_for_job(look, time, cancel=cancel)

    assert str(caught.value) == "cancelled after 3.25 s"
    assert (look.calls, time.sleeps) == (4, [1, 1, 1, 1])


def test_cancelled_from_another_thread_on_the_real_clock():
    """An hour's wait is over when somebody cancels; this test has no virtual time."""
    cancel, waiting = threading.Event(), threading.Event()

    def cancel_soon():
        waiting.wait(60)
        cancel.set()

    thread = threading.Thread(target=cancel_soon)
    thread.start()
    with pytest.raises(JobCancelledError):
        wait_for_job(
            Script(PENDING),
            None,
            cancel=cancel,
            schedule=PollSchedule(floor=3600, cap=3600),
            on_wait=lambda *_: waiting.set(),
        )
    thread.join()


def test_the_real_clock_goes_on():
    """Without a clock and without cancel, waits are real ones."""
    assert wait_for_job(Script(PENDING, DONE), None, schedule=PollSchedule(floor=0.001)) == DONE


@pytest.mark.usefixtures("no_jitter")
def test_tells_before_each_wait(time):
    """How long it has waited, and how long it is going to; the last one is cut to what is left."""
    told = []

    with pytest.raises(JobTimeoutError):
        wait_for_job(
            Script(PENDING, BROKEN, PENDING), time, timeout=4, on_wait=lambda *times: told.append((*times, time.now()))
        )

    assert told == [(0, 1, 0), (1, 1.5, 1), (2.5, 1, 2.5), (3.5, 0.5, 3.5)]


def test_an_error_of_the_listener_ends_the_wait(time):
    """What ``on_wait`` raises is for the caller."""

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wait_for_job(Script(PENDING), time, on_wait=interrupt)

    assert time.sleeps == []


@given(
    timeout=st.floats(0, 10_000),
    takes=st.floats(0, 100),
    outcomes=st.lists(st.sampled_from([PENDING, THROTTLED, BROKEN, LOST]), min_size=1, max_size=20),
)
def test_never_sleeps_past_the_deadline(timeout, takes, outcomes):
    """Whatever looks take and give, all sleeps together end before the deadline, and every error is ours."""
    time = VirtualClock()
    look = Script(*outcomes, takes=takes, clock=time)

    with pytest.raises(JobTimeoutError):
        wait_for_job(look, time, timeout=timeout)

    assert math.fsum(time.sleeps) <= timeout * (1 + 1e-9)
    assert time.now() <= timeout + takes * (1 + 1e-9)
    assert look.calls == len(time.sleeps) + 1
