"""Everything that is refused before a call: the message in full, and a client that nothing reaches."""

from __future__ import annotations

import codecs
import errno
import io
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import rekog_emotion
from rekog_emotion import InvalidInputError, S3Object
from tests.pictures import EOI, PORTRAIT, SOI, chunk, exif, frame, jpeg, png, portrait, saved, scan, tiff

JPEG, PNG = PORTRAIT.read_bytes(), saved(portrait(), "PNG")

TYPES = "pass a path, bytes, a binary file object, a PIL image, an RGB array, an s3:// URI or an S3Object"
EMPTY = "there are no bytes; check how they were read or written"
EOI_MISSING = "the JPEG is truncated: its end marker (EOI) is missing; get a complete copy of it"
IEND_MISSING = "the PNG is truncated: its end marker (IEND) is missing; get a complete copy of it"
NO_DOWNLOAD = "nothing is downloaded; save it to a file and pass the path, or pass the s3:// URI of an object in S3"
NO_SCHEME = "no such scheme is known; pass a path or an s3:// URI"
NO_PATH = "an S3 URI is a str that begins with s3://, and never a Path; pass s3://bucket/key"
NO_FILE = "there is no such file; check the path, which starts at the current directory"
NO_KEY = "the key is missing; write s3://bucket/key or s3://bucket/key?versionId=..."
BUCKET = "is not possible: it has 3 to 255 of A-Z a-z 0-9 . - _"
BOMB = "more than the 200000000 that are decoded (a decompression bomb?); shrink it first"
UNREAD = "the content is no image that Pillow reads; pass a JPEG or PNG"
DAMAGED = "the image cannot be decoded: it is damaged or truncated; get an intact copy of it"
TEXT_MODE = "the file object is open as text; open it in mode 'rb'"
VIDEO = "pass it to analyze_video"


def small(width, height):
    """Say that a picture is too small."""
    return f"the image has {width} x {height} pixels, and at least 80 a side are needed; pass a larger one"


class Named(io.BytesIO):
    """A file object with a name."""

    name = "upload.jpg"


class Gives:
    """A file object that gives what it is told to."""

    def __init__(self, what):
        self.what = what

    def read(self, _size):
        """Give it, or raise it."""
        if isinstance(self.what, Exception):
            raise self.what
        return self.what


class Endless:
    """A file object without an end."""

    def read(self, size):
        """Give zeros, in one memory."""
        return ZEROS[:size]


ZEROS = bytes(1 << 20)

