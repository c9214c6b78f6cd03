"""Copies of videos of every kind: each frame at its time, in its colours and its shape; what was found is hidden.

Each clip has numbered pictures with patches of colour above, and below a checkered square, which moves: it stands for a
face, and is "found" on what the embedded engine takes as its samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np
import pytest
from attrs import frozen
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion import BoundingBox, Face, TimedFace, VideoAnalysis, VideoMetadata
from rekog_emotion.media.samples import probe, samples
from rekog_emotion.results.video import annotate_video, blur_video, frames_at
from tests.embedded.clips import PORTRAITS, number_of, shown_by

WIDTH, HEIGHT = SIZE = (160, 96)
PATCHES = [(200, 40, 40), (40, 190, 60), (50, 60, 200), (200, 190, 60), (60, 190, 190), (220, 220, 220), (30, 30, 30)]
SIDE = 24
TOP = 68
CHECKERS = np.where(np.indices((SIDE, SIDE)).sum(axis=0)[..., None] // 4 % 2, 255, 0).astype(np.uint8)
BLANK = VideoAnalysis(faces=())


def picture_of(number: int, left: int = 16, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Draw a numbered picture with the square at a place."""
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    bits = np.array([255 * (number >> bit & 1) for bit in range(8)], np.uint8)
    picture[:24] = np.repeat(bits, WIDTH // 8)[None, :, None]
    for k, color in enumerate(PATCHES):
        picture[24:44, 20 * k + 2 : 20 * k + 18] = color
    picture[TOP : TOP + SIDE, left : left + SIDE] = CHECKERS
    return np.asarray(Image.fromarray(picture).resize(size)) if size != SIZE else picture


def patches_of(picture: np.ndarray) -> np.ndarray:
    """Return the mean colour of each patch."""
    return np.array([picture[28:40, 20 * k + 6 : 20 * k + 14].mean(axis=(0, 1)) for k in range(len(PATCHES))])


@frozen(kw_only=True)
class Clip:
    """How a clip is made."""

    name: str
    codec: str = "libx264"
    pix: str = "yuv420p"
    rate: Fraction | int = 25
    frames: int = 10
    times: Sequence[float] | None = None  # milliseconds, where the rate varies
    options: Mapping[str, str] = MappingProxyType({})
    tags: tuple[int, int, int, int] | None = None  # matrix, primaries, transfer, range
    aspect: Fraction | None = None
    matrix: tuple[int, int, int, int] = (1, 0, 0, 1)
    size: tuple[int, int] = SIZE
    pace: int = 1  # pixels that the square moves from picture to picture

    def write(self, folder: Path) -> Path:
        """Encode it, near to without loss."""
        path = folder / self.name
        quality = {"libx264": {"crf": "1"}, "libx265": {"crf": "1", "x265-params": "log-level=none"}}
        with av.open(str(path), "w") as out:
            stream = out.add_stream(
                self.codec, rate=self.rate, options=quality.get(self.codec, {}) | dict(self.options)
            )
            stream.width, stream.height, stream.pix_fmt = *self.size, self.pix
            context = stream.codec_context
            if self.times is not None:
                context.time_base = Fraction(1, 1000)
            if self.aspect is not None:
                context.sample_aspect_ratio = self.aspect
            if self.tags is not None:
                context.colorspace, context.color_primaries, context.color_trc, context.color_range = self.tags
            for number in range(self.frames):
                frame = self.frame(number)
                if self.times is not None:
                    frame.pts, frame.time_base = round(self.times[number]), Fraction(1, 1000)
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
        if self.matrix != (1, 0, 0, 1):
            shown_by(self.matrix, path, path)
        return path

    def frame(self, number: int) -> av.VideoFrame:
        """Return a picture in the colours of the clip."""
        frame = av.VideoFrame.from_ndarray(picture_of(number, self.left_of(number), self.size), format="rgb24")
        if self.tags is None:
            return frame.reformat(format=self.pix, threads=1)
        matrix, _, _, full = self.tags
        told = 5 if matrix == 6 else matrix
        return frame.reformat(format=self.pix, dst_colorspace=told, dst_color_range=full, threads=1)

    def left_of(self, number: int) -> int:
        """Return where the square is."""
        return 16 + number * self.pace

    @property
    def seconds(self) -> list[float]:
        """When each frame is shown, from the first one on."""
        if self.times is not None:
            return [(time - self.times[0]) / 1000 for time in self.times]
        return [number / float(self.rate) for number in range(self.frames)]


B_FRAMES = {"bf": "3", "x264-params": "b-adapt=0"}
CLIPS = [
    Clip(name="slides.mp4", pace=30, rate=1000, frames=4, times=[0, 7000, 14000, 21000]),
    Clip(name="lapse.mkv", pace=17, rate=Fraction(1, 5), frames=6),
    Clip(name="slow.mov", pace=11, rate=Fraction(5, 2)),
    Clip(name="film.mp4", pace=3, rate=Fraction(24000, 1001), frames=30),
    Clip(name="fast.mp4", pace=1, rate=60, frames=70),
    Clip(name="varying.mp4", rate=1000, frames=9, times=[0, 40, 55, 400, 433, 1900, 1910, 1950, 4000]),
    Clip(name="varying.mkv", rate=1000, frames=8, times=[0, 15, 700, 733, 766, 1300, 5000, 5010], options=B_FRAMES),
    Clip(name="late.mp4", rate=1000, frames=6, times=[5000, 5040, 5080, 5200, 6000, 6040]),
    Clip(name="b.avi", pace=3, options=B_FRAMES, frames=30),
    Clip(name="b-old.avi", pace=3, codec="mpeg4", options={"bf": "2", "qmin": "1", "qmax": "1"}, frames=30),
    Clip(name="b.mkv", pace=3, options=B_FRAMES, frames=30),
    Clip(name="b.mp4", pace=3, options={"bf": "8", "x264-params": "b-adapt=0:b-pyramid=strict:ref=4"}, frames=30),
    Clip(name="right.mp4", matrix=(0, 1, -1, 0)),
    Clip(name="mirror.mov", matrix=(-1, 0, 0, 1)),
    Clip(name="wide.mp4", aspect=Fraction(64, 45), tags=(6, 6, 6, 1)),
    Clip(name="narrow.mkv", aspect=Fraction(3, 4), tags=(5, 5, 1, 1)),
    Clip(name="wide-right.mp4", aspect=Fraction(4, 3), matrix=(0, 1, -1, 0)),
    Clip(name="hd.mp4", tags=(1, 1, 1, 1), size=(1280, 96)),
    Clip(name="full.mp4", tags=(1, 1, 13, 2)),
    Clip(name="camera.avi", codec="mjpeg", pix="yuvj422p", options={"qmin": "1", "qmax": "1"}, tags=(5, 2, 2, 2)),
    Clip(name="screen.mkv", codec="libx264", pix="yuv444p", tags=(1, 1, 13, 1)),
    Clip(name="rgb.mkv", codec="libx264rgb", pix="rgb24", options={"crf": "1"}),
    Clip(name="hdr.mp4", codec="libx265", pix="yuv420p10le", tags=(9, 9, 16, 1)),
    Clip(name="hlg.mov", codec="libx265", pix="yuv420p10le", tags=(9, 9, 18, 1), matrix=(0, -1, 1, 0)),
    Clip(name="master.mov", codec="prores_ks", pix="yuv422p10le", tags=(1, 1, 1, 1)),
    Clip(name="ten.mkv", codec="libx264", pix="yuv420p10le", tags=(1, 1, 1, 1)),
]  # fmt: skip


@pytest.fixture(params=CLIPS, ids=lambda clip: clip.name)
def clip(request: pytest.FixtureRequest) -> Clip:
    """Give every kind of clip."""
    made: Clip = request.param
    return made


def decoded(path: Path) -> list[tuple[float, av.VideoFrame]]:
    """Return all frames with their seconds from the first one, as PyAV has them."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [(float((frame.pts - frames[0].pts) * frame.time_base), frame) for frame in frames]


def turned(picture: np.ndarray, clip: Clip) -> np.ndarray:
    """Return a picture of the source as a player turns it."""
    a, b, c, _ = clip.matrix
    picture = picture.swapaxes(0, 1) if b else picture
    picture = picture[::-1] if b < 0 else picture
    return picture[:, ::-1] if (c if b else a) < 0 else picture


def lying(picture: np.ndarray, clip: Clip) -> np.ndarray:
    """Return an upright picture of a copy as its source has it, in the size in which it was drawn."""
    a, b, c, _ = clip.matrix
    picture = picture[:, ::-1] if (c if b else a) < 0 else picture
    picture = picture[::-1] if b < 0 else picture
    picture = picture.swapaxes(0, 1) if b else picture
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize(SIZE, Image.Resampling.BOX))


def number(picture: np.ndarray) -> int:
    """Read the number of a picture."""
    return number_of(picture[: picture.shape[0] // 4 - 1])


def suffix_of(clip: Clip) -> str:
    """Return the suffix of a copy."""
    return Path(clip.name).suffix.replace(".avi", ".mp4")


def test_copy_is_the_video(clip, tmp_path):
    """Every frame is there, at its time, in its colours; the copy says of these and its shape what the source does."""
    source, copy = clip.write(tmp_path), tmp_path / f"copy{suffix_of(clip)}"

    annotate_video(BLANK, source, copy)

    before, after = decoded(source), decoded(copy)
    assert [number(lying(frame.to_ndarray(format="rgb24"), clip)) for _, frame in after] == [*range(clip.frames)]
    assert [seconds for seconds, _ in after] == pytest.approx(clip.seconds, abs=0.0006)
    middles = [1000 * second + 4 for second in clip.seconds]
    for (_, one), (_, other) in zip(frames_at(source, middles), frames_at(copy, middles), strict=True):
        assert one.size == other.size
        there, here = patches_of(lying(np.asarray(one), clip)), patches_of(lying(np.asarray(other), clip))
        assert np.abs(there - here).max() <= 2
    assert said(after[0][1]) == (said(before[0][1]) if clip.pix != "rgb24" else (1, 2, 2, False, False))
    with av.open(str(source)) as one, av.open(str(copy)) as other:
        was, now = one.streams.video[0], other.streams.video[0]
        aspect = clip.aspect or Fraction(1)
        assert (now.sample_aspect_ratio or 1) == (1 / aspect if clip.matrix[0] == 0 else aspect)
        if was.duration and now.duration:
            lengths = [max(float(track.duration * track.time_base), clip.seconds[-1]) for track in (was, now)]
            assert lengths[1] == pytest.approx(lengths[0], abs=0.012)


def said(frame: av.VideoFrame) -> tuple[int, int, int, bool, bool]:
    """Return matrix, primaries, transfer, whether the range is full, and whether there are ten bits."""
    full = frame.color_range == 2 or frame.format.name.startswith("yuvj")
    return frame.colorspace, frame.color_primaries, frame.color_trc, full, "10" in frame.format.name


def found(clip: Clip, path: Path) -> VideoAnalysis:
    """Return what an engine finds that sees the square on each of its samples."""
    return VideoAnalysis(
        faces=tuple(
            TimedFace(timestamp_ms=at, face=square(clip, number(lying(picture, clip)))) for at, picture in samples(path)
        ),
        metadata=VideoMetadata(frame_rate=probe(path)["FrameRate"]),
    )


def square(clip: Clip, number: int) -> Face:
    """Return the square of a picture as a face, where a player shows it."""
    there = np.zeros((HEIGHT, WIDTH), np.bool_)
    there[TOP : TOP + SIDE, clip.left_of(number) : clip.left_of(number) + SIDE] = True
    shown = turned(there, clip)
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    high, wide = shown.shape
    box = BoundingBox(left=columns[0] / wide, top=rows[0] / high, width=len(columns) / wide, height=len(rows) / high)
    return Face(bounding_box=box)


def contrast(picture: np.ndarray, clip: Clip, number: int) -> float:
    """Return how much is left of the square of a picture."""
    left = clip.left_of(number)
    return float(picture[TOP : TOP + SIDE, left : left + SIDE].std())


def test_what_was_found_is_hidden(clip, tmp_path):
    """On no frame the square is to be seen, whatever the container says of times; the rest is as it was."""
    source, copy = clip.write(tmp_path), tmp_path / f"copy{suffix_of(clip)}"
    analysis = found(clip, source)

    blur_video(analysis, source, copy, method="fill")

    middles = [1000 * second + 4 for second in clip.seconds]
    for k, ((_, one), (_, other)) in enumerate(zip(frames_at(source, middles), frames_at(copy, middles), strict=True)):
        before, after = lying(np.asarray(one), clip), lying(np.asarray(other), clip)
        assert (number(before), number(after)) == (k, k)
        assert contrast(before, clip, k) > 60
        assert contrast(after, clip, k) < 20
        assert np.abs(patches_of(before) - patches_of(after)).max() <= 2


@pytest.mark.parametrize(("first", "then"), [((160, 96), (80, 48)), ((80, 48), (160, 96))])
@pytest.mark.parametrize(("codec", "suffix"), [("mjpeg", "avi"), ("libvpx", "mkv")])
def test_size_that_changes(tmp_path, first, then, codec, suffix):
    """The copy has the size of the first picture, and each other one as large as it has room for."""
    source, copy = tmp_path / f"clip.{suffix}", tmp_path / "copy.mp4"
    write_sizes(source, codec, [first] * 5 + [then] * 5)

    annotate_video(BLANK, source, copy)

    after = decoded(copy)
    assert [round(seconds * 1000) for seconds, _ in after] == [40 * k for k in range(10)]
    for k, (_, frame) in enumerate(after):
        assert (frame.width, frame.height) == first
        picture = np.asarray(Image.fromarray(frame.to_ndarray(format="rgb24")).resize(SIZE))
        assert number(picture) == k
        assert np.abs(patches_of(picture) - np.array(PATCHES)).max() <= 6  # half the size, and a lossy source


def test_shape_that_changes(tmp_path):
    """A picture of another shape is whole, in the middle, on black; what was found on it is hidden there."""
    source, copy = tmp_path / "clip.avi", tmp_path / "copy.mp4"
    write_sizes(source, "mjpeg", [(160, 96)] * 2 + [(96, 96)] * 2)
    box = BoundingBox(left=0.0, top=TOP / HEIGHT, width=1.0, height=SIDE / HEIGHT)

    analysis = VideoAnalysis(faces=(TimedFace(timestamp_ms=80, face=Face(bounding_box=box)),))
    blur_video(analysis, source, copy, method="fill")

    picture = decoded(copy)[-1][1].to_ndarray(format="rgb24")
    assert picture[:, :30].max() < 20 > picture[:, 130:].max()
    middle = np.asarray(Image.fromarray(picture[:, 32:128]).resize(SIZE))
    assert number(middle) == 3
    assert middle[TOP : TOP + SIDE, 8:-8].std() < 20


def write_sizes(path: Path, codec: str, sizes: Sequence[tuple[int, int]]) -> None:
    """Write a clip whose pictures have these sizes, each of them a key frame."""
    options = {"libvpx": {"b": "4M", "deadline": "realtime"}, "mjpeg": {"qmin": "1", "qmax": "1"}}[codec]
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options=options)
        stream.width, stream.height = sizes[0]
        stream.pix_fmt = pix = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        out.start_encoding()
        for k, (width, height) in enumerate(sizes):
            encoder = av.CodecContext.create(codec, "w")
            encoder.width, encoder.height, encoder.pix_fmt = width, height, pix
            encoder.time_base, encoder.options = Fraction(1, 25), options
            frame = av.VideoFrame.from_ndarray(picture_of(k, size=(width, height)), format="rgb24")
            for packet in [*encoder.encode(frame.reformat(format=pix, threads=1)), *encoder.encode()]:
                packet.pts = packet.dts = k
                packet.time_base, packet.stream = Fraction(1, 25), stream
                out.mux(packet)


def rewritten(source: Path, target: Path, change: Callable[[int, int], int]) -> Path:
    """Copy a clip with other times of display: ``change`` gives the ticks of a packet by its number and its own."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        stream = after.add_stream_from_template(before.streams.video[0])
        for number, packet in enumerate(before.demux(video=0)):
            if packet.dts is not None:
                packet.pts = packet.dts = change(number, packet.pts)
                packet.stream = stream
                after.mux(packet)
    return target


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda number, pts: 160 if 4 <= number <= 6 else pts, [40 * k for k in range(12)]),
        (lambda _, pts: pts + 60_000, [40 * k for k in range(12)]),
        (lambda number, pts: pts + (number >= 6) * 10_000, [40 * k + (k >= 6) * 10_000 for k in range(12)]),
    ],
    ids=["doubled", "late", "pause"],
)
def test_times_of_packets(tmp_path, change, expected):
    """Frames of one and the same time are shown one after the other, up to the next one's time."""
    source = Clip(name="clip.mkv", frames=12, options={"bf": "0"}).write(tmp_path)

    annotate_video(BLANK, rewritten(source, tmp_path / "odd.mkv", change), tmp_path / "copy.mkv")

    after = decoded(tmp_path / "copy.mkv")
    assert [round(seconds * 1000) for seconds, _ in after] == expected
    assert [number(frame.to_ndarray(format="rgb24")) for _, frame in after] == [*range(12)]


