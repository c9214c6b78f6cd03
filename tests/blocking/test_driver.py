"""Flows in threads: on the real clock, and what a cancel or an abandoned iterator leaves."""

import threading

import pytest

from rekog_emotion.blocking.driver import Driver
from rekog_emotion.errors import JobCancelledError, ThrottledError
from rekog_emotion.flows.detecting import detect
from rekog_emotion.flows.polling import PollSchedule, poll
from rekog_emotion.flows.retrying import retried
from rekog_emotion.flows.steps import Begin, Call, Cancelled, Give, Now, Sleep, Take
from rekog_emotion.sources.images import PreparedImage
from rekog_emotion.testing import VirtualClock
from tests.scripted import ScriptedClient, page, refusal

PHOTO = PreparedImage(wire={"Bytes": b"photo"}, size=(640, 480), name="me.jpg")
CANCELLED = JobCancelledError("cancelled")
LOOK = Call("get_face_detection", {"JobId": "j-1"}, "j-1")
THROTTLED = refusal("ThrottlingException", "Rate exceeded")


def waiting(seconds, *, waits=None):
    """Return the flow of a poll that finds nothing the first time."""
    looks = []

    def look():
        looks.append((yield Now()))
        return len(looks) > 1 or None

    def pause(_, interval):
        if waits is not None:
            waits.set()
        yield Sleep(interval)

    return poll(
        look,
        schedule=PollSchedule(floor=seconds, cap=seconds),
        timeout=None,
        pause=pause,
        timed_out=lambda *_: AssertionError(),
        cancelled=lambda _: CANCELLED,
    )


def test_cancelled_from_another_thread_on_the_real_clock():
    """An hour's wait is over when somebody cancels; this test has no virtual time."""
    cancel, waits = threading.Event(), threading.Event()

    def cancel_soon():
        waits.wait(60)
        cancel.set()

    thread = threading.Thread(target=cancel_soon)
    thread.start()
    with pytest.raises(JobCancelledError):
        Driver(client=ScriptedClient()).run(waiting(3600, waits=waits), cancel=cancel)
    thread.join()


def test_the_real_clock_goes_on():
    """Without a clock and without cancel, waits are real ones."""
    assert Driver(client=ScriptedClient()).run(waiting(0.001)) is True


def test_waits_on_the_clock_of_the_library(clock):
    """Without a clock of its own it uses the system's, which tests replace."""
    client = ScriptedClient(THROTTLED, page())

    def attempt():
        return (yield LOOK)

    Driver(client=client).run(retried(attempt))

    assert len(clock.sleeps) == 1


def test_errors_are_mapped():
    """A flow sees no vendor's error."""
    seen = []

    def flow():
        try:
            yield LOOK
        except ThrottledError as error:
            seen.append(error.job_id)

    Driver(client=ScriptedClient(THROTTLED)).run(flow())

    assert seen == ["j-1"]


def test_an_interrupt_is_thrown_in():
    """A flow tidies up after Ctrl-C, too."""
    seen = []

    def flow():
        try:
            yield LOOK
        except KeyboardInterrupt:
            seen.append((yield Cancelled()))
            raise

    with pytest.raises(KeyboardInterrupt):
        Driver(client=ScriptedClient(KeyboardInterrupt())).run(flow())

    assert seen == [False]


def test_what_was_begun_gives_its_error():
    """Where its result is wanted."""

    def apart():
        yield LOOK

    def flow():
        handle = yield Begin(apart)
        with pytest.raises(ThrottledError):
            yield Take(handle)
        return "told"

    assert Driver(client=ScriptedClient(THROTTLED)).run(flow()) == "told"


def test_an_abandoned_iterator_ends_what_was_begun():
    """Its waits are over at once, and no thread is left."""
    ended = threading.Event()

    def apart():
        yield Sleep(3600)
        if (yield Cancelled()):
            ended.set()

    def values():
        yield Begin(apart)
        yield Give(1)

    iterator = Driver(client=ScriptedClient()).iterate(values())

    assert next(iterator) == 1
    iterator.close()
    assert ended.wait(60)


class Silent:
    """A client that answers when it is told to."""

    def __init__(self):
        self.called, self.go = threading.Event(), threading.Event()

    def detect_faces(self, **_):
        """Wait, then answer."""
        self.called.set()
        self.go.wait()
        return {"FaceDetails": []}


@pytest.mark.parametrize("how", ["in time", "late", "cancelled"])
def test_a_call_within_its_time(how):
    """It is waited for as long as there is time, and no longer; a cancel ends the wait."""
    client, cancel = Silent(), threading.Event()
    driver = Driver(client=client, clock=VirtualClock())  # however long the machine takes to begin the call
    flow = detect(PHOTO, ["ALL"], facts=driver.facts, timeout=0.001 if how == "late" else 60, cancellable=True)
    helper = threading.Thread(
        target=lambda: (
            client.called.wait(),
            {"in time": client.go, "cancelled": cancel}.get(how, threading.Event()).set(),
        )
    )
    helper.start()

    try:
        if how == "in time":
            assert driver.run(flow, cancel=cancel).faces == ()
        else:
            with pytest.raises(ConnectionError, match="was cancelled" if how == "cancelled" else "got no answer"):
                driver.run(flow, cancel=cancel)
    finally:
        client.go.set()
        helper.join()
