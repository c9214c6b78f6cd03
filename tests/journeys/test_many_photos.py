"""A batch of photos in threads and in tasks: what is decided about it is the same, whoever performs it."""

import asyncio
import gc
import threading
import weakref

import boto3
import pytest
from botocore.config import Config

from rekog_emotion import InvalidInputError, RekogEmotionError
from rekog_emotion.flows import ledger
from rekog_emotion.flows.rate import pace_of
from rekog_emotion.results.journal import Journal
from rekog_emotion.testing import FakeClient
from tests import worlds
from tests.pictures import NINE, jpeg, nine_photos

ANSWER = {"FaceDetails": [{"Confidence": 99.0}]}


@pytest.fixture(params=worlds.NAMES)
def world(request):
    """Give each of the worlds."""
    with worlds.world(request.param) as one:
        yield one


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a folder of nine photos and a text."""
    monkeypatch.chdir(tmp_path)
    return nine_photos(tmp_path)


def take(outcomes, given):
    """Take all outcomes that there are before an error."""
    for one in outcomes:
        given.append(one)


@pytest.mark.usefixtures("folder")
def test_a_checkpoint_that_is_something_else(world, tmp_path):
    """Begins nothing: nothing is sent or told, the client's rate is as it was, and nobody has the file."""
    (tmp_path / "notes.txt").write_text("my notes\n")
    client, told = FakeClient(images=ANSWER), []

    with pytest.raises(InvalidInputError) as caught:
        list(world.detect_images("photos", client=client, checkpoint="notes.txt", rate=5, on_progress=told.append))

    assert str(caught.value) == (
        "checkpoint=notes.txt: line 1 is not one of results, so nothing is added; name another file"
    )
    assert (client.calls, told, pace_of(client).rate) == ([], [], None)
    Journal("notes.txt").close()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("ordered", [False, True])
def test_an_outcome_that_cannot_be_written(world, monkeypatch, ordered):
    """Is given; then that is raised, nothing more is begun, and the end is told."""
    full_disk = RekogEmotionError("no room")

    def full(*_):
        raise full_disk

    monkeypatch.setattr(ledger.Journal, "append", full)
    client, told, given = FakeClient(images=ANSWER), [], []
    options = {"workers": 1, "ordered": ordered, "checkpoint": "done.jsonl", "on_progress": told.append}

    with pytest.raises(RekogEmotionError) as caught:
        take(world.detect_images("photos", client=client, **options), given)

    assert caught.value is full_disk
    assert [one.source for one in given] == ["photos/0.jpg"]
    assert len(client.calls) == 1
    assert [(one.event, one.done) for one in told] == [("ENDED", 0)]


@pytest.mark.usefixtures("folder")
def test_a_listener_that_fails(world):
    """Ends the batch with its error, when the outcome was given that it was told of."""
    client, given = FakeClient(images=ANSWER), []

    def fail(progress):
        if progress.event == "IMAGE":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        take(world.detect_images(NINE, client=client, workers=1, on_progress=fail), given)

    assert [one.source for one in given] == NINE[:1]
    assert len(client.calls) == 1


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("source", ["none.jpg", b"no photo", jpeg()[:30]], ids=["no file", "no photo", "half"])
def test_a_photo_that_fails_is_let_go_of(world, source):
    """With its outcome, and not when Python next looks for circles: a million may fail."""
    errors = []
    gc.disable()
    try:
        for outcome in world.detect_images([source] * 9, client=FakeClient(images=ANSWER), workers=1):
            errors.append(weakref.ref(outcome.error))
        del outcome
        kept = [error for error in errors if error() is not None]
        assert len(kept) <= 1  # that a thread of the loop's pool may have seen last
    finally:
        gc.enable()


@pytest.mark.usefixtures("folder")
def test_the_number_of_a_list(world):
    """Is known from the first outcome on."""
    told = []

    list(world.detect_images([*NINE, jpeg()], client=FakeClient(images=ANSWER), on_progress=told.append))

    assert [one.event for one in told] == ["IMAGE"] * 10 + ["ENDED"]
    assert {one.total for one in told} == {10}


