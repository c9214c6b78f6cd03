"""Clips for tests, made in the test run from the public-domain portraits: builders, and fixtures to import."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import count, takewhile
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

PORTRAITS = Path(__file__).parents[1] / "data"
NTSC = Fraction(30000, 1001)
TICKS = 600  # a second, where times are given: QuickTime's customary scale

Picture = np.ndarray


def grid(rate: Fraction | int, frames: int) -> list[tuple[int, int]]:
    """Return (milliseconds, frame number) of every sample of a clip, by the service's rule."""
    rate = Fraction(rate)
    numbers = takewhile(lambda number: number < frames, (k * rate // 2 for k in count()))
    return [(number * 1000 * rate.denominator // rate.numerator, number) for number in dict.fromkeys(numbers)]


def write_clip(
    path: Path,
    pictures: Iterable[Picture],
    *,
    rate: Fraction | int = 30,
    codec: str = "libx264",
    times: Sequence[float] | None = None,
    mux: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    **options: str,
) -> Path:
    """Encode RGB pictures of one size; ``times`` are the seconds of each where the rate varies."""
    with av.open(str(path), "w", options=dict(mux or {})) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.pix_fmt = "yuv420p"
        for k, picture in enumerate(pictures):
            if k == 0:
                stream.height, stream.width = picture.shape[:2]
                if times is not None:
                    stream.codec_context.time_base = Fraction(1, TICKS)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if times is not None:
                frame.time_base, frame.pts = Fraction(1, TICKS), round(times[k] * TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_hls(clip: Path, folder: Path) -> Path:
    """Cut a clip into a playlist of pieces of a second; return the playlist."""
    target, options = folder / "clip.m3u8", {"hls_time": "1", "hls_list_size": "0"}
    with av.open(str(clip)) as source, av.open(str(target), "w", format="hls", options=options) as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    return target


def write_sound(path: Path, *, cover: Picture | None = None) -> Path:
    """Encode a second of silence, with a cover picture if one is given."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=48000, layout="mono")
        if cover is not None:
            art = container.add_stream("mjpeg")
            art.height, art.width = cover.shape[:2]
            art.pix_fmt = "yuvj420p"
            art.disposition = av.stream.Disposition.attached_pic.value
            container.mux(art.encode(av.VideoFrame.from_ndarray(cover, format="rgb24")))
            container.mux(art.encode())
        for k in range(47):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, k * 1024
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path


def shown_by(matrix: tuple[int, int, int, int], source: Path, target: Path) -> Path:
    """Copy a MOV or MP4 so that (x, y) is shown at (a x + c y, b x + d y), for ``matrix`` (a, b, c, d)."""
    a, b, c, d = (number << 16 for number in matrix)
    data = bytearray(source.read_bytes())
    start = data.index(b"tkhd") + 4 + 40  # behind the track header's version, times, id, duration, layer and volume
    data[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    target.write_bytes(data)
    return target


def numbered(pictures: int, size: tuple[int, int] = (64, 48)) -> Iterator[Picture]:
    """Yield pictures that bear their number in eight black or white columns, for :func:`number_of`."""
    width, height = size
    for number in range(pictures):
        bits = np.array([255 * (number >> bit & 1) for bit in range(8)], np.uint8)
        yield np.ascontiguousarray(np.broadcast_to(np.repeat(bits, width // 8)[None, :, None], (height, width, 3)))


def number_of(picture: Picture) -> int:
    """Read the number of a picture that :func:`numbered` made."""
    columns = picture.mean(axis=(0, 2)).reshape(8, -1).mean(axis=1)
    return sum(1 << bit for bit, brightness in enumerate(columns) if brightness > 127)


class Scene:
    """Six seconds of 640 x 480: a pan, a stretch with nobody, a zoom, and a cut to another person."""

    seconds = 6
    cast = ((0.0, "astronaut"), (1.5, None), (3.0, "obama"), (4.5, "biden"))

    def __init__(self) -> None:
        self._portraits = {
            name: Image.open(PORTRAITS / f"{name}.jpg").convert("RGB") for _, name in self.cast if name is not None
        }

    def person(self, seconds: float) -> str | None:
        """Return who is seen at this time."""
        return next(name for begin, name in reversed(self.cast) if begin <= seconds)

    def picture(self, seconds: float) -> Picture:
        """Return what is seen at this time."""
        match self.person(seconds):
            case "astronaut" as name:
                box = (20.0 * seconds, 0.0, 20.0 * seconds + 480.0, 360.0)
            case "obama" as name:
                nearer = 40.0 * (seconds - 3.0)
                box = (nearer, 0.0, 512.0 - nearer, 384.0 - 1.5 * nearer)
            case "biden" as name:
                box = (0.0, 0.0, 512.0, 384.0)
            case _:
                ramp = np.linspace(40, 200, 640, dtype=np.uint8)
                return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (480, 640, 3)))
        return np.asarray(self._portraits[name].resize((640, 480), Image.Resampling.BILINEAR, box=box))

    def pictures(self, rate: Fraction | int) -> Iterator[Picture]:
        """Yield all pictures at a constant rate."""
        return (self.picture(float(number / Fraction(rate))) for number in range(int(self.seconds * rate)))


@pytest.fixture(scope="session")
def scene() -> Scene:
    """What the clips with people show, and when."""
    return Scene()


@pytest.fixture(scope="session")
def people_mp4(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene as H.264 in MP4 at 30 frames a second."""
    return write_clip(tmp_path_factory.mktemp("clips") / "people.mp4", scene.pictures(30), preset="ultrafast")


@pytest.fixture(scope="session")
def people_mov(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene as MPEG-4 in MOV at 29.97 frames a second."""
    path = tmp_path_factory.mktemp("clips") / "people.mov"
    return write_clip(path, scene.pictures(NTSC), rate=NTSC, codec="mpeg4", flags="+qscale", global_quality="354")


@pytest.fixture(scope="session")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small clip of numbered pictures: H.264 in MP4, 90 frames, 30 a second, index in front."""
    path = tmp_path_factory.mktemp("clips") / "counting.mp4"
    return write_clip(path, numbered(90), mux={"movflags": "faststart"}, g="15")


BAD = ("text", "empty", "noise", "picture", "playlist", "sound", "cover", "headless", "no data", "codec", "1x1")


@pytest.fixture(scope="session")
def bad_clips(counting: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files with no moving picture in them, one for each name of ``BAD``."""
    folder = tmp_path_factory.mktemp("bad")
    good = counting.read_bytes()
    contents = {
        "text": b"A letter, not a clip.\n" * 100,
        "empty": b"",
        "noise": np.random.default_rng(7).bytes(20_000),
        "picture": (PORTRAITS / "biden.jpg").read_bytes(),
        "playlist": f"#EXTM3U\n#EXTINF:3,\nfile:{counting}\n#EXT-X-ENDLIST\n".encode(),
        "headless": good[: good.index(b"moov") + 50],
        "no data": _claiming(good[: good.index(b"mdat") + 4], 7680, 4320),
        "codec": good.replace(b"avc1", b"zzzz"),
    }
    paths = {name: folder / f"{name}.mp4" for name in BAD}
    for name, content in contents.items():
        paths[name].write_bytes(content)
    write_sound(paths["sound"])
    write_sound(paths["cover"], cover=np.zeros((48, 64, 3), np.uint8))
    write_clip(paths["1x1"], [np.zeros((1, 1, 3), np.uint8)] * 30, codec="mpeg4")
    return paths


def _claiming(clip: bytes, width: int, height: int) -> bytes:
    """Change the size in the sample description of a MOV or MP4."""
    start = clip.index(b"avc1", clip.index(b"stsd")) + 28
    return clip[:start] + struct.pack(">HH", width, height) + clip[start + 4 :]
