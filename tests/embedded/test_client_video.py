"""The embedded client analyses local clips as the service does those in S3."""

from __future__ import annotations

import gc
import threading
import weakref
from fractions import Fraction
from functools import partial
from math import floor

import pytest
from botocore.exceptions import ClientError

from rekog_emotion import analyze_video, start_video
from rekog_emotion.clients.protocols import Staging
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.embedded.store import MemoryStore
from rekog_emotion.errors import InvalidInputError, InvalidS3ObjectError, JobFailedError
from rekog_emotion.flows.polling import PollSchedule
from rekog_emotion.testing import virtual_time
from rekog_emotion.values.s3 import S3Object
from tests.embedded.clips import BAD, bad_clips, counting, grid, people_mp4, scene
from tests.embedded.job_desk import Gate, bare, clock, one_face, refused

__all__ = ["bad_clips", "clock", "counting", "people_mp4", "scene"]


VIDEO = {"S3Object": {"Bucket": "bucket", "Name": "clip.mp4"}}


@pytest.fixture
def gate(monkeypatch) -> Gate:
    """Put a gate in the place of every engine made in this test."""
    gate = Gate()
    monkeypatch.setattr("rekog_emotion.embedded.client.Engine.analyze", lambda _, picture, **__: gate(picture))
    return gate


def test_a_local_clip(client, people_mp4, scene):
    """A path is analysed where it lies: faces at the samples in which somebody is seen, and at no other."""
    before = dict(client._files._paths)  # other tests have the same client
    clip = analyze_video(people_mp4, client=client)
    people = [milliseconds for milliseconds, _ in grid(30, 180) if scene.person(milliseconds / 1000) is not None]
    assert people == [face.timestamp_ms for face in clip.faces]
    assert (clip.engine, clip.status, clip.metadata.duration_millis) == ("embedded", "SUCCEEDED", 6000)
    assert all(face.face.dominant_emotion is not None for face in clip.faces)
    assert client._files._paths == before


def test_under_virtual_time(client, people_mp4):
    """Its work is waited for, though the clock of the library runs ahead."""
    with virtual_time():
        assert len(analyze_video(people_mp4, client=client).faces) > 0


@pytest.mark.usefixtures("no_jitter")
def test_an_outcome_that_is_stored_late(gate, counting):
    """Until then the job goes on; a client in this process looks for it by the schedule."""

    class Shelf(MemoryStore):
        def put(self, job):
            if job.ended is not None and clock.now() < 100:
                raise OSError
            super().put(job)

    looks = []
    gate.opened.set()
    with virtual_time() as clock, EmbeddedClient(store=Shelf(), clock=clock.now) as client:
        analysis = start_video(counting, client=client).result(on_progress=looks.append)

    assert len(analysis.faces) == 6
    assert {look.status for look in looks if look.event == "POLLED"} == {"IN_PROGRESS", "SUCCEEDED"}
    assert 100 <= clock.now() < 400
    assert len(looks) < 80


def test_its_jobs_are_waited_for_by_their_end(gate, counting, monkeypatch):
    """However long the video is said to be, the wait ends when the work does."""
    monkeypatch.setattr("rekog_emotion.flows.ending.POLLS", PollSchedule(floor=3600, cap=3600))
    with EmbeddedClient() as client:
        job = start_video(counting, client=client, video_length=6 * 3600)
        end = client.ended(job.job_id)
        assert (end.done(), end.cancel()) == (False, False)
        job.wait(on_progress=lambda progress: gate.opened.set() if progress.event == "WAITING" else None)
        assert client.ended(job.job_id).done()
        assert client.ended("f" * 64).done()


def test_paths_and_objects_agree(people_mp4):
    """The same clip gives the same faces through a path and through a resolver."""
    with EmbeddedClient(resolver=lambda _: people_mp4, mode="fast") as client:
        from_path = analyze_video(people_mp4, client=client)
        from_object = analyze_video("s3://bucket/clip.mp4", client=client)
    assert from_path.faces == from_object.faces


@pytest.mark.parametrize("name", BAD)
def test_bad_clips(client, bad_clips, name):
    """What cannot be decoded is a failed job with the service's text, whatever it is."""
    staged = client.stage(bad_clips[name])
    with pytest.raises(JobFailedError) as caught:
        analyze_video(staged, client=client)
    uri = f"s3://{staged.bucket}/{staged.name}"
    assert str(caught.value) == f"{uri}: job {caught.value.job_id} failed: Unsupported codec/format."


def test_staging(client, counting):
    """The client is where local files go: it names them, and forgets the names."""
    assert isinstance(client, Staging)
    staged = client.stage(counting)
    assert staged == S3Object(bucket="local-files", name=staged.name)
    client.discard(staged)
    client.discard(staged)
    with pytest.raises(InvalidS3ObjectError):
        analyze_video(staged, client=client)


