"""What the service would refuse is refused, in its words."""

from __future__ import annotations

import os
import sys

import pytest

from rekog_emotion.errors import InvalidInputError, MissingExtraError
from tests.embedded.clips import counting, numbered, write_clip
from tests.embedded.job_desk import CHANNEL, HOUR, clock, done, make, refused, s3, with_faces

__all__ = ["clock", "counting", "make"]

NO_OBJECT = (
    "StartFaceDetection",
    "InvalidS3ObjectException",
    "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
    400,
)
TOO_LARGE = (
    "StartFaceDetection",
    "VideoTooLargeException",
    (
        "The file size or duration of the supplied media is too large. The maximum file size is 10GB. "
        "The maximum duration is 6 hours."
    ),
    400,
)


class TestRefusals:
    @pytest.mark.parametrize(
        "options",
        [
            {"video": None},
            {"video": {}},
            {"video": "clip.mp4"},
            {"video": {"Bytes": b"x"}},
            {"video": {**s3(), "More": 1}},
            {"video": {"S3Object": None}},
            {"video": {"S3Object": {}}},
            {"video": {"S3Object": {"Bucket": "bucket"}}},
            {"video": {"S3Object": {"Bucket": "b", "Name": "n"}}},
            {"video": {"S3Object": {"Bucket": "b/c", "Name": "n"}}},
            {"video": {"S3Object": {"Bucket": "bucket", "Name": ""}}},
            {"video": {"S3Object": {"Bucket": "bucket", "Name": "n" * 1025}}},
            {"video": {"S3Object": {"Bucket": "bucket", "Name": 1}}},
            {"video": {"S3Object": {"Bucket": "bucket", "Name": "n", "Version": ""}}},
            {"video": {"S3Object": {"Bucket": "bucket", "Name": "n", "Key": "n"}}},
            {"client_request_token": ""},
            {"client_request_token": "t" * 65},
            {"client_request_token": "a b"},
            {"client_request_token": "line\n"},
            {"client_request_token": 1},
            {"face_attributes": "all"},
            {"face_attributes": None},
            {"face_attributes": ["ALL"]},
            {"job_tag": ""},
            {"job_tag": "a b"},
            {"job_tag": "t" * 1025},
            {"notification_channel": {}},
            {"notification_channel": {"SNSTopicArn": CHANNEL["SNSTopicArn"]}},
            {"notification_channel": {**CHANNEL, "RoleArn": "role"}},
            {"notification_channel": {**CHANNEL, "SNSTopicArn": "topic"}},
        ],
        ids=str,
    )
    def test_bad_start(self, make, options):
        """A parameter outside the service's bounds is refused before anything is read."""
        jobs = make(resolver=lambda _: pytest.fail("nothing may be read"))
        expected = ("StartFaceDetection", "InvalidParameterException", "Request has Invalid Parameters", 400)
        assert expected == refused(jobs.start, **{"video": s3(), **options})

    @pytest.mark.parametrize(
        "options",
        [
            {"job_id": ""},
            {"job_id": "a b"},
            {"job_id": "j" * 65},
            {"job_id": None},
            {"max_results": 0},
            {"max_results": -1},
            {"max_results": "10"},
            {"max_results": None},
            {"next_token": 1},
        ],
        ids=str,
    )
    def test_bad_get(self, make, options):
        """A parameter outside the service's bounds is refused."""
        jobs = make()
        expected = ("GetFaceDetection", "InvalidParameterException", "Request has Invalid Parameters", 400)
        assert expected == refused(jobs.get, **{"job_id": with_faces(jobs, 1), **options})

    def test_everything_allowed(self, make):
        """What the service allows is allowed."""
        jobs = make()
        video = {"S3Object": {"Bucket": "a.b-c_1", "Name": "a/b c\nd?é" * 100, "Version": "v"}}
        job_id = done(
            jobs,
            video,
            client_request_token="T-1_" * 16,
            job_tag="a_.-:+=/0",
            notification_channel=CHANNEL,
            face_attributes="ALL",
        )
        assert video == jobs.get(job_id)["Video"]

    @pytest.mark.parametrize(
        "error", [FileNotFoundError(2, "none"), PermissionError(13, "no"), KeyError("none")], ids=repr
    )
    def test_resolver_that_finds_nothing(self, make, error):
        """An object that the resolver has not is refused in the service's words, which name all causes."""

        def resolver(_):
            raise error

        assert refused(make(resolver=resolver).start, s3()) == NO_OBJECT

    def test_no_resolver(self, make):
        """Without a resolver there are no objects."""
        assert refused(make(resolver=None).start, s3()) == NO_OBJECT

    def test_missing_file(self, make, tmp_path):
        """A path with nothing there is no object."""
        assert refused(make(resolver=lambda _: tmp_path / "none.mp4").start, s3()) == NO_OBJECT

    def test_folder(self, make, tmp_path):
        """A folder is no object."""
        assert refused(make(resolver=lambda _: str(tmp_path)).start, s3()) == NO_OBJECT

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    def test_pipe(self, make, tmp_path):
        """A pipe, which might never end, is no object."""
        os.mkfifo(tmp_path / "pipe.mp4")
        assert refused(make(resolver=lambda _: tmp_path / "pipe.mp4").start, s3()) == NO_OBJECT

    def test_resolver_gives_bytes(self, make):
        """A resolver that gives bytes, as it may for pictures, is told to give a path."""
        with pytest.raises(InvalidInputError) as caught:
            make(resolver=lambda _: b"video").start(s3())
        assert str(caught.value) == "the resolver gave bytes for a video: have it give the path of a file"

    def test_resolver_sees_the_object(self, make, counting):
        """The resolver is called with the wire's object, version and all."""
        seen = []
        jobs = make(resolver=lambda where: seen.append(dict(where)) or str(counting))
        done(jobs, s3(Version="7"))
        assert seen == [{"Bucket": "bucket", "Name": "clip.mp4", "Version": "7"}]

    def test_too_many_bytes(self, make, tmp_path):
        """A file over 10 GB is refused; this one has no byte on the disk."""
        path = tmp_path / "large.mp4"
        with path.open("wb") as file:
            file.truncate(10 * 1024**3 + 1)
        assert refused(make(resolver=lambda _: path).start, s3()) == TOO_LARGE

    def test_too_long(self, make, tmp_path):
        """A clip over six hours is refused."""
        times = [0, 1, 6 * HOUR]
        path = write_clip(tmp_path / "long.mp4", numbered(3), times=times, bf="0")
        assert refused(make(resolver=lambda _: path).start, s3()) == TOO_LARGE

    def test_missing_extra(self, make, monkeypatch):
        """Without PyAV the start says what to install."""
        monkeypatch.setitem(sys.modules, "av", None)
        for name in ("rekog_emotion.media.clips", "rekog_emotion.media.samples"):
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr("rekog_emotion.media.samples")
        with pytest.raises(MissingExtraError) as caught:
            make().start(s3())
        assert str(caught.value) == "Embedded video needs the 'embedded' extra: pip install 'rekog-emotion[embedded]'"
