import asyncio
import errno
import json
import os
import threading
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError
from moto.sns.models import sns_backends

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.embedded.faults import client_error
from rekog_emotion.embedded.jobs import Jobs
from rekog_emotion.embedded.store import MemoryStore
from rekog_emotion.errors import RekogEmotionError
from rekog_emotion.server import S3Objects, Spool, create_app
from rekog_emotion.server.endings import Endings, publish
from tests.embedded.clips import counting
from tests.server.conftest import DATA, PORTRAIT, boto
from tests.server.in_process import InProcess

__all__ = ["counting"]

CHANNEL = {
    "SNSTopicArn": "arn:aws:sns:eu-west-1:123456789012:AmazonRekognition",
    "RoleArn": "arn:aws:iam::123456789012:role/rekognition",
}
VIDEO = {"S3Object": {"Bucket": "bucket", "Name": "clips/clip.mp4"}}
NOW = 1_539_532_533.181
IN_PROGRESS, FAILED = {"JobStatus": "IN_PROGRESS"}, {"JobStatus": "FAILED"}


class Watch:
    """The ends of the scripted client's jobs, and what was published."""

    def __init__(self, scripted, folder):
        self.scripted = scripted
        self.folder = folder
        self.published = []
        self.restart()

    def restart(self):
        """Begin anew, as the next server with the same folder does."""
        self.spool = Spool(self.folder)
        self.endings = Endings(
            self.scripted, self.spool, publish=lambda *message: self.published.append(message), clock=lambda: NOW
        )

    def start(self, job_id="job-1", *, copy=True, **request):
        """Begin a job, for which a copy of the video was made."""
        with self.spool.request(1) as files:
            self.endings.reserve(request)
            path = self.spool.new_file() if copy else None
            self.endings.add(job_id, {"Video": VIDEO, **request}, files)
        return path

    def statuses(self):
        """Return how often each job was announced, by its id."""
        return Counter(json.loads(message)["JobId"] for _, message in self.published)

    def look(self, answer):
        """Look at the jobs, which are all in one state."""
        self.scripted.answers["GetFaceDetection"] = answer
        self.endings.look()
        return [json.loads(message) for _, message in self.published]


@pytest.fixture
def watch(scripted, tmp_path):
    """Give the ends of the scripted client's jobs."""
    return Watch(scripted, tmp_path)


def test_says_what_the_service_says(watch):
    """The message is of the form recorded from the service; it goes out once, when the job has ended."""
    watch.start(NotificationChannel=CHANNEL, JobTag="tag")

    assert watch.look(IN_PROGRESS) == []
    expected = {
        "JobId": "job-1",
        "Status": "SUCCEEDED",
        "API": "StartFaceDetection",
        "JobTag": "tag",
        "Timestamp": 1_539_532_533_181,
        "Video": {"S3ObjectName": "clips/clip.mp4", "S3Bucket": "bucket"},
    }
    assert watch.look({"JobStatus": "SUCCEEDED"}) == [expected]
    assert watch.look({"JobStatus": "SUCCEEDED"}) == [expected]
    assert watch.published[0][0] == CHANNEL["SNSTopicArn"]
    assert watch.scripted.asked == [("GetFaceDetection", {"JobId": "job-1", "MaxResults": 1})] * 2


def test_says_that_a_job_failed(watch):
    """Without a tag there is none in the message."""
    watch.start(NotificationChannel=CHANNEL)

    [message] = watch.look(FAILED)
    assert (message["Status"], "JobTag" in message) == ("FAILED", False)


def test_copies_go_with_their_job(watch):
    """However it ends; nothing is published that nobody asked for."""
    path = watch.start()

    watch.look(IN_PROGRESS)
    assert path.exists()
    assert watch.look(FAILED) == []
    assert not path.exists()


def test_looks_only_at_what_needs_it(watch):
    """A job with nothing to do at its end is left alone, and leaves no note."""
    watch.start(copy=False)

    assert watch.look(IN_PROGRESS) == []
    assert watch.scripted.asked == []
    assert list(watch.folder.iterdir()) == []


