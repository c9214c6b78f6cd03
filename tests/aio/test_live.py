"""Watching in asyncio: what threads give, from frames of either world, and nothing left when it is cancelled."""

import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
import threading
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

import rekog_emotion as rekog
from rekog_emotion import aio, workers
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.media.samples import samples
from rekog_emotion.testing import VirtualClock
from tests.results.people import face
from tests.scripted import LOST, ScriptedClient, refusal
from tests.tasks import LoopTime, run

PEOPLE = Path(__file__).parents[1] / "data" / "people.mp4"
PICTURE = np.zeros((80, 80, 3), np.uint8)
NOBODY = {"FaceDetails": []}
SOMEBODY = {"FaceDetails": [face(emotions={"HAPPY": 90}).to_aws()]}
SAD = {"FaceDetails": [face(emotions={"SAD": 90}).to_aws()]}
BUSY = refusal("ThrottlingException", operation="DetectFaces")


class Client(ScriptedClient):
    """A client that answers by a script, whose last answer stands."""

    def detect_faces(self, **parameters):
        """Answer DetectFaces."""
        self.calls.append(parameters)
        script = self._scripts["get"]
        answer = script[min(len(self.calls), len(script)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Async(Client):
    """The same, by a coroutine function."""

    async def detect_faces(self, **parameters):
        """Answer DetectFaces."""
        await asyncio.sleep(0)
        return super().detect_faces(**parameters)


@pytest.fixture(autouse=True)
def tidy():
    """Leave no thread behind: each ends by itself, soon after it was let go."""
    yield
    workers.dismiss()
    for one in threading.enumerate():
        if one.name in {"rekog-emotion-frames", "rekog-emotion-call"}:
            one.join(60)
            assert not one.is_alive()


async def every(moments):
    """Return all moments."""
    return [one async for one in moments]


async def later(frames):
    """Yield frames from the loop."""
    for one in frames:
        await asyncio.sleep(0)
        yield one


def timed(number, *, size=80):
    """Return so many frames with times."""
    return [(k / 2, np.zeros((size, size, 3), np.uint8)) for k in range(number)]


def test_has_the_options_of_the_blocking_verb():
    """The same names, order and defaults, but for ``cancel``: to cancel the task is the cancel."""
    ours, blocking = (inspect.signature(world.watch).parameters for world in (aio, rekog))

    assert [(one.name, one.default) for one in ours.values()] == [
        (one.name, one.default) for one in blocking.values() if one.name != "cancel"
    ]


def test_documents_every_option():
    """In its own world's words where they differ, whichever of the two was loaded first."""
    for world, words in ((aio, "called in the loop with"), (rekog, "Called with a")):
        arguments = inspect.getdoc(world.watch).partition("\nArgs:\n")[2].partition("\n\n")[0]
        assert re.findall(r"^    (\w+): \S", arguments, re.MULTILINE) == [*inspect.signature(world.watch).parameters]
        assert words in arguments


SCRIPTS = {
    "nobody": ([NOBODY], {}),
    "somebody": ([SOMEBODY], {}),
    "somebody comes": ([NOBODY, SOMEBODY], {}),
    "somebody goes": ([SOMEBODY, SOMEBODY, NOBODY], {}),
    "somebody looks different": ([SOMEBODY, SOMEBODY, SAD], {"smooth": 0.4}),
    "once busy": ([SOMEBODY, BUSY, SOMEBODY], {}),
    "busy at first": ([BUSY, BUSY, SOMEBODY], {}),
    "always busy": ([BUSY], {}),
    "once lost": ([SOMEBODY, LOST, SOMEBODY], {}),
    "once broken": ([SOMEBODY, {}, SOMEBODY], {}),
    "all calls used": ([SOMEBODY], {"max_calls": 3}),
    "refused": ([refusal("AccessDeniedException", operation="DetectFaces")], {}),
    "refused later": ([SOMEBODY, refusal("AccessDeniedException", operation="DetectFaces")], {}),
    "one picture is no good": ([SOMEBODY, refusal("InvalidImageFormatException", operation="DetectFaces"), NOBODY], {}),
    "twice as often": ([SOMEBODY], {"rate": 4}),
    "half as often": ([SOMEBODY], {"rate": 1, "max_gap": 5}),
    "small pictures": ([SOMEBODY], {"size": 40}),
}


@pytest.mark.parametrize("kind", [Client, Async], ids=["blocking", "asyncio"])
@pytest.mark.parametrize("pull", [iter, later], ids=["iterable", "asynchronous"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_both_worlds(name, pull, kind):
    """Moments, calls and the error at the end are the same, with frames and a client of either world."""
    answers, options = SCRIPTS[name]
    options = dict(options)
    frames = timed(12, size=options.pop("size", 80))
    blocking, client = Client(*answers), kind(*answers)
    theirs, ours = [], []
    try:
        theirs.extend(
            one.to_json() for one in rekog.watch(iter(frames), client=blocking, clock=VirtualClock(), **options)
        )
    except rekog.RekogEmotionError as error:
        theirs.append((type(error), str(error)))

    def told(one):
        ours.append(one.to_json().replace("async_generator", "list_iterator"))

    async def watching():
        try:
            async for one in aio.watch(pull(frames), client=client, clock=LoopTime(), **options):
                told(one)
        except rekog.RekogEmotionError as error:
            ours.append((type(error), str(error)))

    run(watching())

    assert ours == theirs
    assert len(client.calls) == len(blocking.calls)


def test_pictures_without_times_have_those_of_the_loop():
    """Of an asynchronous iterable, too, the newest wins; each has the time at which it came."""
    clock, taken, came = LoopTime(), [threading.Event() for _ in range(5)], []

    async def live():
        for k in range(5):
            clock.advance(1.0)
            came.append(clock.now())
            yield np.full((80, 80, 3), k, np.uint8)
            await asyncio.to_thread(taken[k].wait, 60)

    class Looking(Client):
        def detect_faces(self, **parameters):
            taken[len(self.calls)].set()
            return super().detect_faces(**parameters)

    moments = run(every(aio.watch(live(), client=Looking(NOBODY), clock=clock)))

    assert [int(one.frame[0, 0, 0]) for one in moments] == list(range(5))
    for one, since in zip(moments, came, strict=True):
        assert since <= one.seconds < since + 1.0  # the wait for the sample may end in between


def test_ids_are_those_of_tracks():
    """Of a file at its own speed, and of its pictures from another task."""
    with EmbeddedClient() as client:
        tracks = rekog.analyze_video(PEOPLE, client=client).tracks()
        pairs = [(milliseconds / 1000, pixels) for milliseconds, pixels in samples(PEOPLE)]
        both = [
            run(every(aio.watch(frames, client=client, clock=LoopTime()))) for frames in (str(PEOPLE), later(pairs))
        ]

    expected = {
        (timed.timestamp_ms, round(timed.face.bounding_box.left, 3), track.id)
        for track in tracks
        for timed in track.faces
    }
    assert len(tracks) == 3
    for moments in both:
        assert {
            (round(one.seconds * 1000), round(person.face.bounding_box.left, 3), person.id)
            for one in moments
            for person in one.people
        } == expected


def test_leaving_early_frees_the_frames():
    """At the end of the block."""

    async def watching():
        async with aclosing(aio.watch(later(timed(12)), client=Client(NOBODY), clock=LoopTime())) as moments:
            return (await anext(moments)).seconds

    assert run(watching()) == 0.0


class Stuck(Client):
    """A client whose call takes until it is let go.

    Attributes:
        asked: Set when it was asked.
        released: Lets it go.
    """

    def __init__(self):
        super().__init__()
        self.asked, self.released = threading.Event(), threading.Event()

    def detect_faces(self, **_):
        """Answer DetectFaces."""
        self.asked.set()
        self.released.wait(60)
        return NOBODY


async def ended(task):
    """Cancel a task, and return whether it ended as cancelled."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


@pytest.mark.parametrize("pull", ["iterable", "asynchronous"])
def test_cancelling_while_no_frame_comes(pull):
    """The thread that waits for one ends, and what waits in the loop is cancelled."""
    waits, cancelled, released = threading.Event(), [], threading.Event()

    def blocking():
        yield PICTURE
        waits.set()
        released.wait(60)

    async def asynchronous():
        yield PICTURE
        waits.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def watching():
        frames = blocking() if pull == "iterable" else asynchronous()
        task = asyncio.create_task(every(aio.watch(frames, client=Client(NOBODY))))
        await asyncio.to_thread(waits.wait, 60)
        ending = asyncio.create_task(ended(task))
        if pull == "iterable":
            await asyncio.sleep(0)
            released.set()
        return await ending

    assert run(watching())
    assert cancelled == ([True] if pull == "asynchronous" else [])


def test_cancelling_while_a_call_is_under_way():
    """It is not waited for."""
    client = Stuck()

    async def watching():
        task = asyncio.create_task(every(aio.watch(iter(timed(3)), client=client)))
        await asyncio.to_thread(client.asked.wait, 60)
        return await ended(task)

    assert run(watching())
    client.released.set()


def test_cancelling_before_the_next_frame_is_due():
    """A wait in the loop ends at once."""
    slept = asyncio.Event()

    class Sleepless(LoopTime):
        async def sleep(self, _):
            slept.set()
            await asyncio.Event().wait()

    clock = Sleepless()

    async def watching():
        task = asyncio.create_task(every(aio.watch(PEOPLE, client=Client(NOBODY), clock=clock)))
        await slept.wait()
        return await ended(task)

    assert run(watching())


def test_a_listener_is_told_in_the_loop(monkeypatch):
    """When a stream is lost."""
    from rekog_emotion.media import streams

    connections, told, gone = [], [], streams.LostError("it has ended")

    def pictures(*_):
        connections.append(True)
        if len(connections) == 1:
            yield None, lambda: PICTURE
        raise gone

    monkeypatch.setattr(streams, "pictures", pictures)

    async def watching():
        moments = aio.watch(
            0,
            client=Client(NOBODY),
            clock=LoopTime(),
            on_progress=lambda one: told.append((one.reason, one.next_seconds, threading.current_thread())),
        )
        async with aclosing(moments):
            return [(await anext(moments)).reason for _ in range(3)]

    lost = "camera:0 is lost: it has ended; it is opened again in {} s"
    assert run(watching()) == [None, lost.format(1), lost.format(2)]
    here = threading.current_thread()
    assert told == [(lost.format(1), 1.0, here), (lost.format(2), 2.0, here)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0}, "rate=0 is no rate: pass samples a second, over 0 and up to 1000"),
        ({"max_calls": 0}, "max_calls=0 is no budget: pass 1 or more calls, or None for no limit"),
        (
            {"frames": PICTURE},
            "<array>: this is one picture; pass an iterable of them, or the one to detect_image",
        ),
    ],
)
def test_options_that_cannot_be_used(options, message):
    """They are refused at once, outside of a loop, too."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        aio.watch(**{"frames": [PICTURE]} | options)

    assert str(caught.value) == message


def test_an_error_of_the_frames_comes_out_as_it_is():
    """It is the caller's."""

    async def broken():
        yield PICTURE
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(every(aio.watch(broken(), client=Client(NOBODY))))


# Notes what the thread of the loop loads while it watches and records, and what is loaded in the end.
LOADING = """
import asyncio, json, sys, threading
from rekog_emotion import RekogEmotionError, aio

place, client, target, *heavy = sys.argv[1:]
here, in_the_loop = threading.get_ident(), []

class Noting:
    def find_spec(self, name, path=None, target=None):
        if name in heavy and threading.get_ident() == here:
            in_the_loop.append(name)

async def main():
    sys.meta_path.insert(0, Noting())
    try:
        await aio.record(aio.watch(place, client=client, max_calls=1), target)
    except RekogEmotionError as error:
        print(type(error).__name__, file=sys.stderr)

asyncio.run(main())
print(json.dumps([in_the_loop, [name for name in heavy if name in sys.modules]]))
"""


@pytest.mark.parametrize(
    ("place", "client", "heavy"),
    [
        (str(PEOPLE), "embedded", ["numpy", "scipy.optimize", "av", "PIL.Image", "onnxruntime"]),
        ("camera:no such camera", "embedded", ["numpy", "scipy.optimize", "av"]),
        ("http://127.0.0.1:1/live.m3u8", "embedded", ["numpy", "scipy.optimize", "av"]),
        (str(PEOPLE), "aws", ["aiobotocore.session", "aiohttp", "numpy", "scipy.optimize"]),
    ],
    ids=["file", "camera", "address", "aws"],
)
def test_the_loop_is_held_up_by_no_import(place, client, heavy, tmp_path):
    """What takes its time to load is loaded in threads."""
    if client == "aws":
        pytest.importorskip("aiobotocore")
    # A region that is no name ends it before any call.
    environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "no region"}
    command = [sys.executable, "-c", LOADING, place, client, str(tmp_path / "out.mp4"), *heavy]
    done = subprocess.run(command, env=os.environ | environment, check=True, capture_output=True, text=True)  # noqa: S603 -- our own program

    assert json.loads(done.stdout) == [[], heavy]
