"""Clips are read as the service reads them: its metadata, its grid of two samples a second, upright pictures."""

from __future__ import annotations

import gc
import os
import re
import sys
import threading
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from rekog_emotion.errors import InvalidInputError, MissingExtraError
from rekog_emotion.media import clips
from rekog_emotion.media import samples as video
from rekog_emotion.media.samples import UnsupportedVideoError, probe, samples
from tests.embedded.clips import (
    BAD,
    NTSC,
    bad_clips,
    counting,
    grid,
    number_of,
    numbered,
    people_mov,
    people_mp4,
    scene,
    shown_by,
    write_clip,
)

__all__ = ["bad_clips", "counting", "people_mov", "people_mp4", "scene"]

TASKS = Path("/proc/self/task")
RATES = [30, NTSC, 25, 24, Fraction(24000, 1001), 60, 50, 15, Fraction(25, 2), Fraction(15, 2), 3, 2, 1]


def numbers(path: Path) -> list[tuple[int, int]]:
    """Return (milliseconds, number) of all samples of a clip of numbered pictures."""
    return [(milliseconds, number_of(picture)) for milliseconds, picture in samples(path)]


def corners(picture: np.ndarray) -> list[str]:
    """Name the colours of the four corners, row by row."""
    names = {(True, False, False): "red", (False, True, False): "green", (False, False, True): "blue"}
    height, width = picture.shape[:2]
    points = [(r, c) for r in (height // 8, -height // 8) for c in (width // 8, -width // 8)]
    return [names.get(tuple(picture[point] > 127), "white") for point in points]


@pytest.fixture(scope="module")
def coloured(tmp_path_factory) -> Path:
    """A clip of 64 x 48 with red and green above, blue and white below."""
    picture = np.full((48, 64, 3), 255, np.uint8)
    picture[:24, :32] = 255, 0, 0
    picture[:24, 32:] = 0, 255, 0
    picture[24:, :32] = 0, 0, 255
    return write_clip(tmp_path_factory.mktemp("coloured") / "coloured.mp4", [picture] * 3)


class TestProbe:
    def test_h264_in_mp4(self, people_mp4):
        """Every member is worded as the service words it."""
        assert probe(people_mp4) == {
            "Codec": "h264",
            "DurationMillis": 6000,
            "Format": "QuickTime / MOV",
            "FrameRate": 30.0,
            "FrameHeight": 480,
            "FrameWidth": 640,
            "ColorRange": "LIMITED",
        }

    def test_mpeg4_in_mov(self, people_mov):
        """The rate has single precision and the duration is rounded down, as in recorded answers."""
        assert probe(people_mov) == {
            "Codec": "mpeg4",
            "DurationMillis": 5972,
            "Format": "QuickTime / MOV",
            "FrameRate": 29.970029830932617,
            "FrameHeight": 480,
            "FrameWidth": 640,
            "ColorRange": "LIMITED",
        }

    @pytest.mark.parametrize(
        ("name", "codec", "expected"),
        [
            ("clip.avi", "mpeg4", ("mpeg4", "AVI (Audio Video Interleaved)", 1000)),
            ("clip.mkv", "libx264", ("h264", "Matroska / WebM", 1000)),
            ("clip.mov", "libx264", ("h264", "QuickTime / MOV", 1000)),
        ],
    )
    def test_other_containers(self, tmp_path, name, codec, expected):
        """What the service would refuse but FFmpeg reads is named as FFmpeg names it."""
        found = probe(write_clip(tmp_path / name, numbered(30), codec=codec))
        assert expected == (found["Codec"], found["Format"], found["DurationMillis"])

    def test_full_range(self, tmp_path):
        """A clip that is marked as full range says so."""
        path = write_clip(tmp_path / "full.mp4", numbered(3), **{"x264-params": "fullrange=on"})
        assert probe(path)["ColorRange"] == "FULL"

    def test_unknown_duration(self, tmp_path):
        """A live stream's file has no duration: the member is absent."""
        path = write_clip(tmp_path / "live.mkv", numbered(3), mux={"live": "1"})
        assert "DurationMillis" not in probe(path)

    @pytest.mark.parametrize(("matrix", "expected"), [((0, 1, -1, 0), (64, 48)), ((-1, 0, 0, -1), (48, 64))])
    def test_turned_size(self, coloured, tmp_path, matrix, expected):
        """Height and width are those of the picture as it is shown."""
        found = probe(shown_by(matrix, coloured, tmp_path / "turned.mp4"))
        assert expected == (found["FrameHeight"], found["FrameWidth"])

    def test_metadata_that_is_no_text(self, tmp_path):
        """A tag that is not UTF-8 does not matter."""
        path = write_clip(tmp_path / "tag.mkv", numbered(3))
        path.write_bytes(path.read_bytes().replace(b"Lavf", b"\xff\xfe\xfd\xfc"))
        assert probe(path)["Codec"] == "h264"


class TestGrid:
    @pytest.mark.parametrize("rate", RATES, ids=str)
    @pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "libx264"), ("clip.mov", "mpeg4")])
    def test_constant_rate(self, tmp_path, name, codec, rate):
        """Sample k is frame floor(k fps / 2), at floor(frame * 1000 / fps) milliseconds, exactly."""
        path = write_clip(tmp_path / name, numbered(100), rate=rate, codec=codec)
        assert grid(rate, 100) == numbers(path)

    @pytest.mark.parametrize(("name", "codec"), [("clip.mkv", "libx264"), ("clip.avi", "mpeg4")])
    def test_containers_that_round_or_delay(self, tmp_path, name, codec):
        """A clock of whole milliseconds and one that starts late give the same frames."""
        path = write_clip(tmp_path / name, numbered(200), codec=codec)
        assert grid(30, 200) == numbers(path)

    def test_reordered_pictures(self, tmp_path):
        """Pictures that are stored out of order are sampled in the order of display."""
        path = write_clip(tmp_path / "b.mp4", numbered(200), rate=NTSC, bf="4", **{"x264-params": "b-adapt=0"})
        assert grid(NTSC, 200) == numbers(path)

    def test_recorded_times(self, tmp_path):
        """The times are those of a recorded answer for a clip of 29.97 frames a second (a decimal, not 30000/1001)."""
        path = write_clip(tmp_path / "clip.mp4", numbered(140), rate=Fraction(2997, 100))
        expected = [0, 467, 967, 1468, 1968, 2469, 2969, 3470, 3970, 4471]
        assert expected == [milliseconds for milliseconds, _ in samples(path)]

    def test_variable_rate(self, tmp_path):
        """The frame on display is sampled, and again where it stays; the times are on the grid of the mean rate."""
        times = [k / 10 for k in range(20)] + [4 + k / 30 for k in range(60)]
        path = write_clip(tmp_path / "clip.mp4", numbered(80), times=times, bf="0")
        mean = Fraction(80, 6)
        expected = [
            (milliseconds, max(k for k, begin in enumerate(times) if begin <= frame / mean))
            for milliseconds, frame in grid(mean, 80)
        ]
        assert expected == numbers(path)
        assert [number for milliseconds, number in expected if 1900 < milliseconds < 4000] == [19] * 5

    def test_one_frame(self, tmp_path):
        """A clip of one frame has one sample, at 0."""
        assert numbers(write_clip(tmp_path / "clip.mp4", numbered(1))) == [(0, 0)]

    def test_beyond_the_limit(self, counting, monkeypatch):
        """A file whose clock runs past the service's longest duration is not sampled beyond it."""
        monkeypatch.setattr(video, "LONGEST", Fraction(3, 2))
        assert numbers(counting) == [(0, 0), (500, 15), (1000, 30)]


