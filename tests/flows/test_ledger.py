"""What becomes of the photos of a batch: how many at a time, what is done again, counted, told and written down."""

import json
from types import SimpleNamespace

import pytest

from rekog_emotion import (
    CallCancelledError,
    ImageAnalysis,
    ImageOutcome,
    InvalidInputError,
    Progress,
    ProgressEvent,
    S3Object,
    ThrottledError,
)
from rekog_emotion.flows import ledger
from rekog_emotion.flows.checkpoint import Checkpoint
from rekog_emotion.flows.ledger import (
    InOrder,
    Ledger,
    check_batch,
    is_countable,
    pace_for,
    total_of,
    workers_for,
)
from rekog_emotion.flows.rate import pace_of
from rekog_emotion.flows.tally import Tally
from rekog_emotion.results.journal import Entry
from rekog_emotion.sources.collections import LeftOut, Unusable

PREFIX = "s3://bucket/a/"
FAILED = ThrottledError("slow down")
DONE = ImageOutcome(source="a.jpg", analysis=ImageAnalysis(source="a.jpg"))
BROKEN = ImageOutcome(source=S3Object(bucket="bucket", name="b.jpg"), error=FAILED)
CANCELLED = ImageOutcome(source="c.jpg", error=CallCancelledError("cancelled"))

# --- options ---


@pytest.mark.parametrize("workers", [None, 1, 100])
@pytest.mark.parametrize(("retry", "checkpoint"), [(False, None), (False, "a.jsonl"), (True, "a.jsonl")])
def test_options_that_can_be_used(workers, retry, checkpoint):
    """Any number of workers from one on, and errors again of a checkpoint."""
    check_batch(workers=workers, retry_errors=retry, checkpoint=checkpoint)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(
            ({"workers": workers}, f"workers={workers!r} is no number of workers: pass 1 or more, or leave it out")
            for workers in (0, -1, True, 2.0, "4")
        ),
        ({"retry_errors": True}, "retry_errors=True is about the errors in a checkpoint: name it by checkpoint="),
    ],
    ids=str,
)
def test_options_that_cannot_be_used(options, message):
    """They are refused before a photo is sent."""
    with pytest.raises(InvalidInputError) as caught:
        check_batch(**{"workers": None, "retry_errors": False, "checkpoint": None, **options})

    assert str(caught.value) == message


# --- pace and workers ---


class Client:
    """Is known by itself."""


@pytest.mark.parametrize(
    ("quota", "files", "region", "rate"),
    [
        (None, False, None, None),
        (None, False, "us-east-1", 49.0),
        (None, False, "eu-north-1", 4.9),
        (10.0, False, "us-east-1", 9.8),
        (10.0, False, None, 9.8),
        (10.0, True, None, 9.8),
    ],
)
def test_the_pace(quota, files, region, rate):
    """What the caller says, else what AWS gives by default; a service that is not AWS has no limit that is known."""
    client = Client()

    pace = pace_for(client, quota, files=files, region=region)

    assert pace.rate == (None if rate is None else pytest.approx(rate))
    assert pace is pace_of(client)


def test_who_works_by_itself_has_no_pace():
    """Unless the caller gives it one."""
    assert pace_for(Client(), None, files=True, region=None) is None


def test_a_quota_that_is_likely_may_be_passed():
    """One that the caller says may not."""
    likely, told = (pace_for(Client(), quota, files=False, region="us-east-1") for quota in (None, 50.0))

    for pace in (likely, told):
        for number in range(400):
            pace.turn(number / 100)

    assert likely.rate > 50 > told.rate


@pytest.mark.parametrize(
    ("quota", "region", "pool", "workers"),
    [
        (None, None, None, 8),
        (None, None, 3, 3),
        (None, None, 10, 8),
        (None, "us-east-1", None, 25),
        (None, "us-east-1", 10, 10),
        (None, "eu-north-1", None, 4),
        (10.0, "us-east-1", None, 5),
        (11.0, None, None, 6),
        (8.0, None, None, 4),
        (0.1, None, None, 4),
        (64.0, None, None, 32),
        (1000.0, None, None, 32),
        (1000.0, None, 50, 32),
    ],
)
def test_workers_of_a_service(quota, region, pool, workers):
    """Half as many as calls a second, 4 to 32, and no more than there are connections."""
    assert workers_for(object(), quota, files=False, region=region, pool=pool) == workers


@pytest.mark.parametrize(("threads", "cores", "workers"), [(1, 8, 8), (2, 9, 4), (4, 2, 1), (0, 3, 3)])
def test_workers_of_who_works_by_itself(monkeypatch, threads, cores, workers):
    """As many as the cores have room for, whatever the rate is."""
    monkeypatch.setattr(ledger, "_cores", lambda: cores)

    assert workers_for(SimpleNamespace(threads=threads), 1000.0, files=True, region="us-east-1", pool=2) == workers


def test_cores(monkeypatch):
    """Those that this process may use, where the system tells."""
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {3, 5, 7} if process == 0 else set(), raising=False)

    assert ledger._cores() == 3


