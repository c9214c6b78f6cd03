"""Mutated pictures and clips against the embedded engine: ``python tests/embedded/fuzz.py [FILES [SEED]]``.

Each file gives a result or a named error; anything else is a failure, as is one that takes longer than ten seconds of
CPU time. Faces are looked for in one of twenty pictures that can be decoded. Pictures that are neither JPEG nor PNG, of
which the engine knows nothing, are made into one, as all verbs do.
"""

from __future__ import annotations

import io
import random
import resource
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from botocore.exceptions import ClientError
from PIL import Image

from rekog_emotion import InvalidInputError
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.embedded.engine import Engine, Mode
from rekog_emotion.media.samples import UnsupportedVideoError, probe, samples
from rekog_emotion.sources.images import prepare_image

DATA = Path(__file__).parents[1] / "data"
SLOWEST = 10.0  # seconds of CPU time: machines stall
PICTURES = 12  # samples of a clip that are decoded
LENGTHS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1")
KINDS = ("JPEG", "PNG", "MP4", "MOV", "other")
OTHERS = ("AVIF", "BMP", "GIF", "ICNS", "ICO", "JPEG2000", "PCX", "PPM", "QOI", "SGI", "TGA", "TIFF", "WEBP")


def seeds() -> dict[str, list[bytes]]:
    """Return small intact files of each kind."""
    with Image.open(DATA / "astronaut.jpg") as opened:
        face = opened.convert("RGB").crop((130, 10, 330, 210)).resize((96, 96))
    return {
        "JPEG": [_picture(face, "JPEG"), _picture(face, "JPEG", progressive=True), _picture(face.convert("L"), "JPEG")],
        "PNG": [_picture(face, "PNG"), _picture(face.quantize(32), "PNG"), _picture(face.convert("LA"), "PNG")],
        "MP4": [_clip(face, "mp4", "libx264"), _clip(face, "mp4", "mpeg4")],
        "MOV": [_clip(face, "mov", "libx264"), _clip(face, "mov", "mjpeg")],
        "other": [*(_picture(face, kind) for kind in OTHERS), *_deep(face.convert("L"))],
    }


def _picture(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _deep(grey: Image.Image) -> list[bytes]:
    """Return files of more than 8 bits, and of compressed strips."""
    return [
        _picture(grey.convert("F"), "TIFF"),
        _picture(grey.convert("I"), "TIFF", compression="tiff_lzw"),
        _picture(grey.convert("RGBA"), "WEBP", lossless=True),
    ]


def _clip(image: Image.Image, container: str, codec: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=10)
        stream.width, stream.height = image.size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.thread_count = 1
        if codec == "libx264":  # it looks ahead in a thread, and gives other bytes on a busy machine
            stream.options = {"x264-params": "rc-lookahead=0:sync-lookahead=0:mbtree=0:b-adapt=0"}
        for k in range(15):
            picture = np.roll(np.asarray(image), 3 * k, 1)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode())
    return buffer.getvalue()


def mutate(data: bytes, random_: random.Random) -> bytes:
    """Return a copy with a few bits flipped, bytes or lengths replaced, and parts cut, doubled or swapped."""
    mutated = bytearray(data)
    for _ in range(random_.choice((1, 1, 2, 3, 8))):
        size = len(mutated)
        # Headers decide more than pixels do.
        at = random_.randrange(min(size, 700)) if random_.random() < 0.5 else random_.randrange(size)
        span = random_.randrange(1, 1 + min(64, size - at))
        match random_.randrange(7):
            case 0:
                mutated[at] ^= 1 << random_.randrange(8)
            case 1:
                mutated[at : at + span] = random_.randbytes(span)
            case 2:
                mutated[at : at + 4] = random_.choice(LENGTHS)
            case 3 if size > 2 * span + 32:
                del mutated[at : at + span]
            case 4:
                mutated[at:at] = mutated[at : at + span]
            case 5 if random_.random() < 0.3:
                del mutated[max(32, at) :]
            case _:
                other = random_.randrange(size)
                mutated[at : at + 1] = mutated[other : other + 1]
    return bytes(mutated)


