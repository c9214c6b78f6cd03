"""What is said of a video that cannot be analysed, or that is none: before any call, and what to do about it."""

import asyncio
import io
import os
import warnings

import av
import numpy as np
import pytest
from PIL import Image
from starlette.datastructures import UploadFile

import rekog_emotion as rekog
from rekog_emotion.sources.images import prepare_image
from rekog_emotion.sources.videos import prepare_video
from tests.embedded.clips import PORTRAITS, numbered, write_clip, write_sound

CLIP = PORTRAITS / "people.mp4"
GOOD = CLIP.read_bytes()
JPEG = (PORTRAITS / "astronaut.jpg").read_bytes()
MEMORY = "a video is read from a file, not from memory"
MAKE = "in a container that is not read; make it an MP4: ffmpeg -i IN -c:v libx264 OUT.mp4"
NO_PICTURES = "the MP4 or MOV has sound, but no pictures; pass a video with a picture track"
NO_INDEX = "the MP4 or MOV is incomplete: its index (moov) is missing; get a complete copy of it"
CUT_INDEX = "the MP4 or MOV is truncated within its index (moov); get a complete copy of it"
SOUND = "not a video; pass an MP4 or MOV file"


def told(source, prepare=prepare_video):
    """Return what is said of a source before any call."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        prepare(source)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    {
        "without index": (GOOD[: GOOD.index(b"moov") - 4], NO_INDEX),
        "within the pictures": (GOOD[: GOOD.index(b"mdat") + 9000], NO_INDEX),
        "within the index": (GOOD[: GOOD.index(b"moov") + 300], CUT_INDEX),
        "encrypted": (GOOD.replace(b"avc1", b"encv"), "the pictures are encrypted (DRM); pass a copy that is not"),
        "HTML": (b"<!DOCTYPE html><h1>404", "the content is an HTML page, not a video; pass an MP4 or MOV file"),
        "HEIC": (
            b"\0\0\0\x24ftypheic" + bytes(60),
            "the content is an image (HEIC), not a video; pass it to detect_image",
        ),
        "empty": (b"", "the file is empty; check how it was written"),
        "MP3": (b"ID3\4\0\0\0" + bytes(90), f"the content is sound (MP3), {SOUND}"),
        "bare MP3": (b"\xff\xfb\x90\x64" + bytes(90), f"the content is sound (MP3), {SOUND}"),
        "AAC": (b"\xff\xf1\x50\x80" + bytes(90), f"the content is sound (AAC), {SOUND}"),
        "WAV": (b"RIFF\x24\0\0\0WAVEfmt " + bytes(90), f"the content is sound (WAV), {SOUND}"),
        "AIFF": (b"FORM\0\0\0\x24AIFFCOMM" + bytes(90), f"the content is sound (AIFF), {SOUND}"),
        "FLAC": (b"fLaC\0\0\0\x22" + bytes(90), f"the content is sound (FLAC), {SOUND}"),
        "M4A": (b"\0\0\0\x20ftypM4A \0\0\2\0" + bytes(90), f"the content is sound (M4A), {SOUND}"),
        "Opus": (b"OggS\0\2" + bytes(22) + b"OpusHead" + bytes(90), f"the content is sound (Ogg), {SOUND}"),
        "Theora": (b"OggS\0\2" + bytes(22) + b"\x80theora\3" + bytes(90), f"the content is a video (Ogg) {MAKE}"),
        "MXF": (b"\x06\x0e\x2b\x34\x02\x05\x01\x01" + bytes(90), f"the content is a video (MXF) {MAKE}"),
        "Flash": (b"FLV\x01\x05" + bytes(90), f"the content is a video (Flash) {MAKE}"),
        "WMV": (
            b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(90),
            f"the content is a video (Windows Media) {MAKE}",
        ),
    }.values(),
)
def test_files(tmp_path, content, message):
    """What a file's first bytes and boxes show is told by its name."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)

    assert told(path) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("name", "codec", "what"),
    [
        ("clip.ts", "libx264", "MPEG transport stream"),
        ("clip.m2ts", "libx264", "MPEG transport stream"),
        ("clip.mpg", "mpeg2video", "MPEG"),
    ],
)
def test_containers_that_nobody_reads(tmp_path, name, codec, what):
    """Recordings of television and old camcorders are to be converted."""
    path = write_clip(tmp_path / name, numbered(25), rate=25, codec=codec)

    assert told(path) == f"{path}: the content is a video ({what}) {MAKE}"