CONTENT = {
    "empty": (b"", EMPTY),
    "bytearray, empty": (bytearray(), EMPTY),
    "memoryview, empty": (memoryview(b""), EMPTY),
    "JPEG, cut": (JPEG[:-2], EOI_MISSING),
    "JPEG, cut in its headers": (JPEG[:30], EOI_MISSING),
    "JPEG, cut after a thumbnail": (jpeg(exif(tiff(1) + jpeg()))[:-2], EOI_MISSING),
    "JPEG without a frame": (
        SOI + scan() + EOI,
        "the JPEG is broken: it has no frame header (SOF); get an intact copy of it",
    ),
    "JPEG without a scan": (
        SOI + frame(120, 90) + EOI,
        "the JPEG is broken: it has no picture data (SOS); get an intact copy of it",
    ),
    "JPEG without a height": (
        jpeg(height=0),
        "the JPEG is broken: its header gives it no width or no height; get an intact copy of it",
    ),
    "PNG, cut": (PNG[:-12], IEND_MISSING),
    "PNG, cut in its end": (PNG[:-1], IEND_MISSING),
    "PNG without a header": (
        PNG[:8] + PNG[33:],
        "the PNG is broken: it does not begin with its header (IHDR); get an intact copy of it",
    ),
    "PNG without data": (
        PNG[:33] + chunk(b"IEND"),
        "the PNG is broken: it has no picture data (IDAT); get an intact copy of it",
    ),
    "JPEG, too narrow": (jpeg(width=79), small(79, 90)),
    "JPEG, too low as it is turned": (jpeg(exif(tiff(6)), width=79), small(90, 79)),
    "PNG, too low": (png(height=79), small(120, 79)),
    "PNG of one pixel": (png(width=1, height=1), small(1, 1)),
    "WebP, too small": (saved(portrait((100, 79)), "WEBP"), small(100, 79)),
    "JPEG, bomb": (jpeg(width=65_500, height=65_500), f"the image has 65500 x 65500 pixels, {BOMB}"),
    "PNG, bomb": (png(width=2**31 - 1, height=90), f"the image has 2147483647 x 90 pixels, {BOMB}"),
    "PNG, bomb of over 5 MB": (
        png(chunk(b"teSt", bytes(6_000_000)), width=20_000, height=20_000),
        f"the image has 20000 x 20000 pixels, {BOMB}",
    ),
    "JPEG of over 5 MB, damaged": (jpeg() + bytes(6_000_000), DAMAGED),
    "WebP, cut": (saved(portrait(), "WEBP")[:-900], DAMAGED),
    "BMP, cut": (saved(portrait(), "BMP")[:9000], DAMAGED),
    "zeros": (bytes(1000), UNREAD),
    "noise": (bytes(range(128, 256)) * 9, UNREAD),
    "HEIC without a plugin": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500),
        "reading HEIC needs pillow-heif: install it and call pillow_heif.register_heif_opener() first",
    ),
    "text": (b"not an image", "the content is text, not an image; check what was read or downloaded"),
    "JSON": (b'{"error": "404"}', "the content is text, not an image; check what was read or downloaded"),
    "HTML": (b"<!DOCTYPE html><html>", "the content is an HTML page, perhaps of a failed download"),
    "SVG": (b'<?xml version="1.0"?>\n<svg xmlns="">', "the content is an SVG drawing; export it as a PNG"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "the content is a PDF; export its page as a JPEG or PNG"),
    "PostScript": (
        saved(portrait(), "EPS"),
        "the content is PostScript, which would have to be run; export it as a JPEG or PNG",
    ),
    "ZIP": (b"PK\x03\x04" + bytes(99), "the content is a ZIP archive; unpack it and pass one of its images"),
    "Base64": (codecs.encode(JPEG, "base64"), "the content is Base64 text; decode it with base64.b64decode first"),
    "MP4": (b"\0\0\0\x18ftypisom" + bytes(99), f"the content is a video (MP4 or MOV); {VIDEO}"),
    "MOV": (b"\0\0\0\x14ftypqt  " + bytes(99), f"the content is a video (MP4 or MOV); {VIDEO}"),
    "old MOV": (b"\0\0\x20\x00moov" + bytes(99), f"the content is a video (MP4 or MOV); {VIDEO}"),
    "WebM": (b"\x1a\x45\xdf\xa3" + bytes(99), f"the content is a video (Matroska or WebM); {VIDEO}"),
    "AVI": (b"RIFF\0\0\0\0AVI LIST" + bytes(99), f"the content is a video (AVI); {VIDEO}"),
}