def test_goes_on_after_a_kill(watch):
    """The next server sees to what is left: the message goes out, the copy goes."""
    path = watch.start(NotificationChannel=CHANNEL)

    watch.restart()
    assert watch.look(IN_PROGRESS) == []
    watch.restart()
    assert len(watch.look(FAILED)) == 1
    watch.restart()
    assert len(watch.look(FAILED)) == 1
    assert not path.exists()


def test_a_repeated_start_says_nothing_new(watch):
    """A job that is named again, while it goes on and after its end, is announced once."""
    watch.start(NotificationChannel=CHANNEL)
    watch.start(NotificationChannel=CHANNEL, copy=False)
    watch.look(FAILED)
    watch.start(NotificationChannel=CHANNEL, copy=False)

    assert len(watch.look(FAILED)) == 1


def test_of_two_starts_at_once_both_copies_go(watch):
    """The job reads one of them, until it has ended; what comes later still is of no use."""
    copies = [watch.start(), watch.start()]
    assert all(path.exists() for path in copies)

    watch.look(FAILED)
    copies.append(watch.start())

    assert not any(path.exists() for path in copies)


def test_a_job_that_is_gone_says_nothing(watch):
    """Its copy goes all the same."""
    path = watch.start(NotificationChannel=CHANNEL)

    assert watch.look(client_error("GetFaceDetection", "ResourceNotFoundException", "Could not find JobId")) == []
    assert not path.exists()


@pytest.mark.parametrize(
    "error", [client_error("GetFaceDetection", "ThrottlingException", "Slow down"), RuntimeError()]
)
def test_a_failing_client_is_asked_again(watch, error):
    """Nothing is given up for it, and no other job's end is."""
    path = watch.start(NotificationChannel=CHANNEL)

    assert watch.look(error) == []
    assert path.exists()
    assert len(watch.look(FAILED)) == 1


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (EndpointConnectionError(endpoint_url="http://sns"), 'Could not connect to the endpoint URL: "http://sns"'),
        (
            client_error("Publish", "NotFound", "no"),
            "An error occurred (NotFound) when calling the Publish operation: no",
        ),
        (ValueError("Invalid endpoint: sns"), "Invalid endpoint: sns"),
    ],
)
def test_a_topic_that_cannot_be_reached(watch, warnings, error, why):
    """The log says so, the copy goes at once, and the message goes out once when the topic can be reached."""
    failing = [error]

    def unreachable(*message):
        if failing:
            raise failing[0]
        watch.published.append(message)

    watch.endings._publish = unreachable
    path = watch.start(NotificationChannel=CHANNEL)

    assert watch.look(FAILED) == []
    assert warnings == [
        f"the end of video job job-1 cannot be published to {CHANNEL['SNSTopicArn']}: {why}; it is tried again"
    ]
    assert not path.exists()
    failing.clear()
    watch.look(FAILED)
    watch.look(FAILED)
    assert watch.statuses() == {"job-1": 1}


def test_what_a_client_names_is_cut_in_the_log(watch, warnings):
    """A client may give its jobs names of any length, and fail with as many words."""
    watch.start("j" * 1_000_000, NotificationChannel=CHANNEL)

    watch.look(RekogEmotionError("w" * 1_000_000))

    assert warnings == [
        f"the end of video job {'j' * 1000}... cannot be seen to: {'w' * (1000 - 19)}...; it is tried again"
    ]


def test_tries_again_after_growing_intervals(watch):
    """After 1, 2, 4 ... looks, 512 at most; in between the job is not even asked for."""
    tried = []

    def unreachable(*_):
        tried.append(number)
        raise OSError

    watch.endings._publish = unreachable
    watch.start(NotificationChannel=CHANNEL)
    for number in range(2100):  # noqa: B007 -- unreachable() writes it down
        watch.look(FAILED)

    assert tried == [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1535, 2047]
    assert len(watch.scripted.asked) == len(tried)


def test_a_message_outlives_the_server(watch):
    """What could not be published goes out by the next server."""

    def unreachable(*_):
        raise OSError

    watch.endings._publish = unreachable
    watch.start(NotificationChannel=CHANNEL)
    assert watch.look(FAILED) == []

    watch.restart()
    assert len(watch.look(FAILED)) == 1


