"""Many photos, without threads and tasks: what may be asked, how many at a time, what becomes of each, and the end."""

import json
from itertools import islice

import pytest

from rekog_emotion import (
    AccessDeniedError,
    CallCancelledError,
    ImageAnalysis,
    ImageOutcome,
    InvalidInputError,
    RekogEmotionError,
)
from rekog_emotion.flows import ledger
from rekog_emotion.flows.combining import collect
from rekog_emotion.flows.images import Asking, Batch, Done, ImagesRequest, Item, paced
from rekog_emotion.flows.ledger import AHEAD
from rekog_emotion.flows.rate import pace_of
from rekog_emotion.flows.steps import Call, Facts, Now, Shared, Work
from rekog_emotion.flows.videos import End
from rekog_emotion.results.journal import Journal
from rekog_emotion.sources.collections import LeftOut, Unusable
from tests.pictures import jpeg
from tests.stepping import Table

PREFIX = "s3://bucket/a/"
DENIED = AccessDeniedError("not yours", operation="DetectFaces", code="AccessDeniedException")
FACES = {"FaceDetails": [{"Confidence": 99.0}]}
FULL = RekogEmotionError("no room")


class Client:
    """Is known by itself."""


class Stream:
    """Gives photos as they come, to whoever awaits them."""

    def __aiter__(self):
        """Give nothing here: no flow awaits."""
        return self

    def __len__(self):
        """Look as if it could be counted."""
        return 3


def many(sources=(), *, client=None, facts=None, aws=None, pool=None, waits=False, **options):
    """Return a batch."""
    known = {"region": aws, "aws": aws, "pool": pool, "waits": waits}
    return Batch(sources, ImagesRequest(**options), client or Client(), facts or Facts(), **known)


def begun(*arguments, **options):
    """Return a batch that has begun."""
    batch = many(*arguments, **options)
    Table().play(batch.open())
    Table().play(batch.begin())
    return batch


@pytest.fixture
def told():
    """Give the reports."""
    return []