@pytest.mark.usefixtures("credentials")
def test_a_client_of_few_connections(world, caplog):
    """Is told of, as far as it is known what becomes of the others."""
    small = boto3.client("rekognition", region_name="us-east-1", config=Config(max_pool_connections=2))

    list(world.detect_images([], client=small, workers=3))

    (message,) = [one.getMessage() for one in caplog.records if one.name == "rekog_emotion"]
    assert message == (
        "3 workers share a client that keeps 2 connections, and makes the others anew each time: pass a client with "
        "max_pool_connections=3, or fewer workers"
    )


class Failing:
    """Gives some sources, and an error when each of them is asked for; whoever goes on gets another one.

    Args:
        sources: What it gives.
    """

    def __init__(self, *sources):
        self._sources, self.has_failed = iter(sources), threading.Event()

    def __iter__(self):
        return self

    def __next__(self):
        for source in self._sources:
            return source
        if self.has_failed.is_set():
            return "photos/8.jpg"
        self.has_failed.set()
        raise LookupError("no more")  # noqa: EM101, TRY003 -- a caller's


async def awaited(sources):
    """Yield sources in the loop, which others have their turn of."""
    for source in sources:
        await asyncio.sleep(0)
        yield source


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("checkpoint", [None, "done.jsonl"])
@pytest.mark.parametrize("form", [iter, awaited])
def test_sources_that_fail(world, ordered, checkpoint, form):
    """What has begun is given, for it is paid; then their error is raised, and nothing new has begun."""
    if form is awaited and isinstance(world, worlds.Threads):
        pytest.skip("asynchronous iterables are of tasks")
    failing, given, told = Failing(*NINE[:3]), [], []

    class Slow(FakeClient):
        """Answers when there are no more sources."""

        def detect_faces(self, **parameters):
            """Answer."""
            assert failing.has_failed.wait(60)
            return super().detect_faces(**parameters)

    client = Slow(images=ANSWER)
    options = {"workers": 4, "ordered": ordered, "checkpoint": checkpoint, "on_progress": told.append}

    with pytest.raises(LookupError, match="no more"):
        take(world.detect_images(form(failing), client=client, **options), given)

    sources = [one.source for one in given]
    assert (sources if ordered else sorted(sources)) == NINE[:3]
    assert [len(one.result().faces) for one in given] == [1, 1, 1]
    assert len(client.calls) == 3
    assert [(one.event, one.done) for one in told][-1] == ("ENDED", 3)
    if checkpoint:
        again = list(world.detect_images(NINE, client=client, checkpoint=checkpoint))
        assert sorted(one.source for one in again) == NINE[3:]


@pytest.mark.usefixtures("folder")
def test_left_before_the_error_of_the_sources(world):
    """Whoever leaves early need not hear of it."""
    outcomes = world.detect_images(iter(Failing(*NINE[:3])), client=FakeClient(images=ANSWER), workers=4)

    assert next(outcomes).source in NINE[:3]
    outcomes.close()
    assert list(outcomes) == []


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("verb", "form"), [("analyze_videos", iter), ("analyze_videos", awaited), ("wait_for_videos", iter)]
)
def test_videos_that_fail(world, verb, form):
    """Jobs that run are waited for and given; then the error of the videos, or of the jobs, is raised."""
    if form is awaited and isinstance(world, worlds.Threads):
        pytest.skip("asynchronous iterables are of tasks")
    sources, given = [f"s3://bucket/{number}.mp4" for number in range(3)], []
    client = FakeClient()
    client.script_videos({"JobStatus": "SUCCEEDED", "Faces": []}, seconds=60)
    if verb == "analyze_videos":
        outcomes = world.analyze_videos(form(Failing(*sources)), client=client)
    else:
        jobs = [world.start_video(source, client=client) for source in sources]
        outcomes = world.wait_for_videos(form(Failing(*map(worlds.Job.own, jobs))))

    with pytest.raises(LookupError, match="no more"):
        take(outcomes, given)

    assert sorted(one.source for one in given) == sources
    assert [one.result().faces for one in given] == [()] * 3
    assert client.count("StartFaceDetection") == 3
