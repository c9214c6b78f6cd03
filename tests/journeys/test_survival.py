"""A process may die between any two calls: whoever takes the job up has the same faces, and leaves no upload."""

import json

import pytest

from rekog_emotion import S3Staging, VideoJob, start_video
from rekog_emotion.testing import FakeClient
from tests.testing.recordings import video

FACES = 2300
pytestmark = pytest.mark.usefixtures("clock")


class Killed(BaseException):
    """The process is gone."""


class Process:
    """Counts calls, and dies before one of them: from then on none is made, as none would be."""

    def __init__(self, dies_at):
        self.calls, self._dies_at = 0, dies_at

    def wrap(self, call):
        """Return a call that the process makes, if it lives."""

        def made(*args, **parameters):
            self.calls += 1
            if self.calls >= self._dies_at:
                raise Killed
            return call(*args, **parameters)

        return made


class Bucket:
    """An S3 client whose bucket is a set of names."""

    def __init__(self):
        self.keys = set()

    def upload_file(self, **parameters):
        """Keep the name."""
        self.keys.add(parameters["Key"])

    def head_object(self, **_):
        """Name the version."""
        return {"VersionId": "v-1"}

    def delete_object(self, **parameters):
        """Forget the name."""
        assert parameters["VersionId"] == "v-1"
        self.keys.discard(parameters["Key"])
        return {"ResponseMetadata": {"HTTPStatusCode": 204}}


class Through:
    """An object whose methods a process calls."""

    def __init__(self, real, process):
        self.meta = getattr(real, "meta", None)
        self._real, self._process = real, process

    def __getattr__(self, name):
        return self._process.wrap(getattr(self._real, name))


@pytest.fixture
def clip(tmp_path):
    """Give a file that nobody decodes."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42")
    return path


def live(clip, fake, bucket, dies_at):
    """Run the whole life of a job in a process, and return the faces, what it has kept of the job, and its calls."""
    process, kept, faces = Process(dies_at), [], None
    client, s3 = Through(fake, process), Through(bucket, process)

    def keep(progress):
        if progress.event == "STARTED":
            kept.append(json.dumps(progress.state))

    try:
        staging = S3Staging(bucket="uploads", s3_client=s3)
        job = start_video(clip, client=client, staging=staging, on_progress=keep)
        faces = job.result().faces
    except Killed:
        pass
    return faces, kept, process.calls


@pytest.mark.parametrize("by", ["state", "id"])
def test_killed_between_any_two_calls(clip, by):
    """By its state or by its id alone."""
    fake, bucket = FakeClient(), Bucket()
    fake.script_videos(video(FACES), seconds=5)
    expected, _, calls = live(clip, fake, bucket, dies_at=1000)
    assert (len(expected), bucket.keys) == (FACES, set())
    assert calls >= 9  # upload, version, start, four looks, two pages, deletion

    resumed = 0
    for dies_at in range(1, calls + 1):
        fake, bucket = FakeClient(), Bucket()
        fake.script_videos(video(FACES), seconds=5)
        _, kept, _ = live(clip, fake, bucket, dies_at)
        if not kept:
            continue  # there was no job yet
        state = json.loads(kept[0])
        if by == "state":
            job = VideoJob.from_dict(state, client=fake, s3_client=bucket)
        else:
            job = VideoJob.resume(state["job_id"], client=fake, s3_client=bucket)
        assert job.result().faces == expected
        assert bucket.keys == set()
        assert fake.count("StartFaceDetection") == 1
        resumed += 1
    assert resumed >= 7


def test_another_video_is_left_alone():
    """By the id alone only what bears the random name of an upload is deleted."""
    fake, bucket = FakeClient(videos=video(1)), Bucket()
    bucket.keys.add("holiday.mp4")
    job = start_video("s3://videos/holiday.mp4", client=fake)

    VideoJob.resume(job.job_id, client=fake, s3_client=bucket).result()

    assert bucket.keys == {"holiday.mp4"}


def test_an_upload_that_cannot_be_deleted_is_named(caplog):
    """Who has the id alone may not be allowed to: the result is given, and a warning names what is left."""
    from botocore.exceptions import ClientError

    name = "uploads/rekog-emotion-" + "0" * 32 + ".mp4"
    fake, bucket = FakeClient(videos=video(1)), Bucket()

    def refuse(**_):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "HeadObject")

    bucket.head_object = refuse
    job = start_video(f"s3://videos/{name}", client=fake)

    assert len(VideoJob.resume(job.job_id, client=fake, s3_client=bucket).result().faces) == 1
    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.getMessage() == (
        f"job {job.job_id} has ended, and its upload is left: the upload s3://videos/{name} could not be looked up: "
        "An error occurred (AccessDenied) when calling the HeadObject operation: No.; delete it yourself"
    )