def test_edit_list(tmp_path):
    """What an edit list cuts off is in no copy; the rest is at its time."""
    times = [-2000, -1000, 0, 1000, 2500]
    source = Clip(name="clip.mp4", rate=1000, frames=5, times=times, options={"bf": "0"}).write(tmp_path)

    annotate_video(BLANK, source, tmp_path / "copy.mp4")

    for path in (source, tmp_path / "copy.mp4"):
        found = [(seconds, number(frame.to_ndarray(format="rgb24"))) for seconds, frame in decoded(path)]
        assert found == [(0, 2), (1, 3), (2.5, 4)]


@pytest.mark.parametrize("late", [0, 1])
def test_sound_stays_in_time(tmp_path, late):
    """Where pictures or sound begin later than the other, they do so in the copy."""
    source, copy = tmp_path / "clip.mp4", tmp_path / "copy.mp4"
    with av.open(str(source), "w") as out:
        video, sound = out.add_stream("libx264", rate=25, options={"bf": "0"}), out.add_stream("aac", rate=48000)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        for k in range(25):
            frame = av.VideoFrame.from_ndarray(picture_of(k), format="rgb24")
            frame.pts, frame.time_base = k + 25 * late, Fraction(1, 25)
            out.mux(video.encode(frame))
            part = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), format="s16", layout="mono")
            part.sample_rate, part.pts, part.time_base = 48000, 1920 * k + 48000 * (1 - late), Fraction(1, 48000)
            out.mux(sound.encode(part))
        out.mux(video.encode())
        out.mux(sound.encode())

    annotate_video(BLANK, source, copy)

    offsets = []
    for path in (source, copy):
        with av.open(str(path)) as container:
            begins = [next(container.decode(track)).time for track in (container.streams.video[0],)]
        with av.open(str(path)) as container:
            begins.append(next(container.decode(container.streams.audio[0])).time)
        offsets.append(begins[0] - begins[1])
    assert offsets[1] == pytest.approx(offsets[0], abs=0.001)
    assert abs(offsets[0]) > 0.9