# --- how many there are ---


@pytest.mark.parametrize(
    ("photos", "countable"),
    [
        ([], True),
        (["a.jpg", "b/"], True),
        (("a.jpg", b"bytes", None), True),
        (["a.jpg", PREFIX], False),
        ([PREFIX], False),
        (iter(["a.jpg"]), False),
    ],
    ids=["nothing", "a list", "a tuple", "a prefix, too", "a prefix", "an iterator"],
)
def test_what_can_be_counted(photos, countable):
    """A list, unless a part of it is listed by S3."""
    assert is_countable(photos) is countable


@pytest.fixture
def folder(tmp_path):
    """Give a folder of three files."""
    for name in ("1.jpg", "2.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"?")
    return tmp_path


def test_counts_what_is_there(folder):
    """The files of a folder, what is left out among them, and one for each photo."""
    assert total_of([folder, b"bytes", "none.jpg", None], lambda: False) == 3 + 1 + 1 + 1
    assert total_of([], lambda: True) == 0


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_counting_can_be_stopped(folder, after):
    """At any file; then there is no number."""
    asked = []

    def stopped():
        asked.append(1)
        return len(asked) == after

    assert total_of([folder, b"bytes"], stopped) is None
    assert len(asked) == after


# --- what becomes of each ---


@pytest.fixture
def told():
    """Give the reports."""
    return []


@pytest.fixture
def lines():
    """Give the lines of the journal."""
    return []


@pytest.fixture
def book(told, lines):
    """Give a batch that began at 100 s, and goes on where another one ended."""
    done = Checkpoint([Entry("done.jpg", failed=False)])
    return Ledger(Tally(100.0), told.append, SimpleNamespace(append=lines.append), done)


def test_takes_what_is_to_be_done(book, told):
    """Once; what was done is counted, what is no picture told."""
    unusable = Unusable(PREFIX, FAILED)
    found = ["a.jpg", "a.jpg", "done.jpg", unusable, unusable, LeftOut("notes.txt", "no image"), "b.jpg"]

    taken = [book.takes(one, 101.0) for one in found]

    assert taken == [True, False, False, True, True, False, True]
    assert (book.tally.skipped, book.tally.left_out, book.tally.done, book.tally.failed) == (2, 1, 0, 0)
    assert told == [
        Progress(
            event=ProgressEvent.LEFT_OUT,
            source="notes.txt",
            reason="no image",
            done=0,
            failed=0,
            left_out=1,
            skipped=2,
            failed_before=0,
            rate=0.0,
        )
    ]


def test_without_a_checkpoint_all_is_to_be_done():
    """However often it comes, and whether it has a name or not; nobody has to listen."""
    book = Ledger(Tally(0.0), None)

    assert [book.takes(one, 0.0) for one in ("a.jpg", "a.jpg", b"bytes", LeftOut("x", "y"))] == [True] * 3 + [False]
    assert (book.tally.skipped, book.tally.left_out) == (0, 1)
    book.write("a.jpg", DONE)
    book.count(DONE, 1.0)
    assert book.tally.done == 1


def test_writes_outcomes_down(book, lines):
    """Analyses and errors; neither what is still to be done nor a place that is listed anew next time."""
    for source, outcome in [
        ("a.jpg", DONE),
        (BROKEN.source, BROKEN),
        ("c.jpg", CANCELLED),
        (Unusable(PREFIX, FAILED), ImageOutcome(source=PREFIX, error=FAILED)),
    ]:
        book.write(source, outcome)

    assert lines[0] == DONE.analysis.to_json()
    assert [json.loads(line)["source"] for line in lines] == ["a.jpg", "s3://bucket/b.jpg"]


def test_counts_outcomes(book, told):
    """Each is told with its source, and an error with its words; what was cancelled is still to be done."""
    for outcome in (DONE, CANCELLED, BROKEN):
        book.count(outcome, 102.0)

    event, without = ProgressEvent.IMAGE, {"left_out": 0, "skipped": 0, "failed_before": 0}
    assert told == [
        Progress(event=event, source="a.jpg", done=1, failed=0, rate=0.5, **without),
        Progress(event=event, source="s3://bucket/b.jpg", reason="slow down", done=1, failed=1, rate=1.0, **without),
    ]


def test_tells_how_far_it_is(book, told):
    """At the end, for instance."""
    book.tally.total = 4
    book.count(DONE, 101.0)

    book.tell(ProgressEvent.ENDED, 102.0)

    assert (told[-1].event, told[-1].source, told[-1].rate, told[-1].seconds_left) == ("ENDED", None, 0.5, 6.0)


def test_outcomes_in_order():
    """Each comes when all before it have come."""
    order = InOrder()
    outcomes = [ImageOutcome(source=f"{number}.jpg") for number in range(5)]

    came = [[one.source for one in order.ready(number, outcomes[number])] for number in (1, 3, 0, 2, 4)]

    assert came == [[], [], ["0.jpg", "1.jpg"], ["2.jpg", "3.jpg"], ["4.jpg"]]