def test_a_job_that_is_gone_before_it_was_announced(watch, warnings):
    """Its results last a week; nobody tries for ever."""

    def unreachable(*_):
        raise OSError

    watch.endings._publish = unreachable
    watch.start(NotificationChannel=CHANNEL)
    watch.look(FAILED)
    watch.look(client_error("GetFaceDetection", "ResourceNotFoundException", "Could not find JobId"))

    assert warnings[1:] == ["video job job-1 is gone, and its end was not published"]
    asked = len(watch.scripted.asked)
    watch.look(FAILED)
    assert len(watch.scripted.asked) == asked


# --- disks that are full, and files that are damaged ---


@pytest.fixture
def disk(monkeypatch):
    """Give a switch: while it is set, no byte can be written, as on a full disk."""
    full = threading.Event()

    def write(handle, content):
        if full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written(handle, content)

    written = os.write
    monkeypatch.setattr(os, "write", write)
    return full


NO_ROOM = "cannot be written to: No space left on device; make room there, or make it writable"


def test_no_room_for_a_note(watch, disk):
    """No job is started for whose message there is no room."""
    disk.set()

    with pytest.raises(RekogEmotionError) as caught:
        watch.start(NotificationChannel=CHANNEL, copy=False)

    assert str(caught.value) == f"the folder {watch.folder} {NO_ROOM}"
    assert list(watch.folder.iterdir()) == []


def test_ends_on_a_full_disk(watch, disk):
    """Every end is seen to and announced once, though the disk is full, and stays so over a restart."""
    paths = [watch.start(f"job-{number}", NotificationChannel=CHANNEL) for number in range(5)]
    disk.set()

    watch.look(FAILED)
    watch.look(FAILED)
    watch.restart()
    watch.look(FAILED)

    assert watch.statuses() == {f"job-{number}": 1 for number in range(5)}
    assert not any(path.exists() for path in paths)


def test_a_note_that_cannot_be_written(watch, disk, warnings):
    """A job that has begun is not given up: it is kept in mind, its copy goes when it has ended."""
    with watch.spool.request(1) as files:
        path = watch.spool.new_file()
        disk.set()
        watch.endings.add("job-1", {"Video": VIDEO}, files)
    watch.look(IN_PROGRESS)
    watch.look(IN_PROGRESS)
    assert warnings == [
        f"the end of video job job-1 is kept in mind only: the folder {watch.folder} {NO_ROOM}; it is tried again",
        f"the end of video job job-1 cannot be noted: the folder {watch.folder} {NO_ROOM}; it is tried again",
    ]
    assert path.exists()
    disk.clear()
    watch.look(IN_PROGRESS)
    assert sorted(file.suffix for file in watch.folder.iterdir()) == [".json", ".object"]

    watch.look(FAILED)

    assert [file.suffix for file in watch.folder.iterdir()] == [".ended"]


