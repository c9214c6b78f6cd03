"""What callers ask for: what becomes of it, and what is refused."""

import asyncio
import re
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from attrs import evolve

from rekog_emotion import SnsSqs
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.flows.request import (
    ATTRIBUTES,
    VideoRequest,
    asked_for,
    attribute_names,
    check_listeners,
    check_notify,
)

NOTIFY = SnsSqs("arn:aws:sns:t", "arn:aws:iam::r", "https://q")
QUEUE = SimpleNamespace(receive_message=print, delete_message=print, change_message_visibility=print)
CHANNEL = {"SNSTopicArn": "arn:aws:sns:t", "RoleArn": "arn:aws:iam::r"}
BOTH = {"notify": NOTIFY, "notification_channel": CHANNEL}
NO_CHANNEL = 'is no channel: pass {"SNSTopicArn": "arn:...", "RoleArn": "arn:..."}, or notify=SnsSqs(...)'
KNOWN = ", ".join(ATTRIBUTES)


def test_what_is_asked_for_by_default():
    """All attributes, with an hour for a slot and an hour for the end."""
    asked = VideoRequest()

    assert (asked.slot_timeout, asked.timeout, asked.attributes, asked.video_length) == (3600.0, 3600.0, "ALL", None)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, {}),
        ({"attributes": "DEFAULT"}, {"FaceAttributes": "DEFAULT"}),
        ({"attributes": "default, default"}, {"FaceAttributes": "DEFAULT"}),
        ({"attributes": ["DEFAULT", "emotions"]}, {"FaceAttributes": "ALL"}),
        ({"job_tag": "holiday:1"}, {"JobTag": "holiday:1"}),
        ({"job_tag": "a" * 1024}, {"JobTag": "a" * 1024}),
        ({"client_request_token": "a" * 64}, {"ClientRequestToken": "a" * 64}),
        ({"notify": NOTIFY}, {"NotificationChannel": CHANNEL}),
        ({"notification_channel": CHANNEL}, {"NotificationChannel": CHANNEL}),
        ({"sample_rate": 1}, {"SampleRate": 1}),
        ({"sample_rate": 2.5}, {"SampleRate": 2.5}),
        ({"slot_timeout": 5, "timeout": None, "video_length": timedelta(minutes=1)}, {}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_parameters(options, parameters):
    """Each option is the service's parameter, and what is not asked for is left out."""
    asked = VideoRequest(**{"client_request_token": "mine", **options})

    sent = asked.parameters({"sample_rate"})

    assert sent == {"FaceAttributes": "ALL", "ClientRequestToken": "mine", **parameters}


def test_a_token_of_its_own():
    """A fresh one for each start."""
    first, second = (VideoRequest().parameters()["ClientRequestToken"] for _ in range(2))

    assert first != second
    assert re.fullmatch(r"[0-9a-f]{32}", first)


def test_takes_its_own_options_from_all():
    """Durations in seconds; options of others are left alone."""
    options = {"timeout": timedelta(minutes=1), "slot_timeout": None, "video_length": 9, "client": "aws"}

    asked = VideoRequest.of(options)

    assert (asked.timeout, asked.slot_timeout, asked.video_length) == (60.0, None, 9.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(
            ({name: -1}, f"{name}=-1 is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever")
            for name in ("slot_timeout", "timeout", "video_length")
        ),
        *(
            ({"sample_rate": rate}, f"sample_rate={rate!r} is no number of pictures a second: pass 1 or more")
            for rate in (0, 0.99, -1, True, "2", float("inf"), float("nan"))
        ),
        *(
            ({"client_request_token": token}, f"client_request_token={token!r} is not 1 to 64 letters, digits, {rest}")
            for token in ("", "a b", "a" * 65, 7)
            for rest in ["hyphens and underscores"]
        ),
        *(
            ({"job_tag": tag}, f"job_tag={tag!r} is not 1 to 1024 letters, digits and any of _.-:+=/")
            for tag in ("", "a b", "a" * 1025, b"tag")
        ),
        *(
            (
                {"notification_channel": channel},
                f"notification_channel={channel!r} {NO_CHANNEL}",
            )
            for channel in ("arn", {}, {"SNSTopicArn": "arn"}, {**CHANNEL, "More": "arn"}, {**CHANNEL, "RoleArn": ""})
        ),
        ({"notify": "arn"}, "notify= got str: pass SnsSqs(topic_arn, role_arn, queue_url)"),
        (BOTH, "notify= and notification_channel= exclude each other: notify= names topic and role already"),
        ({"attributes": None}, 'attributes= got NoneType: ask for "ALL", "DEFAULT" or a list of names'),
        ({"attributes": []}, 'attributes= is empty: ask for "ALL", "DEFAULT" or a list of names'),
        (
            {"attributes": "ALL,JOY"},
            f"attributes= has 'JOY', which the service does not know; it knows {KNOWN}",
        ),
        ({"attributes": [7]}, f"attributes= has 7, which the service does not know; it knows {KNOWN}"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_refuses(options, message):
    """What the service would refuse, before anything is uploaded."""
    with pytest.raises(InvalidInputError) as caught:
        VideoRequest(**options)

    assert str(caught.value) == message


def test_a_sample_rate_is_not_for_the_service():
    """Which looks at two pictures a second, and would take no notice."""
    with pytest.raises(InvalidInputError) as caught:
        VideoRequest(sample_rate=5).parameters({"files"})

    assert str(caught.value) == (
        "sample_rate=5 is for the embedded engine alone: Rekognition looks at two pictures a second; leave it out, or "
        'stay offline with client="embedded"'
    )


@pytest.mark.parametrize(
    ("attributes", "names"),
    [("all", ["ALL"]), (" smile ,Beard", ["SMILE", "BEARD"]), (["Smile "], ["SMILE"]), ([7], [7])],
)
def test_attribute_names(attributes, names):
    """As the service writes them, in one text or one by one."""
    assert attribute_names(attributes) == names


class Waiting:
    """Has half of what an event has."""

    def wait(self):
        """Wait."""


class Awaited(threading.Event):
    """Is waited for by asyncio."""

    async def wait(self):
        """Wait."""


class Told:
    """Would have to be awaited."""

    async def __call__(self, progress):
        """Be told."""


async def told(progress):
    """Be told."""


COROUTINE = "on_progress= got a coroutine function, which nobody would await: pass a plain function"


@pytest.mark.parametrize(
    ("on_progress", "cancel", "message"),
    [
        (None, None, None),
        (print, threading.Event(), None),
        (5, None, "on_progress= got int: pass a function that takes a Progress"),
        (None, 0, "cancel= got int: pass a threading.Event"),
        (None, asyncio.Event(), "cancel= got asyncio.locks.Event: pass a threading.Event"),
        (None, Waiting(), f"cancel= got {__name__}.Waiting: pass a threading.Event"),
        (None, Awaited(), f"cancel= got {__name__}.Awaited: pass a threading.Event"),
        (told, None, COROUTINE),
        (Told(), None, COROUTINE),
    ],
)
def test_listeners(on_progress, cancel, message):
    """What would fail when it is needed is refused before."""
    if message is None:
        check_listeners(on_progress, cancel)
        return
    with pytest.raises(InvalidInputError) as caught:
        check_listeners(on_progress, cancel)

    assert str(caught.value) == message


@pytest.mark.parametrize(("notify", "files"), [(None, True), (None, False), (NOTIFY, False)], ids=str)
def test_messages_that_come(notify, files):
    """From the service, or none that anybody waits for."""
    check_notify(notify, None, files=files)


def test_messages_that_nobody_sends():
    """Are not waited for."""
    with pytest.raises(InvalidInputError) as caught:
        check_notify(NOTIFY, 5, files=True)

    assert str(caught.value) == "notify= is for AWS: int sends no messages, so leave it out"


def test_what_is_wrong_with_any_client_is_told_in_order():
    """The request itself, then who listens, then what stands beside the client."""
    beside, wrong = [], InvalidInputError("no uploads")

    def check_beside(*given):
        beside.append(given)
        if given[0] is None:
            raise wrong

    channel = evolve(NOTIFY, sqs_client=QUEUE)
    given = {"staging": None, "s3_client": "s3", "notify": channel}
    options = {"job_tag": "a b", "on_progress": 5, "cancel": 5, **given}
    for name, right, begins in (
        ("job_tag", "a", "job_tag='a b' is not"),
        ("on_progress", print, "on_progress= got int"),
        ("cancel", None, "cancel= got int"),
        ("staging", "s3://shelf", "no uploads"),
    ):
        with pytest.raises(InvalidInputError, match=f"^{re.escape(begins)}"):
            asked_for(options, check_beside)
        options[name] = right

    assert asked_for(options, check_beside) == VideoRequest(job_tag="a", notify=channel)
    assert asked_for({**options, "notify": None}, check_beside) == VideoRequest(job_tag="a")
    assert beside == [(None, "s3", QUEUE), ("s3://shelf", "s3", QUEUE), ("s3://shelf", "s3", None)]


@pytest.mark.parametrize(
    ("options", "able", "begins"),
    [
        ({"notify": NOTIFY, "sample_rate": 5}, {"files"}, "notify= is for AWS: int sends no messages"),
        ({"sample_rate": 5}, {"files"}, "sample_rate=5 is for the embedded engine alone"),
        ({"sample_rate": 5}, {"files", "sample_rate"}, None),
        ({"notify": NOTIFY}, set(), None),
    ],
    ids=["both", "no rate", "a rate", "messages"],
)
def test_what_a_client_cannot(options, able, begins):
    """Messages come before rates; what it can is not refused."""
    asked = VideoRequest(**options)
    if begins is None:
        asked.check_client(5, able)
        return
    with pytest.raises(InvalidInputError, match=f"^{re.escape(begins)}"):
        asked.check_client(5, able)