@pytest.fixture
def folder(tmp_path):
    """Give a folder of two photos and a text."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("1.jpg", "2.jpg"):
        (photos / name).write_bytes(jpeg())
    (photos / "notes.txt").write_text("no picture")
    return photos


# --- what may be asked ---


def test_options_are_looked_at_in_one_order():
    """Whichever of several is wrong, both worlds complain of the same one."""
    wrong = {
        "attributes": "AURA",
        "timeout": -1,
        "rate": 0,
        "on_progress": 5,
        "cancel": 5,
        "workers": 0,
        "retry_errors": True,
    }
    complaints = []
    while True:
        with pytest.raises(InvalidInputError) as caught:
            ImagesRequest.of(wrong).photos(b"one photo")
        complaints.append(str(caught.value).partition("=")[0])
        if not wrong:
            break
        wrong.pop(next(iter(wrong)))

    assert complaints[1:] == ["timeout", "rate", "on_progress", "cancel", "workers", "retry_errors", "sources"]
    assert complaints[0] == "attributes"


def test_what_is_asked():
    """Is kept as it is checked, among whatever other options a verb has."""
    asked = ImagesRequest.of({"attributes": "emotions", "timeout": 5, "rate": 2, "client": None})

    assert (asked.attributes, asked.timeout, asked.rate, asked.workers) == (["EMOTIONS"], 5.0, 2.0, None)
    assert ImagesRequest().timeout == 60.0


def test_asynchronous_sources():
    """Are for those who can await them."""
    stream, asked = Stream(), ImagesRequest()

    assert asked.photos(stream, awaits=True) is stream
    assert asked.photos(["a.jpg"], awaits=True) == ["a.jpg"]
    with pytest.raises(InvalidInputError, match="sources= got Stream: pass a folder"):
        asked.photos(stream)


# --- how many at a time ---


@pytest.mark.parametrize(
    ("sources", "options", "workers"),
    [
        ([b"bytes"] * 3, {}, 3),
        ([b"bytes"] * 9, {}, 8),
        ([b"bytes"] * 9, {"workers": 5}, 5),
        ([b"bytes"] * 2, {"workers": 5}, 2),
        ([], {"workers": 5}, 1),
        (iter([b"bytes"]), {"workers": 5}, 5),
        (iter([b"bytes"]), {"rate": 20}, 10),
        (iter([b"bytes"]), {"aws": "us-east-1"}, 25),
        (iter([b"bytes"]), {"aws": "us-east-1", "pool": 10}, 10),
    ],
)
def test_workers(sources, options, workers):
    """As many as were asked for, or are of use; and no more than there are photos, where that is known."""
    assert begun(sources, **options).workers == workers


@pytest.mark.parametrize(
    ("waits", "what"), [(False, "makes the others anew each time"), (True, "the others wait for one")]
)
def test_a_client_of_few_connections(caplog, waits, what):
    """Is told of, whatever there is to do; one of enough is not."""
    begun([], workers=3, pool=3, waits=waits)
    begun([], workers=3, waits=waits)
    assert caplog.messages == []

    begun([], workers=3, pool=2, waits=waits)

    (message,) = caplog.messages
    assert message == (
        f"3 workers share a client that keeps 2 connections, and {what}: pass a client with max_pool_connections=3, or "
        "fewer workers"
    )


def test_the_pace():
    """Is that of the client, from the opening on; one who works by itself has none."""
    client, alone = Client(), Client()

    Table().play(many(client=client, rate=10).open())
    Table().play(many(client=alone, facts=Facts(can=frozenset({"files"}))).open())

    assert pace_of(client).rate == pytest.approx(9.8)
    assert pace_of(alone).rate is None
    assert isinstance(next(paced(client, None, facts=Facts(), aws=None)), Shared)  # others use it, too


def test_the_window():
    """Is there where order is wanted, and as wide as there are workers."""
    assert begun([b"bytes"] * 9, workers=2).window is None
    assert begun([b"bytes"] * 9, workers=2, ordered=True).window == AHEAD * 2


# --- how many there are ---


def test_what_is_known_at_once():
    """The length of a list of photos; what is to be looked for is counted beside the work, or not at all."""
    known = begun([b"bytes", "none.jpg", None])
    unknown = [begun(iter([b"bytes"])), begun([PREFIX, b"bytes"]), begun(Stream())]

    assert (known.ledger.tally.total, known.counts) == (3, False)
    assert [(one.ledger.tally.total, one.counts) for one in unknown] == [(None, False)] * 3


def test_a_folder_is_counted_beside_the_work(folder):
    """What is left out, too; until nobody wants to know."""
    batch, other = (begun([folder, b"bytes"]) for _ in range(2))
    assert (batch.ledger.tally.total, batch.counts) == (None, True)

    batch.count(lambda: False)
    other.count(lambda: True)

    assert (batch.ledger.tally.total, other.ledger.tally.total) == (4, None)


def test_what_cannot_be_counted(folder):
    """Is no fault of the batch: who goes through it meets what is wrong."""

    class Sources(list):
        """Fails the second time that it is gone through."""

        times = 0

        def __iter__(self):
            self.times += 1
            if self.times > 2:
                raise ZeroDivisionError
            return super().__iter__()

    batch = begun(Sources([folder]))
    batch.count(lambda: False)

    assert batch.counts
    assert batch.ledger.tally.total is None


# --- the checkpoint ---


def test_goes_on(tmp_path, told):
    """From what an earlier run has done."""
    file = tmp_path / "done.jsonl"
    file.write_text(ImageAnalysis(source="a.jpg").to_json() + "\n")

    batch = begun(["a.jpg", "b.jpg"], checkpoint=file, on_progress=told.append)
    items = Table().play(collect(batch.items()))
    batch.end(5.0)

    assert items == [Item(0, "b.jpg")]
    assert [(one.event, one.skipped) for one in told] == [("ENDED", 1)]
    Journal(file).close()  # nobody has it any more


def test_a_checkpoint_that_is_something_else(tmp_path, told):
    """Begins nothing, and changes nothing: nothing is told, the file is as it was, and the rate of the client, too."""
    file, client = tmp_path / "notes.txt", Client()
    file.write_text("my notes\n")
    batch = many(["a.jpg"], client=client, checkpoint=file, rate=10, on_progress=told.append)

    with pytest.raises(InvalidInputError, match="line 1 is not one of results"):
        Table().play(batch.open())

    batch.end(5.0)
    assert told == []
    assert file.read_text() == "my notes\n"
    assert pace_of(client).rate is None
    Journal(file).close()


def test_a_checkpoint_that_is_opened_when_nobody_waits_any_longer(tmp_path):
    """Is given back at once: the thread that opens it cannot be stopped."""
    file = tmp_path / "done.jsonl"
    flow = many(["a.jpg"], checkpoint=file).open()
    next(flow)
    opening = flow.send(0.0)
    assert isinstance(opening, Work)

    with pytest.raises(KeyboardInterrupt):
        flow.throw(KeyboardInterrupt())
    opening.function()

    Journal(file).close()


# --- what is to be done ---


def test_what_is_to_be_done(folder, told):
    """Has a number each, from the first part to the last; what is left out is told."""
    batch = begun(iter(()), on_progress=told.append)

    parts = ([folder, b"bytes"], [LeftOut("x", "y")], ["none.jpg"])
    items = [item for part in parts for item in Table().play(collect(batch.items(part)))]

    assert items == [
        Item(0, str(folder / "1.jpg")),
        Item(1, str(folder / "2.jpg")),
        Item(2, b"bytes"),
        Item(3, "none.jpg"),
    ]
    assert [(one.event, one.source) for one in told] == [("LEFT_OUT", str(folder / "notes.txt")), ("LEFT_OUT", "x")]


def test_iterables_are_asked_by_steps():
    """They may take long; a list of photos takes no time, and needs no step."""
    slow, quick = begun(iter(())).items(iter([b"1"])), begun(iter(())).items([b"1"])

    assert isinstance(next(slow), Work)
    assert isinstance(next(quick), Now)


def test_after_a_fault():
    """Nothing more is begun, nor asked for."""
    batch, asked = begun(iter(())), []

    def sources():
        for number in range(9):
            asked.append(number)
            batch.fault = FULL if number == 2 else None
            yield b"bytes"

    items = Table().play(collect(batch.items(sources())))

    assert [item.number for item in items] == [0, 1]
    assert asked == [0, 1, 2]


# --- what becomes of one ---


@pytest.fixture
def done(tmp_path, told):
    """Give a function that does an item, with the answers of the service, and a batch that writes down."""
    batch = begun(iter(()), checkpoint=tmp_path / "done.jsonl", on_progress=told.append)

    def do(source, *answers, **options):
        table = Table(*answers, **options)
        cancellable = "cancelled_at" in options
        return table.play(batch.one(Item(7, source), cancellable=cancellable)), table

    do.batch = batch
    do.lines = lambda: [json.loads(line) for line in (tmp_path / "done.jsonl").read_text().splitlines()]
    yield do
    batch.close()


def test_a_photo(done, told, tmp_path):
    """Is asked for, written down, counted and told, in this order."""
    photo = tmp_path / "a.jpg"
    photo.write_bytes(jpeg())

    end, table = done(photo, FACES)

    assert (end.number, end.outcome.source, len(end.outcome.result().faces), end.fault) == (7, photo, 1, None)
    assert [type(step) for step in table.steps] == [Call]
    assert [line["source"] for line in done.lines()] == [str(photo)]
    assert [(one.event, one.done, one.source) for one in told] == [("IMAGE", 1, str(photo))]


@pytest.mark.parametrize(
    ("source", "answer", "error", "written"),
    [
        (jpeg(), DENIED, AccessDeniedError, 1),
        (b"no photo", None, InvalidInputError, 1),
        ("none.jpg", None, InvalidInputError, 1),
        (None, None, InvalidInputError, 1),
        (Unusable(PREFIX, DENIED), None, AccessDeniedError, 0),
    ],
    ids=["refused", "no photo", "no file", "nothing", "a place"],
)
def test_one_that_fails(done, source, answer, error, written):
    """Is an outcome, and stops no other; a place that cannot be looked into is looked into anew next time."""
    end, _ = done(source, answer)

    assert type(end.outcome.error) is error
    assert end.outcome.source is getattr(source, "source", source)
    assert end.fault is None
    assert done.batch.fault is None
    assert (len(done.lines()), done.batch.ledger.tally.failed) == (written, 1)


def test_one_that_is_cancelled(done, told):
    """Is an outcome that is neither written down nor counted: it is still to be done."""
    end, table = done(jpeg(), FACES, cancelled_at=0.0)

    assert type(end.outcome.error) is CallCancelledError
    assert (table.steps, done.lines(), told) == ([], [], [])


def test_an_interrupt(done):
    """Ends the batch, and is no outcome."""
    with pytest.raises(KeyboardInterrupt):
        done(jpeg(), KeyboardInterrupt())


@pytest.mark.parametrize("what", ["the journal", "the listener"])
def test_a_fault(done, told, monkeypatch, what):
    """Is told with the outcome that it came with, and ends the batch; the photo itself was done."""

    def fail(*_):
        raise FULL

    monkeypatch.setattr(*{"the journal": (Journal, "append"), "the listener": (ledger, "tell")}[what], fail)
    end, _ = done(jpeg(), FACES)

    assert end.outcome.error is None
    assert end.fault is FULL
    assert done.batch.fault is FULL
    assert told == []


def test_an_outcome_is_written_to_its_end():
    """Whatever cancels meanwhile: it was paid for."""
    batch = begun(["a.jpg"])
    batch.ledger.journal = object()
    flow = batch._kept(Item(0, "a.jpg"), ImageOutcome(source="a.jpg"))

    step = next(flow)

    assert (step.whole, step.short) == (True, False)
    flow.close()


def test_what_is_asked_of_each():
    """The attributes, within the time of a photo, by nobody's event unless it is said."""
    asking = Asking.of(ImagesRequest(attributes="smile", timeout=5), Facts(), None)
    table, cancelled = Table(FACES), Table(FACES, cancelled_at=0.0)

    table.play(asking.outcome(jpeg()))
    outcome = cancelled.play(asking.outcome(jpeg(), cancellable=True))

    (call,) = table.steps
    assert (call.parameters["Attributes"], call.within) == (["SMILE"], 5.0)
    assert type(outcome.error) is CallCancelledError


