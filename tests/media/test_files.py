from __future__ import annotations

import io
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion import InvalidInputError
from rekog_emotion.media.files import MAX_FILE_BYTES, opened, read_all, read_file
from tests.pictures import PORTRAIT


class Counting(io.BytesIO):
    """A file object that counts what is read of it."""

    asked = 0

    def read(self, size=-1):
        """Note the size."""
        assert size > 0
        self.asked += 1
        return super().read(size)


def test_a_file_of_many_parts_is_read_whole():
    """Join what comes in parts."""
    data = bytes(range(256)) * 10_000

    assert data == read_all(io.BytesIO(data))


def test_a_video_is_recognised_by_its_first_part():
    """Not read gigabytes to refuse them."""
    file = Counting(b"\0\0\0\x18ftypisom" + bytes(5_000_000))

    with pytest.raises(InvalidInputError) as caught:
        read_file(file)

    assert (str(caught.value), file.asked) == ("the content is a video (MP4 or MOV); pass it to analyze_video", 1)


def test_an_endless_file_is_not_read_for_ever(monkeypatch):
    """Stop after the most bytes that an image can have."""
    monkeypatch.setattr("rekog_emotion.media.files.MAX_FILE_BYTES", 3_000_000)
    file = Counting(bytes(9_000_000))

    with pytest.raises(InvalidInputError) as caught:
        read_file(file)

    assert str(caught.value) == "there are more than 3000000 bytes, too many for an image; check what is read"
    assert file.asked == 3


def test_the_most_bytes_hold_the_most_pixels():
    """Leave room for any picture that is decoded, without compression: 6 bytes a pixel, twice, and Pillow's 4."""
    from rekog_emotion.media.decoding import MAX_MEMORY

    assert MAX_FILE_BYTES > MAX_MEMORY * 6 / 16


def test_what_the_system_refuses_while_reading_is_told():
    """Map an error of the disk too."""
    message = "the file cannot be read (Input/output error); check the path and the disk"

    with pytest.raises(InvalidInputError) as caught, opened(PORTRAIT):
        raise OSError(5, "Input/output error")

    assert (message, 5) == (str(caught.value), caught.value.__cause__.errno)


def test_an_error_of_a_caller_s_own_file_object_goes_through():
    """Not hide what is not about reading a file."""

    class Broken:
        def read(self, _size):
            raise LookupError

    with pytest.raises(LookupError):
        read_file(Broken())


@pytest.mark.parametrize(
    ("verb", "place", "expected"),
    [
        ("detect_image", "~/none.jpg", "~/none.jpg: there is no such file; check the path, "),
        ("detect_image", Path("~/none.jpg"), "~/none.jpg: there is no such file; check the path, "),
        ("analyze_video", "~/none.mp4", "~/none.mp4: there is no such file; check the path, "),
        ("detect_images", "~/none", "~/none: there is no such file or folder; check the path, "),
        ("detect_images", "~/none/*.jpg", "~/none/*.jpg: no file matches; check the pattern, "),
    ],
)
def test_who_writes_a_home_directory_as_in_a_shell_is_told(verb, place, expected):
    """A name that begins with ~ is one of the current directory, as for Python's own functions."""
    with pytest.raises(InvalidInputError) as caught:
        getattr(rekog, verb)(place, client="embedded")

    told = "where only shells know ~: Path.expanduser() puts the home directory in its place"
    assert str(caught.value) == expected + told
