"""Uploads against moto's S3 server, over HTTP."""

import gc
import json
import os
import re
import threading
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from attrs import evolve
from botocore.config import Config
from botocore.exceptions import ClientError

import rekog_emotion as rekog
from rekog_emotion import (
    InvalidInputError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    S3Object,
    S3Staging,
    StagingError,
    TransportError,
    aws_client,
)
from rekog_emotion.clients.staging import remove_upload, resolve_discard, resolve_staging, staging_for
from tests.http_standin import Answer
from tests.scripted import IN_PROGRESS, LOST, STARTED, ScriptedClient, Shelf, failed, page

CONTENT = b"\0\0\0\x18ftypmp42" + b"no video, but eleven times the same" * 11
LARGE = 17 * 1024 * 1024  # boto3 uploads in parts of 8 MiB
TEN_GIB = 10 * 1024**3
SUFFIX = r"rekog-emotion-[0-9a-f]{32}\.mp4"
REGION = "eu-west-1"
SECRET = "not-a-secret"  # noqa: S105 -- it says so
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})

# When an upload is broken off, s3transfer leaves the parts that it had opened to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <_io.FileIO name='[^']*/large.mp4':pytest.PytestUnraisableExceptionWarning"
)

# A bucket that keeps no versions, one that does, and one that no longer does.
KINDS = {"plain": None, "versioned": "Enabled", "suspended": "Suspended"}


@pytest.fixture(scope="module")
def session():
    """Give a session for all tests here, since it is slow to load its models."""
    return boto3.session.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key=SECRET, region_name=REGION)


@pytest.fixture
def s3(session, moto):
    """Give a client for the server, which writes down what it was asked for."""
    client = session.client("s3", endpoint_url=moto)
    client.operations = []
    client.meta.events.register("before-call.s3", lambda model, **_: client.operations.append(model.name))
    yield client
    client.close()


@pytest.fixture(scope="module")
def owner(session, moto):
    """Give a client that nothing happens to."""
    client = session.client("s3", endpoint_url=moto)
    yield client
    client.close()


@contextmanager
def bucket_of(owner, name):
    """Make a bucket, and take it away with all that is left in it."""
    owner.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if status := KINDS.get(name):
        owner.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    try:
        yield name
    finally:
        for key, version in left(owner, name):
            owner.delete_object(Bucket=name, Key=key, VersionId=version)
        owner.delete_bucket(Bucket=name)


@pytest.fixture(params=KINDS)
def bucket(request, owner):
    """Give an empty bucket of each kind."""
    with bucket_of(owner, request.param) as name:
        yield name


@pytest.fixture
def plain(owner):
    """Give an empty bucket."""
    with bucket_of(owner, "plain") as name:
        yield name


@pytest.fixture
def clip(tmp_path):
    """Give a file that nobody decodes."""
    path = tmp_path / "clip.MP4"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def large(tmp_path):
    """Give a file that goes up in three parts."""
    path = tmp_path / "large.mp4"
    path.touch()
    os.truncate(path, LARGE)
    yield path
    gc.collect()


def left(s3, bucket):
    """Return key and version of all that lies in a bucket: versions, delete markers and unfinished uploads."""
    versions, uploads = s3.list_object_versions(Bucket=bucket), s3.list_multipart_uploads(Bucket=bucket)
    objects = [*versions.get("Versions", []), *versions.get("DeleteMarkers", []), *uploads.get("Uploads", [])]
    return [(item["Key"], item.get("VersionId")) for item in objects]


