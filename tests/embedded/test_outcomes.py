"""An outcome that its store cannot take is kept, told nobody, and offered again."""

from __future__ import annotations

import pytest
from attrs import evolve

from rekog_emotion.embedded.outcomes import Outcomes
from rekog_emotion.embedded.store import JobRecord, MemoryStore
from rekog_emotion.errors import RekogEmotionError
from tests.embedded.clips import counting
from tests.embedded.job_desk import TOKEN, Gate, clock, make, s3

__all__ = ["clock", "counting", "make"]

JOB = JobRecord(job_id="a", request={}, token=None, path="clip.mp4", started=0.0)
ENDED = evolve(JOB, status="SUCCEEDED", ended=1.0)


class Shelf(MemoryStore):
    """A store that has no room now and then, and counts how often it is asked to keep a job."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False
        self.asked = 0

    def put(self, job: JobRecord) -> None:
        """Keep a job if there is room."""
        self.asked += 1
        if self.is_full:
            msg = "the disk is full"
            raise OSError(msg)
        super().put(job)


def test_stored_at_once():
    """Where there is room, nothing is kept elsewhere."""
    shelf = Shelf()
    outcomes = Outcomes(shelf, clock=lambda: 0.0)
    outcomes.put(ENDED)

    assert (shelf.get("a"), outcomes.offer("a")) == (ENDED, False)


def test_offered_after_growing_intervals(clock, caplog):
    """After 1, 2, 4 ... seconds, 256 at most; each time the log says why, and in between nobody tries."""
    shelf, tried = Shelf(), []
    outcomes = Outcomes(shelf, clock=clock.now)
    shelf.is_full = True
    outcomes.put(ENDED)
    for second in range(1, 1200):
        clock.advance(1)
        before = shelf.asked
        assert outcomes.offer("a")
        tried += [second] * (shelf.asked - before)
    shelf.is_full = False
    clock.advance(256)

    assert tried == [1, 3, 7, 15, 31, 63, 127, 255, 511, 767, 1023]
    assert set(caplog.messages) == {
        "the outcome of video job a could not be stored, and is tried again: OSError: the disk is full"
    }
    assert len(caplog.messages) == len(tried) + 1
    assert (outcomes.offer("b"), shelf.get("a")) == (False, ENDED)


def test_long_names_are_cut_in_the_log(caplog):
    """A store may hold jobs of any name, and fail with as many words."""

    class Failing(Shelf):
        def put(self, _):
            raise OSError("w\x1b[2J" * 100_000)

    Outcomes(Failing(), clock=lambda: 0.0).put(evolve(ENDED, job_id="j" * 1_000_000))

    why = ("OSError: " + r"w\x1b[2J" * 200)[:1000]
    assert caplog.messages == [
        f"the outcome of video job {'j' * 1000}... could not be stored, and is tried again: {why}..."
    ]


def test_a_clock_that_is_set_back(clock):
    """It does not put off the next attempt for as long."""
    shelf = Shelf()
    outcomes = Outcomes(shelf, clock=lambda: clock.now() + (1e6 if shelf.is_full else 0))
    shelf.is_full = True
    outcomes.put(ENDED)
    shelf.is_full = False

    assert [outcomes.offer("a"), outcomes.offer("a")] == [True, False]
    assert shelf.get("a") == ENDED


def test_one_that_cannot_be_stored_holds_up_no_other(clock):
    """Each is tried for itself."""

    class Picky(MemoryStore):
        def put(self, job):
            if job.job_id == "a":
                raise ValueError
            super().put(job)

    shelf = Picky()
    outcomes = Outcomes(shelf, clock=clock.now)
    for job_id in "ab":
        outcomes.put(evolve(ENDED, job_id=job_id))

    assert (outcomes.offer("a"), outcomes.offer("b"), shelf.get("b").status) == (True, False, "SUCCEEDED")


def test_offered_once_more_at_the_end(clock):
    """What there is room for by then is not lost."""
    shelf = Shelf()
    outcomes = Outcomes(shelf, clock=clock.now)
    shelf.is_full = True
    outcomes.put(ENDED)
    outcomes.close()
    assert shelf.get("a") is None

    shelf.is_full = False
    outcomes.close()

    assert shelf.get("a") == ENDED


def test_no_job_is_run_again(make, clock):
    """A job goes on for whoever asks until its outcome is stored, and is run once however often that is."""
    shelf, gate = Shelf(), Gate()
    jobs = make(gate, store=shelf)
    job_id = jobs.start(s3(), **TOKEN)["JobId"]
    shelf.is_full = True
    gate.opened.set()
    assert jobs.join(job_id, 60)

    for _ in range(40):
        assert (jobs.get(job_id)["JobStatus"], jobs.get(job_id)["Faces"]) == ("IN_PROGRESS", [])
        assert jobs.start(s3(), **TOKEN)["JobId"] == job_id
    assert jobs.ended(job_id).done()
    shelf.is_full = False
    assert jobs.get(job_id)["JobStatus"] == "IN_PROGRESS"
    clock.advance(1)

    assert (jobs.get(job_id)["JobStatus"], len(jobs.get(job_id)["Faces"])) == ("SUCCEEDED", 6)
    assert gate.calls == 6


@pytest.mark.parametrize(("error", "said"), [(OSError("no"), ""), (RekogEmotionError("no"), ": no")])
def test_faces_that_cannot_be_stored(make, caplog, error, said):
    """Such a job fails, once, and the log says why; what it had found is dropped when its outcome can be stored."""
    shelf, gate = Shelf(), Gate()
    dropped = []

    def no_room(*_):
        raise error

    shelf.add_faces, shelf.drop_faces = no_room, dropped.append
    gate.opened.set()
    jobs = make(gate, store=shelf)
    job_id = jobs.start(s3())["JobId"]
    assert jobs.join(job_id, 60)

    answers = [jobs.get(job_id) for _ in range(10)]
    assert {(answer["JobStatus"], answer["StatusMessage"]) for answer in answers} == {
        ("FAILED", f"Internal error: {type(error).__name__}")
    }
    assert gate.calls == 1
    assert [(record.getMessage(), bool(record.exc_info)) for record in caplog.records] == [
        (f"video job {job_id} failed{said}", not said)
    ]
    assert dropped == [job_id, job_id]  # before the run, and after it


def test_faces_of_a_failure_go_after_it(clock):
    """Such an outcome needs less room than that, and counts; the faces go when they can."""
    shelf, dropped = Shelf(), []
    outcomes = Outcomes(shelf, clock=clock.now)
    failed = evolve(JOB, status="FAILED", ended=1.0)

    def no_room(job_id):
        dropped.append(job_id)
        if len(dropped) < 3:
            raise OSError

    shelf.drop_faces = no_room
    outcomes.put(failed)
    assert shelf.get("a") == failed
    for _ in range(20):
        clock.advance(1)
        outcomes.offer("b")

    assert dropped == ["a"] * 3


def test_a_start_since_then_keeps_its_token(clock):
    """What is stored late takes no token from a job that was started with it meanwhile."""
    shelf = Shelf()
    job = evolve(JOB, token="token")  # noqa: S106 -- no password
    shelf.put(job)
    shelf.put(evolve(job, job_id="b"))
    Outcomes(shelf, clock=clock.now).put(evolve(job, status="SUCCEEDED", ended=1.0))

    assert shelf.with_token("token").job_id == "b"