@pytest.mark.parametrize("cover", [None, np.zeros((48, 64, 3), np.uint8)], ids=["sound", "with a cover"])
def test_sound_alone(tmp_path, cover):
    """A song in an MP4 has no pictures to look at, and a cover is none of a video."""
    path = write_sound(tmp_path / "song.mp4", cover=cover)

    assert told(path) == f"{path}: {NO_PICTURES}"


def test_a_download_that_was_cut(tmp_path):
    """A clip that begins with its index is told to lack its end, which players leave out without a word."""
    fast = write_clip(tmp_path / "fast.mp4", numbered(60), mux={"movflags": "faststart"})
    whole = fast.read_bytes()
    fast.write_bytes(whole[:-500])

    assert told(fast) == (
        f"{fast}: the MP4 or MOV is truncated: 500 bytes are missing at its end; get a complete copy of it"
    )
    fast.write_bytes(whole)
    assert prepare_video(fast).place == fast


def test_a_recording_in_pieces_is_taken(tmp_path):
    """Whole, and without the end of its last piece: such files are made to be cut off."""
    live = write_clip(tmp_path / "live.mp4", numbered(60), mux={"movflags": "frag_keyframe+empty_moov"}, g="15")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(live.read_bytes()[:-900])

    assert [prepare_video(path).place for path in (live, cut, CLIP)] == [live, cut, CLIP]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (GOOD, f"the file given as {len(GOOD)} bytes: {MEMORY}; write the bytes to a temporary file and pass its path"),
        (
            bytearray(GOOD),
            f"the file given as {len(GOOD)} bytes: {MEMORY}; write the bytes to a temporary file and pass its path",
        ),
        (
            memoryview(GOOD),
            f"the file given as {len(GOOD)} bytes: {MEMORY}; write the bytes to a temporary file and pass its path",
        ),
        (
            JPEG,
            (
                f"the file given as {len(JPEG)} bytes: the content is an image (JPEG), not a video; pass it to "
                "detect_image"
            ),
        ),
        (
            io.BytesIO(GOOD),
            f"<file>: {MEMORY}; copy the file object to a temporary file (shutil.copyfileobj) and pass its path",
        ),
        (
            UploadFile(io.BytesIO(GOOD), filename="clip.mp4"),
            f"<file>: {MEMORY}; write what `await file.read()` gives to a temporary file and pass its path",
        ),
        (Image.new("RGB", (90, 90)), "<PIL image>: this is an image, not a video; pass it to detect_image"),
        (np.zeros((90, 90, 3), np.uint8), "<array>: this is an image, not a video; pass it to detect_image"),
        (
            np.zeros((5, 90, 90, 3), np.uint8),
            "<array>: a video is one file; pass its path, or each of several pictures to detect_image",
        ),
        (
            ["1.jpg", "2.jpg"],
            "<list>: a video is one file; pass its path, or each of several pictures to detect_image",
        ),
    ],
    ids=["bytes", "bytearray", "view", "photo", "stream", "upload", "PIL", "array", "arrays", "list"],
)
def test_what_is_no_path(source, message):
    """A video that is in memory, an upload, and pictures are told what to do with them."""
    assert told(source) == message


def test_open_file():
    """Of a file that is open its path is to be passed."""
    with CLIP.open("rb") as file:
        message = told(file)

    assert message.endswith(": this is an open file, and a video is read by its path; pass that instead")


@pytest.mark.parametrize("prepare", [prepare_image, prepare_video])
def test_what_was_not_awaited(prepare):
    """A coroutine in the place of what it would give is told, and nothing else complains of it."""

    async def upload():
        return GOOD

    forgotten = upload()
    message = told(forgotten, prepare)
    forgotten.close()

    assert message.startswith("<coroutine>: this was not awaited; ")


class Eventually:
    """A file object whose read gives a future, as wrappers of threads do."""

    def __init__(self, loop):
        self._loop = loop

    def read(self, _size):
        """Promise some bytes."""
        return self._loop.create_future()


def test_photo_that_is_read_asynchronously():
    """An upload of FastAPI in the place of a photo is told what to pass; Python has nothing to add."""
    loop = asyncio.new_event_loop()
    expected = "<file>: the file object is read asynchronously; pass the bytes that `await file.read()` gives"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert told(UploadFile(io.BytesIO(JPEG)), prepare_image) == expected
            assert told(Eventually(loop), prepare_image) == expected
    finally:
        loop.close()


def test_pipe_is_no_video(tmp_path):
    """A pipe is told at once, and not waited for."""
    os.mkfifo(tmp_path / "pipe.mp4")

    expected = "this is a pipe or a device, and a video is a file; write it to one and pass its path"
    assert told(tmp_path / "pipe.mp4") == f"{tmp_path / 'pipe.mp4'}: {expected}"