def refuse(s3, operation, error=None):
    """Let an operation of a client fail; by default as for somebody who may not do it."""
    denied = {"Error": {"Code": "AccessDenied", "Message": "No."}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    error = error or ClientError(denied, operation)

    def handler(**_):
        raise error

    s3.meta.events.register(f"before-call.s3.{operation}", handler)


def at(bucket):
    """Return the address to stage at."""
    return f"s3://{bucket}/in"


# --- what becomes of an upload ---


def test_gone_after_success(verbs, s3, bucket, clip):
    """The video lies in the bucket while the job reads it, under a random key without a version, and no longer."""
    seen = []

    def look():
        [(key, _)] = left(s3, bucket)
        seen.append((key, s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
        return page(0)

    client = ScriptedClient(look)

    result = verbs.analyze_video(clip, client=client, staging=at(bucket), s3_client=s3)

    [(key, content)] = seen
    assert re.fullmatch(f"in/{SUFFIX}", key)
    assert content == CONTENT
    assert client.calls[0]["Video"] == {"S3Object": {"Bucket": bucket, "Name": key}}
    assert left(s3, bucket) == []
    assert len(result.faces) == 1


@pytest.mark.parametrize(
    ("script", "start", "error"),
    [
        ([failed("Bad")], STARTED, JobFailedError),
        ([page()], LOST, TransportError),
    ],
    ids=["failed", "cannot-start"],
)
def test_gone_after_a_failure(verbs, s3, bucket, clip, script, start, error):
    """A job that failed or never was needs no upload."""
    client = ScriptedClient(*script, start=[start])

    with pytest.raises(error):
        verbs.analyze_video(clip, client=client, staging=at(bucket), s3_client=s3)

    assert "PutObject" in s3.operations
    assert left(s3, bucket) == []


def test_gone_after_ctrl_c(s3, bucket, clip):
    """So does a job that is interrupted before it began; in asyncio, Ctrl-C is a cancel of the task."""
    client = ScriptedClient(page(), start=[KeyboardInterrupt()])

    with pytest.raises(KeyboardInterrupt):
        rekog.analyze_video(clip, client=client, staging=at(bucket), s3_client=s3)

    assert "PutObject" in s3.operations
    assert left(s3, bucket) == []


@pytest.mark.parametrize("end", ["finish", "discard"])
@pytest.mark.parametrize("stop", ["timeout", "cancel"])
def test_kept_while_the_job_goes_on(verbs, s3, bucket, clip, clock, stop, end):
    """What ends the wait names the upload, and whoever takes the job up, in another process too, takes it away."""
    cancel = threading.Event()
    client = ScriptedClient(IN_PROGRESS)
    if stop == "cancel":
        clock.at(0.5, cancel.set)

    with pytest.raises((JobTimeoutError, JobCancelledError)) as caught:
        verbs.analyze_video(clip, client=client, staging=at(bucket), s3_client=s3, timeout=1, cancel=cancel)

    [(key, _)] = left(s3, bucket)
    version = s3.head_object(Bucket=bucket, Key=key).get("VersionId")
    state = json.loads(json.dumps(caught.value.state))
    assert state == {"version": 1, "job_id": "j-1", "upload": {"bucket": bucket, "key": key, "version": version}}
    uri = f"s3://{bucket}/{key}" + (f"?versionId={version}" if version else "")
    assert str(caught.value).endswith(f"; its upload {uri} is kept until then")

    job = verbs.VideoJob.from_dict(state, client=ScriptedClient(page(0)), s3_client=s3)
    job.result() if end == "finish" else job.discard()

    assert left(s3, bucket) == []
    job.discard()


def test_a_large_file_goes_up_in_parts(verbs, s3, bucket, large):
    """The bytes are told as they go, never fewer than before, and add up."""
    events = []
    client = ScriptedClient(page())

    verbs.analyze_video(large, client=client, staging=at(bucket), s3_client=s3, on_progress=events.append)

    uploading = [event for event in events if event.event == "UPLOADING"]
    done = [event.bytes_done for event in uploading]
    assert {event.bytes_total for event in uploading} == {LARGE}
    assert done[-1] == LARGE
    assert done == sorted(done)
    assert [event.event for event in events[len(uploading) :]] == ["STARTED", "POLLED", "PAGE"]
    assert s3.operations.count("UploadPart") == 3
    assert left(s3, bucket) == []


def test_cancelled_in_mid_upload(verbs, s3, bucket, large):
    """An upload stops when it is told to; nothing is left, not even the mark that something was deleted."""
    client, cancel = ScriptedClient(), threading.Event()

    with pytest.raises(JobCancelledError) as caught:
        verbs.analyze_video(
            large,
            client=client,
            staging=at(bucket),
            s3_client=s3,
            cancel=cancel,
            on_progress=lambda _: cancel.set(),
        )

    assert str(caught.value) == f"the upload of {large} was cancelled; no job was started"
    assert (caught.value.job_id, caught.value.state) == (None, None)
    assert client.calls == []
    assert "AbortMultipartUpload" in s3.operations
    assert left(s3, bucket) == []
    # A versioned bucket answers the deletion of nothing with a delete marker; moto does not.
    assert "DeleteObject" not in s3.operations


def test_cancelled_before_the_first_byte(s3, bucket, large):
    """A small file, which goes up in one piece, does not stay, whatever the bucket made of the piece."""
    os.truncate(large, 100)
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(JobCancelledError) as caught:
        S3Staging(bucket=bucket, s3_client=s3).stage(large, cancel=cancel)

    assert str(caught.value) == f"the upload of {large} was cancelled; no job was started"
    assert left(s3, bucket) == []


def test_cancelled_after_the_last_byte(verbs, s3, bucket, clip):
    """No job is started on an upload that is complete, and it does not stay."""
    client, cancel = ScriptedClient(), threading.Event()
    s3.meta.events.register("before-call.s3.HeadObject", lambda **_: cancel.set())

    with pytest.raises(JobCancelledError) as caught:
        verbs.analyze_video(clip, client=client, staging=at(bucket), s3_client=s3, cancel=cancel)

    assert str(caught.value) == "the start was cancelled after 0 s; no job was started"
    assert client.calls == []
    assert left(s3, bucket) == []


# --- uploads that fail ---


def test_no_such_bucket(verbs, s3, clip):
    """The message says which file, where to and why."""
    client = ScriptedClient()

    with pytest.raises(StagingError) as caught:
        verbs.start_video(clip, client=client, staging="s3://elsewhere/in/", s3_client=s3)

    error = caught.value
    assert re.fullmatch(f"in/{SUFFIX}", error.key)
    assert (error.bucket, error.job_id) == ("elsewhere", None)
    assert str(error) == (
        f"{clip} could not be uploaded to s3://elsewhere/{error.key}: Failed to upload {clip} to "
        f"elsewhere/{error.key}: An error occurred (NoSuchBucket) when calling the PutObject operation: The specified "
        "bucket does not exist"
    )
    assert getattr(error, "__notes__", []) == []
    assert client.calls == []


def test_may_not_write(verbs, s3, bucket, clip):
    """Where nothing is allowed, the first reason is the error, and that no clean-up was possible is noted."""
    for operation in ("PutObject", "HeadObject", "DeleteObject"):
        refuse(s3, operation)

    with pytest.raises(StagingError) as caught:
        verbs.start_video(clip, client=ScriptedClient(), staging=at(bucket), s3_client=s3)

    key = caught.value.key
    assert str(caught.value) == (
        f"{clip} could not be uploaded to s3://{bucket}/{key}: Failed to upload {clip} to {bucket}/{key}: An error "
        "occurred (AccessDenied) when calling the PutObject operation: No."
    )
    assert caught.value.__notes__ == [
        (
            f"What there may be of it could not be deleted: the upload s3://{bucket}/{key} could not be deleted: An "
            "error occurred (AccessDenied) when calling the DeleteObject operation: No.; delete it yourself"
        )
    ]


def test_may_not_look(verbs, s3, plain, clip):
    """An upload that nobody may look at is taken back."""
    refuse(s3, "HeadObject")

    with pytest.raises(StagingError) as caught:
        verbs.start_video(clip, client=ScriptedClient(), staging=at(plain), s3_client=s3)

    assert str(caught.value) == (
        f"{clip} could not be uploaded to s3://{plain}/{caught.value.key}: An error occurred (AccessDenied) when "
        "calling the HeadObject operation: No."
    )
    assert left(s3, plain) == []


def test_nobody_answers(verbs, clip, session):
    """No server is an error of the staging, too."""
    s3 = session.client("s3", endpoint_url="http://127.0.0.1:9", config=ONE_ATTEMPT)

    with pytest.raises(StagingError) as caught:
        verbs.start_video(clip, client=ScriptedClient(), staging="s3://bucket/", s3_client=s3)

    address = f"http://127.0.0.1:9/bucket/{caught.value.key}"
    assert str(caught.value) == (
        f"{clip} could not be uploaded to s3://bucket/{caught.value.key}: Could not connect to the endpoint URL: "
        f'"{address}"'
    )
    s3.close()


def test_the_file_cannot_be_read(s3, bucket, tmp_path):
    """What the system says of the file is the reason; nothing is left."""
    staging = S3Staging(bucket=bucket, s3_client=s3)

    with pytest.raises(StagingError, match=f"^{re.escape(str(tmp_path))} could not be uploaded to s3://{bucket}/"):
        staging.stage(tmp_path)

    assert left(s3, bucket) == []


def test_the_callers_own_error(verbs, s3, bucket, large):
    """An error of ``on_progress`` ends the upload and comes through as it is."""

    def on_progress(progress):
        raise ZeroDivisionError(progress.event)

    with pytest.raises(ZeroDivisionError, match="UPLOADING"):
        verbs.start_video(large, client=ScriptedClient(), staging=at(bucket), s3_client=s3, on_progress=on_progress)

    assert left(s3, bucket) == []


@pytest.mark.parametrize("times", [1, 2])
def test_interrupted_before_the_version_is_known(s3, bucket, clip, times):
    """Ctrl-C right after the last byte takes the upload away, by its version; a second one is in a hurry."""
    interrupts = [KeyboardInterrupt] * times

    def interrupt(**_):
        if interrupts:
            raise interrupts.pop()

    s3.meta.events.register("before-call.s3.HeadObject", interrupt)

    with pytest.raises(KeyboardInterrupt):
        rekog.start_video(clip, client=ScriptedClient(), staging=at(bucket), s3_client=s3)

    assert len(left(s3, bucket)) == times - 1


def test_too_large(verbs, tmp_path, s3):
    """More than the service takes is refused before any call."""
    path = tmp_path / "huge.mp4"
    path.touch()
    os.truncate(path, TEN_GIB + 1)
    client = ScriptedClient()

    with pytest.raises(InvalidInputError) as caught:
        verbs.start_video(path, client=client, staging="s3://bucket", s3_client=s3)

    assert str(caught.value) == (
        f"{path} has 10737418241 bytes; the service takes videos up to 10737418240 bytes (10 GiB): split it"
    )
    assert client.calls == s3.operations == []


# --- deletions that fail ---


def test_may_not_delete(verbs, s3, bucket, clip):
    """A finished job says what stays where; the analysis is not lost."""
    refuse(s3, "DeleteObject")
    job = verbs.start_video(clip, client=ScriptedClient(page(0)), staging=at(bucket), s3_client=s3)

    with pytest.raises(StagingError) as caught:
        job.result()

    [(key, version)] = left(s3, bucket)
    uri = f"s3://{bucket}/{key}" + (f"?versionId={version}" if bucket == "versioned" else "")
    assert str(caught.value) == (
        f"the upload {uri} could not be deleted: An error occurred (AccessDenied) when calling the DeleteObject "
        "operation: No.; delete it yourself"
    )
    assert (caught.value.bucket, caught.value.key, caught.value.job_id) == (bucket, key, "j-1")
    assert len(job.result().faces) == 1


def test_may_not_delete_after_a_failure(verbs, s3, plain, clip):
    """The message of a failed job names what stays."""
    refuse(s3, "DeleteObject")

    with pytest.raises(JobFailedError) as caught:
        verbs.analyze_video(clip, client=ScriptedClient(failed("Bad")), staging=at(plain), s3_client=s3)

    [(key, _)] = left(s3, plain)
    assert str(caught.value) == (
        f"{clip}: job j-1 failed: Bad; the upload s3://{plain}/{key} could not be deleted: "
        "An error occurred (AccessDenied) when calling the DeleteObject operation: No.; delete it yourself"
    )


@pytest.mark.parametrize("operation", ["HeadObject", "DeleteObject"])
def test_a_bug_is_no_staging_error(verbs, s3, plain, clip, operation):
    """What is not S3's fault comes through as it is."""
    refuse(s3, operation, ZeroDivisionError("a bug"))

    with pytest.raises(ZeroDivisionError, match="a bug"):
        verbs.analyze_video(clip, client=ScriptedClient(page()), staging=at(plain), s3_client=s3)


# --- where to ---


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("s3://bucket", ""),
        ("s3://bucket/", ""),
        ("s3://bucket/in", "in/"),
        ("s3://bucket/in/", "in/"),
        ("S3://bucket/a/b c/é", "a/b c/é/"),
    ],
)
def test_addresses(s3, address, prefix):
    """A prefix is a folder, with or without its slash."""
    staging = resolve_staging(address, client=ScriptedClient(), s3_client=s3)

    assert staging == S3Staging(bucket="bucket", prefix=prefix, s3_client=s3)
    assert repr(staging) == f"S3Staging(bucket='bucket', prefix={prefix!r})"


FROM_S3 = (
    "Rekognition reads video from S3 only: upload the file and pass its s3:// address, pass "
    'staging="s3://bucket/prefix/" to have it uploaded and deleted for you, or stay offline with client="embedded"'
)
NEITHER = 'pass "s3://bucket/prefix/" or an object with stage() and discard()'


@pytest.mark.parametrize(
    ("staging", "message"),
    [
        (None, FROM_S3),
        ("", "staging='' is no S3 address: pass \"s3://bucket/prefix/\""),
        ("bucket/in", "staging='bucket/in' is no S3 address: pass \"s3://bucket/prefix/\""),
        ("https://bucket/in", "staging='https://bucket/in' is no S3 address: pass \"s3://bucket/prefix/\""),
        ("s3://", "s3:///key: the bucket is missing; write s3://bucket/key or s3://bucket/key?versionId=..."),
        ("s3://a b/", "s3://a b/key: the bucket 'a b' is not possible: it has 3 to 255 of A-Z a-z 0-9 . - _"),
        (7, f"staging= got int: {NEITHER}"),
        (S3Object(bucket="bucket", name="in"), f"staging= got S3Object: {NEITHER}"),
    ],
    ids=repr,
)
def test_refuses_what_is_no_staging(verbs, clip, s3, staging, message):
    """There is no default bucket, and nothing is called."""
    client = ScriptedClient()

    with pytest.raises(InvalidInputError) as caught:
        verbs.start_video(clip, client=client, staging=staging, s3_client=s3)

    assert str(caught.value) == message
    assert client.calls == s3.operations == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"upload": "s3://bucket/key"},
            "upload= got str: pass an S3Object, or resume by from_dict() with the job's state",
        ),
        (
            {"upload": S3Object(bucket="bucket", name="key"), "staging": "s3://bucket/in/"},
            (
                "staging= got str: leave it out, as the upload says where it is, or pass the object with stage() and "
                "discard() that made it"
            ),
        ),
    ],
    ids=["upload", "staging"],
)
def test_refuses_what_cannot_take_an_upload_away(verbs, options, message):
    """When a job is taken up, not at its end."""
    with pytest.raises(InvalidInputError) as caught:
        verbs.VideoJob.resume("j-1", client=ScriptedClient(), **options)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("clip.MOV", ".mov"), ("clip", ""), (".mp4", ""), ("clip.vidéo", "")],
)
def test_keys_keep_a_plain_suffix(s3, plain, tmp_path, name, suffix):
    """Nothing of a file's name goes into the bucket but a suffix."""
    path = tmp_path / name
    path.write_bytes(CONTENT)
    staging = S3Staging(bucket=plain, s3_client=s3)

    staged = staging.stage(path)
    staging.discard(staged)

    assert re.fullmatch(f"rekog-emotion-[0-9a-f]{{32}}{re.escape(suffix)}", staged.name)