@pytest.mark.parametrize(("codec", "field"), [("libx264", "tff"), ("libx264", "bff"), ("mpeg2video", None)])
def test_interlaced(tmp_path, codec, field):
    """Pictures of two fields stay so, and the same field is displayed first."""
    options = {"flags": "+ildct+ilme"} | ({"x264-params": f"{field}=1"} if field else {"qmin": "1", "qmax": "1"})
    source = Clip(name="fields.mkv", codec=codec, options=options).write(tmp_path)

    annotate_video(BLANK, source, tmp_path / "copy.mp4")

    orders = []
    for path in (source, tmp_path / "copy.mp4"):
        with av.open(str(path)) as container:
            track = container.streams.video[0]
            assert next(container.decode(track)).interlaced_frame
            orders.append(getattr(track.codec_context, "field_order", None))  # PyAV 18 and later
    assert orders[0] == orders[1]
    assert [number(frame.to_ndarray(format="rgb24")) for _, frame in decoded(tmp_path / "copy.mp4")] == [*range(10)]


@pytest.mark.parametrize("size", [(2, 2), (34, 18), (33, 17), (17, 65)])
@pytest.mark.parametrize("pix", ["yuv444p", "yuv444p10le"])
def test_small_and_odd_sizes(tmp_path, size, pix):
    """Whatever its sides, a picture is in the copy, the last row and column twice where they are odd."""
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pix
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 200, np.uint8), format="rgb24")
            # FFmpeg's scaler, in several threads, leaves some pixels of pictures of ten bits as the memory was.
            out.mux(stream.encode(frame.reformat(format=pix, threads=1)))
        out.mux(stream.encode())

    annotate_video(BLANK, path, tmp_path / "copy.mkv")

    for _, frame in decoded(tmp_path / "copy.mkv"):
        picture = frame.to_ndarray(format="rgb24", threads=1).astype(int)
        assert picture.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
        assert np.abs(picture - 200).max() <= 3


