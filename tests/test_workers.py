import os
import queue
import threading
from contextvars import ContextVar

import pytest

from rekog_emotion import workers
from tests.amounts import amount

WHO = ContextVar("WHO", default="nobody")


def its_thread():
    """Tell which thread makes a call."""
    return threading.get_ident()


def test_one_call_after_another_has_the_same_thread(monkeypatch):
    """A thread is kept for the next call."""
    monkeypatch.setattr(workers, "_KEPT_SECONDS", 60.0)  # however slow this machine is
    threads = {workers.submit(its_thread).result() for _ in range(amount(200, whole=2000))}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_calls_at_once_have_threads_of_their_own():
    """No call waits for another."""
    together = threading.Barrier(8)
    calls = [workers.submit(lambda: (together.wait(60), its_thread())[1]) for _ in range(8)]
    assert len({call.result() for call in calls}) == 8


def test_a_call_sees_its_callers_context_and_leaves_none_behind():
    """What a call sets is gone with it."""
    WHO.set("me")
    assert workers.submit(lambda: (WHO.get(), WHO.set("a call"))[0]).result() == "me"
    assert workers.submit(WHO.get).result() == "me"


def test_errors_are_raised_where_the_result_is_wanted():
    """The thread goes on whatever a call raises."""
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 / 0).result()
    with pytest.raises(KeyboardInterrupt):
        workers.submit(lambda: (_ for _ in ()).throw(KeyboardInterrupt)).result()
    assert workers.submit(its_thread).result() != threading.get_ident()


def test_a_call_is_waited_for_as_long_as_wished():
    """It goes on, and so does the next call."""
    go = threading.Event()
    call = workers.submit(lambda: go.wait(60))
    with pytest.raises(TimeoutError):
        call.exception(0.0)
    assert not call.done()
    go.set()
    assert (call.exception(60), call.done(), call.result()) == (None, True, True)


def test_a_call_tells_of_its_end():
    """In its thread, when the next call may have that."""
    told = queue.SimpleQueue()
    call = workers.submit(its_thread, lambda ended: told.put((ended, ended.result(), its_thread())))
    assert told.get(timeout=60) == (call, call.result(), call.result())


def test_an_executor_has_a_thread_a_call():
    """Its calls cannot be cancelled, and their errors are the future's."""
    executor, go = workers.Threads(), threading.Event()
    futures = [executor.submit(go.wait, timeout=60) for _ in range(8)]
    assert not futures[0].cancel()
    go.set()
    assert [future.result(60) for future in futures] == [True] * 8
    assert isinstance(executor.submit(lambda: 1 / 0).exception(60), ZeroDivisionError)


def test_an_idle_thread_ends_by_itself(monkeypatch):
    """Whoever makes no more calls has no thread of ours."""
    monkeypatch.setattr(workers, "_KEPT_SECONDS", 0.0)
    workers.submit(its_thread).result()
    for thread in threading.enumerate():
        if thread.name == "rekog-emotion-call":
            thread.join(60)
            assert not thread.is_alive()
    assert workers.submit(its_thread).result() != threading.get_ident()


def test_threads_that_end_lose_no_call(monkeypatch):
    """A call that is handed over as its thread ends is made all the same."""
    monkeypatch.setattr(workers, "_KEPT_SECONDS", 0.0)
    for _ in range(amount(100, whole=3000)):
        calls = [workers.submit(its_thread) for _ in range(4)]
        assert [type(call.result(60)) for call in calls] == [int] * 4


def test_what_takes_too_long_is_ended():
    """In another thread, and the sooner first, whichever began before."""
    ended, first, second = [], threading.Event(), threading.Event()
    with (
        workers.Deadline(600, lambda: ended.append("late")),
        workers.Deadline(0.1, lambda: (ended.append(its_thread()), second.set())),
    ):
        with workers.Deadline(0.0, first.set):
            assert first.wait(60)
        assert second.wait(60)
    assert len(ended) == 1
    assert ended != [its_thread()]


def test_what_ends_in_time_is_not_ended():
    """Nothing is told once its block is left."""
    ended = []
    with workers.Deadline(600, lambda: ended.append("first")) as long:
        with workers.Deadline(600, lambda: ended.append("second")) as left:
            pass
        left.time = 0.0  # its seconds are over only now, however slow this machine is
        after = threading.Event()
        with workers.Deadline(0.0, after.set):
            assert after.wait(60)
        assert 0 < long.seconds_left <= 600
    assert ended == []


def test_a_watch_that_cannot_begin(monkeypatch):
    """Where there is no thread left, the call fails, and the next one has its watch."""

    def refuse(_):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError), workers.Deadline(60, its_thread):
            pass
    ended = threading.Event()
    with workers.Deadline(0.0, ended.set):
        assert ended.wait(60)


def test_an_idle_watch_ends_by_itself(monkeypatch):
    """Whoever makes no more calls has no thread of ours."""
    monkeypatch.setattr(workers, "_KEPT_SECONDS", 0.0)
    with workers.Deadline(float("inf"), its_thread) as endless:
        (watch,) = [thread for thread in threading.enumerate() if thread.name == "rekog-emotion-watch"]
        assert endless.seconds_left == threading.TIMEOUT_MAX
    watch.join(60)
    assert not watch.is_alive()


def test_dismissed_threads_have_ended():
    """Nobody has to wait for them to end by themselves."""
    workers.submit(its_thread).result()
    with workers.Deadline(60, its_thread):
        workers.dismiss()
        assert [one.name for one in threading.enumerate() if one.name.startswith("rekog")] == ["rekog-emotion-watch"]
    workers.dismiss()
    assert [one.name for one in threading.enumerate() if one.name.startswith("rekog")] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own():
    """The parent's did not come along."""
    workers.submit(its_thread).result()
    with workers.Deadline(60, its_thread):
        child = os.fork()
    if child == 0:
        ended = threading.Event()
        with workers.Deadline(0.0, ended.set):
            is_ended = ended.wait(60)
        os._exit(0 if workers.submit(lambda: 7).result(60) == 7 and is_ended else 1)
    assert os.waitpid(child, 0)[1] == 0