class TestPictures:
    @pytest.mark.parametrize(
        ("matrix", "expected"),
        [
            ((1, 0, 0, 1), ["red", "green", "blue", "white"]),
            ((0, 1, -1, 0), ["blue", "red", "white", "green"]),
            ((-1, 0, 0, -1), ["white", "blue", "green", "red"]),
            ((0, -1, 1, 0), ["green", "white", "red", "blue"]),
            ((-1, 0, 0, 1), ["green", "red", "white", "blue"]),
            ((1, 0, 0, -1), ["blue", "white", "red", "green"]),
            ((0, 1, 1, 0), ["red", "blue", "green", "white"]),
            ((0, -1, -1, 0), ["white", "green", "blue", "red"]),
        ],
        ids=["as it is", "right", "upside down", "left", "mirror", "flip", "transpose", "transverse"],
    )
    def test_upright(self, coloured, tmp_path, matrix, expected):
        """Pictures are turned and mirrored as the file says, whichever of the eight ways."""
        path = shown_by(matrix, coloured, tmp_path / "turned.mp4")
        _, picture = next(samples(path))
        assert expected == corners(picture)
        assert picture.flags.c_contiguous
        assert picture.dtype == np.uint8

    @pytest.mark.parametrize(("options", "black", "white"), [({}, 0, 255), ({"x264-params": "fullrange=on"}, 16, 235)])
    def test_range(self, tmp_path, options, black, white):
        """Luma of 16 and 235 is black and white, but where the file says that its range is full."""
        path = write_clip(tmp_path / "clip.mp4", list(numbered(16))[15:], **options)
        _, picture = next(samples(path))
        assert [black, white] == pytest.approx([picture[:, 60].mean(), picture[:, 4].mean()], abs=3)

    def test_every_sample_is_its_own(self, counting):
        """A picture does not change when the next is read."""
        pictures = [picture for _, picture in samples(counting)]
        assert [number_of(picture) for picture in pictures] == [0, 15, 30, 45, 60, 75]