class OwnStage(ScriptedClient, Shelf):
    """A client that takes files by itself, as the embedded one does."""

    rekog_capabilities = frozenset({"files"})

    def __init__(self, *script):
        ScriptedClient.__init__(self, *script)
        Shelf.__init__(self)


def test_a_clients_own_way_wins(verbs, clip, s3):
    """A client that takes files itself needs no bucket, whatever is named; its job's state gives it the upload back."""
    client = OwnStage(IN_PROGRESS, page(0))

    job = verbs.start_video(clip, client=client, staging="s3://bucket/in/", s3_client=s3)
    state = job.to_dict()

    assert job.status() == "IN_PROGRESS"
    assert len(verbs.VideoJob.from_dict(state, client=client, staging=Shelf()).result().faces) == 1
    assert client.events == ["stage clip.MP4", "discard k-1"]
    assert s3.operations == []


def test_a_client_that_has_such_methods_by_chance_is_asked_by_name(verbs, clip):
    """What it can do it says itself; methods of these names may do something else."""
    client = OwnStage(page())
    client.rekog_capabilities = ["files"]

    with pytest.raises(InvalidInputError) as caught:
        verbs.start_video(clip, client=client)

    assert str(caught.value).startswith("Rekognition reads video from S3 only: ")
    assert client.events == client.calls == []


