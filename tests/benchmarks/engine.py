"""Time the embedded engine by stage, beside its bare networks and beside fer: ``python tests/benchmarks/engine.py``.

Usage::

    OMP_NUM_THREADS=1 python tests/benchmarks/engine.py [PICTURE...] [--before FOLDER] [--fer PYTHON] [--clip CLIP]
                                                        [--mode MODE] [--rounds N] [--memory]

Times are milliseconds of CPU time on one thread, the least of many rounds, of JPEG bytes with a longer side of 640
pixels, decoding included. *Networks* are the calls of ONNX Runtime that an analysis makes, made again by themselves.
``FOLDER`` holds an earlier version of the package (``git archive`` or ``pip install --target``), timed in turns, too.
``PYTHON`` is an interpreter with fer 25.10 (``pip install fer tensorflow``): it finds faces with MTCNN and gives their
emotions alone, in turns with the engine. Without pictures a portrait and six portraits in one picture are timed.
``--memory`` tells the peak of a process that looks at a portrait, then at six in a large picture (on Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest import mock

import numpy as np
from PIL import Image

from rekog_emotion import analyze_video
from rekog_emotion.embedded import EmbeddedClient, age_gender, appearance, attributes, engine, expression, mesh, nets

DATA: Final = Path(__file__).parents[1] / "data"
SIDE: Final = 640
TURNS: Final = 3
# Stage, what does it, and the networks in it. The search holds the mesh, which is subtracted.
STAGES: Final = {
    "find faces": (engine, "_find", ("yunet", "centerface", "face_detection_full_range")),
    "mesh": (mesh.Mesh, "__call__", ("face_landmarks_detector",)),
    "muscles": (expression.Blendshapes, "__call__", ("face_blendshapes",)),
    "appearance": (appearance.Appearance, "__call__", ("face_appearance",)),
    "emotions": (expression.Emotions, "__call__", ("emotion", "faceapi_expression")),
    "attributes": (attributes.Attributes, "__call__", ("face_attributes",)),
    "age and gender": (age_gender.AgeGender, "__call__", ("faceapi_age_gender", "dlib_gender")),
    "quality and members": (engine, "detail", ()),
}
FER: Final = """
import json, sys, time
import numpy as np
from PIL import Image
try:
    from fer.fer import FER
except ImportError:
    from fer import FER
detector = FER(mtcnn=True)
for path in sys.argv[2:]:
    picture = np.asarray(Image.open(path).convert("RGB"))[:, :, ::-1].copy()
    faces, least = len(detector.detect_emotions(picture)), 1e9
    for _ in range(int(sys.argv[1])):
        start = time.process_time()
        detector.detect_emotions(picture)
        least = min(least, time.process_time() - start)
    print("RESULT" + json.dumps([faces, 1000 * least]))
"""

BEFORE: Final = """
import json, sys, time
from pathlib import Path
from rekog_emotion.embedded import EmbeddedClient
client = EmbeddedClient(mode=sys.argv[2])
for path in sys.argv[3:]:
    data, least = Path(path).read_bytes(), 1e9
    for _ in range(int(sys.argv[1]) + 1):
        start = time.process_time()
        faces = client.detect_faces(Image={"Bytes": data}, Attributes=["ALL"])["FaceDetails"]
        least = min(least, time.process_time() - start)
    print("RESULT" + json.dumps([len(faces), 1000 * least]))
"""

MEMORY: Final = """
import sys
from pathlib import Path
from rekog_emotion.embedded import EmbeddedClient
client = EmbeddedClient(mode=sys.argv[1])
for path in sys.argv[2:]:
    client.detect_faces(Image={"Bytes": Path(path).read_bytes()}, Attributes=["ALL"])
