"""A photo in asyncio: the answers, errors and calls of the blocking verb."""

import asyncio
import base64
import inspect
import io
import os
import re
import sys
import threading
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from weakref import WeakKeyDictionary

import pytest
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion import aio
from rekog_emotion.clients.aio import of_loop
from rekog_emotion.embedded import EmbeddedClient
from tests.http_standin import Answer, fault
from tests.tasks import over, run

PHOTO = Path(__file__).parents[1] / "data" / "astronaut.jpg"
DATA = PHOTO.read_bytes()
FACES = {"FaceDetails": [{"Confidence": 99.5, "Emotions": [{"Type": "HAPPY", "Confidence": 98.0}]}]}


class Async:
    """A client of coroutine functions; the first answers are errors."""

    engine = "mine"

    def __init__(self, *errors):
        self.errors, self.requests = list(errors), []

    async def detect_faces(self, **request):
        """Answer with a face."""
        self.requests.append(request)
        if self.errors:
            raise self.errors.pop(0)
        return FACES

    start_face_detection = get_face_detection = detect_faces


def test_has_the_options_of_the_blocking_verb():
    """The same names, order and defaults, but for ``cancel``: to cancel the task is the cancel."""
    blocking = inspect.signature(rekog.detect_image).parameters
    ours = inspect.signature(aio.detect_image).parameters

    assert list(ours) == [name for name in blocking if name != "cancel"]
    assert {one.name: one.default for one in ours.values()} == {
        one.name: one.default for one in blocking.values() if one.name != "cancel"
    }


def test_documents_every_option():
    """In its own world's words where they differ, whichever of the two was loaded first."""
    for world in (aio, rekog):
        verb = world.detect_image
        arguments = inspect.getdoc(verb).partition("\nArgs:\n")[2].partition("\n\n")[0]
        assert re.findall(r"^    (\w+): \S", arguments, re.MULTILINE) == [*inspect.signature(verb).parameters]
        assert ("an aiobotocore client" in " ".join(arguments.split())) == (world is aio)
        assert inspect.iscoroutinefunction(verb) == (world is aio)


@pytest.mark.parametrize(
    "source", [PHOTO, str(PHOTO), PHOTO.read_bytes(), "s3://bucket/me.jpg"], ids=["path", "text", "bytes", "object"]
)
def test_sends_what_the_blocking_verb_sends(source):
    """The request, the size, the name and the values are the same, whatever the source."""
    client = Async()
    requests = []

    class Blocking:
        engine = "mine"

        def detect_faces(self, **request):
            requests.append(request)
            return FACES

        start_face_detection = get_face_detection = detect_faces

    found = run(aio.detect_image(source, client=client, attributes="emotions"))

    assert found == rekog.detect_image(source, client=Blocking(), attributes="emotions")
    assert client.requests == requests
    assert (found.engine, found.faces[0].dominant_emotion.type) == ("mine", "HAPPY")


def test_the_embedded_engine_works_in_threads(monkeypatch):
    """The answer is that of the blocking verb, and the loop turns meanwhile."""
    begun, turned = threading.Event(), threading.Event()
    detect = EmbeddedClient.detect_faces

    def held(client, **request):
        begun.set()
        assert turned.wait(60)
        return detect(client, **request)

    async def main():
        with monkeypatch.context() as patch:
            patch.setattr(EmbeddedClient, "detect_faces", held)
            task = asyncio.ensure_future(aio.detect_image(PHOTO, client="embedded"))
            while not (begun.is_set() or task.done()):  # noqa: ASYNC110 -- a thread sets it
                await asyncio.sleep(0)
            turned.set()
            return await task

    assert run(main()).faces == rekog.detect_image(PHOTO, client="embedded").faces


def test_wrong_arguments_are_refused_before_any_call():
    """The errors are those of the blocking verb."""
    client = Async()
    for options in ({"attributes": "NOSE"}, {"timeout": -1}):
        with pytest.raises(rekog.InvalidInputError) as ours:
            run(aio.detect_image(PHOTO, client=client, **options))
        with pytest.raises(rekog.InvalidInputError) as blocking:
            rekog.detect_image(PHOTO, client=client, **options)
        assert str(ours.value) == str(blocking.value)
    for source in (b"no picture", "nowhere.jpg"):
        with pytest.raises(rekog.InvalidInputError):
            run(aio.detect_image(source, client=client))
    assert client.requests == []


@pytest.fixture
def limits(monkeypatch):
    """Give the limits of time that have begun, for `over()` to end."""
    limits, limit = [], asyncio.timeout

    def limited(seconds):
        limits.append(limit(seconds))
        return limits[-1]

    monkeypatch.setattr(asyncio, "timeout", limited)
    return limits