# --- what is given ---


def ends(*numbers, fault=None):
    """Return the ends of items."""
    outcomes = {number: ImageOutcome(source=f"{number}.jpg") for number in numbers}
    return [End(Item(n, ""), Done(n, outcomes[n], fault if n == numbers[-1] else None)) for n in numbers]


@pytest.mark.parametrize(
    ("ordered", "came"),
    [(False, [["1.jpg"], ["0.jpg"], ["2.jpg"]]), (True, [[], ["0.jpg", "1.jpg"], ["2.jpg"]])],
)
def test_whose_turn_it_is(ordered, came):
    """As they come, or by their numbers."""
    batch = begun(iter(()), ordered=ordered)

    assert [[one.source for one in batch.ready(end)] for end in ends(1, 0, 2)] == came


@pytest.mark.parametrize(("ordered", "number", "came"), [(False, 4, ["4.jpg"]), (True, 0, ["0.jpg"]), (True, 4, [])])
def test_a_fault_is_raised_when_its_outcome_was_given(ordered, number, came):
    """If it was its turn: nobody waits for those before it."""
    outcomes = begun(iter(()), ordered=ordered).ready(*ends(number, fault=FULL))

    assert [one.source for one in islice(outcomes, len(came))] == came
    with pytest.raises(RekogEmotionError, match="no room"):
        next(outcomes)


def test_an_item_that_has_no_end():
    """Is an error of ours, and not lost."""
    batch = begun(iter(()))

    with pytest.raises(ZeroDivisionError):
        list(batch.ready(End(Item(0, ""), error=ZeroDivisionError())))


def test_the_end(told):
    """Is told of what has begun, alone."""
    batch = many(["a.jpg"], on_progress=told.append)
    Table().play(batch.open())
    batch.end(1.0)
    assert told == []

    Table().play(batch.begin())
    batch.end(2.0)

    assert [(one.event, one.total) for one in told] == [("ENDED", 1)]