def test_a_message_that_cannot_be_noted(watch, monkeypatch, warnings):
    """Whoever asks for it is told of no job before the note is there: a kill would take it along. The job goes on."""

    def fail(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    for _ in range(2):
        with pytest.raises(RekogEmotionError) as caught:
            watch.start(NotificationChannel=CHANNEL)
    monkeypatch.undo()
    why = NO_ROOM.replace("No space left on device", "Input/output error")
    assert str(caught.value) == f"the folder {watch.folder} {why}"
    kept = f"the end of video job job-1 is kept in mind only: the folder {watch.folder} {why}; it is tried again"
    assert warnings == [kept] * 2

    watch.start(NotificationChannel=CHANNEL, copy=False)
    assert sorted(file.suffix for file in watch.folder.iterdir()) == [".json", ".object", ".object"]
    watch.restart()
    watch.look(FAILED)
    watch.look(FAILED)

    assert watch.statuses() == {"job-1": 1}
    assert [file.suffix for file in watch.folder.iterdir()] == [".ended"]


def test_what_cannot_be_marked_is_not_said_twice(watch, monkeypatch, warnings):
    """A message that is out is out, whatever becomes of the note."""
    watch.start(NotificationChannel=CHANNEL, copy=False)
    replace = Path.replace

    def fail(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "replace", fail)
    for _ in range(10):
        watch.look(FAILED)
    monkeypatch.setattr(Path, "replace", replace)
    for _ in range(10):
        watch.look(FAILED)
    watch.restart()
    watch.look(FAILED)

    assert watch.statuses() == {"job-1": 1}
    read_only = NO_ROOM.replace("No space left on device", "Read-only file system")
    assert set(warnings) == {
        f"the end of video job job-1 cannot be noted: the folder {watch.folder} {read_only}; it is tried again"
    }


def test_a_note_that_is_gone(watch):
    """A job whose note somebody has deleted is seen to all the same, once."""
    watch.start(NotificationChannel=CHANNEL, copy=False)
    for path in watch.folder.iterdir():
        path.unlink()

    watch.look(FAILED)
    watch.start(NotificationChannel=CHANNEL, copy=False)
    watch.look(FAILED)

    assert watch.statuses() == {"job-1": 1}


@pytest.mark.parametrize(
    ("error", "said"),
    [(ZeroDivisionError("no"), ""), (RekogEmotionError("the store is damaged"), ": the store is damaged")],
)
def test_whatever_happens_to_one_job(watch, warnings, error, said):
    """The ends of the others are seen to."""
    for number in range(3):
        watch.start(f"job-{number}", NotificationChannel=CHANNEL)

    def answer(**request):
        if request["JobId"] == "job-1":
            raise error
        return FAILED

    watch.look(answer)

    assert watch.statuses() == {"job-0": 1, "job-2": 1}
    assert warnings == [f"the end of video job job-1 cannot be seen to{said}; it is tried again"]


ASIDE = "{} cannot be read: {}; it is set aside as {}, and the end of its job is not published"
NOTE = {"JobId": "job-1", "Files": [], "Video": VIDEO, "NotificationChannel": CHANNEL}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty or torn"),
        (json.dumps(NOTE).encode()[:-9], "it is empty or torn"),
        (b"\xff\xfe", "it is empty or torn"),
        (b"[" * 100_000, "it is empty or torn"),
        *(
            (json.dumps(note).encode(), "it is no note of a video job")
            for note in (
                None,
                [],
                5,
                {},
                NOTE | {"JobId": 5},
                NOTE | {"Files": "a.object"},
                NOTE | {"Files": [5]},
                NOTE | {"Files": ["../../precious"]},
                NOTE | {"Files": ["/etc/precious"]},
                NOTE | {"Video": {}},
                NOTE | {"NotificationChannel": {"SNSTopicArn": None}},
            )
        ),
    ],
)
def test_a_damaged_note(watch, warnings, content, why):
    """It is told by name and set aside; the other notes hold."""
    watch.start("job-2", NotificationChannel=CHANNEL, copy=False)
    (watch.folder / "torn.json").write_bytes(content)

    watch.restart()

    assert warnings == [ASIDE.format(watch.folder / "torn.json", why, "torn.damaged")]
    assert (watch.folder / "torn.damaged").read_bytes() == content
    assert [message["JobId"] for message in watch.look(FAILED)] == ["job-2"]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_note_that_is_no_file(watch, warnings, make):
    """It is set aside, too, and nobody waits for what comes out of it."""
    make(watch.folder / "odd.json")

    watch.restart()

    why = "it is no note of a video job"
    assert warnings == [ASIDE.format(watch.folder / "odd.json", why, "odd.damaged")]
    assert [path.name for path in watch.folder.iterdir()] == ["odd.damaged"]