@pytest.mark.parametrize(
    ("name", "rate", "times", "pace", "options"),
    [
        ("slides.mp4", 1000, [0, 7000, 14000, 21000], 40, {}),
        ("screen.mkv", 1000, [0, 40, 80, 3000, 3040], 2, {"bf": "0"}),
        ("b.avi", 4, None, 40, {"bf": "2", "x264-params": "b-adapt=0"}),
    ],
)
def test_faces_are_hidden(tmp_path, name, rate, times, pace, options):
    """No face that the embedded engine finds can be found on any frame of the blurred copy."""
    source, copy = tmp_path / name, tmp_path / "copy.mp4"
    people = [Image.open(PORTRAITS / f"{who}.jpg").convert("RGB").resize((240, 240)) for who in ("astronaut", "obama")]
    with av.open(str(source), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = 400, 240, "yuv420p"
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for k in range(5 if times is None else len(times)):
            picture = Image.new("RGB", (400, 240), (40, 90, 60))
            picture.paste(people[k // 3 % 2], (pace * k, 0))
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = (k, Fraction(1, rate)) if times is None else (times[k], Fraction(1, 1000))
            out.mux(stream.encode(frame))
        out.mux(stream.encode())

    analysis = rekog.analyze_video(source, client="embedded")
    blur_video(analysis, source, copy)

    before, after = decoded(source), decoded(copy)
    assert len(analysis.faces) >= len(before) / 2 <= len(after) / 2
    for _, frame in after:
        assert not rekog.detect_image(frame.to_image(), client="embedded", attributes=["DEFAULT"]).faces
