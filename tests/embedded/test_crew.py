"""Threads begin when there is work and end with it."""

from __future__ import annotations

import threading
import weakref

import pytest

from rekog_emotion.embedded import crew as module
from rekog_emotion.embedded.crew import Crew


def test_order():
    """One thread works off the items in their order, and ends."""
    done, threads = [], set()

    def work(_, item):
        done.append(item)
        threads.add(threading.current_thread())

    crew = Crew(work, size=1)
    gate = threading.Lock()
    with gate:
        for item in range(50):
            crew.add(item)
    crew.close()
    assert done == list(range(50))
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_bound(size):
    """As many items are worked on at once as threads are allowed, and no more."""
    meeting, lock, at_work, most = threading.Barrier(size, timeout=60), threading.Lock(), [0], [0]

    def work(*_):
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        meeting.wait()
        with lock:
            at_work[0] -= 1

    crew = Crew(work, size=size)
    for item in range(4 * size):
        crew.add(item)
    crew.close()
    assert most == [size]
    assert not meeting.broken


def test_again_after_idling():
    """A crew that ran out of work takes up new."""
    done = []
    crew = Crew(lambda _, item: done.append(item), size=1)
    for item in range(3):
        crew.add(item)
        for thread in crew._threads:
            thread.join()
    assert done == [0, 1, 2]
    assert len(crew._threads) == 1


def test_stopped():
    """When the crew is told to stop, the work sees it, and what waits is handed over to be given up."""
    entered, seen = threading.Event(), []

    def work(crew, item):
        entered.set()
        ended.wait(60)
        seen.append((item, crew.stopped))

    ended = threading.Event()
    crew = Crew(work, size=1)
    crew.add("running")
    crew.add("waiting")
    assert entered.wait(60)
    crew.stopped = True
    ended.set()
    crew.close()
    assert seen == [("running", True), ("waiting", True)]


def test_closing_from_within():
    """A thread of the crew may close it: it does not wait for itself."""
    crew = Crew(lambda crew, _: crew.close(), size=1)
    crew.add(None)
    crew.close()
    assert crew.stopped


def test_exit(monkeypatch):
    """At the interpreter's exit every crew is told to stop and waited for."""
    monkeypatch.setattr(module, "_CREWS", weakref.WeakSet())
    crew = Crew(lambda *_: None, size=1)
    crew.add(None)
    module._close_all()
    assert crew.stopped
    assert not any(thread.is_alive() for thread in crew._threads)


def test_forgotten():
    """A crew that nobody holds is not kept for the exit."""
    crew = weakref.ref(Crew(lambda *_: None, size=1))
    assert crew() is None