def test_the_time_is_over(limits):
    """A call that nobody answers is given up, and the client's coroutine is ended."""
    ended = []

    class Silent(Async):
        async def detect_faces(self, **_):
            over(limits[-1])
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

    with pytest.raises(rekog.CallTimeoutError, match="may be charged"):
        run(aio.detect_image(DATA, client=Silent(), timeout=600))
    assert ended == [True]


@pytest.mark.parametrize(
    ("read_timeout", "until"), [(None, "by itself"), (30, "at the client's own read time-out of 30 s at the latest")]
)
def test_a_call_of_a_blocking_client_that_is_left(limits, read_timeout, until):
    """Goes on in its thread, which is told as in the blocking world, after a time-out and of a cancel."""
    begun, released = threading.Semaphore(0), threading.Event()

    class Silent:
        meta = SimpleNamespace(config=SimpleNamespace(read_timeout=read_timeout))

        def detect_faces(self, **_):
            begun.release()
            released.wait(60)

        start_face_detection = get_face_detection = detect_faces

    async def main():
        client = Silent()
        task = asyncio.ensure_future(aio.detect_image(DATA, client=client, timeout=600))
        await asyncio.to_thread(begun.acquire)
        over(limits[-1])
        with pytest.raises(rekog.CallTimeoutError) as late:
            await task
        task = asyncio.ensure_future(aio.detect_image(DATA, client=client))
        await asyncio.to_thread(begun.acquire)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await task
        released.set()
        return str(late.value), cancelled.value.__notes__

    late, notes = run(main())

    told = "; this client's calls cannot be interrupted: it ends {} ({} such under way)".format
    assert late.endswith(f", and may be charged{told(until, 1)}")
    assert notes == [
        told(until, 2).removeprefix("; "),
        "DetectFaces was under way: the call may have reached the service, and may be charged",
    ]