@pytest.mark.usefixtures("clock")
def test_a_clients_own_way_is_no_upload(verbs, clip):
    """Where nothing was moved, no error speaks of an upload."""
    with pytest.raises(JobTimeoutError) as caught:
        verbs.analyze_video(clip, client=OwnStage(IN_PROGRESS), timeout=0)

    assert str(caught.value) == (
        "job j-1 was not finished after 0 s; it goes on until its client is closed, so wait again with the same "
        "client, or give it more time"
    )


def test_a_video_in_s3_needs_no_staging(verbs, s3):
    """An address is passed on, and nothing of it deleted."""
    client = ScriptedClient(page())

    verbs.analyze_video("s3://theirs/clip.mp4", client=client, staging="s3://bucket/in/", s3_client=s3)

    assert client.calls[0]["Video"] == {"S3Object": {"Bucket": "theirs", "Name": "clip.mp4"}}
    assert s3.operations == []


# --- who uploads ---


@pytest.mark.usefixtures("credentials")
def test_uploads_with_the_credentials_of_the_client():
    """The S3 client is of the session that made the Rekognition client, in its region."""
    session = boto3.session.Session(
        aws_access_key_id="AKIDOTHER", aws_secret_access_key=SECRET, region_name="eu-west-2"
    )
    client = aws_client(session=session, region_name="eu-central-1")
    upload = S3Object(bucket="bucket", name="k-1")

    for staging in (
        resolve_staging("s3://bucket", client=client),
        resolve_discard(None, client=client, upload=upload),
    ):
        s3 = staging._s3_client
        assert s3.meta.region_name == "eu-central-1"
        assert s3._get_credentials().access_key == "AKIDOTHER"
        s3.close()
    client.close()


