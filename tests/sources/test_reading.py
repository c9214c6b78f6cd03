"""Frames that a thread reads: the newest of what is live, each of what has times, and nothing left behind."""

import threading
from itertools import repeat
from queue import Queue

import numpy as np
import pytest
from PIL import Image

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.sources import reading
from rekog_emotion.sources.frames import frames_of
from rekog_emotion.sources.reading import Frame, Read, StalledError
from rekog_emotion.testing import VirtualClock
from tests.embedded.clips import write_clip


def picture(number=0):
    """Give a picture that is told by its first pixel."""
    return np.full((80, 80, 3), number, np.uint8)


class Feed:
    """A live iterable: it gives what is handed to it, and ends or raises when it is told to.

    Attributes:
        read: Released when all that was handed on has been read, and the next is waited for.
    """

    def __init__(self):
        self.waiting = threading.Semaphore(0)
        self._queue = Queue()

    def hand(self, *items):
        """Hand items on, and wait until they were read."""
        for item in items:
            self.waiting.acquire()
            self._queue.put(item)
        self.waiting.acquire()
        self.waiting.release()

    def end(self, error=None):
        """End, or raise an error."""
        self._queue.put(StopIteration() if error is None else error)

    def __iter__(self):
        return self

    def __next__(self):
        self.waiting.release()
        item = self._queue.get()
        if isinstance(item, BaseException):
            raise item
        return item


@pytest.fixture
def opened():
    """Give what opens a source, and closes it in the end."""
    sources = []

    def opened(frames, *, rate=2.0, clock=None, cancel=None):
        source = frames_of(frames, rate=rate, clock=clock or VirtualClock(), cancel=cancel)
        sources.append(source)
        source.open()
        return source

    yield opened
    for source in sources:
        source.close()
        source.close()


def taken(source, *dues):
    """Return the seconds and the first pixel of the frames at times that are due."""
    frames = [source.take(due) for due in dues]
    return [frame and (frame.seconds, int(np.asarray(frame.picture)[0, 0, 0])) for frame in frames]


def test_the_newest_frame_wins(opened):
    """Those that came before it are let go; its time is the clock's."""
    feed, clock = Feed(), VirtualClock()
    source = opened(feed, clock=clock)
    feed.hand(picture(1), picture(2), picture(3))
    first = source.take(0.0)
    clock.advance(3.0)
    feed.hand(picture(4), picture(5))
    second = source.take(0.5)
    feed.end()

    assert (first.seconds, first.picture[0, 0, 0]) == (0.0, 3)
    assert (second.seconds, second.picture[0, 0, 0]) == (3.0, 5)
    assert source.take(3.5) is None


def test_a_frame_is_waited_for_until_it_is_due(opened):
    """And what comes meanwhile is newer."""
    feed, clock = Feed(), VirtualClock()
    source = opened(feed, clock=clock)
    feed.hand(picture(1))
    source.take(0.0)
    clock.at(0.4, lambda: feed.hand(picture(2), picture(3)))

    frame = source.take(0.5)

    assert (frame.seconds, frame.picture[0, 0, 0]) == (0.5, 3)
    assert clock.sleeps == [0.5]
    feed.end()


def test_frames_with_times_are_read_in_turn(opened):
    """The nearest to what is due is taken, and none is missed for being slow."""
    pairs = [(k / 30, picture(k)) for k in range(40)]

    assert taken(opened(iter(pairs)), 0.0, 0.5, 1.0, 1.5) == [(0.0, 0), (0.5, 15), (1.0, 30), None]


def test_samples_of_an_odd_rate_are_all_taken(opened):
    """The service's own: frames 0, 14, 29, 44 of a clip of 29.97 frames a second."""
    pairs = [(milliseconds / 1000, picture(k)) for k, milliseconds in enumerate([0, 467, 967, 1468])]

    assert [one[1] for one in taken(opened(pairs), 0.0, 0.5, 1.0, 1.5)] == [0, 1, 2, 3]


def test_pictures_of_a_list_are_a_sample_apart(opened):
    """They are no live ones: none is missed, and no clock is asked."""
    pictures = [picture(1), Image.fromarray(picture(2)), picture(3)]
    clock = VirtualClock()

    assert taken(opened(pictures, rate=4.0, clock=clock), 0.0, 0.25, 0.5, 0.75) == [(0.0, 1), (0.25, 2), (0.5, 3), None]
    assert taken(opened(np.stack([picture(1), picture(2)])), 0.0, 0.5, 1.0) == [(0.0, 1), (0.5, 2), None]
    assert taken(opened([]), 0.0) == [None]
    assert clock.sleeps == []


def test_an_error_of_the_iterable_comes_out_as_it_is(opened):
    """After the frames that came before it."""
    feed, error = Feed(), RuntimeError("the lens fell off")
    source = opened(feed)
    feed.hand(picture(1))
    assert taken(source, 0.0) == [(0.0, 1)]
    feed.end(error)

    with pytest.raises(RuntimeError) as caught:
        source.take(0.5)
    assert caught.value is error


def test_a_stall_is_told_and_may_end(opened, monkeypatch):
    """The iterable is waited for on and on."""
    monkeypatch.setattr(reading, "PATIENCE", 0.0)
    monkeypatch.setattr(reading, "_GLANCE", 0.0)
    feed = Feed()
    source = opened(feed)
    with pytest.raises(StalledError) as caught:
        source.take(0.0)
    feed.hand(picture(1))

    assert (str(caught.value), caught.value.lost) == ("no picture came for 0 seconds", False)
    assert taken(source, 0.0) == [(0.0, 1)]
    feed.end()