def test_to_cancel_the_task_is_the_cancel():
    """The task ends as cancelled, by itself or by ``asyncio.timeout``, and leaves nothing at work."""
    begun = asyncio.Event()

    class Silent(Async):
        async def detect_faces(self, **_):
            begun.set()
            await asyncio.Event().wait()

    async def main():
        task = asyncio.ensure_future(aio.detect_image(PHOTO, client=Silent()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert caught.value.__notes__ == [
            "DetectFaces was under way: the call may have reached the service, and may be charged"
        ]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await aio.detect_image(PHOTO, client=Silent())

    run(main())


def test_calls_in_threads_see_the_tasks_context():
    """As the caller's handlers of boto3's events want it."""
    who, seen = ContextVar("who", default="nobody"), []

    class Blocking(Async):
        def detect_faces(self, **_):
            seen.append(who.get())
            return FACES

    async def main():
        who.set("me")
        await aio.detect_image(PHOTO, client=Blocking())

    run(main())
    assert seen == ["me"]


def test_a_loop_that_is_closed_is_forgotten():
    """Locks that were waited for hold their loop: what belongs to it is left out when another loop asks."""
    known, loops = WeakKeyDictionary(), []

    async def main():
        lock = of_loop(known, asyncio.Lock)
        assert of_loop(known, asyncio.Lock) is lock
        loops.append(asyncio.get_running_loop())

    for _ in range(3):
        run(main())
    assert list(known) == loops[-1:]


# aiobotocore's clients


def test_aws_by_name(aws):
    """One client a loop serves all calls, and is closed by the end of the loop, or by ``close()``, and made anew."""
    aws.script("DetectFaces", *[Answer(FACES)] * 5)

    async def main():
        photos = await asyncio.gather(*(aio.detect_image(PHOTO, client="aws") for _ in range(3)))
        await aio.close()
        await aio.close()
        return [*photos, await aio.detect_image(PHOTO)]

    photos = run(main())
    assert [photo.engine for photo in photos] == ["aws"] * 4
    assert run(aio.detect_image(PHOTO)).faces == photos[0].faces
    assert len(aws.requests) == 5


def test_our_client_leaves_retrying_to_us(aws):
    """One that is throttled is asked again by the flow, and a failure is named as in the blocking world."""
    aws.script("DetectFaces", fault("ThrottlingException", "slow down"), Answer(FACES))

    async def main():
        async with aio.aws_client() as client:
            return await aio.detect_image(PHOTO, client=client)

    assert len(run(main()).faces) == 1
    assert len(aws.requests) == 2


@pytest.mark.parametrize("missing", ["credentials", "region"])
def test_what_is_not_configured(aws, monkeypatch, missing):
    """It is said in the words of the blocking client."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if missing == "credentials" else ("AWS_DEFAULT_REGION",):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(rekog.ConfigurationError) as ours:
        run(aio.detect_image(PHOTO, client="aws"))
    with pytest.raises(rekog.ConfigurationError) as blocking:
        rekog.aws_client()
    assert str(ours.value) == str(blocking.value)
    assert aws.requests == []


@pytest.mark.usefixtures("aws")
def test_wrong_options_of_our_client():
    """Another session, another configuration, and a session beside a profile are refused at once."""
    for options, message in (
        ({"session": 7}, "session= got builtins.int: pass an aiobotocore session"),
        ({"config": 7}, "config= got int: pass a botocore.config.Config"),
    ):
        with pytest.raises(rekog.InvalidInputError) as caught:
            aio.aws_client(**options)
        assert str(caught.value) == message


def test_a_client_of_the_caller_s_is_left_as_it_was(aws):
    """Its handlers are there while a call is under way, once however many are, and then no more."""
    session = pytest.importorskip("aiobotocore.session").get_session()
    aws.script("DetectFaces", *[Answer(FACES)] * 6)

    async def main():
        async with session.create_client("rekognition") as client:
            before = await client.meta.events.emit("before-parse.rekognition.DetectFaces")
            found = await asyncio.gather(*(aio.detect_image(PHOTO, client=client) for _ in range(6)))
            assert await client.meta.events.emit("before-parse.rekognition.DetectFaces") == before == []
            return found

    assert [len(photo.faces) for photo in run(main())] == [1] * 6


@pytest.mark.parametrize("whose", ["ours", "the caller's"])
def test_a_large_picture_is_sent_piece_by_piece(aws, whose):
    """As bytes, aiohttp would write it at once, and warn, which is an error here; it arrives whole, again, too."""
    file = io.BytesIO()
    Image.frombytes("RGB", (1000, 1000), os.urandom(3_000_000)).save(file, "PNG")
    aws.script("DetectFaces", fault("ThrottlingException", "slow down"), *[Answer(FACES)] * 3)
    session = pytest.importorskip("aiobotocore.session").get_session()
    making = aio.aws_client() if whose == "ours" else session.create_client("rekognition")

    async def main():
        async with making as client:
            return [await aio.detect_image(file.getvalue(), client=client) for _ in range(2)]

    assert [len(photo.faces) for photo in run(main())] == [1, 1]
    sent = [base64.b64decode(one.body["Image"]["Bytes"]) for one in aws.requests]
    assert sent == [file.getvalue()] * 3


def test_an_answer_that_is_cut_off(aws):
    """Is broken, as in the blocking world, where it is no JSON: it is not taken for a call without an answer."""
    aws.script("DetectFaces", Answer(FACES, cut=20))

    async def main():
        async with aio.aws_client() as client:
            await aio.detect_image(PHOTO, client=client)

    with pytest.raises(rekog.ResponseError) as ours:
        run(main())
    with pytest.raises(rekog.ResponseError):
        rekog.detect_image(PHOTO, client=rekog.aws_client())

    assert str(ours.value) == "the answer of DetectFaces cannot be read: it was cut off"
    assert len(aws.requests) == 2


@pytest.mark.parametrize("begin", [aio.aws_client, lambda: run(aio.detect_image(PHOTO))], ids=["ours", "by name"])
def test_needs_an_extra(monkeypatch, begin):
    """Without aiobotocore, and whether there are credentials or not, it names what brings it, and the other way."""
    for name in ("aiobotocore", "aiobotocore.config"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(rekog.MissingExtraError) as caught:
        begin()

    assert str(caught.value) == (
        "AWS in asyncio (client=\"embedded\" would stay offline) needs the 'aio' extra: "
        "pip install 'rekog-emotion[aio]'"
    )


def test_no_thread_is_left():
    """Threads that work for a loop end with it."""
    run(aio.detect_image(PHOTO, client=Async()))

    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("asyncio_")]


def test_an_engine_that_is_left():
    """Charges for nothing, and reaches nobody: its work goes on in its thread."""
    released = threading.Event()

    class Slow:
        rekog_capabilities = frozenset({"files"})

        def detect_faces(self, **_):
            released.wait(60)

        start_face_detection = get_face_detection = detect_faces

    async def main():
        try:
            await aio.detect_image(DATA, client=Slow(), timeout=0.5)
        finally:
            released.set()

    with pytest.raises(rekog.CallTimeoutError) as late:
        run(main())
    message = re.sub(r"\d+\.\d s", "T s", str(late.value))
    assert message == "DetectFaces got no answer after T s; the work goes on in its thread until it ends"