def test_name_that_is_too_long(tmp_path):
    """A path that the file system refuses is told as such."""
    path = tmp_path / ("a" * 300)

    assert told(path).endswith(": the file cannot be read (File name too long); check the path and the disk")


class Uploads:
    """A place for uploads that takes none."""

    def stage(self, path, *, on_bytes=None, cancel=None):
        """Fail: what the service would refuse is not to be uploaded."""
        raise AssertionError(path, on_bytes, cancel)

    def discard(self, staged):
        """Forget nothing."""


@pytest.mark.parametrize(
    ("name", "codec", "what"),
    [
        ("clip.mkv", "libx264", "the file is Matroska or WebM"),
        ("clip.avi", "mpeg4", "the file is AVI"),
        ("clip.mp4", "libx265", "the pictures are HEVC (H.265)"),
        ("clip.mov", "mpeg4", "the pictures are MPEG-4 Part 2"),
        ("clip.mp4", "libvpx-vp9", "the pictures are VP9"),
    ],
)
def test_what_the_engine_alone_reads(tmp_path, name, codec, what):
    """What Rekognition would refuse is told before it is uploaded; the engine takes it."""
    path = write_clip(tmp_path / name, numbered(20), codec=codec)

    with pytest.raises(rekog.InvalidInputError) as caught:
        rekog.start_video(path, client=object.__new__(_Refusing), staging=Uploads())

    mend = "convert it, for example with ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p OUT.mp4"
    assert str(caught.value) == f"{path}: {what}, and Rekognition takes H.264 in MP4 or MOV; {mend}"
    assert rekog.analyze_video(path, client="embedded").status == "SUCCEEDED"


class _Refusing:
    """A client that is never called."""

    def detect_faces(self, **_request):
        """Fail."""
        raise AssertionError

    start_face_detection = get_face_detection = detect_faces


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        (
            "noise.mkv",
            b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 9,
            "its container is damaged, cut off, or of a kind that is not read",
        ),
        ("codec.mp4", GOOD.replace(b"avc1", b"zzzz"), "nothing here decodes its pictures"),
    ],
    ids=["container", "codec"],
)
def test_what_only_a_decoder_finds(tmp_path, name, content, what):
    """A local file that the engine cannot decode is told why, with the way that works."""
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(rekog.JobFailedError) as caught:
        rekog.analyze_video(path, client="embedded")

    expected = (
        f"{path}: job {caught.value.job_id} failed: Unsupported codec/format. ({what}; H.264 in MP4 or MOV is read for "
        "certain: convert it, for example with ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p OUT.mp4)"
    )
    assert str(caught.value) == expected


def test_song_in_a_matroska(tmp_path):
    """A container of sound that looks like a video's is told when it is opened."""
    path = write_sound(tmp_path / "song.mkv")

    assert failure(path) == "it has sound, but no pictures; pass a video with a picture track"


@pytest.mark.parametrize(
    ("name", "what"), [("clip.mp4", "it has no pictures"), ("clip.avi", "its picture track is empty")]
)
def test_a_recording_that_never_began(tmp_path, name, what):
    """Where there is no picture, nothing can be converted."""
    with av.open(str(tmp_path / name), "w") as container:
        track = container.add_stream("libx264", rate=10)
        track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        track.codec_context.open()
        container.start_encoding()

    assert failure(tmp_path / name) == f"{what}; pass a video with a picture track"


def test_pictures_of_noise(tmp_path):
    """What nobody can decode nobody can convert."""
    path = tmp_path / "clip.mkv"
    whole = write_clip(tmp_path / "whole.mkv", numbered(3), g="1").read_bytes()
    begin = whole.index(b"\x1f\x43\xb6\x75")  # of the pictures
    path.write_bytes(whole)
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for packet in packets:
        whole = whole[:begin] + whole[begin:].replace(packet, b"\xff" * len(packet))
    path.write_bytes(whole)

    assert failure(path) == (
        "none of its first pictures (h264) can be decoded: it is damaged, cut off or encrypted; get a complete copy of "
        "it that is not encrypted"
    )


def failure(path):
    """Return what the end of a job says beside the service's own words."""
    with pytest.raises(rekog.JobFailedError) as caught:
        rekog.analyze_video(path, client="embedded")
    begin = f"{path}: job {caught.value.job_id} failed: Unsupported codec/format. ("
    assert str(caught.value).startswith(begin)
    return str(caught.value)[len(begin) : -1]
