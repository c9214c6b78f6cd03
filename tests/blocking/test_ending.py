"""A client that tells when its jobs end is waited for by that, not by a schedule."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from rekog_emotion import JobCancelledError, JobTimeoutError, VideoJob, wait_for_videos
from rekog_emotion.flows import ending
from rekog_emotion.flows.polling import PollSchedule
from tests.scripted import IN_PROGRESS, ScriptedClient, page


class Teller(ScriptedClient):
    """A client that tells when its job ends.

    Attributes:
        end: What is done when it has.
    """

    rekog_capabilities = frozenset({"ends"})

    def __init__(self, *script):
        super().__init__(*script)
        self.end = Future()

    def ended(self, job_id):
        """Give what is done when the job has ended."""
        assert job_id == "j-1"
        return self.end


@pytest.fixture
def seldom(monkeypatch):
    """Let nobody look before an hour has passed."""
    monkeypatch.setattr(ending, "POLLS", PollSchedule(floor=3600, cap=3600, jitter=0))


@pytest.mark.usefixtures("seldom")
def test_the_end_is_heard_at_once():
    """On the real clock, the end cuts the wait for the next look short; it is told of as ever."""
    client, told = Teller(IN_PROGRESS, page(0)), []

    def listen(progress):
        told.append((progress.event, progress.next_seconds, progress.status))
        if progress.event == "WAITING":
            threading.Thread(target=client.end.set_result, args=(None,)).start()

    assert len(VideoJob.resume("j-1", client=client).result(timeout=None, on_progress=listen).faces) == 1
    assert told == [
        ("POLLED", None, "IN_PROGRESS"),
        ("WAITING", 3600, None),
        ("POLLED", None, "SUCCEEDED"),
        ("PAGE", None, None),
    ]


@pytest.mark.usefixtures("seldom")
def test_many_jobs_are_waited_for_by_their_ends():
    """Each thread waits for its own."""
    clients = [Teller(IN_PROGRESS, page(0)) for _ in range(3)]
    jobs = [VideoJob.resume("j-1", client=client) for client in clients]

    def listen(progress):
        if progress.event == "WAITING":
            for client in clients:
                if not client.end.done():
                    client.end.set_result(None)

    assert {id(one.job): one.error for one in wait_for_videos(jobs, on_progress=listen)} == {
        id(job): None for job in jobs
    }


@pytest.mark.usefixtures("seldom")
@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_a_wait_that_ends_early_leaves_nothing(error):
    """Neither a cancel nor Ctrl-C leaves something at the work, or a thread."""
    client, cancel, before = Teller(IN_PROGRESS), threading.Event(), set(threading.enumerate())

    def listen(progress):
        if progress.event == "WAITING":
            cancel.set()
            if error is not None:
                raise error

    with pytest.raises(error or JobCancelledError):
        VideoJob.resume("j-1", client=client).wait(cancel=cancel, on_progress=listen)

    assert (client.end._waiters, client.end._done_callbacks) == ([], [])
    assert set(threading.enumerate()) <= before


@pytest.mark.usefixtures("seldom")
def test_a_cancel_on_the_way_is_heard():
    """It ends a wait for work that goes on."""
    client, cancel = Teller(IN_PROGRESS), threading.Event()
    timer = threading.Timer(0.01, cancel.set)

    with pytest.raises(JobCancelledError):
        VideoJob.resume("j-1", client=client).wait(
            cancel=cancel, on_progress=lambda progress: timer.start() if progress.event == "WAITING" else None
        )

    timer.join()
    assert client.end._waiters == []


def test_a_job_that_does_not_end(clock):
    """The time-out is kept, to the second, and a look at its end."""
    client = Teller(IN_PROGRESS)

    with pytest.raises(JobTimeoutError):
        VideoJob.resume("j-1", client=client).wait(timeout=3)

    assert clock.now() == pytest.approx(3)
    assert client.end._waiters == []


@pytest.mark.usefixtures("seldom")
def test_a_job_that_another_process_runs(clock):
    """Where nothing is to be heard here, the schedule serves."""
    client = Teller(*[IN_PROGRESS] * 4, page(0))
    client.end.set_result(None)

    VideoJob.resume("j-1", client=client).wait(timeout=None)

    assert (len(client.calls), clock.sleeps) == (5, [3600] * 3)


class Looker(Teller):
    """A client that tells how far its job is, too, and ends it when it has told all."""

    rekog_capabilities = frozenset({"ends", "progress"})

    def __init__(self, *shares):
        super().__init__(IN_PROGRESS, page(0))
        self._shares = list(shares)

    def progress(self, job_id):
        """Give the next share."""
        assert job_id == "j-1"
        if not self._shares:
            self.end.set_result(None)
            return None
        return self._shares.pop(0)


@pytest.mark.usefixtures("seldom")
def test_how_far_it_is():
    """A client that knows is asked while it is waited for; what has not changed is told once."""
    client, told = Looker(None, (0.0, None), (0.25, 6.0), (0.25, 6.0), (0.5, 3.5)), []

    VideoJob.resume("j-1", client=client).wait(on_progress=told.append)

    assert [(one.event, one.fraction, one.seconds_left) for one in told] == [
        ("POLLED", None, None),
        ("WAITING", None, None),
        ("ANALYZING", 0.0, None),
        ("ANALYZING", 0.25, 6.0),
        ("ANALYZING", 0.5, 3.5),
        ("POLLED", 0.5, 3.5),
    ]
    assert {one.job_id for one in told} == {"j-1"}