def test_from_file_to_faces_with_nothing_but_a_bucket(verbs, moto, standin, monkeypatch, clip, s3, plain):
    """Our own clients for both services, over HTTP."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto)
    standin.script("StartFaceDetection", Answer(STARTED))
    standin.script("GetFaceDetection", Answer(page(0, 500)))
    client = verbs.aws_client()

    job = verbs.start_video(clip, client=client, staging=at(plain))
    [(key, _)] = left(s3, plain)
    state = job.to_dict()

    assert standin.requests[0].body["Video"] == {"S3Object": {"Bucket": plain, "Name": key}}
    assert len(verbs.VideoJob.from_dict(state, client=client).result().faces) == 2
    assert left(s3, plain) == []


def test_what_goes_nowhere():
    """A video that lies in S3 needs no staging, whatever was named, and no upload is nobody's to delete."""
    place, client, s3 = S3Object(bucket="shelf", name="k-1"), ScriptedClient(), object()
    bucket = S3Staging(bucket="shelf", prefix="in/", s3_client=s3)

    assert staging_for(place, None, client=client) is None
    assert staging_for(place, "s3://shelf/in/", client=client, s3_client=s3) is None
    assert staging_for(Path("clip.mp4"), "s3://shelf/in/", client=client, s3_client=s3) == bucket
    assert resolve_discard(bucket, client=client, upload=None) is None
    assert resolve_discard(bucket, client=client, upload=place) is bucket