def decoded_in_full(path: Path) -> list[tuple[int, bytes]]:
    """Return (frame number, pixels) of every picture of a clip of a constant rate, all of them decoded."""
    as_it_is = clips.Orientation(turned=False, rows_reversed=False, columns_reversed=False)
    with av.open(str(path)) as container:
        return [(k, clips.upright(frame, as_it_is).tobytes()) for k, frame in enumerate(container.decode(video=0))]


class TestSpared:
    @pytest.mark.parametrize(
        ("name", "codec", "options"),
        [
            ("adaptive.mp4", "libx264", {}),
            ("pyramid.mp4", "libx264", {"bf": "8", "x264-params": "b-adapt=0:b-pyramid=strict:ref=4"}),
            ("open.mp4", "libx264", {"g": "12", "x264-params": "open-gop=1"}),
            ("silent.mkv", "libx264", {"bf": "3", "x264-params": "nal-hrd=none:bframes=3"}),
            ("old.avi", "mpeg4", {"bf": "2"}),
            ("intra.mov", "mjpeg", {"strict": "unofficial"}),
            ("nine.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
        ],
    )
    def test_same_pictures(self, scene, tmp_path, name, codec, options):
        """What is sampled has the very pixels that it has where everything is decoded."""
        pictures = (picture[::4, ::4] for picture in scene.pictures(30))
        path = write_clip(tmp_path / name, pictures, codec=codec, **options)
        wanted = dict(decoded_in_full(path))
        found = [(milliseconds, picture.tobytes()) for milliseconds, picture in samples(path)]
        assert [(milliseconds, wanted[number]) for milliseconds, number in grid(30, len(wanted))] == found

    @pytest.mark.parametrize(("codec", "most"), [("libx264", 110), ("mjpeg", 15)])
    def test_pictures_decoded(self, scene, tmp_path, codec, most):
        """Of 180 pictures those that nothing needs are left out: a third of H.264, nearly all that stand alone."""
        pictures = (picture[::4, ::4] for picture in scene.pictures(30))
        path = write_clip(tmp_path / "clip.mov", pictures, codec=codec, strict="unofficial")

        def last_of_a_second(since: Fraction, until: Fraction) -> bool:
            return until % 1 <= since % 1

        with clips.opened(path) as (container, stream):
            times = [frame.time for frame in clips.spared(container, stream, last_of_a_second)]
        assert sorted(set(times)) == times
        assert 6 <= len(times) <= most


CONVERT = (
    "H.264 in MP4 or MOV is read for certain: convert it, for example with ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p "
    "OUT.mp4"
)
TEXT = "the content is text, not a video; check what was read or downloaded"
SOUND = "the MP4 or MOV has sound, but no pictures; pass a video with a picture track"
WHY = {
    "text": TEXT,
    "empty": "the file is empty; check how it was written",
    "noise": "no video can be decoded from it (its container is damaged, cut off, or of a kind that is not read; "
    f"{CONVERT})",
    "picture": "the content is an image (JPEG), not a video; pass it to detect_image",
    "playlist": TEXT,
    "sound": SOUND,
    "cover": SOUND,
    "headless": "the MP4 or MOV is truncated within its index (moov); get a complete copy of it",
    "no data": "the MP4 or MOV is truncated: all bytes are missing at its end; get a complete copy of it",
    "codec": f"no video can be decoded from it (nothing here decodes its pictures; {CONVERT})",
    "1x1": f"no video can be decoded from it (its pictures are mpeg4; {CONVERT})",
}


class TestBadClips:
    @pytest.mark.parametrize("name", BAD)
    def test_no_picture(self, bad_clips, name, capfd):
        """What has no moving picture is a named error, and FFmpeg says nothing on its own."""
        path = bad_clips[name]
        with pytest.raises(UnsupportedVideoError) as caught:
            probe(path)
        assert re.sub(r"\d+ bytes", "all bytes", str(caught.value)) == f"{path}: {WHY[name]}"
        assert isinstance(caught.value, InvalidInputError)
        assert capfd.readouterr() == ("", "")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
    def test_what_is_no_file(self, tmp_path):
        """Nothing more is read from a pipe, whose writer may be gone, to say why it gave no video."""
        os.mkfifo(tmp_path / "pipe")
        assert (
            str(UnsupportedVideoError(tmp_path / "pipe"))
            == f"{tmp_path}/pipe: no video can be decoded from it; {CONVERT}"
        )

    @pytest.mark.parametrize("name", ["text", "empty", "playlist", "sound", "codec"])
    def test_no_samples(self, bad_clips, name):
        """Sampling refuses what cannot be opened."""
        with pytest.raises(UnsupportedVideoError):
            list(samples(bad_clips[name]))

    def test_cut_off(self, counting, tmp_path, capfd):
        """A clip that was cut off at any of ten places gives its samples up to there.

        Frames are stored out of order: near the cut one may be lost whose successor is not; the one before it stays.
        """
        data, path = counting.read_bytes(), tmp_path / "cut.mp4"
        begin = data.index(b"mdat") + 4
        found = []
        for tenth in range(10):
            path.write_bytes(data[: begin + (len(data) - begin) * tenth // 10])
            found.append(numbers(path))
        for one in found:
            expected = grid(30, 90)[: len(one)]
            assert [milliseconds for milliseconds, _ in expected] == [milliseconds for milliseconds, _ in one]
            assert expected[:-1] == one[:-1]
            assert all(frame - number in range(4) for (_, frame), (_, number) in zip(expected, one, strict=True))
        lengths = [len(one) for one in found]
        assert sorted(lengths) == lengths
        assert (lengths[0], lengths[5] >= 2, lengths[9] >= 5) == (0, True, True)
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("tenth", range(10))
    def test_cut_off_in_the_index(self, counting, tmp_path, tenth):
        """Without its whole index a clip cannot be opened."""
        data, path = counting.read_bytes(), tmp_path / "cut.mp4"
        path.write_bytes(data[: data.index(b"mdat") * tenth // 10])
        with pytest.raises(UnsupportedVideoError):
            probe(path)

    @pytest.mark.parametrize(
        ("times", "expected"),
        [
            ([7, None, 9], [0, 1, 2, 3]),
            ([None, 1, 2], [0, 1, 2, 3]),
            ([None, None], [0, 1, 2]),
            ([0, 4, 4, 4, 7], [0, 4, 5, 6, 7, 8]),
            ([0, 1, 2, Fraction(3, 2), 4], [0, 1, 2, 3, 4, 5]),
            ([0, 1, 2, 900, 4, 5], [0, 1, 2, 3, 4, 5, 6]),
            ([-3, -1, 0], [0, 2, 3, 4]),
            ([*range(20), *range(30)], [*range(51)]),
            ([5], [0, 1]),
            ([], []),
        ],
        ids=["none", "none first", "none at all", "same", "back", "ahead", "negative", "set back", "one", "empty"],
    )
    def test_impossible_times(self, times, expected):
        """A frame that has no time, or one that cannot be, is shown between its neighbours: none is lost."""
        frames = [SimpleNamespace(pts=pts, duration=1, time_base=Fraction(1, 10)) for pts in times]
        found = list(clips.displayed(iter(frames), at_least=Fraction(1, 100)))
        assert [one.frame for one in found] == frames
        assert [one.since * 10 for one in found] + [one.until * 10 for one in found[-1:]] == expected
        assert [one.until for one in found[:-1]] == [one.since for one in found[1:]]

    @pytest.mark.parametrize("name", ["title.mp4", "title.mkv", "title.avi"])
    def test_titles_in_other_bytes(self, tmp_path, name):
        """Titles of a file and its track that are no UTF-8 do not matter."""
        path = write_clip(tmp_path / name, numbered(30), codec="mpeg4", metadata={"title": "a title"})
        good = path.read_bytes()
        bad = good.replace(b"a title", b"\xe9t\xe9 \xff\xfe!").replace(b"VideoHandler", b"Vid\xe9oHandler")
        assert bad != good
        expected = numbers(path), probe(path)
        path.write_bytes(bad)
        assert expected == (numbers(path), probe(path))

    def test_index_behind_and_lost(self, tmp_path):
        """A clip whose index was at its end and is cut off cannot be opened."""
        path = write_clip(tmp_path / "clip.mp4", numbered(30))
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(UnsupportedVideoError):
            probe(path)

    @pytest.mark.parametrize("seed", range(20))
    def test_damaged(self, counting, tmp_path, seed):
        """Bytes overwritten anywhere give samples on the grid or the named error, never anything else."""
        random = np.random.default_rng(seed)
        data = bytearray(counting.read_bytes())
        for place in random.integers(0, len(data), 40):
            data[place] = random.integers(256)
        path = tmp_path / "damaged.mp4"
        path.write_bytes(data)
        try:
            times = [milliseconds for milliseconds, _ in samples(path)]
        except UnsupportedVideoError:
            return
        assert sorted(set(times)) == times

    def test_more_pixels_than_8k(self, counting, monkeypatch):
        """A picture beyond the bound on its pixels is not decoded."""
        assert int(clips.CODEC_OPTIONS["max_pixels"]) > 7680 * 4320
        monkeypatch.setitem(clips.CODEC_OPTIONS, "max_pixels", "3000")
        with pytest.raises(UnsupportedVideoError):
            probe(counting)

    def test_missing(self, tmp_path):
        """A file that is not there is an OSError."""
        with pytest.raises(FileNotFoundError):
            probe(tmp_path / "none.mp4")

    @pytest.mark.parametrize("name", ["http:x.mp4", "concat:a|b.mp4", "a b#c?d%41.mp4", "\ud55c\uae00.mp4"])
    def test_any_name(self, counting, tmp_path, monkeypatch, name):
        """A name is a name, whatever FFmpeg would read into it."""
        (tmp_path / name).write_bytes(counting.read_bytes())
        monkeypatch.chdir(tmp_path)
        assert probe(name)["FrameWidth"] == 64


class TestResources:
    def test_frames_are_let_go(self, counting):
        """Without a garbage collection, too, only the frames at hand are held, however many were read."""
        gc.collect()
        gc.disable()
        try:
            held = [sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects()) for _ in samples(counting)]
        finally:
            gc.enable()
        assert len(held) == 6
        assert held[1] == held[-1]

    def test_closing_early(self, counting):
        """A reader that is closed half-way leaves no open file and no thread."""
        before = set(threading.enumerate())
        reader = samples(counting)
        next(reader)
        reader.close()
        assert set(threading.enumerate()) <= before

    @pytest.mark.skipif(not TASKS.exists(), reason="threads of the system are counted in Linux's /proc")
    def test_no_thread(self, counting):
        """Decoding and converting start no thread of the system."""
        next(samples(counting))
        before = set(TASKS.iterdir())
        assert {task for _ in samples(counting) for task in TASKS.iterdir()} <= before

    def test_missing_extra(self, monkeypatch):
        """Without PyAV the error is the command that brings it."""
        monkeypatch.setitem(sys.modules, "av", None)
        for name in ("rekog_emotion.media.clips", "rekog_emotion.media.samples"):
            monkeypatch.delitem(sys.modules, name)
        with pytest.raises(MissingExtraError) as caught:
            __import__("rekog_emotion.media.samples")
        assert str(caught.value) == "Embedded video needs the 'embedded' extra: pip install 'rekog-emotion[embedded]'"


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_clock_that_began_long_ago(tmp_path, suffix):
    """A recorder whose clock is the date gives a clip of its own length, with samples half a second apart."""
    since_1970 = 1_700_000_000
    clip = write_clip(
        tmp_path / f"recorder.{suffix}", numbered(20), rate=10, times=[since_1970 + k / 10 for k in range(20)]
    )

    assert 1900 <= probe(clip)["DurationMillis"] <= 2000
    assert [time for time, _ in samples(clip)] == [0, 500, 1000, 1500]
