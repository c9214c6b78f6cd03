"""A batch of photos in threads and in tasks: what is decided about it is the same, whoever performs it."""

import gc
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