print("RESULT[" + Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0] + "]")
"""
LARGE: Final = ((6000, 4000), (4000, 3000))

Call = tuple[nets.Net, Any]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Time the embedded engine.")
    parser.add_argument("pictures", type=Path, nargs="*")
    parser.add_argument("--fer", metavar="PYTHON", help="an interpreter with fer")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="an earlier version of the package")
    parser.add_argument("--mode", choices=("fast", "default", "thorough"), default="default")
    parser.add_argument("--clip", type=Path, help="a video to time, too")
    parser.add_argument("--rounds", type=int, default=10, help="in each of three turns")
    parser.add_argument("--memory", action="store_true", help="tell peaks of memory, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedClient(mode=options.mode) as client:
        paths = prepared(options.pictures, Path(folder))
        ours = [Best() for _ in paths]
        beside = before = [[0.0, float("inf")] for _ in paths]
        for _ in range(TURNS):
            for path, best in zip(paths, ours, strict=True):
                best.improve(client, path.read_bytes(), options.rounds)
            if options.fer:
                beside = less(beside, fer(options, paths))
            if options.before:
                before = less(before, earlier(options, paths))
        for path, best, (faces, peer), (seen, once) in zip(paths, ours, beside, before, strict=True):
            print(best.table(path.stem))  # noqa: T201 -- a script prints
            if options.before:
                print(f"before: {seen:.0f} faces in {once:.1f} ms; now {best.total / once:.2f} of it\n")  # noqa: T201 -- likewise
            if options.fer:
                ratio = f"the engine takes {best.total / peer:.2f} of it"
                print(f"fer, emotions alone: {faces:.0f} faces in {peer:.1f} ms; {ratio}\n")  # noqa: T201 -- likewise
        if options.clip:
            print(video(options.clip))  # noqa: T201 -- likewise
        if options.memory:
            print(memory(options, Path(folder)))  # noqa: T201 -- likewise


class Best:
    """The least times of a picture, in milliseconds."""

    def __init__(self) -> None:
        self.faces, self.total = 0, float("inf")
        self.stages: dict[str, float] = {}
        self.networks: dict[str, float] = {}

    def improve(self, client: EmbeddedClient, data: bytes, rounds: int) -> None:
        """Time a picture again and keep what is less."""
        calls: list[Call] = []
        with spied_on(nets.Net, "__call__", lambda _, *arguments: calls.append(arguments)):
            self.faces = len(analyse(client, data))
        for _ in range(rounds):
            spent: Counter[str] = Counter()
            with timed_stages(spent):
                start = time.process_time()
                analyse(client, data)
                total = 1000 * (time.process_time() - start)
            if total < self.total:
                spent["find faces"] -= spent["mesh"]
                self.total, self.stages = total, {name: spent[name] for name in STAGES}
            for name, value in replayed(calls).items():
                self.networks[name] = min(self.networks.get(name, float("inf")), value)

    def table(self, name: str) -> str:
        """Return the stages as Markdown."""
        rows = [f"| {name}, faces: {self.faces} | ms | networks, ms | ratio |", "| --- | --- | --- | --- |"]
        inside = {stage: sum(self.networks.get(net, 0) for net in of) for stage, (*_, of) in STAGES.items()}
        rows += [row(stage, value, inside[stage]) for stage, value in self.stages.items()]
        rest = self.total - sum(self.stages.values())
        return (
            "\n".join([*rows, row("decoding and the rest", rest, 0), row("all", self.total, sum(inside.values()))])
            + "\n"
        )


def row(name: str, value: float, networks: float) -> str:
    """Return a line of the table."""
    ratio = f"{value / networks:.2f}" if networks else ""
    return f"| {name} | {value:.1f} | {networks:.1f} | {ratio} |"


def prepared(pictures: Sequence[Path], folder: Path) -> list[Path]:
    """Write the pictures at the size that is timed."""
    images = {path.stem: Image.open(path).convert("RGB") for path in pictures}
    if not images:
        images = {"one portrait": portrait("astronaut"), "six portraits": six_portraits()}
    for name, image in images.items():
        image.thumbnail((SIDE, SIDE))
        image.save(folder / f"{name}.jpg", quality=92)
    return [folder / f"{name}.jpg" for name in images]


def portrait(name: str) -> Image.Image:
    """Return a picture of the tests."""
    return Image.open(DATA / f"{name}.jpg").convert("RGB")


def six_portraits() -> Image.Image:
    """Return three portraits, each twice."""
    picture = Image.new("RGB", (960, 640))
    for k, name in enumerate(2 * ("astronaut", "obama", "biden")):
        picture.paste(portrait(name).resize((320, 320)), (k % 3 * 320, k // 3 * 320))
    return picture


def analyse(client: EmbeddedClient, data: bytes) -> list[Any]:
    """Return the faces of a picture."""
    faces: list[Any] = client.detect_faces(Image={"Bytes": data}, Attributes=["ALL"])["FaceDetails"]
    return faces


@contextmanager
def spied_on(owner: Any, name: str, seen: Callable[..., object]) -> Iterator[None]:
    """Call ``seen`` with the CPU time and the arguments of every call of a function."""
    function = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        start = time.process_time()
        result = function(*arguments, **options)
        seen(time.process_time() - start, *arguments)
        return result

    with mock.patch.object(owner, name, call):
        yield


@contextmanager
def timed_stages(spent: Counter[str]) -> Iterator[None]:
    """Add up the milliseconds of each stage."""
    with ExitStack() as stack:
        for name, (owner, function, _) in STAGES.items():
            stack.enter_context(spied_on(owner, function, partial(_add, spent, name)))
        yield


def _add(spent: Counter[str], name: str, seconds: float, *_: object) -> None:
    spent[name] += 1000 * seconds


def replayed(calls: Sequence[Call]) -> Counter[str]:
    """Return the milliseconds that the networks take for the calls of an analysis, by network."""
    spent: Counter[str] = Counter()
    for net, batch in calls:
        for start in range(0, len(batch), nets.MAX_BATCH):
            part = np.ascontiguousarray(batch[start : start + nets.MAX_BATCH], net.dtype)
            begin = time.process_time()
            net.run(part)
            spent[net.name] += 1000 * (time.process_time() - begin)
    return spent


def less(some: list[list[float]], others: list[list[float]]) -> list[list[float]]:
    """Return of each two results the one with less time."""
    return [min(pair, key=lambda one: one[1]) for pair in zip(some, others, strict=True)]


def fer(options: argparse.Namespace, paths: Sequence[Path]) -> list[list[float]]:
    """Return faces and least milliseconds of fer for each picture."""
    threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    return told([options.fer, "-c", FER, str(options.rounds), *map(str, paths)], threads)


def earlier(options: argparse.Namespace, paths: Sequence[Path]) -> list[list[float]]:
    """Return faces and least milliseconds of an earlier version for each picture."""
    command = [sys.executable, "-P", "-c", BEFORE, str(options.rounds), options.mode, *map(str, paths)]
    return told(command, {"PYTHONPATH": str(options.before.resolve())})


def told(command: Sequence[str], variables: Mapping[str, str]) -> list[list[float]]:
    """Return what a program says of each picture."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 -- the user names it
    return [json.loads(line.removeprefix("RESULT")) for line in done.stdout.splitlines() if line.startswith("RESULT")]


