"""A ``source`` is data: the exact path or address, however long and odd, through every form that results take."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion import ImageAnalysis, InvalidInputError, S3Object, VideoAnalysis
from rekog_emotion.results import tables
from rekog_emotion.results.lossless import read_json_lines, write_json_lines
from rekog_emotion.testing import FakeClient

FACES = {"FaceDetails": [{"Confidence": 99.0}]}
ENDED = {"JobStatus": "SUCCEEDED", "Faces": []}
DEEP = "a project folder with a long name/" * 6  # over the 200 letters that a message shows
ADDRESS = "s3://my-bucket/" + "year=2026/" * 40
ODD = [
    pytest.param(DEEP, id="long"),
    pytest.param(os.fsdecode(b"caf\xe9 "), id="no text"),
    pytest.param("two\nlines ", id="control"),
    pytest.param("./", id="as given"),
]


class Place:
    """A path of another library."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        """Give the path."""
        return self.path


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def saved(path):
    """Save a small picture."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (100, 80), "white").save(path)
    return path


def analyzed(source):
    """Return the analysis of a photo."""
    return rekog.detect_image(source, client=FakeClient(images=FACES))


@pytest.mark.parametrize("folder", ODD)
def test_a_photo_is_named_by_its_path(folder):
    """Two photos stay two in every table, and each can be drawn on, before and after JSON."""
    paths = [saved(f"{folder}{number}.png") for number in (1, 2)]
    photos = [analyzed(path) for path in paths]
    file = io.StringIO()
    write_json_lines(file, photos)
    again = list(read_json_lines(file.getvalue().splitlines()))

    assert [photo.source for photo in photos] == paths
    assert [photo.source for photo in again] == paths
    assert [photo.draw().size for photo in (*photos, *again)] == [(100, 80)] * 4
    assert len(tables.to_pandas(*photos).groupby("source")) == 2
    assert len({row["source"] for row in tables.to_arrow(*photos).to_pylist()}) == 2
    file.getvalue().encode("ascii")  # which any file takes


@pytest.mark.parametrize("folder", ODD)
def test_a_video_is_named_by_its_path(folder):
    """As a photo is, also by the errors of its job, whose messages show it on one line."""
    path = f"{folder}clip.mp4"
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(bytes(12))
    shelf = FakeClient(videos=ENDED)
    shelf.stage = lambda *_, **__: S3Object(bucket="local", name="clip")
    shelf.discard = lambda _: None
    shelf.rekog_capabilities = frozenset({"files"})

    clip = rekog.analyze_video(path, client=shelf)

    assert clip.source == path
    assert VideoAnalysis.from_json(clip.to_json()).source == path


@pytest.mark.parametrize(
    "source", [f"{ADDRESS}1", f"{ADDRESS}1?versionId=7", S3Object(bucket="my-bucket", name=f"{'year=2026/' * 40}1")]
)
def test_an_object_is_named_by_its_address(source):
    """Whole, as a string or an object, of both kinds."""
    expected = source if isinstance(source, str) else f"{ADDRESS}1"
    events = []

    assert analyzed(source).source == expected
    assert rekog.analyze_video(source, client=FakeClient(videos=ENDED)).source == expected
    list(rekog.analyze_videos([source], client=FakeClient(videos=ENDED), on_progress=events.append))
    assert {event.source for event in events} == {expected}


@pytest.mark.parametrize("path", ["photo.png", b"photo.png"], ids=["text", "bytes"])
def test_a_path_of_another_library(path):
    """It is what ``os.fspath`` gives, as text."""
    saved("photo.png")
    events = []

    assert analyzed(Place(path)).source == "photo.png"
    list(rekog.analyze_videos([Place(path)], client=FakeClient(videos=ENDED), on_progress=events.append))
    assert {event.source for event in events} <= {"photo.png"}


def test_a_file_object_is_named_whole():
    """By the name that it was opened under, bytes or text."""
    saved(f"{DEEP}1.png")

    with (
        Path(f"{DEEP}1.png").open("rb") as file,
        open(os.fsencode(f"{DEEP}1.png"), "rb") as other,  # noqa: PTH123 -- a Path has no name of bytes
    ):
        assert [analyzed(file).source, analyzed(other).source] == [f"<file {DEEP}1.png>"] * 2


def test_a_name_in_brackets_is_a_file():
    """It is told from ``<bytes>``, what stands for a picture without a name."""
    assert analyzed(saved("<odd>.png")).draw().size == (100, 80)
    with pytest.raises(InvalidInputError) as caught:
        ImageAnalysis(source="<bytes>").draw()

    assert str(caught.value) == ("the picture was <bytes>, not a file of this machine: pass it, analysis.draw(picture)")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("x" * 5000, "x" * 200 + "..."),
        (os.fsdecode(b"caf\xe9\n.png"), r"caf\udce9\n.png"),
    ],
    ids=["too long for any file system", "no text"],
)
def test_a_picture_that_is_gone(source, shown):
    """The message alone shows a name cut and escaped."""
    with pytest.raises(InvalidInputError) as caught:
        ImageAnalysis(source=source).draw()

    assert str(caught.value) == (
        f"{shown}: the picture that was analysed is no longer there: pass it, analysis.draw(picture)"
    )


def test_a_notebook_tells_photos_of_a_deep_folder_apart():
    """It shows both ends of a long name, and a name that is no text by escapes, since no page can hold it."""
    long = ImageAnalysis(source=f"{DEEP}frame-1.png")._repr_html_()
    odd = ImageAnalysis(source=os.fsdecode(b"caf\xe9.png"))._repr_html_()

    assert f"<b>{DEEP[:40]}...{f'{DEEP}frame-1.png'[-40:]}</b>" in long
    assert r"<b>caf\udce9.png</b>" in odd
    odd.encode()
