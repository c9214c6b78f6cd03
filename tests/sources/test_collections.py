# As text: names of a folder are given as they are.
# ruff: noqa: PTH103, PTH123
import inspect
import os
import sys

import pytest

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.sources import collections
from rekog_emotion.sources.collections import (
    LeftOut,
    Prefix,
    Unusable,
    check_place,
    count_at,
    found_at,
    found_in_page,
)
from rekog_emotion.values.s3 import S3Object

JPEG = b"\xff\xd8\xff\xe0 a picture"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give a folder with everything that may lie in one, and make it the current one's only folder."""
    monkeypatch.chdir(tmp_path)
    photos = tmp_path / "photos"
    (photos / "2024" / "May").mkdir(parents=True)
    (photos / "2023").mkdir()
    (photos / ".cache").mkdir()
    for name in ("b.jpg", "a.txt", "2024/c.JPG", "2024/May/d.png", ".cache/e.jpg", ".f.jpg"):
        (photos / name).write_bytes(JPEG)
    return photos


def test_a_folder_with_its_folders(folder):
    """By name, whatever the suffix says; what is hidden is left out, and told."""
    assert folder.is_dir()

    assert list(found_at("photos")) == [
        LeftOut("photos/.cache", "hidden: its name begins with a dot"),
        LeftOut("photos/.f.jpg", "hidden: its name begins with a dot"),
        "photos/2024/May/d.png",
        "photos/2024/c.JPG",
        "photos/a.txt",
        "photos/b.jpg",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"notes", "text, not an image"),
        (b"#define X 1\n", "text, not an image"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video (MP4 or MOV)"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x13\x37\0\0 something", "no image"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X", "no image"),
        (b"BM but no bitmap", "text, not an image"),
    ],
)
def test_leaves_out_what_is_no_image(tmp_path, content, reason):
    """By its first bytes, with what it is."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)

    assert list(found_at(tmp_path)) == [LeftOut(str(path), reason)]


@pytest.mark.parametrize(
    "content",
    [
        JPEG[:4],
        b"\x89PNG\r\n\x1a\n",
        b"\0\0\0\x18ftypheic\0\0\0\0",
        b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
        b"P6 90 90 255\n",
        b"\0\0\2" + bytes(13) + b"\x18\0",
        b"8BPS\0\1",
        b"#define im_width 90\n",
    ],
    ids=["cut JPEG", "PNG", "HEIC", "BMP", "PNM", "TGA", "Photoshop", "XBM"],
)
def test_takes_what_begins_like_a_picture(tmp_path, content):
    """Also of a format that is not read, or a broken one: that is told as any picture's fault is."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)

    assert list(found_at(tmp_path)) == [str(path)]


