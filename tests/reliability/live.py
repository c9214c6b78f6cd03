"""Watch what is live, in real time, and say how late moments are: ``python -m tests.reliability.live [--rtsp PYTHON]``.

The clip of the tests is watched by the embedded engine from an iterable that takes its time, from a camera (FFmpeg's
own virtual one stands in for Video4Linux), as HLS and, where ``PYTHON`` is an interpreter with aio-rtsp-toolkit and
PyAV (``pip install aio-rtsp-toolkit av``), from its RTSP server, all over loopback. *late* is the time from a decoded
frame to its moment, in milliseconds: median and the worst of a hundred. *CPU* is the time of one
core that a moment takes, decoding included: on an idle machine they are nearly as late. *IDF1* is that of the ids of
the moments against those that ``tracks()`` gives for the same pictures, kept, each searched for faces by itself. At the
end a day is watched on a virtual clock, and what is held in memory told.
"""

from __future__ import annotations

import argparse
import gc
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from unittest import mock

import av
import numpy as np
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.media import streams
from rekog_emotion.media.addresses import Origin
from rekog_emotion.sources import frames
from rekog_emotion.testing import VirtualClock
from tests.benchmarks.live import People, idf1
from tests.embedded.clips import write_hls

DATA: Final = Path(__file__).parents[1] / "data"
CLIP: Final = DATA / "people.mp4"
DAY: Final = 24 * 3600
SERVER: Final = "import asyncio, sys; from aio_rtsp_toolkit import server; asyncio.run(server.serve({}))"


class Ages:
    """When the frames of moments had been decoded."""

    def __init__(self) -> None:
        self._came: dict[int, float] = {}

    def note(self, picture: Any) -> Any:
        """Note that a picture is there, and return it."""
        self._came[id(picture)] = time.monotonic()
        return picture

    def pictures(self, *arguments: Any) -> Iterator[Any]:
        """Do what `streams.pictures` does, and note when each came."""
        for seconds, make in _pictures(*arguments):
            came = time.monotonic()

            def picture(make: Any = make, came: float = came) -> Any:
                made = make()
                self._came[id(made)] = came
                return made

            yield seconds, picture

    def late(self, moment: rekog.Moment) -> float:
        """Return how many milliseconds old a moment's frame is."""
        return 1000 * (time.monotonic() - self._came[id(moment.frame)])


_pictures = streams.pictures