def test_cancelling_ends_a_wait_for_a_frame(opened):
    """Whether anything comes or not."""
    feed, cancel = Feed(), threading.Event()
    cancel.set()

    assert opened(feed, cancel=cancel).take(0.0) is None
    feed.end()


def test_an_iterable_that_never_ends_is_left_when_it_is_closed():
    """Its thread ends as soon as it gives its next frame; of an endless one that is at once."""
    source = frames_of(repeat(picture()), rate=2.0, clock=VirtualClock(), cancel=None)
    source.open()

    assert isinstance(source.take(0.0), Frame)
    source.close()


@pytest.fixture
def leaving(monkeypatch):
    """Wait for no thread, and note for how long each was to be waited for."""
    waits = []
    join = threading.Thread.join

    def noted(thread, timeout=None):
        waits.append(timeout)
        join(thread, 0)

    monkeypatch.setattr(threading.Thread, "join", noted)
    return waits


class Stuck:
    """Shots that do not come, whoever is told that nobody wants them.

    Attributes:
        threads: Those that waited for one.
        released: Lets them end.
    """

    def __init__(self):
        self.threads, self.released, self.begun = [], threading.Event(), threading.Semaphore(0)

    def __call__(self, _):
        """Begin."""
        self.threads.append(threading.current_thread())
        self.begun.release()
        self.released.wait(10)
        yield from ()


def closed_while_stuck(shots, *, cancel=None, again=True):
    """Return what reads, closed while its thread is stuck."""
    source = Read(shots, name="camera:0", clock=VirtualClock(), cancel=cancel, again=again)
    source.open()
    shots.begun.acquire()
    source.close()
    return source


@pytest.mark.parametrize("again", [False, True], ids=["iterable", "stream"])
def test_what_is_stuck_holds_nobody_up(again, leaving, caplog):
    """It is waited for half a second, and said in the log that its thread is still there, until it ends by itself."""
    caplog.set_level("INFO", logger="rekog_emotion")
    shots = Stuck()

    closed_while_stuck(shots, again=again).close()

    assert leaving == [0.5]
    assert [one.message for one in caplog.records] == [
        "camera:0: its thread ends when its next frame comes, or no longer can"
    ]
    shots.released.set()


def test_what_is_stuck_is_opened_again_when_it_has_ended(monkeypatch):
    """A camera is for one thread at a time; whoever cancels does not wait for that."""
    monkeypatch.setattr(reading, "_LEAVING", 0.0)
    shots = Stuck()

    class Cancel(threading.Event):
        """An event that lets the thread end when it is asked and not set."""

        def is_set(self):
            if not super().is_set():
                shots.released.set()
            return super().is_set()

    cancel = Cancel()
    source = closed_while_stuck(shots, cancel=cancel)

    cancel.set()
    source.open()
    assert source.take(0.0) is None
    assert len(shots.threads) == 1
    cancel.clear()
    source.open()

    assert not shots.threads[0].is_alive()
    assert source.take(0.0) is None
    assert len(shots.threads) == 2
    source.close()


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (
            [(0.0, picture()), picture()],
            "<list>: frame 1 is no pair of seconds and a picture; give all of them a time, or none",
        ),
        ([(True, picture())], "<list>: frame 0 is no pair of seconds and a picture; give all of them a time, or none"),
        ([picture(), (0.5, picture())], "<list>: frame 1 is of type tuple: let it be an array or a PIL picture"),
        (["a.jpg"], "<list>: frame 0 is of type str: let it be an array or a PIL picture"),
        ([picture(), None], "<list>: frame 1 is of type NoneType: let it be an array or a PIL picture"),
        (
            [(0.5, picture()), (0.5, picture())],
            "<list>: frame 1 is of 0.5 s, after one of 0.5 s: times have to ascend from 0",
        ),
        ([(float("nan"), picture())], "<list>: frame 0 is of nan s: times have to ascend from 0"),
        ([(-0.5, picture())], "<list>: frame 0 is of -0.5 s: times have to ascend from 0"),
    ],
)
def test_frames_that_are_none(opened, frames, message):
    """It is said which."""
    source = opened(frames)

    with pytest.raises(InvalidInputError) as caught:
        taken(source, 0.0, 0.5, 1.0)
    assert str(caught.value) == message


def test_of_frames_with_times_the_nearest_is_taken(opened):
    """As the step before tells; between two as near it is the later one, and the first one begins no step."""
    frames = [(at, picture(number)) for number, at in enumerate((0.0, 1.0, 2.0, 2.5, 3.0))]

    assert taken(opened(frames), 0.0, 1.5, 2.9) == [(0.0, 0), (2.0, 2), (3.0, 4)]
    assert taken(opened(frames), 1.5) == [(2.0, 2)]
    assert taken(opened(frames), 1.0) == [(1.0, 1)]


def test_a_frame_of_a_file_has_the_time_at_which_it_appears(opened, tmp_path):
    """One that stays is seen again at the time that was due."""
    clip = write_clip(tmp_path / "clip.mp4", [picture(40 * number) for number in range(3)], times=[0.0, 1.0, 2.0])
    source = opened(clip)

    assert [source.take(due).seconds for due in (0.0, 0.75, 1.25, 1.75)] == [0.0, 0.75, 1.0, 1.75]
