import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rekog_emotion import analyze_video
from rekog_emotion.blocking import clock as _clock
from rekog_emotion.testing import FakeClient, VirtualClock, virtual_time


def test_sleeping_takes_no_time():
    """Sleeps pass the time and are written down; what is advanced is not."""
    clock = VirtualClock()
    clock.sleep(2.5)
    clock.advance(10)

    assert (clock.now(), clock.sleeps) == (12.5, [2.5])


def test_events_come_in_order():
    """Events happen on the way, at their time, the earlier first; one that is late happens at the next step."""
    clock, seen = VirtualClock(), []
    for time in (7.0, 3.0, 3.0, 20.0):
        clock.at(time, lambda: seen.append(clock.now()))
    clock.sleep(10)
    clock.at(1.0, lambda: seen.append("late"))
    clock.advance(0)

    assert (seen, clock.now()) == ([3.0, 3.0, 7.0, "late"], 10.0)


def test_events_may_let_time_pass():
    """An event that takes time itself never makes the clock go back."""
    clock = VirtualClock()
    clock.at(1.0, lambda: clock.advance(60))
    clock.sleep(2)

    assert clock.now() == 61.0


def test_cancelled():
    """An event that cancels ends the sleep at its time, and nothing later happens."""
    clock, cancel = VirtualClock(), threading.Event()
    clock.at(4.0, cancel.set)
    clock.at(5.0, lambda: pytest.fail("too late"))
    clock.sleep(10, cancel)

    assert clock.now() == 4.0


def test_shared_by_threads():
    """Sleeps of several threads add up."""
    clock = VirtualClock()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(clock.sleep, [1.0] * 400))

    assert (clock.now(), len(clock.sleeps)) == (400.0, 400)


def test_virtual_time():
    """The library lives by the virtual clock until the block ends, however it ends."""
    before = _clock.SYSTEM_CLOCK

    def fail():
        with virtual_time() as clock:
            assert _clock.SYSTEM_CLOCK is clock
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert _clock.SYSTEM_CLOCK is before


def test_reaches_every_wait():
    """Each block has a clock of its own, which waits for jobs and between attempts go by, however often."""
    passed = []
    for _ in range(2):
        with virtual_time() as clock:
            client = FakeClient()
            client.script_videos({"JobStatus": "SUCCEEDED", "Faces": []}, seconds=20)
            assert analyze_video("s3://bucket/clip.mp4", client=client).faces == ()
        passed.append(clock.now())

    assert all(20 <= seconds < 30 for seconds in passed)
