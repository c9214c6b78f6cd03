"""Many photos: outcomes, order, the checkpoint, progress, and the ends that a batch may have."""

import io
import itertools
import json
import threading
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

import rekog_emotion as rekog
from rekog_emotion import (
    CallCancelledError,
    InvalidInputError,
    RekogEmotionError,
    ThrottledError,
)
from rekog_emotion.blocking import images
from rekog_emotion.blocking.driver import Driver
from rekog_emotion.clients.connections import standing
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.flows import ledger
from rekog_emotion.flows.images import Batch, ImagesRequest
from rekog_emotion.flows.rate import pace_of
from rekog_emotion.results.lossless import read_json_lines
from rekog_emotion.testing import FakeClient, Fault
from tests.pictures import NINE, jpeg, nine_photos

ANSWER = {"FaceDetails": [{"Confidence": 99.0}]}


@pytest.fixture
def client():
    """Give a client that finds a face on every picture."""
    return FakeClient(images=ANSWER)


@pytest.fixture
def patient(monkeypatch):
    """Let whoever leaves early wait for calls for an hour, which no machine takes for them."""
    monkeypatch.setattr(images, "GRACE", 3600.0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a folder of nine photos and a text, beside nothing else."""
    monkeypatch.chdir(tmp_path)
    return nine_photos(tmp_path)


def sources(outcomes):
    """Return the sources of outcomes, by name."""
    return sorted(str(outcome.source) for outcome in outcomes)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "place", ["photos", Path("photos"), "photos/*", "photos/**/*.jpg", NINE, iter(NINE), map(Path, NINE), ["photos"]]
)
def test_one_outcome_a_photo(client, place):
    """From a folder, a glob, or whatever can be gone through."""
    outcomes = list(rekog.detect_images(place, client=client))

    assert sources(outcomes) == NINE
    assert {len(outcome.result().faces) for outcome in outcomes} == {1}
    assert len(client.calls) == 9


@pytest.mark.usefixtures("folder")
def test_sources_stay_as_they_were_given(client):
    """A caller knows them again."""
    given = [Path("photos/1.jpg"), jpeg(), io.BytesIO(jpeg()), "./photos/2.jpg"]

    outcomes = rekog.detect_images(given, client=client, ordered=True)

    assert all(outcome.source is source for outcome, source in zip(outcomes, given, strict=True))


def test_one_that_fails_stops_no_other(folder, client):
    """It is an outcome with its error, which its result raises."""
    (folder / "5.jpg").write_bytes(jpeg()[:30])

    outcomes = {outcome.source: outcome for outcome in rekog.detect_images("photos", client=client)}

    failed = outcomes.pop("photos/5.jpg")
    with pytest.raises(InvalidInputError) as caught:
        failed.result()
    assert str(caught.value) == (
        "photos/5.jpg: the JPEG is truncated: its end marker (EOI) is missing; get a complete copy of it"
    )
    assert caught.value is failed.error
    assert failed.analysis is None
    assert [outcome.error for outcome in outcomes.values()] == [None] * 8


@pytest.mark.usefixtures("folder")
def test_in_order():
    """Whichever ends first; and no more than a few may wait for one that comes first."""
    numbers, asked, slow = itertools.count(), [], threading.Event()

    class Client(FakeClient):
        """Answers the first photo last."""

        def detect_faces(self, **parameters):
            """Answer."""
            number = next(numbers)
            asked.append(number)
            if not number:
                slow.wait(60)
            elif number + 1 == ledger.AHEAD * 2:  # no more may be asked before its answer
                slow.set()
            return super().detect_faces(**parameters)

    photos = (f"photos/{number % 9}.jpg" for number in itertools.count())
    outcomes = rekog.detect_images(photos, client=Client(images=ANSWER), ordered=True, workers=2)

    first = next(outcomes)
    at_once = len(asked)
    others = [outcome.source for outcome in itertools.islice(outcomes, 20)]
    outcomes.close()

    assert first.source == "photos/0.jpg"
    assert at_once <= ledger.AHEAD * 2 + 2
    assert others == [f"photos/{number % 9}.jpg" for number in range(1, 21)]


@pytest.mark.usefixtures("folder")
def test_takes_sources_as_workers_get_free(client):
    """So that there may be no end of them; whoever leaves waits for the calls under way alone."""
    taken = []

    def photos():
        for number in itertools.count():
            taken.append(number)
            yield "photos/1.jpg"

    outcomes = rekog.detect_images(photos(), client=client, workers=2)
    for _ in range(10):
        next(outcomes)
    outcomes.close()

    assert len(taken) <= 10 + 2 * 2 + 2


@pytest.mark.usefixtures("folder", "patient")
def test_goes_on(client):
    """A second run does what the first has not done, and the file has every photo once."""
    begun = rekog.detect_images("photos", client=client, checkpoint="done.jsonl", workers=1)
    for _ in range(3):
        next(begun)
    begun.close()
    before = len(client.calls)

    others = list(rekog.detect_images("./photos", client=client, checkpoint="done.jsonl"))

    with open("done.jsonl", encoding="utf-8") as lines:  # noqa: PTH123 -- as users do
        saved = list(read_json_lines(lines))
    assert 3 <= before <= 6
    assert len(others) == 9 - before
    assert len(client.calls) == 9
    assert sorted(Path(one.source).name for one in saved) == [Path(name).name for name in NINE]
    assert {len(one.faces) for one in saved} == {1}


def test_errors_in_the_checkpoint(folder, client):
    """Are lines of their own; they are done again where it is asked for, and skipped where not."""
    (folder / "5.jpg").write_bytes(b"\xff\xd8\xff")
    list(rekog.detect_images("photos", client=client, checkpoint="done.jsonl"))
    (folder / "5.jpg").write_bytes(jpeg())

    skipped = list(rekog.detect_images("photos", client=client, checkpoint="done.jsonl"))
    again = list(rekog.detect_images("photos", client=client, checkpoint="done.jsonl", retry_errors=True))
    nothing = list(rekog.detect_images("photos", client=client, checkpoint="done.jsonl", retry_errors=True))

    lines = [json.loads(line) for line in Path("done.jsonl").read_text().splitlines()]
    assert (skipped, sources(again), nothing) == ([], ["photos/5.jpg"], [])
    assert [line["kind"] for line in lines if line["source"] == "photos/5.jpg"] == ["error", "image"]
    assert len(lines) == 10


@pytest.mark.usefixtures("folder")
def test_a_source_that_comes_twice(client):
    """Is done once, with a checkpoint."""
    outcomes = list(rekog.detect_images(["photos/1.jpg"] * 5, client=client, checkpoint="done.jsonl"))

    assert sources(outcomes) == ["photos/1.jpg"]


@pytest.mark.parametrize("given", [[jpeg()], (one for one in [jpeg()])])
def test_refuses_sources_without_a_name(tmp_path, client, given):
    """With a checkpoint, which could not know them again; nothing is sent."""
    with pytest.raises(InvalidInputError) as caught:
        list(rekog.detect_images(given, client=client, checkpoint=tmp_path / "done.jsonl"))

    assert str(caught.value) == (
        f"the file given as {len(jpeg())} bytes has no name, by which a second run would know it again: with "
        "checkpoint= pass paths, s3:// addresses or S3Objects, or leave checkpoint= out"
    )
    assert client.calls == []


@pytest.mark.usefixtures("folder")
def test_two_runs_with_one_checkpoint(client):
    """The second is refused at once, until the first has ended, or nobody wants it any more."""
    first = rekog.detect_images("photos", client=client, checkpoint="done.jsonl")

    with pytest.raises(InvalidInputError, match="is in use: another run writes to it"):
        rekog.detect_images("photos", client=client, checkpoint="done.jsonl")
    del first
    assert len(list(rekog.detect_images("photos", client=client, checkpoint="done.jsonl"))) == 9
    assert list(rekog.detect_images("photos", client=client, checkpoint="done.jsonl")) == []


@pytest.mark.usefixtures("folder")
def test_a_checkpoint_that_cannot_be_written(client, monkeypatch):
    """Ends the batch, with what is known; the outcome that could not be written is given before."""
    full_disk = RekogEmotionError("no room")

    def full(*_):
        raise full_disk

    monkeypatch.setattr(ledger.Journal, "append", full)
    outcomes = rekog.detect_images("photos", client=client, checkpoint="done.jsonl", workers=1)

    assert next(outcomes).source == "photos/0.jpg"
    with pytest.raises(RekogEmotionError, match="no room"):
        next(outcomes)
    assert len(client.calls) <= 3


@pytest.mark.usefixtures("folder")
def test_progress(client):
    """Tells of every outcome, of what is left out, and of the end, with how many there are."""
    told = []

    list(rekog.detect_images("photos", client=client, on_progress=told.append, workers=1))

    last = told[-1]
    assert [progress.event for progress in told[:9]] == ["IMAGE"] * 9
    assert [progress.source for progress in told[:9]] == NINE
    assert (told[9].event, told[9].source, told[9].reason) == ("LEFT_OUT", "photos/notes.txt", "text, not an image")
    assert (last.event, last.done, last.failed, last.left_out, last.skipped, last.total) == ("ENDED", 9, 0, 1, 0, 9)


@pytest.mark.usefixtures("folder")
def test_progress_of_a_list(client):
    """Its length is known from the first on; errors have their reason, and what was done before is counted."""
    told = []
    list(rekog.detect_images(NINE[:2], client=client, checkpoint="done.jsonl"))

    outcomes = rekog.detect_images(
        [*NINE[:3], "none.jpg"], client=client, checkpoint="done.jsonl", on_progress=told.append, ordered=True
    )

    assert sources(outcomes) == ["none.jpg", "photos/2.jpg"]
    assert {progress.total for progress in told} == {4}
    assert [(progress.skipped, progress.done, progress.failed) for progress in told][-1] == (2, 1, 1)
    assert [progress.reason for progress in told if progress.source == "none.jpg"] == [
        "none.jpg: there is no such file; check the path, which starts at the current directory"
    ]


@pytest.mark.usefixtures("folder")
def test_a_listener_that_fails(client):
    """Ends the batch: nobody is to miss it."""

    def fail(progress):
        if progress.event == "IMAGE":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(rekog.detect_images("photos", client=client, on_progress=fail))


@pytest.mark.usefixtures("folder")
def test_a_cancel():
    """Ends all of it; calls under way are outcomes with that error, and are not done for a second run."""
    cancel, begun, over = threading.Event(), threading.Barrier(3, timeout=60), threading.Event()

    class Client(FakeClient):
        """Has its calls cancelled."""

        def detect_faces(self, **_):
            """Answer when it is too late."""
            if begun.wait() == 0:
                cancel.set()
            over.wait(60)
            return ANSWER

    photos = rekog.detect_images("photos", client=Client(), workers=3, cancel=cancel, checkpoint="done.jsonl")
    outcomes = list(photos)

    over.set()
    for thread in threading.enumerate():
        if thread.name == "rekog-emotion-call":
            thread.join(60)
    assert {type(outcome.error) for outcome in outcomes} == {CallCancelledError}
    assert len(outcomes) == 3
    assert Path("done.jsonl").read_text() == ""


@pytest.mark.usefixtures("folder", "patient")
def test_leaving_early_waits_for_calls_that_are_paid_for(monkeypatch):
    """Their outcomes are in the checkpoint."""
    begun, asked = threading.Barrier(3, timeout=60), threading.Event()

    class Left(images._Grace):
        """Tells that a call is still waited for, though the caller has left."""

        def is_set(self):
            """Ask."""
            if self._left.is_set():
                asked.set()
            return super().is_set()

    class Client(FakeClient):
        """Answers all but the first when the caller has left."""

        def detect_faces(self, **_):
            """Answer."""
            if begun.wait() != 0:
                assert asked.wait(60)
            return ANSWER

    monkeypatch.setattr(images, "_Grace", Left)
    outcomes = rekog.detect_images(NINE[:3], client=Client(), workers=3, checkpoint="done.jsonl")
    next(outcomes)
    outcomes.close()

    assert len(Path("done.jsonl").read_text().splitlines()) == 3


@pytest.mark.usefixtures("folder", "clock")
def test_throttling_ends_no_photo(client):
    """The rate follows, for all callers of the client."""
    client.faults.add(Fault.throttled(), times=12)

    outcomes = list(rekog.detect_images("photos", client=client, rate=50, timeout=3600))

    assert [outcome.error for outcome in outcomes] == [None] * 9
    assert pace_of(client).rate < 49


@pytest.mark.usefixtures("folder")
def test_a_service_that_throttles_for_ever(client, clock):
    """Ends by the time of each photo."""
    client.faults.add(Fault.throttled(), times=None)

    outcomes = list(rekog.detect_images(NINE[:1], client=client, timeout=timedelta(seconds=30)))

    assert isinstance(outcomes[0].error, ThrottledError)
    assert 10 <= clock.now() <= 120


@pytest.mark.usefixtures("folder")
def test_keeps_to_a_rate(client, clock):
    """Which one photo alone keeps to, too, after that."""
    list(rekog.detect_images(NINE, client=client, rate=2, workers=1))
    rekog.detect_image(NINE[0], client=client)

    assert clock.now() == pytest.approx(9 / (2 * 0.98), rel=0.2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers=0 is no number of workers: pass 1 or more, or leave it out"),
        ({"workers": True}, "workers=True is no number of workers: pass 1 or more, or leave it out"),
        ({"rate": 0}, "rate=0 is no rate: pass calls a second, your quota for instance, or leave it out"),
        ({"timeout": -1}, "timeout=-1 is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever"),
        ({"retry_errors": True}, "retry_errors=True is about the errors in a checkpoint: name it by checkpoint="),
        ({"cancel": 5}, "cancel= got int: pass a threading.Event"),
        ({"on_progress": 5}, "on_progress= got int: pass a function that takes a Progress"),
        ({"checkpoint": "none/a.jsonl"}, "checkpoint=none/a.jsonl: there is no directory none; make it first"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_refuses_options(client, options, message):
    """Before anything is begun."""
    with pytest.raises(InvalidInputError) as caught:
        rekog.detect_images("photos", client=client, **options)

    assert str(caught.value) == message


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("none", "none: there is no such file or folder; check the path, which starts at the current directory"),
        ("*.png", "*.png: no file matches; check the pattern, which starts at the current directory"),
        (
            b"bytes",
            (
                "sources= got bytes: pass a folder, a glob, s3://bucket/prefix/ or an iterable of photos, or "
                "detect_image() one"
            ),
        ),
        (None, None),
        (rekog.S3Object(bucket="bucket", name="a.jpg"), None),
    ],
)
def test_refuses_sources(client, given, message):
    """That are none."""
    with pytest.raises(InvalidInputError) as caught:
        rekog.detect_images(given, client=client)

    assert message in {None, str(caught.value)}


def test_a_folder_without_pictures(folder, client):
    """Has no outcomes, and says so by its progress."""
    told = []
    for photo in folder.glob("*.jpg"):
        photo.unlink()

    assert list(rekog.detect_images("photos", client=client, on_progress=told.append)) == []
    assert [(progress.event, progress.done, progress.left_out) for progress in told] == [
        ("LEFT_OUT", 0, 1),
        ("ENDED", 0, 1),
    ]


def workers_of(client, quota=None):
    """Return how many photos at a time a batch does that has begun."""
    driver = Driver(client=client)
    batch = Batch(iter([]), ImagesRequest(rate=quota), client, driver.facts, **standing(client))
    driver.run(batch.open())
    driver.run(batch.begin())
    return batch.workers


@pytest.mark.parametrize(
    ("client", "quota", "expected"),
    [
        (FakeClient(), None, 8),
        (FakeClient(), 50.0, 25),
        (FakeClient(), 1.0, 4),
        (FakeClient(), 500.0, 32),
    ],
)
def test_workers(client, quota, expected):
    """As many as the rate needs."""
    assert workers_of(client, quota) == expected


@pytest.mark.parametrize(("threads", "cores", "expected"), [(1, 2, 2), (1, 8, 8), (2, 8, 4), (4, 2, 1)])
def test_workers_of_the_embedded_engine(monkeypatch, threads, cores, expected):
    """No more threads than cores."""
    monkeypatch.setattr(ledger, "_cores", lambda: cores)

    assert workers_of(EmbeddedClient(threads=threads)) == expected


@pytest.mark.usefixtures("credentials")
def test_workers_of_boto3(caplog):
    """A caller's client has as many as it keeps connections; more are possible, and said to be slow."""
    own = boto3.client("rekognition", region_name="us-east-1")
    ours = rekog.aws_client(region_name="us-east-1")
    small = boto3.client("rekognition", config=Config(max_pool_connections=2))

    assert [workers_of(client) for client in (own, ours, small)] == [10, 25, 2]
    assert pace_of(ours).rate == 49
    list(rekog.detect_images([], client=small, workers=3))
    (message,) = caplog.messages
    assert message == (
        "3 workers share a client that keeps 2 connections, and makes the others anew each time: pass a client with "
        "max_pool_connections=3, or fewer workers"
    )


@pytest.mark.usefixtures("credentials")
def test_a_local_endpoint_has_no_quota_that_is_known():
    """It is not AWS."""
    client = rekog.aws_client(endpoint_url="http://127.0.0.1:9")

    workers_of(client)

    assert pace_of(client).rate is None


def test_sources_that_fail(client):
    """Say so where the outcomes are taken."""

    def photos():
        yield jpeg()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(rekog.detect_images(photos(), client=client))