FOLDER_MESSAGE = "this is a directory; pass the path of a file in it, or all of it to detect_images()"
PATTERN_MESSAGE = "there is no such file; check the path, or pass it to detect_images() if it is a pattern of many"
PREFIX_MESSAGE = "this is a prefix, as it ends with /; pass s3://bucket/key of a photo, or all of it to detect_images()"
TEXTS = {
    "empty str": ("", "the path is empty; pass the path of a file"),
    "http": ("http://example.org/a.jpg?signature=1", f"<http: URL>: {NO_DOWNLOAD}"),
    "https": ("HTTPS://example.org/a.jpg?X-Amz-Signature=1", f"<https: URL>: {NO_DOWNLOAD}"),
    "https as a Path": (Path("https://example.org/a.jpg"), f"<https: URL>: {NO_DOWNLOAD}"),
    "file": ("file:///tmp/a.jpg", "<file: URL>: a file: URL is not read; pass the path itself"),
    "data": (
        "data:image/jpeg;base64,/9j/4AAQ",
        "<data: URL>: a data: URL is not decoded; pass base64.b64decode(url.partition(',')[2])",
    ),
    "gs": ("gs://bucket/a.jpg", f"<gs: URL>: {NO_SCHEME}"),
    "ftp": ("ftp://example.org/a.jpg", f"<ftp: URL>: {NO_SCHEME}"),
    "s3 as a Path": (Path("s3://photos/a.jpg"), f"<s3: URL>: {NO_PATH}"),
    "s3 with one slash": ("s3:/photos/a.jpg", f"<s3: URL>: {NO_PATH}"),
    "s3 without a key": ("s3://photos", f"s3://photos/: {NO_KEY}"),
    "s3 with an empty key": ("s3://photos/", f"s3://photos/: {NO_KEY}"),
    "s3 with a version alone": ("s3://photos/?versionId=1", f"s3://photos/?versionId=1: {NO_KEY}"),
    "s3 without a bucket": ("s3:///a.jpg", f"s3:///a.jpg: {NO_KEY.replace('key', 'bucket', 1)}"),
    "s3, bucket too short": ("s3://ab/a.jpg", f"s3://ab/a.jpg: the bucket 'ab' {BUCKET}"),
    "s3, bucket of other characters": ("s3://pho tos/a", f"s3://pho tos/a: the bucket 'pho tos' {BUCKET}"),
    "s3, access point": (
        "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/mine/a",
        (
            "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/mine/a: the bucket "
            f"'arn:aws:s3:eu-west-1:123456789012:accesspoint' {BUCKET}"
        ),
    ),
    "s3, key too long": (
        "s3://photos/" + "ä" * 513,
        f"s3://photos/{'ä' * 188}...: the key has 1026 bytes; the service takes 1024",
    ),
    "s3, version empty": (
        "s3://photos/a.jpg?versionId=",
        "s3://photos/a.jpg?versionId=: the version is missing; write s3://bucket/key or s3://bucket/key?versionId=...",
    ),
    "S3Object, empty": (S3Object(), f"s3:///: {NO_KEY.replace('key', 'bucket', 1)}"),
    "S3Object without a name": (S3Object(bucket="photos"), f"s3://photos/: {NO_KEY}"),
    "S3Object with a Path": (
        S3Object(bucket="photos", name=Path("a.jpg")),
        f"s3://photos/a.jpg: the key is of type {type(Path()).__name__}; pass a str",
    ),
    "half a character": (
        "a\ud83d.jpg",
        r"a\ud83d.jpg: no path can have the character '\ud83d' here; check how it was made",
    ),
    "NUL": ("a\0b.jpg", "<str>: a path cannot have a NUL character; pass the content of a file as bytes"),
    "content as a str": (
        JPEG.decode("latin-1"),
        "<str>: a path cannot have a NUL character; pass the content of a file as bytes",
    ),
    "Base64 as a str": (
        codecs.encode(JPEG, "base64").decode(),
        "<str>: this is Base64 text, not a path; pass base64.b64decode(text)",
    ),
    "missing file": ("no-such-file.jpg", f"no-such-file.jpg: {NO_FILE}"),
    "missing file on a drive": ("Q:\\a.jpg", f"Q:\\a.jpg: {NO_FILE}"),
    "line breaks": ("no\nsuch\nfile", f"no\\nsuch\\nfile: {NO_FILE}"),
    "a file as a directory": (f"{PORTRAIT}/a.jpg", f"{PORTRAIT}/a.jpg: {NO_FILE}"),
    "directory": (str(PORTRAIT.parent), f"{PORTRAIT.parent}: {FOLDER_MESSAGE}"),
    "directory as a Path": (PORTRAIT.parent, f"{PORTRAIT.parent}: {FOLDER_MESSAGE}"),
    "pattern": ("tests/data/*.jpg", f"tests/data/*.jpg: {PATTERN_MESSAGE}"),
    "pattern that matches nothing": ("no-such-[ab]?.jpg", f"no-such-[ab]?.jpg: {PATTERN_MESSAGE}"),
    "prefix": ("s3://bucket/May/", f"s3://bucket/May/: {PREFIX_MESSAGE}"),
    "name too long": (
        "a" * 300,
        f"{'a' * 200}...: the file cannot be read ({os.strerror(errno.ENAMETOOLONG)}); check the path and the disk",
    ),
}