def test_parameters(counting, clock):
    """Every parameter of the two operations has its effect."""
    store = MemoryStore()
    with EmbeddedClient(resolver=lambda _: counting, store=store, clock=clock.now, mode="fast") as client:
        start = {"Video": VIDEO, "ClientRequestToken": "t", "FaceAttributes": "ALL", "JobTag": "tag"}
        job_id = client.start_face_detection(**start)["JobId"]
        assert client._jobs.join(job_id, 60)
        assert job_id == client.start_face_detection(**start)["JobId"]
        answer = client.get_face_detection(JobId=job_id, MaxResults=1, NextToken="")
        assert (bare(answer)["JobTag"], answer["Video"]) == ("tag", VIDEO)
        channel = {"SNSTopicArn": "topic", "RoleArn": "role"}
        assert refused(client.start_face_detection, Video=VIDEO, NotificationChannel=channel)[1] == (
            "InvalidParameterException"
        )
        assert store.get(job_id).started == 0.0


def test_closing_ends_jobs(gate, counting):
    """Closing the client ends its jobs and their threads."""
    client = EmbeddedClient(resolver=lambda _: counting)
    job_id = client.start_face_detection(Video=VIDEO)["JobId"]
    assert gate.entered.wait(60)
    client._jobs.stop()
    gate.opened.set()
    client.close()
    assert client.get_face_detection(JobId=job_id)["StatusMessage"] == "The job was stopped: its client was closed."
    assert "rekog-emotion-video" not in [thread.name for thread in threading.enumerate()]


def test_forgetting_the_client_ends_jobs(gate, counting):
    """Nothing of a job holds the client, and a client that nobody holds takes its jobs along."""
    client = EmbeddedClient(resolver=lambda _: counting)
    jobs, client_is_there = client._jobs, weakref.ref(client)
    job_id = client.start_face_detection(Video=VIDEO)["JobId"]
    assert gate.entered.wait(60)
    del client
    gc.collect()
    assert client_is_there() is None
    gate.opened.set()
    assert jobs.join(job_id, 60)
    assert jobs.get(job_id)["JobStatus"] == "FAILED"


@pytest.mark.parametrize("rate", [1, 2, 5, 2.5, 30, 1000])
def test_pictures_a_second(rate, people_mp4, monkeypatch):
    """As many are looked at as are asked for, by the service's rule; no more than there are."""
    monkeypatch.setattr("rekog_emotion.embedded.client.Engine.analyze", lambda _, picture, **__: one_face(picture))

    with EmbeddedClient() as client:
        clip = analyze_video(people_mp4, client=client, sample_rate=rate)

    frames = [floor(k * max(Fraction(30) / Fraction(rate), Fraction(1))) for k in range(180)]
    assert [face.timestamp_ms for face in clip.faces] == [frame * 1000 // 30 for frame in frames if frame < 180]


@pytest.mark.parametrize("rate", [0, 0.5, -1, float("nan"), float("inf"), True, "5"])
def test_no_rate(rate, counting):
    """What is none is refused before anything is read, by the verb and by the client."""
    with EmbeddedClient() as client:
        with pytest.raises(InvalidInputError) as caught:
            analyze_video("gone.mp4", client=client, sample_rate=rate)
        staged = client.stage(counting)
        where = {"Bucket": staged.bucket, "Name": staged.name}
        with pytest.raises(ClientError, match="InvalidParameterException"):
            client.start_face_detection(Video={"S3Object": where}, SampleRate=rate)

    assert str(caught.value) == f"sample_rate={rate!r} is no number of pictures a second: pass 1 or more"


def test_a_token_is_of_one_rate(counting, gate):
    """With another rate it is another request."""
    gate.opened.set()
    with EmbeddedClient() as client:
        staged = client.stage(counting)
        where = {"Bucket": staged.bucket, "Name": staged.name}
        start = partial(client.start_face_detection, Video={"S3Object": where})
        first = start(ClientRequestToken="t", SampleRate=5)["JobId"]

        assert start(ClientRequestToken="t", SampleRate=5)["JobId"] == first
        with pytest.raises(ClientError, match="IdempotentParameterMismatchException"):
            start(ClientRequestToken="t")


def test_how_far_a_job_is(counting, monkeypatch):
    """The share grows with the frames that have been looked at, and is of jobs that run."""
    shares = []

    def analyze(_, picture, **__):
        shares.append(client.progress(next(iter(client._jobs._open))))
        return one_face(picture)

    monkeypatch.setattr("rekog_emotion.embedded.client.Engine.analyze", analyze)
    with EmbeddedClient(video_threads=1) as client:
        job = start_video(counting, client=client)
        job.wait()
        assert client.progress(job.job_id) is client.progress("f" * 64) is None

    # Of a picture it is known that it has gone when the next one is there.
    assert [share and share[0] for share in shares] == [None, *(k * 500 / 3000 for k in range(5))]
