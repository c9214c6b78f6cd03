import asyncio
import json
import threading

import pytest
from botocore.exceptions import EndpointConnectionError
from moto.sns.models import sns_backends

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.embedded.faults import client_error
from rekog_emotion.server import S3Objects, Spool, create_app
from rekog_emotion.server.endings import Endings, publish
from tests.server.conftest import DATA, boto
from tests.server.in_process import InProcess

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
            path = self.spool.new_file() if copy else None
            self.endings.add(job_id, {"Video": VIDEO, **request}, files)
        return path

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
    """Nothing is given up for it."""
    path = watch.start(NotificationChannel=CHANNEL)

    assert watch.look(error) == []
    assert path.exists()
    assert len(watch.look(FAILED)) == 1


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (EndpointConnectionError(endpoint_url="http://sns"), 'Could not connect to the endpoint URL: "http://sns"'),
        (client_error("Publish", "NotFound", "no topic"), "An error occurred (NotFound) when calling the Publish"),
        (ValueError("Invalid endpoint: sns"), "Invalid endpoint: sns"),
    ],
)
def test_a_topic_that_cannot_be_reached(watch, warnings, error, why):
    """The log says so; the copy goes, and nobody tries for ever."""

    def unreachable(*_):
        raise error

    watch.endings._publish = unreachable
    path = watch.start(NotificationChannel=CHANNEL)
    watch.look(FAILED)

    [warning] = warnings
    assert warning.startswith(f"the end of video job job-1 cannot be published to {CHANNEL['SNSTopicArn']}: {why}")
    assert not path.exists()


def test_watches_while_the_server_runs(scripted, tmp_path):
    """Every so often, until it is told to stop."""
    looked = threading.Event()
    endings = Endings(scripted, Spool(tmp_path), publish=lambda *_: looked.set())

    async def a_while():
        watching = asyncio.create_task(endings.watch(0.001))
        await asyncio.sleep(0.01)
        endings.add("job-1", {"Video": VIDEO, "NotificationChannel": CHANNEL}, [])
        assert await asyncio.to_thread(looked.wait, 10)
        watching.cancel()

    asyncio.run(a_while())


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

        again, page = endpoint.run(asyncio.wait_for(until_announced(), 60))

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
