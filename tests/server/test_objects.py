import os

import pytest

from rekog_emotion import InvalidInputError
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.server import MediaRoot, S3Objects, Spool, create_app
from tests.server.conftest import PORTRAIT
from tests.server.in_process import InProcess

UNREADABLE = (
    "InvalidS3ObjectException",
    "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
)
MEBIBYTE = 1024**2


# --- a folder ---


@pytest.fixture
def media(tmp_path):
    """Give a media root with two buckets, beside a file that is none of its business."""
    root = tmp_path / "media"
    for name in ("bucket/photos/me.jpg", "bucket/..me", "bucket/a b é", "other/secret.jpg"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "outside.jpg").write_text("outside")
    return root


@pytest.mark.parametrize("name", ["photos/me.jpg", "..me", "a b é"])
def test_finds_files(media, name):
    """A bucket is a folder, a key a path in it."""
    assert MediaRoot(media)({"Bucket": "bucket", "Name": name}).read_text() == f"bucket/{name}"


@pytest.mark.parametrize(
    ("bucket", "name"),
    [
        ("bucket", "nothing.jpg"),
        ("bucket", "photos"),
        ("bucket", "photos/"),
        ("bucket", "photos//me.jpg"),
        ("bucket", "./photos/me.jpg"),
        ("bucket", "photos/../photos/me.jpg"),
        ("bucket", "../other/secret.jpg"),
        ("bucket", "photos/../../../outside.jpg"),
        ("bucket", "/etc/passwd"),
        ("bucket", "photos/me.jpg/x"),
        ("bucket", "photos/me.jpg\0"),
        ("bucket", "x" * 1024),
        ("bucket", "{root}/other/secret.jpg"),
        ("nothing", "me.jpg"),
        ("...", "me.jpg"),
        ("..", "outside.jpg"),
        (".", "bucket/..me"),
        ("bucket/photos", "me.jpg"),
        ("", "bucket/..me"),
    ],
)
def test_finds_nothing_else(media, bucket, name):
    """No other file, however it is named; nor the same under another name than its own."""
    with pytest.raises(LookupError):
        MediaRoot(media)({"Bucket": bucket, "Name": name.format(root=media)})


def test_files_have_no_versions(media):
    """Whoever asks for a version does not get some other one."""
    with pytest.raises(LookupError):
        MediaRoot(media)({"Bucket": "bucket", "Name": "photos/me.jpg", "Version": "1"})


@pytest.mark.parametrize("target", ["../outside.jpg", "../other/secret.jpg", "/etc/hostname", "loop"])
def test_follows_no_link_out_of_the_bucket(media, target):
    """Neither a link to a file nor one to a folder leads elsewhere."""
    (media / "bucket/loop").symlink_to("loop")
    (media / "bucket/link").symlink_to(media / "bucket" / target)
    (media / "bucket/folder").symlink_to((media / "bucket" / target).parent)
    find = MediaRoot(media)

    for name in ("link", f"folder/{target.rpartition('/')[2]}"):
        with pytest.raises(LookupError):
            find({"Bucket": "bucket", "Name": name})


def test_follows_links_within_the_bucket(media):
    """They are names of the same files; the root itself may be a link, too."""
    (media / "bucket/link").symlink_to("photos/me.jpg")
    (media.parent / "root").symlink_to(media)

    assert MediaRoot(media.parent / "root")({"Bucket": "bucket", "Name": "link"}).name == "me.jpg"


def test_bucket_is_no_link_out_of_the_root(media):
    """A bucket that is a link to elsewhere is none."""
    (media / "linked").symlink_to(media.parent)

    with pytest.raises(LookupError):
        MediaRoot(media)({"Bucket": "linked", "Name": "outside.jpg"})


def test_does_not_wait_for_a_pipe(media):
    """What is no regular file would never end."""
    os.mkfifo(media / "bucket/pipe")

    with pytest.raises(LookupError):
        MediaRoot(media)({"Bucket": "bucket", "Name": "pipe"})


@pytest.mark.parametrize("name", ["nothing", "n" * 300])
def test_root_is_a_folder(tmp_path, name):
    """Which is found out at once."""
    with pytest.raises(InvalidInputError) as caught:
        MediaRoot(tmp_path / name)

    assert str(caught.value) == (
        f"the media root {tmp_path / name} is no folder; make it, with a folder for each bucket"
    )


def test_serves_a_folder(media):
    """Over the wire, a photo of the folder is described, and all else is the service's one error."""
    (media / "bucket/portrait.jpg").write_bytes(PORTRAIT.read_bytes())
    with EmbeddedClient(resolver=MediaRoot(media)) as client, InProcess(create_app(client)) as endpoint:
        found = endpoint.ask("DetectFaces", {"Image": {"S3Object": {"Bucket": "bucket", "Name": "portrait.jpg"}}})
        hidden = endpoint.ask("DetectFaces", {"Image": {"S3Object": {"Bucket": "bucket", "Name": "../outside.jpg"}}})

    assert len(found.content["FaceDetails"]) == 1
    assert (hidden.status, hidden.code, hidden.message) == (400, *UNREADABLE)


