import io
import os

import numpy as np
import pytest
from PIL import Image

from rekog_emotion import InvalidInputError
from rekog_emotion.sources.videos import prepare_video

IMAGE = "this is an image, not a video; pass it to detect_image"
MANY = "a video is one file; pass its path, or each of several pictures to detect_image"
COPY = "copy the file object to a temporary file (shutil.copyfileobj) and pass its path"
MEMORY = "a video is read from a file, not from memory"


class OnDisk(io.BytesIO):
    """A file object that tells where it lies."""

    def __init__(self, name):
        super().__init__(b"a")
        self.name = name


class Awaited:
    """A file that is read by ``await``."""

    async def read(self):
        """Give nothing."""


async def video():
    """Give what nobody awaited."""


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            b"\0\0\0\x18ftypisom",
            f"the file given as 12 bytes: {MEMORY}; write the bytes to a temporary file and pass its path",
        ),
        (
            memoryview(b"\xff\xd8\xff\xe0"),
            "the file given as 4 bytes: the content is an image (JPEG), not a video; pass it to detect_image",
        ),
        (Awaited(), f"<file>: {MEMORY}; write what `await file.read()` gives to a temporary file and pass its path"),
        (
            OnDisk(__file__),
            f"<file {__file__}>: this is an open file, and a video is read by its path; pass that instead",
        ),
        (
            OnDisk("no-such-file"),
            f"<file no-such-file>: {MEMORY}; {COPY}",
        ),
        (
            OnDisk(0),
            f"<file>: {MEMORY}; {COPY}",
        ),
        (Image.new("L", (1, 1)), f"<PIL image>: {IMAGE}"),
        (np.zeros((2, 2)), f"<array>: {IMAGE}"),
        (np.zeros((2, 2, 3)), f"<array>: {IMAGE}"),
        (np.zeros((2, 2, 2, 3)), f"<array>: {MANY}"),
        *((kind(), f"<{kind.__name__}>: {MANY}") for kind in (list, tuple, set, frozenset)),
        (iter([1]), f"<list_iterator>: {MANY}"),
        ({}, "<dict>: this is no video; pass a path, an s3:// URI or an S3Object"),
    ],
)
def test_what_is_no_video_is_told_apart(source, message):
    """Each with what to do with it."""
    with pytest.raises(InvalidInputError) as caught:
        prepare_video(source)

    assert str(caught.value) == message


def test_what_was_not_awaited():
    """A coroutine is no video yet."""
    source = video()
    with pytest.raises(InvalidInputError) as caught:
        prepare_video(source)
    source.close()

    assert str(caught.value) == (
        "<coroutine>: this was not awaited; await it, write what it gives to a temporary file and pass its path"
    )


def test_what_is_neither_a_file_nor_a_folder():
    """A device would be read for ever; a folder, and what is not there, are told by their own names."""
    for source, message in {
        os.devnull: "this is a pipe or a device, and a video is a file; write it to one and pass its path",
        os.path.dirname(__file__): "this is a directory; pass the path of a file in it",  # noqa: PTH120 -- a str
    }.items():
        with pytest.raises(InvalidInputError) as caught:
            prepare_video(source)
        assert str(caught.value) == f"{source}: {message}"
