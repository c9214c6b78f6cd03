"""What happens before a call happens in one order, in threads and in tasks: of several faults the same is told."""

import io
from pathlib import Path

import numpy as np
import pytest

from rekog_emotion import SnsSqs
from rekog_emotion.errors import CallTimeoutError, InvalidInputError
from tests.scripted import ScriptedClient, page

VIDEO = "s3://bucket/clip.mp4"
NOTIFY = SnsSqs("arn:aws:sns:t", "arn:aws:iam::r", "https://q")


class Here(ScriptedClient):
    """A client that works by itself."""

    rekog_capabilities = frozenset({"files"})

    def detect_faces(self, **_):
        """Find nobody."""
        return {"FaceDetails": []}


class Awaiting:
    """An S3 client of coroutine functions."""

    async def upload_file(self, **_):
        """Upload nothing."""


# What is wrong, what mends it, and how the message begins.
ATTRIBUTES = ("attributes", "SMILES", "ALL", "attributes= has 'SMILES', which the service does not know; it knows ")
TIMEOUT = (
    "timeout",
    -1,
    None,
    "timeout=-1 is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever",
)
LISTENER = ("on_progress", 5, None, "on_progress= got int: pass a function that takes a Progress")
STAGING = ("staging", "gs://shelf", None, "staging='gs://shelf' is no S3 address: pass \"s3://bucket/prefix/\"")
S3_CLIENT = ("s3_client", Awaiting(), None, "s3_client= got an aiobotocore client: uploads are boto3's, in threads; ")
CLIENT = ("client", "nobody", Here, "client='nobody' names no client: use 'aws', 'embedded' or ")
CHANNEL = ("notify", NOTIFY, None, "notify= is for AWS: Here sends no messages, so leave it out")
RATE = ("sample_rate", 5, None, "sample_rate=5 is for the embedded engine alone: Rekognition looks at two pictures ")
ASKED = (ATTRIBUTES, LISTENER, STAGING, S3_CLIENT)
ABLE = (CLIENT, CHANNEL, RATE)
MISSING = ("source", "missing.mp4", VIDEO, "missing.mp4: there is no such file; check the path")
UPLOAD = ("upload", "a key", None, "upload= got str: pass an S3Object, or resume by from_dict() with the job's state")
PHOTO = (Path(__file__).parents[1] / "data" / "astronaut.jpg").read_bytes()
MISSING_PHOTO = "missing.jpg: there is no such file; check the path, which starts at the current directory"
FAULTS = {
    "detect_image": (ATTRIBUTES, TIMEOUT, ("source", "missing.jpg", PHOTO, MISSING_PHOTO), CLIENT),
    "start_video": (*ASKED, MISSING, *ABLE),
    "analyze_video": (TIMEOUT, *ASKED, MISSING, *ABLE),
    "analyze_videos": (
        ("max_jobs", 0, 1, "max_jobs=0 is no number of jobs: pass 1 or more"),
        ("sources", "clip.mp4", [VIDEO], "sources= got str: pass a list of videos, or start_video() one"),
        *ASKED,
        *ABLE,
    ),
    "wait_for_videos": (
        LISTENER,
        TIMEOUT,
        ("jobs", "j-1", [], "jobs= got str: pass a list of jobs, or wait() for one"),
    ),
    "VideoJob.resume": (
        ("job_id", "", "j-1", "job_id='' is no job id: pass the string that started jobs carry as job_id"),
        S3_CLIENT,
        *ABLE[:2],
        UPLOAD,
    ),
}
FAULTS["watch"] = (
    ("rate", 0, 2, "rate=0 is no rate: pass samples a second, over 0 and up to 1000"),
    ATTRIBUTES,
    ("timeout", -1, 60, TIMEOUT[-1]),
    ("max_calls", 0, 1, "max_calls=0 is no budget: pass 1 or more calls, or None for no limit"),
    ("smooth", -1, 0, "smooth is -1, and has to be a number from 0 on"),
    LISTENER,
    (
        "frames",
        5.5,
        [(0.0, np.zeros((80, 80, 3), np.uint8))],
        "<float>: there are no frames in it; pass the number of a camera, ",
    ),
    CLIENT,
)
FIRST = ("frames", "source", "sources", "jobs", "job_id")


@pytest.mark.parametrize("name", FAULTS)
def test_one_order_of_checks(verbs, name):
    """Each is told when those before it have been mended."""
    faults, verb = FAULTS[name], verbs
    for part in name.split("."):
        verb = getattr(verb, part)
    options, client = {option: wrong for option, wrong, *_ in faults}, Here(page())

    def call():
        given = dict(options)
        begun = verb(*[given.pop(first) for first in FIRST if first in given], **given)
        if name in {"analyze_videos", "wait_for_videos", "watch"}:
            list(begun)

    for option, _, right, message in faults:
        with pytest.raises(InvalidInputError) as caught:
            call()
        assert str(caught.value).startswith(message)
        assert client.calls == []
        options[option] = client if right is Here else right
    call()


class Slow(io.BytesIO):
    """A photo whose reading takes its time."""

    def __init__(self, clock):
        super().__init__(PHOTO)
        self._clock = clock

    def read(self, *arguments):
        """Take six seconds."""
        self._clock.advance(6.0)
        return super().read(*arguments)


@pytest.mark.parametrize("what", ["the photo", "the client"])
def test_what_is_spent_before_the_call(verbs, clock, monkeypatch, what):
    """To read the photo and to make the client is part of the time, in either world."""
    client = Here()

    def resolved(_):
        clock.advance(6.0)
        return client

    async def awaited(_):
        return resolved(None)

    if what == "the client":
        monkeypatch.setattr("rekog_emotion.blocking.driver.resolve_client", resolved)
        monkeypatch.setattr("rekog_emotion.aio.driver.resolve", awaited)
    photo = Slow(clock) if what == "the photo" else PHOTO

    with pytest.raises(CallTimeoutError) as caught:
        verbs.detect_image(photo, client=client, timeout=5)

    assert str(caught.value) == "DetectFaces was not made: there was no time for it, and nothing was sent"