def test_a_note_that_cannot_be_read(watch, warnings, monkeypatch):
    """A broken disk costs one note alone."""
    (watch.folder / "torn.json").write_text("{}")

    def read_bytes(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    watch.restart()

    assert warnings == [ASIDE.format(watch.folder / "torn.json", os.strerror(errno.EIO), "torn.damaged")]


class Shelf(MemoryStore):
    """A store that outlives its process, and takes no outcome while it is full."""

    is_full = False

    def put(self, job):
        """Keep a job if there is room."""
        if self.is_full and job.ended is not None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().put(job)


class Engine:
    """The jobs of a process, as the server asks for them."""

    def __init__(self, store, clip, find):
        self.jobs = Jobs(find, resolver=lambda _: clip, store=store, clock=lambda: NOW)

    def get_face_detection(self, **request):
        """Answer GetFaceDetection."""
        return self.jobs.get(request["JobId"], max_results=request["MaxResults"])


@pytest.mark.parametrize("first", ["FAILED", "SUCCEEDED"])
def test_tells_only_what_is_stored(watch, counting, first):
    """A job whose outcome finds no room has not ended: a kill then has it run anew, and it may end otherwise."""
    shelf = Shelf()

    def find(_):
        if shelf.is_full is (first == "FAILED"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return []

    def begin_process():
        watch.restart()
        watch.endings._client = engine = Engine(shelf, counting, find)
        return engine.jobs

    jobs = begin_process()
    shelf.is_full = True
    job_id = jobs.start(VIDEO)["JobId"]
    path = watch.start(job_id, NotificationChannel=CHANNEL)
    assert jobs.join(job_id, 60)
    watch.endings.look()
    assert (jobs.get(job_id)["JobStatus"], watch.published, path.exists()) == ("IN_PROGRESS", [], True)

    # Killed: nothing of its memory is left.
    jobs = begin_process()
    shelf.is_full = False
    watch.endings.look()
    assert jobs.join(job_id, 60)
    watch.endings.look()

    ended = {"FAILED": "SUCCEEDED", "SUCCEEDED": "FAILED"}[first]
    assert [json.loads(message)["Status"] for _, message in watch.published] == [ended]
    assert (jobs.get(job_id)["JobStatus"], path.exists()) == (ended, False)
    jobs.close()


def test_a_start_without_room(bucket, tmp_path, scripted, disk, warnings):
    """The server is at fault, not the request or the object, and says so in its log; no job is started."""
    where = bucket.put("clip.mp4", b"content")
    spool = Spool(tmp_path)
    objects = S3Objects(spool)

    def start(**request):
        objects(request["Video"]["S3Object"])
        return {"JobId": "job-1"}

    scripted.answers["StartFaceDetection"] = start
    with InProcess(create_app(scripted, spool=spool)) as endpoint:
        request = {"Video": {"S3Object": where}}
        assert endpoint.ask("StartFaceDetection", request).status == 200
        disk.set()
        replies = [
            endpoint.ask("StartFaceDetection", request),
            endpoint.ask("StartFaceDetection", request | {"NotificationChannel": CHANNEL}),
        ]
        disk.clear()

    assert [(reply.status, reply.code) for reply in replies] == [(500, "InternalServerError")] * 2
    assert warnings == [f"StartFaceDetection failed: the folder {tmp_path} {NO_ROOM}"] * 2
    # The copy is made while the client looks at the video, the space for the note is taken before it is asked.
    assert [operation for operation, _ in scripted.asked].count("StartFaceDetection") == 2


def test_a_photo_without_room(bucket, tmp_path, disk, warnings):
    """The same holds for objects that are photos."""
    where = bucket.put("photo.jpg", PORTRAIT.read_bytes())
    spool = Spool(tmp_path)
    with EmbeddedClient(resolver=S3Objects(spool)) as client, InProcess(create_app(client, spool=spool)) as endpoint:
        disk.set()
        reply = endpoint.ask("DetectFaces", {"Image": {"S3Object": where}})
        disk.clear()

    assert (reply.status, reply.code) == (500, "InternalServerError")
    assert warnings == [f"DetectFaces failed: the folder {tmp_path} {NO_ROOM}"]
    assert list(tmp_path.iterdir()) == []


def test_watches_while_the_server_runs(scripted, tmp_path):
    """Every so often, until it is told to stop."""
    looked = threading.Event()
    endings = Endings(scripted, Spool(tmp_path), publish=lambda *_: looked.set())

    async def a_while():
        watching = asyncio.create_task(endings.watch(0.001))
        await asyncio.sleep(0.01)
        endings.add("job-1", {"Video": VIDEO, "NotificationChannel": CHANNEL}, [])
        assert await asyncio.to_thread(looked.wait, 60)
        watching.cancel()

    asyncio.run(a_while())


def test_the_end_of_the_server_waits_for_one_message_at_most(scripted, tmp_path):
    """The one that is on its way; the others go out by the next server."""
    spool, sending, opened, published = Spool(tmp_path), threading.Event(), threading.Event(), []

    def publish(*message):
        sending.set()
        assert opened.wait(60)
        published.append(message)

    endings = Endings(scripted, spool, publish=publish)
    for number in range(5):
        endings.add(f"job-{number}", {"Video": VIDEO, "NotificationChannel": CHANNEL}, [])

    async def until_sending():
        watching = asyncio.create_task(endings.watch(0.001))
        assert await asyncio.to_thread(sending.wait, 60)
        watching.cancel()
        await asyncio.wait([watching])
        opened.set()

    asyncio.run(until_sending())

    assert len(published) == 1
    Endings(scripted, Spool(tmp_path), publish=publish).look()
    assert Counter(json.loads(message)["JobId"] for _, message in published) == {f"job-{n}": 1 for n in range(5)}


def sent_to(topic):
    """Return the messages that a topic of the stand-in got."""
    return [
        json.loads(message)
        for _, message, *_ in sns_backends["123456789012"]["eu-west-1"].topics[topic].sent_notifications
    ]


def test_publishes_by_boto3(bucket):
    """To the topic, in its region, at the endpoint of the environment."""
    with boto(bucket.address, "sns") as client:
        topic = client.create_topic(Name="AmazonRekognition-1")["TopicArn"]

    publish(topic, '{"Status": "SUCCEEDED"}')

    assert sent_to(topic) == [{"Status": "SUCCEEDED"}]


def test_a_job_from_s3_to_sns(bucket, tmp_path):
    """A video in S3 is analysed, its end announced, its copy deleted; the second start with the token is no news."""
    video = {"S3Object": bucket.put("clip.mp4", (DATA / "people.mp4").read_bytes())}
    with boto(bucket.address, "sns") as client:
        topic = client.create_topic(Name="AmazonRekognition-2")["TopicArn"]
    request = {
        "Video": video,
        "ClientRequestToken": "1",
        "NotificationChannel": CHANNEL | {"SNSTopicArn": topic},
        "JobTag": "tag",
    }
    spool = Spool(tmp_path)
    with EmbeddedClient(resolver=S3Objects(spool)) as client, InProcess(create_app(client, spool=spool)) as endpoint:
        job_id = endpoint.ask("StartFaceDetection", request).content["JobId"]
        assert len(spool.found(".object")) == 1

        async def until_announced():
            while spool.found(".object"):  # noqa: ASYNC110 -- a folder has no event
                await asyncio.sleep(0.05)
            return [
                await endpoint.asked("StartFaceDetection", request),
                await endpoint.asked("GetFaceDetection", {"JobId": job_id}),
            ]

        again, page = endpoint.run(asyncio.wait_for(until_announced(), 300))

    assert again.content == {"JobId": job_id}
    assert (page.content["JobStatus"], page.content["JobTag"], page.content["Video"]) == ("SUCCEEDED", "tag", video)
    assert page.content["Faces"]
    [message] = sent_to(topic)
    del message["Timestamp"]
    assert message == {
        "JobId": job_id,
        "Status": "SUCCEEDED",
        "API": "StartFaceDetection",
        "JobTag": "tag",
        "Video": {"S3ObjectName": "clip.mp4", "S3Bucket": bucket.name},
    }


def test_a_start_that_fails_leaves_no_copy(bucket, tmp_path, scripted):
    """No job, no copy."""
    where = bucket.put("clip.mp4", b"content")
    spool = Spool(tmp_path)
    objects = S3Objects(spool)

    def full(**request):
        objects(request["Video"]["S3Object"])
        return client_error("StartFaceDetection", "LimitExceededException", "20 open Jobs")

    scripted.answers["StartFaceDetection"] = full
    with InProcess(create_app(scripted, spool=spool)) as endpoint:
        assert endpoint.ask("StartFaceDetection", {"Video": {"S3Object": where}}).code == "LimitExceededException"

    assert list(tmp_path.iterdir()) == []
