"""Both stores keep jobs and faces, apart from what callers hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import evolve

from rekog_emotion.embedded.sqlite_store import SqliteStore
from rekog_emotion.embedded.store import JobRecord, MemoryStore, Store


def a_job(job_id: str = "a", token: str | None = None, **more: object) -> JobRecord:
    """Return a job."""
    return JobRecord(job_id=job_id, request={}, token=token, path="clip.mp4", started=0.0, **more)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path) -> Iterator[Store]:
    """Return an empty store."""
    if request.param == "memory":
        yield MemoryStore()
    else:
        with SqliteStore(tmp_path / "jobs.sqlite") as store:
            yield store


def test_jobs(store):
    """A job is found by its id and by its token, as it was last put."""
    job = a_job(token="t")  # noqa: S106 -- no password
    store.put(job)
    assert (store.get("a"), store.with_token("t")) == (job, job)
    store.put(ended := evolve(job, status="SUCCEEDED", ended=5.0))
    assert (store.get("a"), store.with_token("t")) == (ended, ended)
    assert (store.get("b"), store.with_token("u")) == (None, None)


def test_a_token_is_its_last_start_s(store):
    """The end of an earlier job takes it from none that was started since."""
    first, second = (a_job(job_id, token="t") for job_id in "ab")  # noqa: S106 -- no password
    store.put(first)
    store.put(second)
    store.put(evolve(first, status="SUCCEEDED", ended=5.0))
    assert store.with_token("t") == second


def test_faces(store):
    """Faces come back in order, a slice at a time, and exactly as they were."""
    faces = [{"Timestamp": k, "Face": {"Confidence": 100 / 3 + k}} for k in range(5)]
    store.add_faces("a", faces[:3])
    store.add_faces("a", faces[3:])
    assert store.faces("a", 0, 100) == faces
    assert store.faces("a", 1, 3) == faces[1:3]
    assert store.faces("b", 0, 100) == []


def test_faces_are_copies(store):
    """Neither giver nor taker can change what is kept."""
    face = {"Timestamp": 0, "Face": {"Confidence": 1.5}}
    store.add_faces("a", [face])
    face["Face"]["Confidence"] = 2.5
    store.faces("a", 0, 1)[0].clear()
    assert store.faces("a", 0, 1) == [{"Timestamp": 0, "Face": {"Confidence": 1.5}}]


def test_dropped_faces(store):
    """Dropped faces are gone; a second time does nothing."""
    store.add_faces("a", [{"Timestamp": 0}])
    store.drop_faces("a")
    store.drop_faces("a")
    assert store.faces("a", 0, 1) == []


def test_purge(store):
    """Jobs that ended before the time go, with faces and token; others stay, and so does a token's later job."""
    store.put(a_job("old", token="t", ended=9.0))  # noqa: S106 -- no password
    store.put(a_job("reused", token="u", ended=9.0))  # noqa: S106 -- no password
    store.put(new := a_job("new", token="u", ended=10.0))  # noqa: S106 -- no password
    store.put(a_job("open"))
    store.put(a_job("plain", ended=1.0))
    store.add_faces("old", [{"Timestamp": 0}])
    store.purge(10.0)
    assert [store.get(job_id) for job_id in ("old", "reused", "new", "open", "plain")] == [
        None,
        None,
        new,
        a_job("open"),
        None,
    ]
    assert (store.with_token("t"), store.with_token("u"), store.faces("old", 0, 1)) == (None, new, [])