def live(ages: Ages) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the pictures of the clip as they would be taken."""
    with av.open(str(CLIP)) as container:
        begin = time.monotonic()
        for frame in container.decode(video=0):
            due = begin + float(frame.pts * frame.time_base)
            threading.Event().wait(max(due - time.monotonic(), 0))
            yield ages.note(frame.to_ndarray(format="rgb24"))


@contextmanager
def hls() -> Iterator[str]:
    """Give the address of the clip as HLS."""
    with tempfile.TemporaryDirectory() as folder:
        write_hls(CLIP, Path(folder))
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=folder)) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}/clip.m3u8"
            server.shutdown()
            thread.join()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def rtsp(python: str) -> Iterator[str]:
    """Give the address of the clip at an RTSP server."""
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    code = SERVER.format(f"{os.fspath(DATA)!r}, '127.0.0.1', {ports[0]}, control_port={ports[1]}")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([python, "-c", code], **quiet) as server:  # noqa: S603 -- the caller's own interpreter
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", ports[0])) == 0:
                        break
                threading.Event().wait(0.1)
            yield f"rtsp://127.0.0.1:{ports[0]}/{CLIP.name}"
        finally:
            server.kill()


def row(name: str, client: EmbeddedClient, source: Any, rate: float, ages: Ages) -> str:
    """Watch, and return a line of the table."""
    moments, late, reasons = [], [], []
    cancel, begin = threading.Event(), time.process_time()
    with mock.patch.object(streams, "pictures", ages.pictures):
        for moment in rekog.watch(source, client=client, rate=rate, cancel=cancel):
            if moment.reason is None:
                late.append(ages.late(moment))
                moments.append(moment)
            else:  # what is over is lost: a camera is never over
                reasons.append(moment.reason)
                cancel.set()
    cpu = 1000 * (time.process_time() - begin) / len(moments)
    again = [
        rekog.TimedFace(timestamp_ms=round(1000 * one.seconds), face=face)
        for one in moments
        for face in rekog.detect_image(one.frame, client=client).faces
    ]
    whole = tracked(again, moments)
    skipped = sum(one.skipped for one in moments)
    order = sorted(late)
    people = len({person.id for one in moments for person in one.people})
    return (
        f"| {name} | {len(moments)} | {skipped} | {people} "
        f"| {statistics.median(order):.0f} | {order[int(0.99 * len(order))]:.0f} | {cpu:.0f} "
        f"| {idf1(whole, seen(moments)):.3f} |"
    )


def seen(moments: Iterable[rekog.Moment]) -> list[People]:
    """Return who is where in moments."""
    return [{one.id: one.face.bounding_box.to_pixels((640, 480)) for one in moment.people} for moment in moments]


def tracked(faces: list[rekog.TimedFace], moments: list[rekog.Moment]) -> list[People]:
    """Return who is where by the tracks of faces."""
    from rekog_emotion.people.columns import Columns
    from rekog_emotion.people.linking import link

    apart = statistics.median(b.seconds - a.seconds for a, b in pairwise(moments))
    ids = link(Columns.of(faces), interval=apart).tolist()
    people: dict[int, People] = {round(1000 * one.seconds): {} for one in moments}
    for timed, person in zip(faces, ids, strict=True):
        people[timed.timestamp_ms][person] = timed.face.bounding_box.to_pixels((640, 480))
    return list(people.values())


class Somebody:
    """A client that always sees the same two people."""

    engine = "nobody"

    def __init__(self, client: EmbeddedClient) -> None:
        portrait = Image.open(DATA / "obama.jpg").convert("RGB").resize((320, 320))
        both = Image.new("RGB", (640, 320))
        both.paste(portrait, (0, 0))
        both.paste(portrait, (320, 0))
        self._answer = rekog.detect_image(both, client=client).to_aws()
        self.start_face_detection, self.get_face_detection = client.start_face_detection, client.get_face_detection

    def detect_faces(self, **_: Any) -> Any:
        """Answer DetectFaces."""
        return self._answer


def day(client: Somebody, rate: float) -> str:
    """Watch for a day on a virtual clock; return what is held in memory after an hour and at the end."""
    picture = np.zeros((96, 96, 3), np.uint8)
    frames = ((k / rate, picture) for k in range(round(DAY * rate)))
    held: list[float] = []
    moments = 0
    tracemalloc.start()
    for moments, _ in enumerate(rekog.watch(frames, client=client, rate=rate, clock=VirtualClock()), start=1):
        if moments % round(3600 * rate) == 0:
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0] / 1024)
    tracemalloc.stop()
    return f"a day of {moments} moments: {held[0]:.0f} KiB held after an hour, {held[-1]:.0f} at the end"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rtsp", metavar="PYTHON", help="an interpreter with aio-rtsp-toolkit and PyAV")
    parser.add_argument("--rate", type=float, default=12.0, help="samples a second")
    parser.add_argument("--day-rate", type=float, default=0.1, help="of the day")
    args = parser.parse_args()
    with EmbeddedClient() as client:
        rekog.detect_image(DATA / "obama.jpg", client=client)  # the networks are loaded
        print("| source | moments | skipped | people | late, median | late, 99 % | CPU | IDF1 |")  # noqa: T201 -- scripts print
        print("|---|--:|--:|--:|--:|--:|--:|--:|")  # noqa: T201 -- likewise
        ages = Ages()
        print(row("an iterable of arrays, as they are taken", client, live(ages), args.rate, ages), flush=True)  # noqa: T201 -- likewise
        virtual = Origin(f"movie={CLIP},realtime", "camera:0", {}, "lavfi")
        with mock.patch.object(frames, "camera_of", return_value=virtual):
            print(row("a camera", client, 0, args.rate, Ages()), flush=True)  # noqa: T201 -- likewise
        if args.rtsp:
            with rtsp(args.rtsp) as address:
                print(row("RTSP, by aio-rtsp-toolkit", client, address, args.rate, Ages()), flush=True)  # noqa: T201 -- likewise
        with hls() as address:
            print(row("HLS; a frame waits here for its time", client, address, args.rate, Ages()), flush=True)  # noqa: T201 -- likewise
        print(day(Somebody(client), args.day_rate))  # noqa: T201 -- likewise


if __name__ == "__main__":
    main()
