"""The library, an unmodified boto3 client, S3 and the server, all over HTTP: as with AWS, from upload to clean-up."""

import boto3
import pytest

from rekog_emotion import JobFailedError, JobTimeoutError, VideoJob, analyze_video, detect_image, start_video
from rekog_emotion.commands.cli import main
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.server import S3Objects, Spool, create_app
from tests.embedded.job_desk import a_face
from tests.server.conftest import DATA, PORTRAIT, at_a_port

CLIP = DATA / "people.mp4"


@pytest.fixture
def client(bucket, tmp_path, monkeypatch):
    """Give the client that boto3 makes of the environment."""
    spool = Spool(tmp_path / "spool")
    with EmbeddedClient(resolver=S3Objects(spool)) as engine, at_a_port(create_app(engine, spool=spool)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", url)
        client = boto3.client("rekognition", region_name=bucket.client.meta.region_name)
        yield client
        client.close()


def keys(bucket):
    """Return what is in the bucket."""
    return [found["Key"] for found in bucket.client.list_objects_v2(Bucket=bucket.name).get("Contents", [])]


@pytest.fixture
def crowd(monkeypatch):
    """Let the engine find a hundred faces wherever it looks."""
    faces = [a_face(number) for number in range(100)]
    monkeypatch.setattr("rekog_emotion.embedded.client.Engine.analyze", lambda *_, **__: list(faces))


@pytest.mark.usefixtures("crowd")
def test_analyzes_a_local_clip(client, bucket):
    """It is uploaded, analysed, polled for, read in several pages, and deleted."""
    pages = []
    client.meta.events.register("after-call.rekognition.GetFaceDetection", lambda parsed, **_: pages.append(parsed))

    clip = analyze_video(CLIP, client=client, staging=f"s3://{bucket.name}/uploads/")

    samples = {face.timestamp_ms for face in clip.faces}
    assert (clip.status, clip.engine, clip.metadata.duration_millis) == ("SUCCEEDED", "embedded", 6000)
    assert len(clip.faces) == 100 * len(samples) == 1200
    assert [face.face.age_range.low for face in clip.faces] == list(range(100)) * len(samples)
    assert [len(page["Faces"]) for page in pages if page["JobStatus"] == "SUCCEEDED"] == [1000, 200]
    assert keys(bucket) == []


def test_cleans_up_after_a_failure(client, bucket, tmp_path):
    """What cannot be decoded is a job that failed; its upload is deleted, too."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(CLIP.read_bytes().replace(b"avc1", b"zzzz"))

    with pytest.raises(JobFailedError) as caught:
        analyze_video(clip, client=client, staging=f"s3://{bucket.name}/uploads/")

    expected = (
        f"{clip}: job {caught.value.job_id} failed: Unsupported codec/format. (nothing here decodes its pictures; "
        "H.264 in MP4 or MOV is read for certain: convert it, for example with ffmpeg -i IN -c:v libx264 -pix_fmt "
        "yuv420p OUT.mp4)"
    )
    assert str(caught.value) == expected
    assert keys(bucket) == []


def test_cleans_up_when_it_is_resumed(client, bucket):
    """An upload outlives a wait that was given up; whoever takes the job up deletes it, here by its state."""
    with pytest.raises(JobTimeoutError) as caught:
        start_video(CLIP, client=client, staging=f"s3://{bucket.name}/uploads/").wait(timeout=0)
    assert len(keys(bucket)) == 1

    clip = VideoJob.from_dict(caught.value.state, client=client).result()

    assert clip.faces
    assert keys(bucket) == []


def test_cleans_up_when_it_is_discarded(client, bucket):
    """So does whoever gives the job up for good."""
    job = start_video(CLIP, client=client, staging=f"s3://{bucket.name}/uploads/")
    assert len(keys(bucket)) == 1

    job.discard()

    assert keys(bucket) == []


def test_cleans_up_by_command(client, bucket, capsys):
    """So does the command that resumes a job with its upload."""
    job = start_video(CLIP, client=client, staging=f"s3://{bucket.name}/uploads/")
    [key] = keys(bucket)

    code = main(["video", "--resume", job.job_id, "--upload", f"s3://{bucket.name}/{key}", "--client", "aws"])

    assert (code, capsys.readouterr().err) == (0, "")
    assert keys(bucket) == []


def test_describes_a_photo(client, bucket):
    """From this machine and from S3, with the same outcome."""
    bucket.put("portrait.jpg", PORTRAIT.read_bytes())

    local, remote = (detect_image(source, client=client) for source in (PORTRAIT, f"s3://{bucket.name}/portrait.jpg"))

    assert local.faces == remote.faces
    assert local.engine == remote.engine == "embedded"