def with_checksums(png: bytes) -> bytes:
    """Return a PNG whose chunks have the checksums of what they hold, so that a decoder sees the damage."""
    mended, at = bytearray(png), 8
    while at + 12 <= len(mended):
        end = at + 8 + int.from_bytes(mended[at : at + 4])
        if end + 4 > len(mended):
            break
        mended[end : end + 4] = zlib.crc32(mended[at + 4 : end]).to_bytes(4)
        at = end + 4
    return bytes(mended)


def runner(client: EmbeddedClient, folder: Path) -> Callable[[str, bytes], str]:
    """Return what gives a file of a kind to the engine, and returns ``"result"`` or the name of its error."""

    def run(kind: str, data: bytes) -> str:
        try:
            if kind in {"JPEG", "PNG"}:
                client.detect_faces(Image={"Bytes": data}, Attributes=["ALL"])
                return "result"
            if kind == "other":
                prepare_image(data)
                return "result"
            path = folder / f"clip.{kind.lower()}"
            path.write_bytes(data)
            probe(path)
            for k, (_, picture) in enumerate(samples(path)):
                if k >= PICTURES:
                    break
                assert picture.ndim == 3
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        except (InvalidInputError, UnsupportedVideoError) as error:
            return type(error).__name__
        return "result"

    return run


def files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield so many mutated files, the kinds in turn; the same seed gives the same files."""
    random_, originals = random.Random(seed), seeds()  # noqa: S311 -- no secret
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        data = mutate(random_.choice(originals[kind]), random_)
        yield kind, with_checksums(data) if kind == "PNG" and number % (2 * len(KINDS)) < len(KINDS) else data


class Some:
    """Looks for faces in some of the pictures only: damage is met in decoding, and looking takes longer.

    Args:
        engine: What looks.
        every: One in so many.
    """

    def __init__(self, engine: Engine, *, every: int) -> None:
        self._engine, self._every, self._calls = engine, every, 0

    def analyze(self, picture: Image.Image, *, mode: Mode = "default", whole: bool = True) -> list[dict[str, Any]]:
        """Return the faces of one in so many pictures."""
        self._calls += 1
        return [] if self._calls % self._every else self._engine.analyze(picture, mode=mode, whole=whole)

    def close(self) -> None:
        """Free the networks."""
        self._engine.close()


def fuzz(count: int, *, seed: int = 7, client: EmbeddedClient) -> tuple[Counter[tuple[str, str]], float]:
    """Return how often each kind ended how, and the CPU seconds of the slowest file."""
    ends: Counter[tuple[str, str]] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        run = runner(client, Path(folder))
        for number, (kind, data) in enumerate(files(count, seed)):
            start = time.process_time()
            try:
                ends[kind, run(kind, data)] += 1
            except BaseException:
                keep = Path(tempfile.gettempdir()) / f"fuzz-{seed}-{number}.{kind.lower()}"
                keep.write_bytes(data)
                print(f"file {number} of seed {seed} fails: kept as {keep}", file=sys.stderr)  # noqa: T201 -- a script
                raise
            slowest = max(slowest, time.process_time() - start)
            if slowest > SLOWEST:
                message = f"file {number} of seed {seed} took {slowest:.0f} s"
                raise AssertionError(message)
    return ends, slowest


def main() -> None:
    """Run as many files as the first argument says, and print how they ended."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    with EmbeddedClient(mode="fast") as client:
        client._analyzer = Some(client._analyzer, every=20)  # type: ignore[assignment]  # the one method that is used
        ends, slowest = fuzz(count, seed=seed, client=client)
    for (kind, end), times in sorted(ends.items()):
        print(f"{kind:5} {end:28} {times}")  # noqa: T201 -- a script
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{count} files, slowest {slowest:.2f} s, peak memory {peak} MB")  # noqa: T201 -- a script


if __name__ == "__main__":
    main()