def test_links(folder, tmp_path):
    """A linked folder is gone through once; links that lead to themselves, to where they lie or nowhere are told."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "g.jpg").write_bytes(JPEG)
    (folder / "linked").symlink_to(outside)
    (folder / "2023" / "again").symlink_to(folder)
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "dangling.jpg").symlink_to(tmp_path / "gone.jpg")
    os.mkfifo(folder / "pipe.jpg")

    assert [found for found in found_at("photos") if "/." not in getattr(found, "source", found)] == [
        LeftOut("photos/2023/again", "a link to a folder that is gone through anyway"),
        "photos/2024/May/d.png",
        "photos/2024/c.JPG",
        "photos/a.txt",
        "photos/b.jpg",
        LeftOut("photos/circle", "a link that leads to itself"),
        LeftOut("photos/dangling.jpg", "a link to nothing"),
        "photos/linked/g.jpg",
        LeftOut("photos/pipe.jpg", "no file, but a pipe, a socket or a device"),
    ]


def test_two_links_to_one_folder(folder, tmp_path):
    """Its pictures are given once."""
    for name in ("one", "two"):
        (folder / "2023" / name).symlink_to(folder / "2024")

    pictures = [found for found in found_at("photos") if isinstance(found, str)]

    assert sorted(os.path.realpath(picture) for picture in pictures) == sorted(
        str(tmp_path / "photos" / name) for name in ("2024/May/d.png", "2024/c.JPG", "a.txt", "b.jpg")
    )


@pytest.mark.parametrize("pattern", ["photos", "photos/*", "photos/**"])
def test_a_folder_that_cannot_be_listed(folder, monkeypatch, pattern):
    """It is told what is missing, and the others are given."""
    refused = {str(folder), "photos"} if pattern == "photos/*" else {"photos/2024"}
    scandir = os.scandir

    def scan(path):
        if path in refused:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)

    unusable = [found for found in found_at(pattern) if isinstance(found, Unusable)]

    path = refused.pop() if len(refused) == 1 else "photos"
    assert [(found.source, str(found.error)) for found in unusable] == [
        (path, f"{path}: this user may not list the folder; its pictures are missing")
    ]


def test_a_file_that_cannot_be_read(folder, monkeypatch):
    """It is given, so that whoever reads it says why not."""

    def refuse(path, *_):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("builtins.open", refuse)

    assert "photos/b.jpg" in list(found_at(folder.name))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("photos/*", ["photos/a.txt", "photos/b.jpg"]),
        ("photos/?.jpg", ["photos/b.jpg"]),
        ("photos/*/*", ["photos/2024/c.JPG"]),
        ("./photos/20[12]4/c.JPG", ["./photos/2024/c.JPG"]),
        ("photos/**/*.png", ["photos/2024/May/d.png"]),
        ("photos/**", ["photos/a.txt", "photos/b.jpg", "photos/2024/c.JPG", "photos/2024/May/d.png"]),
        ("**/May/**/d.*", ["photos/2024/May/d.png"]),
        ("photos/.*.jpg", ["photos/.f.jpg"]),
    ],
)
def test_globs(folder, pattern, expected):
    """As a shell has them; folders that match are passed over, links in a circle followed once."""
    (folder / "2024" / "back").symlink_to(folder)

    assert list(found_at(pattern)) == expected


def test_a_glob_that_matches_nothing():
    """Is told, as a file that is not there is."""
    (found,) = found_at("nothing/*/like[this]")

    assert (found.source, str(found.error)) == (
        "nothing/*/like[this]",
        "nothing/*/like[this]: no file matches; check the pattern, which starts at the current directory",
    )


def test_an_absolute_glob(folder):
    """Begins at the root."""
    assert list(found_at(f"{folder}/b.*")) == [f"{folder}/b.jpg"]


def test_a_file_whose_name_looks_like_a_glob(folder):
    """Is that file."""
    (folder / "photo[1].jpg").write_bytes(b"text")

    assert list(found_at("photos/photo[1].jpg")) == ["photos/photo[1].jpg"]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("s3://bucket/a.jpg", "s3://bucket/a.jpg"),
        ("s3://bucket/a/", Prefix("bucket", "a/")),
        ("s3://bucket/", Prefix("bucket", "")),
        ("S3://bucket", Prefix("bucket", "")),
        ("s3://b/", "s3://b/"),
        ("https://host/a.jpg?x[1]", "https://host/a.jpg?x[1]"),
        ("nothing.jpg", "nothing.jpg"),
    ],
)
def test_what_is_no_folder(place, expected):
    """A prefix is for whoever can list it; anything else is a picture, whose faults are told by whoever reads it."""
    assert list(found_at(place)) == [expected]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (
            "none",
            "none: there is no such file or folder; check the path, which starts at the current directory",
        ),
        ("none/*.jpg", "none/*.jpg: no file matches; check the pattern, which starts at the current directory"),
        ("http://host/a", None),
        ("s3://b/", None),
    ],
)
def test_refuses_a_place_with_nothing(tmp_path, monkeypatch, place, message):
    """Before anything is begun."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidInputError) as caught:
        check_place(place)

    assert message in {None, str(caught.value)}


@pytest.mark.parametrize("place", ["photos", "photos/b.jpg", "photos/*", "s3://bucket/a/", "s3://bucket/a.jpg"])
def test_lets_a_place_be(folder, place):
    """Where there is something, or where only the service knows."""
    assert folder.is_dir()

    check_place(place)


@pytest.mark.parametrize(("place", "count"), [("photos", 4), ("photos/*", 2), ("photos/b.jpg", 1)])
def test_counts(folder, place, count):
    """What is looked at, without opening it."""
    assert folder.is_dir()

    assert sum(count_at(place)) == count


def test_a_folder_of_many(folder, monkeypatch):
    """Is not held in memory as a whole; every file is given."""
    monkeypatch.setattr(collections, "_SORTED", 3)
    for number in range(9):
        (folder / "2023" / f"{number}.jpg").write_bytes(JPEG)

    assert sorted(found for found in found_at("photos/2023")) == [f"photos/2023/{number}.jpg" for number in range(9)]


@pytest.mark.parametrize("pattern", ["", "/**/*.jpg"])
def test_folders_in_folders(tmp_path, pattern):
    """They may be deeper than Python lets calls be."""
    deep = f"{tmp_path}{'/d' * 300}"
    os.makedirs(deep)
    with open(f"{deep}/a.jpg", "wb") as file:
        file.write(JPEG)

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 150)
    try:
        found = list(found_at(f"{tmp_path}{pattern}"))
    finally:
        sys.setrecursionlimit(before)

    assert found == [f"{deep}/a.jpg"]


def test_a_page_of_a_listing():
    """Objects are told by their names alone, as looking into them would cost calls."""
    page = [
        {"Key": "a/", "Size": 0},
        {"Key": "a/1.jpg", "Size": 5},
        {"Key": "a/ü ?.PNG", "Size": 5},
        {"Key": "a/none", "Size": 5},
        {"Key": "a/clip.mp4", "Size": 5},
        {"Key": "a/empty.jpg", "Size": 0},
    ]

    assert list(found_in_page("bucket", page)) == [
        S3Object(bucket="bucket", name="a/1.jpg"),
        S3Object(bucket="bucket", name="a/ü ?.PNG"),
        S3Object(bucket="bucket", name="a/none"),
        LeftOut("s3://bucket/a/clip.mp4", "no image by its name (video/mp4)"),
        LeftOut("s3://bucket/a/empty.jpg", "empty"),
    ]
