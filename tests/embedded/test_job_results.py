"""Results of video jobs come in pages, each face once, and expire as the service's do."""

from __future__ import annotations

import base64

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from rekog_emotion.embedded.jobs import Jobs
from rekog_emotion.embedded.store import MemoryStore
from tests.amounts import amount
from tests.embedded.clips import counting
from tests.embedded.job_desk import DAY, TOKEN, Gate, bare, clock, done, make, one_face, refused, s3, with_faces

__all__ = ["clock", "counting", "make"]

BAD_PAGE = ("GetFaceDetection", "InvalidPaginationTokenException", "Invalid Pagination Token", 400)
NO_JOB = ("GetFaceDetection", "ResourceNotFoundException", "Could not find JobId", 400)


class TestPages:
    @settings(deadline=None, max_examples=amount(60, whole=300))
    @given(count=st.integers(0, 60), sizes=st.lists(st.integers(1, 70), min_size=1, max_size=8))
    def test_each_face_once(self, count, sizes):
        """Whatever the sizes of the pages, they give each face once and in order, and no page comes empty."""
        jobs = Jobs(one_face)
        job_id = with_faces(jobs, count)
        jobs._clock = lambda: 0.0
        seen, options, pages = [], {}, 0
        while True:
            answer = jobs.get(job_id, max_results=sizes[pages % len(sizes)], **options)
            seen += [face["Timestamp"] for face in answer["Faces"]]
            assert answer["VideoMetadata"] == {"Codec": "h264"}
            pages += 1
            if "NextToken" not in answer:
                break
            assert answer["Faces"]
            options = {"next_token": answer["NextToken"]}
        assert seen == list(range(count))

    @pytest.mark.parametrize(
        ("asked", "expected"), [({}, 1000), ({"max_results": 1000}, 1000), ({"max_results": 5000}, 1000)]
    )
    def test_largest_page(self, make, asked, expected):
        """A page has a thousand faces unless fewer are asked for; more is no error."""
        jobs = make()
        job_id = with_faces(jobs, 1001)
        first = jobs.get(job_id, **asked)
        assert expected == len(first["Faces"])
        assert len(jobs.get(job_id, next_token=first["NextToken"])["Faces"]) == 1

    def test_stable(self, make):
        """A page asked for again is the same, and its token good for any size."""
        jobs = make()
        job_id = with_faces(jobs, 10)
        token = jobs.get(job_id, max_results=3)["NextToken"]
        second = bare(jobs.get(job_id, max_results=3, next_token=token))
        assert second == bare(jobs.get(job_id, max_results=3, next_token=token))
        times = [face["Timestamp"] for face in jobs.get(job_id, max_results=5, next_token=token)["Faces"]]
        assert times == [3, 4, 5, 6, 7]

    def test_empty_token(self, make):
        """An empty token asks for the first page, as the service's own samples do."""
        jobs = make()
        job_id = with_faces(jobs, 2)
        assert bare(jobs.get(job_id)) == bare(jobs.get(job_id, next_token=""))

    def test_a_day(self, make, clock):
        """A page token is good for a day."""
        jobs = make()
        job_id = with_faces(jobs, 10)
        token = jobs.get(job_id, max_results=3)["NextToken"]
        clock.advance(DAY)
        assert len(jobs.get(job_id, next_token=token)["Faces"]) == 7
        clock.advance(1)
        assert refused(jobs.get, job_id, next_token=token) == BAD_PAGE

    @pytest.mark.parametrize(
        "damage",
        [
            lambda _: "x",
            lambda _: "no token",
            lambda token: token[:-4],
            lambda token: token + "AAAA",
            lambda token: token[1:] + token[0],
            lambda token: token + "\n",
            lambda token: "é" + token,
            lambda _: base64.urlsafe_b64encode(bytes(48)).decode(),
            lambda _: "A" * 255,
        ],
        ids=["short", "words", "cut", "longer", "turned", "line", "accent", "zeros", "long"],
    )
    def test_bad_token(self, make, damage):
        """A token that was not given out is refused."""
        jobs = make()
        job_id = with_faces(jobs, 10)
        token = jobs.get(job_id, max_results=3)["NextToken"]
        assert len(token) <= 255
        assert refused(jobs.get, job_id, next_token=damage(token)) == BAD_PAGE

    @given(position=st.integers(0, 10**6), bit=st.integers(0, 7))
    @settings(deadline=None)
    def test_changed_token(self, position, bit):
        """A token with any bit changed is refused."""
        jobs = Jobs(one_face, clock=lambda: 0.0)
        job_id = with_faces(jobs, 2)
        token = bytearray(base64.urlsafe_b64decode(jobs.get(job_id, max_results=1)["NextToken"]))
        token[position % len(token)] ^= 1 << bit
        assert refused(jobs.get, job_id, next_token=base64.urlsafe_b64encode(token).decode()) == BAD_PAGE

    def test_token_of_another_job(self, make):
        """A token is good for its own job only."""
        jobs = make()
        token = jobs.get(with_faces(jobs, 10), max_results=3)["NextToken"]
        assert refused(jobs.get, with_faces(jobs, 10, "e" * 64), next_token=token) == BAD_PAGE

    def test_many_faces(self, make):
        """Paging reads the faces of the page, not all."""
        jobs = make()
        asked = []
        job_id = with_faces(jobs, 0)
        jobs._store.put(evolve(jobs._store.get(job_id), face_count=2_000_000))
        jobs._store.faces = lambda *what: asked.append(what) or []
        answer = jobs.get(job_id, max_results=10)
        jobs.get(job_id, max_results=20, next_token=answer["NextToken"])
        assert asked == [(job_id, 0, 10), (job_id, 10, 30)]


class TestExpiry:
    def test_unknown(self, make):
        """A job that nobody started is not found."""
        assert refused(make().get, "0" * 64) == NO_JOB

    def test_seven_days(self, make, clock):
        """Results are kept for seven days."""
        jobs = make()
        job_id = done(jobs)
        clock.advance(7 * DAY)
        assert jobs.get(job_id)["JobStatus"] == "SUCCEEDED"
        clock.advance(1)
        assert refused(jobs.get, job_id) == NO_JOB

    def test_purged(self, make, clock):
        """The next start forgets results that nobody can ask for, and keeps the others."""
        store = MemoryStore()
        jobs = make(store=store)
        old = done(jobs, **TOKEN)
        clock.advance(4 * DAY)
        new = done(jobs)
        clock.advance(4 * DAY)
        done(jobs)
        assert (store.get(old), store.with_token("token"), store.faces(old, 0, 9)) == (None, None, [])
        assert len(jobs.get(new)["Faces"]) == 6

    def test_running_for_long(self, make, clock):
        """An open job does not expire."""
        gate = Gate()
        jobs = make(gate)
        job_id = jobs.start(s3())["JobId"]
        clock.advance(8 * DAY)
        assert jobs.get(job_id)["JobStatus"] == "IN_PROGRESS"
        gate.opened.set()
        assert jobs.join(job_id, 60)
        clock.advance(6 * DAY)
        assert jobs.get(job_id)["JobStatus"] == "SUCCEEDED"