OTHERS = {
    "None": (None, f"None: this is no image; {TYPES}"),
    "int": (3, f"<int>: this is no image; {TYPES}"),
    "list": ([JPEG], f"<list>: this is no image; {TYPES}"),
    "class": (io.BytesIO, f"<type>: this is no image; {TYPES}"),
    "array of floats": (
        np.zeros((90, 90, 3)),
        (
            "<array>: the array is float64; pass uint8 from 0 to 255, for values from 0 to 1 as "
            "(array * 255).round().astype('uint8')"
        ),
    ),
    "array of 16 bits": (
        np.zeros((90, 90, 3), np.uint16),
        "<array>: the array is uint16; scale it to 0..255 and pass array.astype('uint8')",
    ),
    "array of booleans": (
        np.zeros((90, 90), bool),
        "<array>: the array is bool; pass array.astype('uint8') * 255",
    ),
    "array, channels first": (
        np.zeros((3, 90, 100), np.uint8),
        "<array>: the shape of the array is (3, 90, 100); the channels come first, so pass array.transpose(1, 2, 0)",
    ),
    "array, two channels": (
        np.zeros((90, 90, 2), np.uint8),
        (
            "<array>: the shape of the array is (90, 90, 2); pass height x width x 3 (RGB), height x width x 4 (RGBA) "
            "or height x width (grey)"
        ),
    ),
    "array, several images": (
        np.zeros((2, 90, 90, 3), np.uint8),
        "<array>: the shape of the array is (2, 90, 90, 3); these look like several images, so pass one at a time",
    ),
    "array of a file": (
        np.frombuffer(JPEG, np.uint8),
        (
            f"<array>: the shape of the array is ({len(JPEG)},); pass array.tobytes() when it holds the content of a "
            "file, else height x width x 3 (RGB)"
        ),
    ),
    "array, empty": (np.zeros((0, 0, 3), np.uint8), f"<array>: {small(0, 0)}"),
    "array, too small": (np.zeros((79, 100, 3), np.uint8), f"<array>: {small(100, 79)}"),
    "PIL image, too small": (Image.new("RGB", (79, 100)), f"<PIL image>: {small(79, 100)}"),
    "PIL image, bomb": (
        Image.new("1", (20_000, 20_000)),
        f"<PIL image>: the image has 20000 x 20000 pixels, {BOMB}",
    ),
    "file object, empty": (
        io.BytesIO(),
        "<file>: the file object has nothing left to read; call seek(0) if it was read or written before",
    ),
    "file object, truncated": (Named(JPEG[:-2]), f"<file upload.jpg>: {EOI_MISSING}"),
    "file object, text": (io.StringIO("text"), f"<file>: {TEXT_MODE}"),
    "file object of str": (Gives("text"), "<file>: read() gave str instead of bytes; pass a binary file object"),
    "file object of None": (
        Gives(None),
        "<file>: the file object has nothing left to read; call seek(0) if it was read or written before",
    ),
    "file object, wrapped text": (Gives(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")), f"<file>: {TEXT_MODE}"),
    "file object, write only": (
        Gives(io.UnsupportedOperation("read")),
        "<file>: the file object cannot be read; open it in mode 'rb'",
    ),
    "file object, a damaged archive": (
        Gives(EOFError("Compressed file ended")),
        "<file>: reading the file object failed (EOFError: Compressed file ended); check where it comes from",
    ),
    "file object, a broken connection": (
        Gives(ConnectionResetError(104, "reset by peer")),
        (
            "<file>: reading the file object failed (ConnectionResetError: [Errno 104] reset by peer); check where it "
            "comes from"
        ),
    ),
    "file object without a message": (
        Gives(EOFError()),
        "<file>: reading the file object failed (EOFError); check where it comes from",
    ),
    "file object of a ZIP, whose name is empty": (
        SimpleNamespace(name="", read=lambda _: "text"),
        "<file>: read() gave str instead of bytes; pass a binary file object",
    ),
    "file object whose read takes no size": (
        SimpleNamespace(read=lambda: JPEG),
        "<file>: the file object cannot be read; open it in mode 'rb'",
    ),
    "file object, a video": (
        io.BytesIO(b"\0\0\0\x18ftypisom" + bytes(99)),
        f"<file>: the content is a video (MP4 or MOV); {VIDEO}",
    ),
    "file object without an end": (
        Endless(),
        "<file>: there are more than 4194304 bytes, too many for an image; check what is read",
    ),
}


class Recorder:
    """A client that notes what reaches it."""

    def __init__(self):
        self.calls = []

    def detect_faces(self, **arguments):
        """Note the call."""
        self.calls.append(arguments)
        return {"FaceDetails": []}

    start_face_detection = get_face_detection = detect_faces


def refused(source):
    """Return the message with which a source is refused, after making sure that the client was not called."""
    client = Recorder()
    with pytest.raises(InvalidInputError) as caught:
        rekog_emotion.detect_image(source, client=client)
    assert client.calls == []
    return str(caught.value)


def test_the_recorder_is_called_for_good_input():
    """Show that the tables below would see a call."""
    client = Recorder()

    rekog_emotion.detect_image(PORTRAIT, client=client)

    assert client.calls == [{"Image": {"Bytes": JPEG}, "Attributes": ["ALL"]}]


@pytest.mark.parametrize(("content", "message"), CONTENT.values(), ids=CONTENT)
def test_bad_bytes_are_refused(content, message):
    """Say what is wrong with bytes."""
    assert f"the file given as {len(content)} bytes: {message}" == refused(content)


@pytest.mark.parametrize(("content", "message"), CONTENT.values(), ids=CONTENT)
def test_bad_files_are_refused(content, message, tmp_path):
    """Say the same of a file, whatever its suffix, and name it."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)

    assert f"{path}: {message}" == refused(path)


@pytest.mark.parametrize(("text", "message"), TEXTS.values(), ids=TEXTS)
def test_bad_places_are_refused(text, message):
    """Say what is wrong with a path, a URL or an object in S3."""
    assert message == refused(text)


@pytest.mark.parametrize(("source", "message"), OTHERS.values(), ids=OTHERS)
def test_bad_objects_are_refused(source, message, monkeypatch):
    """Say what is wrong with file objects, pictures, arrays and what is nothing of it."""
    monkeypatch.setattr("rekog_emotion.media.files.MAX_FILE_BYTES", 1 << 22)

    assert message == refused(source)


def test_a_closed_file_is_refused():
    """Ask for an open one."""
    with PORTRAIT.open("rb") as file:
        pass

    assert f"<file {PORTRAIT}>: the file object is closed; pass it while it is open" == refused(file)


def test_a_file_in_text_mode_is_refused():
    """Ask for mode 'rb'."""
    with PORTRAIT.open(encoding="utf-8") as file:
        assert f"<file {PORTRAIT}>: {TEXT_MODE}" == refused(file)


def test_a_temporary_file_that_was_not_rewound_is_refused():
    """Ask for seek(0), as the position is where writing stopped."""
    with tempfile.TemporaryFile() as file:
        file.write(JPEG)

        assert refused(file) == (
            "<file>: the file object has nothing left to read; call seek(0) if it was read or written before"
        )


def test_a_closed_picture_is_refused():
    """Name closing as a cause."""
    image = portrait()
    image.close()

    assert refused(image) == (
        "<PIL image>: the image cannot be decoded: it is damaged, truncated or closed; get an intact copy of it"
    )


def test_a_file_that_may_not_be_read_is_refused(monkeypatch):
    """Say that permission is missing; denied by hand, as an administrator may read everything."""

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)

    assert (f"{PORTRAIT}: this user may not read the file; change its permissions or pass its content") == refused(
        PORTRAIT
    )


def test_no_message_shows_what_was_in_a_url_or_an_image():
    """Keep signatures, keys and pixels out of errors."""
    for text in ("https://example.org/?X-Amz-Signature=secret", "data:image/png;base64,secret"):
        assert "secret" not in refused(text)
    for content, _ in CONTENT.values():
        assert len(refused(content)) < 250
