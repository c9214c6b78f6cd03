import threading
from contextlib import closing

import pytest

from rekog_emotion.embedded.ahead import GivenUpError, in_order


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_results_come_in_order(at_once):
    """Whichever is done first."""
    items = [(k, k) for k in range(20)]

    assert list(in_order(lambda k: k * k, items, at_once=at_once)) == [(k, k * k) for k in range(20)]


def test_several_are_worked_on_at_once():
    """Two tasks that wait for each other both end."""
    barrier = threading.Barrier(2, timeout=60)

    assert list(in_order(lambda _: barrier.wait() >= 0, [(k, k) for k in range(4)], at_once=2)) == [
        (k, True) for k in range(4)
    ]


@pytest.mark.parametrize("at_once", [1, 2])
def test_an_error_is_raised_in_its_place(at_once):
    """What came before it is given first."""
    results = in_order(lambda k: 6 // k, [(0, 3), (1, 2), (2, 0), (3, 1)], at_once=at_once)

    assert [next(results), next(results)] == [(0, 2), (1, 3)]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_no_more_is_read_than_is_worked_on():
    """A long clip is not decoded into memory."""
    read = []
    items = ((k, read.append(k)) for k in range(100))

    with closing(in_order(lambda _: None, items, at_once=2)) as results:
        next(results)

    assert len(read) == 3


def test_no_thread_is_left_when_it_is_closed_early():
    """Closing waits for what is under way."""
    before = set(threading.enumerate())
    with closing(in_order(lambda k: k, [(k, k) for k in range(9)], at_once=3)) as results:
        next(results)

    assert set(threading.enumerate()) <= before


def test_the_end_of_the_interpreter_gives_up_what_waits(monkeypatch):
    """The crew is told to stop: what was not begun is no result."""
    from rekog_emotion.embedded import ahead

    class Stopped(ahead.Crew):
        def add(self, item):
            self.stopped = True
            super().add(item)

    monkeypatch.setattr(ahead, "Crew", Stopped)

    with pytest.raises(GivenUpError):
        list(in_order(lambda k: k, [(0, 0)], at_once=2))
