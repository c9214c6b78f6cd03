import random
import sys
from pathlib import Path

import pytest

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.flows import checkpoint
from rekog_emotion.flows.checkpoint import Checkpoint
from rekog_emotion.results.journal import Entry
from rekog_emotion.values.s3 import S3Object

ENTRIES = [
    Entry("done.jpg", failed=False),
    Entry("failed.jpg", failed=True),
    Entry("better.jpg", failed=True),
    Entry("better.jpg", failed=False),
    Entry("s3://bucket/a//b.jpg", failed=False),
    Entry(None, failed=False),
]


@pytest.mark.parametrize(
    ("source", "again", "expected"),
    [
        ("done.jpg", False, False),
        ("./done.jpg", False, False),
        (Path("done.jpg"), False, False),
        ("new.jpg", False, True),
        ("failed.jpg", False, False),
        ("failed.jpg", True, True),
        ("better.jpg", True, False),
        ("s3://bucket/a//b.jpg", False, False),
        (S3Object(bucket="bucket", name="a//b.jpg"), False, False),
        ("S3://bucket/a//b.jpg", False, False),
        ("s3://bucket/a/b.jpg", False, True),
        ("S3://bucket/A//b.jpg", False, True),
        ("None", False, True),
    ],
)
def test_takes_what_is_not_done(source, again, expected):
    """By the exact address in S3, and by the path however it is written; errors again where they are asked for."""
    assert Checkpoint(ENTRIES, retry_errors=again).takes(source) is expected
    assert again or Checkpoint(ENTRIES).takes(source) is expected


def test_takes_each_once():
    """Also what comes twice in one run; what is not taken is counted."""
    checkpoint = Checkpoint(ENTRIES)

    taken = [checkpoint.takes(name) for name in ("a", "b", "./a", "done.jpg", "failed.jpg", "better.jpg")]

    assert taken == [True, True, False, False, False, False]
    assert (checkpoint.skipped, checkpoint.failed_before) == (4, 1)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (b"bytes", "the file given as 5 bytes"),
        (bytearray(b"bytes"), "the file given as 5 bytes"),
        (None, "None"),
        (5, "<int>"),
    ],
)
def test_refuses_what_has_no_name(source, name):
    """A second run would not know it again."""
    with pytest.raises(InvalidInputError) as caught:
        Checkpoint().takes(source)

    assert str(caught.value) == (
        f"{name} has no name, by which a second run would know it again: with checkpoint= pass paths, s3:// addresses "
        "or S3Objects, or leave checkpoint= out"
    )


def test_many(monkeypatch):
    """Names lie in eight bytes each, and are found in whatever order they came."""
    monkeypatch.setattr(checkpoint, "_LOOSE", 100)
    names = [f"photos/{number}.jpg" for number in range(2050)]
    random.Random(4).shuffle(names)  # noqa: S311 -- no secret
    found = Checkpoint(Entry(name, failed=False) for name in names)

    assert (len(found._done._sorted), len(found._done._loose)) == (2000, 50)  # a hundred at a time
    assert not any(found.takes(name) for name in names)
    assert found.takes("photos/2050.jpg")
    assert sys.getsizeof(found._done._sorted) < 2050 * 12