def test_a_staging_that_is_empty():
    """It is the caller's all the same."""

    class Empty(Shelf):
        def __len__(self):
            return 0

    shelf = Empty()

    assert resolve_discard(shelf, client=ScriptedClient(), upload=S3Object(bucket="shelf", name="k-1")) is shelf
    assert resolve_staging(shelf, client=ScriptedClient()) is shelf


class Mine(ScriptedClient):
    """A client that takes files by itself, and could take away anything."""

    rekog_capabilities = frozenset({"files"})
    stage = discard = remove = None  # nobody calls them


@pytest.mark.parametrize(("client", "asked"), [(ScriptedClient(), ["v-1"]), (Mine(), [])], ids=["AWS", "files"])
def test_removes_what_was_uploaded_to_s3(client, asked):
    """By the version that it has there; a client that takes files by itself has uploaded nothing."""
    removed = []

    class Removing:
        def head_object(self, **_):
            return {"VersionId": "v-1"}

        def delete_object(self, **parameters):
            removed.append(parameters["VersionId"])

    remove_upload(S3Object(bucket="shelf", name="k-1"), client=client, s3_client=Removing())

    assert removed == asked


def test_deletes_by_version():
    """What is deleted is the version that was uploaded, and without one the object."""
    asked = []

    class Deleting:
        def delete_object(self, **parameters):
            asked.append(parameters)

    staged = S3Object(bucket="bucket", name="k-1")
    for version in (None, "null", "v-1"):
        S3Staging(bucket="bucket", s3_client=Deleting()).discard(evolve(staged, version=version))

    assert asked == [
        {"Bucket": "bucket", "Key": "k-1"},
        {"Bucket": "bucket", "Key": "k-1", "VersionId": "null"},
        {"Bucket": "bucket", "Key": "k-1", "VersionId": "v-1"},
    ]