def video(path: Path) -> str:
    """Return how many seconds of a clip are analysed in one second, by threads that look at pictures."""
    rows = ["| threads | seconds of video in one of wall time | in one of CPU time |", "| --- | --- | --- |"]
    for threads in (1, 2):
        wall, busy = [], []
        with EmbeddedClient(video_threads=threads) as client:
            for _ in range(TURNS):
                start = time.perf_counter(), time.process_time()
                analysis = analyze_video(path, client=client)
                wall.append(time.perf_counter() - start[0])
                busy.append(time.process_time() - start[1])
        length = (analysis.metadata.duration_millis or 0) / 1000
        rows.append(f"| {threads} | {length / min(wall):.1f} | {length / min(busy):.1f} |")
    return "\n".join(rows) + "\n"


def memory(options: argparse.Namespace, folder: Path) -> str:
    """Return the peaks of processes that look at large pictures."""
    versions = {"now": Path(__file__).parents[2]} | ({"before": options.before} if options.before else {})
    rows = [f"| pixels | {' | '.join(f'MB, {name}' for name in versions)} |", "| --- " * (1 + len(versions)) + "|"]
    small, large = folder / "small.jpg", folder / "large.jpg"
    portrait("obama").save(small)
    for size in LARGE:
        six_portraits().resize(size).save(large, quality=90)
        peaks = []
        for version in versions.values():
            command = [sys.executable, "-P", "-c", MEMORY, options.mode, str(small), str(large)]
            ((peak,),) = told(command, {"PYTHONPATH": str(version.resolve())})
            peaks.append(f"{peak / 1024:.0f}")
        rows.append(f"| {size[0]} x {size[1]} | {' | '.join(peaks)} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
