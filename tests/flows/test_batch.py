"""Where many photos are found: folders, prefixes page by page, and whatever else is passed."""

import json

import pytest

from rekog_emotion import (
    CallCancelledError,
    ImageAnalysis,
    ImageOutcome,
    InvalidInputError,
    PaginationError,
    S3Object,
    ServiceError,
    ThrottledError,
)
from rekog_emotion.flows.batch import check_sources, found, has_more, is_place, is_prefix, line_of
from rekog_emotion.flows.combining import collect
from rekog_emotion.flows.steps import List
from rekog_emotion.sources.collections import LeftOut, Unusable
from tests.pictures import jpeg
from tests.stepping import Table

DENIED = ServiceError("s3://bucket/a/ cannot be listed")


def page(*keys, after=None):
    """Return a page of a listing."""
    contents = [{"Key": key, "Size": 5} for key in keys]
    return {"Contents": contents, **({} if after is None else {"NextContinuationToken": after})}


def photo(key):
    """Return an object of the bucket."""
    return S3Object(bucket="bucket", name=key)


@pytest.mark.parametrize(
    ("answers", "steps", "expected"),
    [
        ([{}], [List("bucket", "a/")], []),
        (
            [page("a/1.jpg", "a/x.txt"), page("never.jpg")],
            [List("bucket", "a/")],
            [photo("a/1.jpg"), LeftOut("s3://bucket/a/x.txt", "no image by its name (text/plain)")],
        ),
        (
            [page("a/1.jpg", after="t-1"), page("a/2.jpg", after="t-2"), page("a/3.jpg")],
            [List("bucket", "a/"), List("bucket", "a/", "t-1"), List("bucket", "a/", "t-2")],
            [photo("a/1.jpg"), photo("a/2.jpg"), photo("a/3.jpg")],
        ),
        (
            [page("a/1.jpg", after="t-1"), DENIED],
            [List("bucket", "a/"), List("bucket", "a/", "t-1")],
            [photo("a/1.jpg"), Unusable("s3://bucket/a/", DENIED)],
        ),
    ],
    ids=["nothing", "a page", "pages", "an error"],
)
def test_a_prefix(answers, steps, expected):
    """Is listed page by page, until there is none; what cannot be listed is told, after what could."""
    table = Table(*answers)

    assert table.play(collect(found(["s3://bucket/a/"]))) == expected
    assert table.steps == steps


def test_a_listing_that_repeats_itself():
    """Does not go on for ever."""
    table = Table(page("a/1.jpg", after="t-1"))

    *_, last = table.play(collect(found(["s3://bucket/a/"])))

    assert len(table.steps) == 2
    assert isinstance(last.error, PaginationError)
    assert str(last.error) == "s3://bucket/a/: the listing repeats itself; its other pictures are missing"


def test_pages_are_listed_when_they_are_wanted():
    """Whoever has enough asks for no more."""
    flow = found(["s3://bucket/a/"])

    assert next(flow) == List("bucket", "a/")
    assert flow.send(page("a/1.jpg", after="t-1")).value == photo("a/1.jpg")
    assert flow.send(None) == List("bucket", "a/", "t-1")


def test_folders_among_photos(tmp_path):
    """Are gone through; anything that is no path is given as it is."""
    (tmp_path / "1.jpg").write_bytes(jpeg())
    given = [tmp_path / "1.jpg", b"bytes", tmp_path, None, "none.jpg"]

    values = Table().play(collect(found(given)))

    assert values == [tmp_path / "1.jpg", b"bytes", str(tmp_path / "1.jpg"), None, "none.jpg"]
    assert values[0] is given[0]


def test_lines():
    """An analysis is its document, an error one of its own, and what was cancelled is still to be done."""
    analysis = ImageAnalysis(source="a.jpg")

    done = line_of(ImageOutcome(source="a.jpg", analysis=analysis))
    failed = line_of(ImageOutcome(source=photo("a.jpg"), error=ThrottledError("slow down")))
    cancelled = line_of(ImageOutcome(source="a.jpg", error=CallCancelledError("cancelled")))

    assert done == analysis.to_json()
    assert {name: json.loads(failed)[name] for name in ("kind", "source", "error")} == {
        "kind": "error",
        "source": "s3://bucket/a.jpg",
        "error": "ThrottledError: slow down",
    }
    assert cancelled is None


@pytest.mark.parametrize("sources", [5, None, b"bytes", bytearray(b"bytes"), memoryview(b"bytes"), photo("a.jpg")])
def test_one_photo_is_not_many(sources):
    """Nor is what is no photo at all."""
    with pytest.raises(InvalidInputError) as caught:
        check_sources(sources, named=False)

    assert str(caught.value) == (
        f"sources= got {type(sources).__name__}: pass a folder, a glob, s3://bucket/prefix/ or an iterable of photos, "
        "or detect_image() one"
    )


def test_sources_that_may_be_many(tmp_path):
    """One place is a list of one; names are looked at where they are needed and there is a list."""
    nameless = [b"bytes"]

    assert check_sources(tmp_path, named=True) == [tmp_path]
    assert check_sources(["a.jpg", photo("b.jpg")], named=True) == ["a.jpg", photo("b.jpg")]
    assert check_sources(nameless, named=False) is nameless
    assert list(check_sources(iter(nameless), named=True)) == nameless
    for sources in (nameless, tuple(nameless)):
        with pytest.raises(InvalidInputError) as caught:
            check_sources(sources, named=True)
        assert str(caught.value).startswith(
            "the file given as 5 bytes has no name, by which a second run would know it again"
        )


def test_what_may_be_many(tmp_path):
    """A folder, a glob or a prefix, as far as its name tells."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    sources = [tmp_path, str(tmp_path / "*.jpg"), "s3://bucket/a/", tmp_path / "a.jpg", photo("a.jpg"), b"bytes", None]

    assert [has_more(source) for source in sources] == [True, True, True, False, False, False, False]
    assert [is_place(source) for source in sources] == [True, True, True, True, False, False, False]
    assert [is_prefix(source) for source in sources] == [False, False, True, False, False, False, False]