# --- S3 ---


@pytest.fixture
def spool(tmp_path):
    """Give a spool whose folder can be looked into."""
    return Spool(tmp_path / "spool")


def fetched(spool, where, *, largest=MEBIBYTE):
    """Return what a request gets of an object, and how much space it takes."""
    with spool.request(largest):
        path = S3Objects(spool)(where)
        return path.read_bytes()


def test_copies_an_object(bucket, spool):
    """The copy goes with the request."""
    where = bucket.put("photos/a b é.jpg", b"content")

    assert fetched(spool, where) == b"content"
    assert list(spool.folder.iterdir()) == []


def test_copies_a_version(bucket, spool):
    """An old one, if it is asked for."""
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    old = bucket.client.put_object(Bucket=bucket.name, Key="photo", Body=b"old")["VersionId"]
    where = bucket.put("photo", b"new")

    assert fetched(spool, where) == b"new"
    assert fetched(spool, where | {"Version": old}) == b"old"


def test_does_not_read_what_is_too_large(bucket, spool):
    """What stands for it is as large as it takes to be refused for that."""
    where = bucket.put("photo", b"1" * 101)

    assert fetched(spool, where, largest=101) == b"1" * 101
    assert fetched(spool, where, largest=100) == bytes(101)


def test_an_object_of_unsaid_length(bucket, spool, monkeypatch):
    """An answer in chunks says nothing of it: no more is read than may be, and a piece."""

    class Client(S3Objects):
        def _s3(self):
            client = super()._s3()
            client.meta.events.register("before-parse.s3.GetObject", forget, unique_id="forget")
            return client

    def forget(response_dict, **_):
        del response_dict["headers"]["Content-Length"]

    monkeypatch.setattr("tests.server.test_objects.S3Objects", Client)
    monkeypatch.setattr("rekog_emotion.server.objects._CHUNK", 10)
    where = bucket.put("photo", b"1" * 101)

    assert fetched(spool, where, largest=101) == b"1" * 101
    assert fetched(spool, where, largest=50) == b"1" * 60


def test_finds_no_object(bucket, spool, warnings):
    """Whatever the reason; the log has it."""
    for where in ({"Bucket": bucket.name, "Name": "nothing"}, {"Bucket": "no-such-bucket", "Name": "a"}):
        with pytest.raises(LookupError):
            fetched(spool, where)

    missing, nowhere = warnings
    no_key = "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist."
    assert missing == f"s3://{bucket.name}/nothing cannot be read: {no_key}"
    assert nowhere.startswith("s3://no-such-bucket/a cannot be read: An error occurred (NoSuchBucket)")
    assert list(spool.folder.iterdir()) == []


def test_bucket_is_in_another_region(bucket, spool, warnings, monkeypatch):
    """It is refused, where boto3 by itself would follow it there."""
    where = bucket.put("photo", b"content")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")

    with pytest.raises(LookupError):
        fetched(spool, where)

    assert warnings == [f"s3://{bucket.name}: the bucket is in eu-west-1, and this endpoint is in us-west-2"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"AWS_ACCESS_KEY_ID": None}, "Unable to locate credentials"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, "Could not connect to the endpoint URL"),
    ],
)
def test_s3_cannot_be_asked(bucket, spool, warnings, monkeypatch, changes, why):
    """Without credentials, or where nobody listens, there is no object either."""
    where = bucket.put("photo", b"content")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    for name, value in changes.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)

    with pytest.raises(LookupError):
        fetched(spool, where)

    assert warnings[-1].startswith(f"s3://{bucket.name}/photo cannot be read: {why}")
    assert "not-a-secret" not in warnings[-1]


def test_serves_s3(bucket, spool):
    """Over the wire: a photo, one that is too large, and none; no copy is left."""
    where = bucket.put("portrait.jpg", PORTRAIT.read_bytes())
    large = bucket.put("large.jpg", bytes(15 * MEBIBYTE + 1))
    objects = (where, large, where | {"Name": "nothing"})
    with (
        EmbeddedClient(resolver=S3Objects(spool)) as client,
        InProcess(create_app(client, spool=spool)) as endpoint,
    ):
        found, refused, missing = (endpoint.ask("DetectFaces", {"Image": {"S3Object": one}}) for one in objects)

    assert len(found.content["FaceDetails"]) == 1
    assert (refused.code, refused.message) == ("ImageTooLargeException", "Image size is too large")
    assert (missing.code, missing.message) == UNREADABLE
    assert list(spool.folder.iterdir()) == []


def test_reads_no_more_of_a_file_than_it_may(media):
    """A photo of a hundred gigabytes is too large, and takes no memory to be found so."""
    with (media / "bucket/large.jpg").open("wb") as file:
        file.truncate(100 * 1024**3)
    with EmbeddedClient(resolver=MediaRoot(media)) as client, InProcess(create_app(client)) as endpoint:
        reply = endpoint.ask("DetectFaces", {"Image": {"S3Object": {"Bucket": "bucket", "Name": "large.jpg"}}})

    assert (reply.code, reply.message) == ("ImageTooLargeException", "Image size is too large")
