"""Attacks with counts, and the table of what held: ``python -m tests.reliability.attacks``, see ``--help``.

Mutated requests and the worst pictures against a real ``serve``, mutated answers and results against the library,
mutated media against the engine, odd values through every output, and signals to every command at any time. Whatever is
tried ends as an answer or a named error, or the run fails and says with what. ``--scale 1`` takes some minutes; a small
part runs with the checks of the project. ``--write`` puts the table into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from PIL import Image

from rekog_emotion import ImageAnalysis, RekogEmotionError, VideoAnalysis, analyze_video, aws_client, detect_image
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.results.report import report
from rekog_emotion.testing import virtual_time
from tests.embedded import fuzz
from tests.reliability.served import DATA, ROOT, Served, signed
from tests.server import worst_pictures

DOCS: Final = ROOT / "docs" / "reliability.md"
HEADING: Final = "\n## What held\n"
PHOTO: Final = (DATA / "astronaut.jpg").read_bytes()
MOST_MEMORY: Final = 1500  # MB
PATIENCE: Final = 0.5  # seconds that an answer to a mutated request is waited for: many are waited for to go on
HONEST_PATIENCE: Final = 20.0

PIECES: Final = (b"\r\n", b"\0", b"\n", b"9" * 50, b"\xff\xfe", b": ", b'"', b"[" * 500)
ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, "", [], {}, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 10**400, -0.0, 1e-320, 1e308, -1e308),
    *(
        float("nan"),
        float("inf"),
        float("-inf"),
        0.1,
        "1",
        "NaN",
        "\ud800",
        "\0",
        "\x1b]0;owned\x07",
        "\x9b31m",
        "\u202e",
    ),
    *("<script>alert(1)</script>", "=cmd|'/c calc'!A1", "x" * 100_000, [[[[[[[]]]]]]], [None], {"": None}),
)


@frozen
class Held:
    """What an attack came to.

    Attributes:
        what: What was tried, in words.
        count: How often.
        ends: How often it ended how.
        note: What else was seen.
    """

    what: str
    count: int
    ends: Counter[str]
    note: str = ""

    @property
    def row(self) -> str:
        """Its row of the table."""
        ends = ", ".join(f"{count:,} {end}" for end, count in self.ends.most_common())
        return f"| {self.what} | {self.count:,} | {ends} | {self.note} |"


Attack = Callable[[int, random.Random], Held]


# --- requests ---


def mutated(data: bytes, random_: random.Random) -> bytes:
    """Return a copy with bytes flipped, cut, doubled or replaced, more often near its begin."""
    changed = bytearray(data)
    for _ in range(random_.choice((1, 1, 2, 4))):
        size = len(changed)
        at = random_.randrange(min(size, 900)) if random_.random() < 0.7 else random_.randrange(size)
        span = random_.randrange(1, 40)
        match random_.randrange(6):
            case 0:
                changed[at] ^= 1 << random_.randrange(8)
            case 1:
                changed[at : at + span] = random_.randbytes(span)
            case 2 if size > 100:
                del changed[at : at + span]
            case 3:
                changed[at:at] = changed[at : at + span]
            case 4:
                changed[at:at] = random_.choice(
                    (b"\r\n", b"\0", b"\n", b"9" * 50, b"\xff\xfe", b": ", b'"', b"[" * 500)
                )
            case _ if random_.random() < 0.2 and at:
                del changed[at:]
    return bytes(changed)


def _request(port: int, random_: random.Random) -> bytes:
    """Return a request that is mutated before or after it was signed."""
    s3 = {"S3Object": {"Bucket": "bucket", "Name": "photo.jpg"}}
    contents: dict[str, list[Any]] = {
        "GetFaceDetection": [{"JobId": "a" * 64, "MaxResults": 5, "NextToken": "b"}],
        "DetectFaces": [{"Image": s3 | {"Version": "1"}, "Attributes": ["ALL"]}, {"Image": {"Bytes": "aGVsbG8="}}],
        "StartFaceDetection": [{"Video": s3, "ClientRequestToken": "t", "JobTag": "tag", "FaceAttributes": "ALL"}],
    }
    operation = random_.choice(tuple(contents))
    content = random_.choice(contents[operation])
    if random_.random() < 0.4:
        content = changed(content, random_)
    body = json.dumps(content, default=str).encode()
    if random_.random() < 0.3:
        return signed(port, operation, mutated(body, random_))
    if random_.random() < 0.3:
        return signed(port, operation, body)
    return mutated(signed(port, operation, body), random_)


def _ask(server: Served, data: bytes, patience: float) -> str:
    """Send a request; return the status of the answer, or what came instead of one."""
    with server.connect() as connection:
        connection.settimeout(patience)
        try:
            connection.sendall(data)
            answer = b""
            while b"\r\n" not in answer:
                if not (piece := connection.recv(65536)):
                    return "closed"
                answer += piece
        except TimeoutError:
            return "waited for more"
        except OSError:
            return "closed"
    status = answer.split(b" ", 2)[1].decode()
    assert not status.startswith("5") or status == "503", (status, data)
    return f"answered {status}"


def requests(count: int, random_: random.Random) -> Held:
    """Send mutated requests to ``serve``, twenty at a time, and an honest one beside every hundred."""
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "media" / "bucket").mkdir(parents=True)
        slowest = 0.0
        with Served(folder, "--media-root", str(folder / "media")) as server, ThreadPoolExecutor(20) as pool:
            for begin in range(0, count, 100):
                batch = [_request(server.port, random_) for _ in range(min(100, count - begin))]
                asked = [pool.submit(_ask, server, data, PATIENCE) for data in batch]
                start = time.perf_counter()
                honest = signed(server.port, "GetFaceDetection", b'{"JobId": "a"}')
                assert _ask(server, honest, HONEST_PATIENCE) == "answered 400"
                slowest = max(slowest, time.perf_counter() - start)
                ends.update(one.result() for one in asked)
                assert server.is_running
            peak = server.memory("VmHWM")
            assert server.end(signal.SIGTERM) == 0
            assert not [line for line in server.log if line.startswith("Traceback")], "".join(server.log[-40:])
    assert peak < MOST_MEMORY, peak
    note = f"an honest request beside them took {slowest:.2f} s at most; {peak:.0f} MB at most"
    return Held("mutated HTTP requests to `serve`", count, ends, note)


def worst(count: int, _: random.Random) -> Held:
    """Send the worst pictures to ``serve``, all at once, and honest small ones beside them."""
    outcome = worst_pictures.run(count)
    assert outcome.held, outcome
    note = (
        f"{len(outcome.honest)} honest requests beside them took {statistics.median(outcome.honest):.2f} s, "
        f"{max(outcome.honest):.2f} s at most; {outcome.peak} MB at most"
    )
    return Held("worst pictures at once to `serve`", count, outcome.worst, note)


# --- answers ---


@contextmanager
def _answering(answer: Callable[[str], bytes]) -> Iterator[str]:
    """Serve whatever bytes are the answer to an operation; the connection is closed after each."""
    listener = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            data = b""
            try:
                while b"\r\n\r\n" not in data:
                    data += (piece := connection.recv(65536))
                    if not piece:
                        return
                head, _, body = data.partition(b"\r\n\r\n")
                lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
                fields = {name.lower(): value for name, _, value in lines}
                if b"expect" in fields:
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                while len(body) < int(fields[b"content-length"]):
                    body += connection.recv(65536)
                connection.sendall(answer(fields[b"x-amz-target"].decode().rpartition(".")[2]))
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


FACE: Final = {
    "BoundingBox": {"Width": 0.2, "Height": 0.3, "Left": 0.1, "Top": 0.1},
    "AgeRange": {"Low": 20, "High": 30},
    "Smile": {"Value": True, "Confidence": 90.5},
    "Gender": {"Value": "Female", "Confidence": 99.0},
    "Emotions": [{"Type": "HAPPY", "Confidence": 90.5}, {"Type": "CALM", "Confidence": 3.5}],
    "Landmarks": [{"Type": "eyeLeft", "X": 0.15, "Y": 0.2}, {"Type": "eyeRight", "X": 0.25, "Y": 0.2}],
    "Pose": {"Roll": 1.5, "Yaw": 2.5, "Pitch": 3.5},
    "Quality": {"Brightness": 80.5, "Sharpness": 90.5},
    "Confidence": 99.5,
}
PHOTO_ANSWER: Final = {"FaceDetails": [FACE]}
PAGES: Final = (
    {
        "JobStatus": "SUCCEEDED",
        "JobId": "job",
        "VideoMetadata": {
            "Codec": "h264",
            "DurationMillis": 2000,
            "FrameRate": 30.0,
            "FrameWidth": 640,
            "FrameHeight": 360,
        },
        "Faces": [{"Timestamp": 500 * k, "Face": FACE} for k in range(3)],
        "NextToken": "next",
    },
    {"JobStatus": "SUCCEEDED", "JobId": "job", "Faces": [{"Timestamp": 1500, "Face": FACE}]},
)


def _http(content: Any) -> bytes:
    body = json.dumps(content).encode()
    lines = ["Content-Type: application/x-amz-json-1.1", "x-amzn-RequestId: 1", f"Content-Length: {len(body)}"]
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode() + body


def _ended(work: Callable[[], Any]) -> str:
    """Return ``"result"`` or the name of the error of this library; every other error goes through."""
    try:
        work()
    except RekogEmotionError as error:
        return type(error).__name__
    return "result"


def answers(count: int, random_: random.Random) -> Held:
    """Give the library mutated bytes for answers, over HTTP: at first, and then whole ones half of the time."""
    ends: Counter[str] = Counter()
    whole = {"DetectFaces": [_http(PHOTO_ANSWER)], "StartFaceDetection": [_http({"JobId": "job"})]}
    whole["GetFaceDetection"] = [_http(page) for page in PAGES]

    def answer(operation: str) -> bytes:
        data = random_.choice(whole[operation])
        return data if random_.random() < 0.3 else mutated(data, random_)

    with _answering(answer) as url, virtual_time(), _keys():
        client = aws_client(endpoint_url=url, region_name="us-east-1", read_timeout=2.0)
        for number in range(count):
            if number % 2:
                ends[_ended(lambda: detect_image(PHOTO, client=client))] += 1
            else:
                ends[_ended(lambda: analyze_video("s3://bucket/clip.mp4", client=client, timeout=60))] += 1
    assert ends["result"], ends
    return Held("mutated HTTP answers to the library", count, ends)


@contextmanager
def _keys() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_EC2_METADATA_DISABLED="true")  # noqa: S106 -- no secret
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


# --- values ---


def changed(content: Any, random_: random.Random) -> Any:
    """Return a copy of some JSON in which one to three values are odd, gone, doubled or of another place."""
    result = copy.deepcopy(content)
    for _ in range(random_.choice((1, 1, 2, 3))):
        places = list(_places(result))
        if not places:
            return random_.choice(ODD)
        holder, key = random_.choice(places)
        match random_.randrange(5):
            case 0:
                del holder[key]
            case 1:
                other, name = random_.choice(places)
                holder[key] = copy.deepcopy(other[name])
            case 2 if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case 2:
                holder[str(random_.choice(ODD))[:50]] = random_.choice(ODD)
            case _:
                holder[key] = random_.choice(ODD)
    return result


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    keys = content.keys() if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    for key in keys:
        yield content, key
        yield from _places(content[key])


class Scripted:
    """A client that answers what it is told to."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def detect_faces(self, **_: Any) -> Any:
        """Answer DetectFaces."""
        return self._answers["photo"]

    def start_face_detection(self, **_: Any) -> Any:
        """Answer StartFaceDetection."""
        return self._answers["start"]

    def get_face_detection(self, **parameters: Any) -> Any:
        """Answer GetFaceDetection."""
        return self._answers["second" if parameters.get("NextToken") else "first"]


def jobs(count: int, random_: random.Random) -> Held:
    """Give the library answers with odd values: of a photo, of a start, of each page."""
    ends: Counter[str] = Counter()
    whole: dict[str | None, Any] = {
        "photo": PHOTO_ANSWER,
        "start": {"JobId": "job"},
        "first": PAGES[0],
        "second": PAGES[1],
    }
    with virtual_time():
        for number in range(count):
            which = ("photo", "start", "first", "second", "first")[number % 5]
            client = Scripted(whole | {which: changed(whole[which], random_)})
            if which == "photo":
                ends[_ended(lambda: detect_image(PHOTO, client=client))] += 1  # noqa: B023 -- called at once
            else:
                ends[_ended(lambda: analyze_video("s3://bucket/clip.mp4", client=client, timeout=60))] += 1  # noqa: B023 -- likewise
    return Held("jobs and photos whose answers hold odd values", count, ends)


PICTURE: Final = Image.new("RGB", (320, 200), (90, 120, 150))
IMAGE_OUTPUTS: Final[dict[str, Callable[[ImageAnalysis], Any]]] = {
    "to_json": lambda analysis: ImageAnalysis.from_json(analysis.to_json()),
    "to_records": lambda analysis: list(analysis.to_records(landmarks=True)),
    "to_pandas": lambda analysis: analysis.to_pandas(landmarks=True),
    "to_arrow": lambda analysis: analysis.to_arrow(nested=True),
    "repr": repr,
    "HTML": lambda analysis: analysis._repr_html_(),
    "draw": lambda analysis: analysis.draw(PICTURE),
    "crop": lambda analysis: [analysis.crop(face, PICTURE, align=True) for face in analysis.faces],
    "blur": lambda analysis: analysis.blur(PICTURE),
}
VIDEO_OUTPUTS: Final[dict[str, Callable[[VideoAnalysis], Any]]] = {
    "to_json": lambda analysis: VideoAnalysis.from_json(analysis.to_json()),
    "to_records": lambda analysis: list(analysis.to_records(landmarks=True)),
    "to_pandas": lambda analysis: analysis.to_pandas(landmarks=True),
    "to_arrow": lambda analysis: analysis.to_arrow(nested=True),
    "repr": repr,
    "HTML": lambda analysis: analysis._repr_html_(),
    "tracks": lambda analysis: analysis.tracks(),
    "timeline": lambda analysis: analysis.timeline().summary(),
    "report": lambda analysis: report(analysis, title="\x1b<b>"),
}


def values(count: int, random_: random.Random) -> Held:
    """Send analyses with odd values through every output; what is read of them counts, what is refused does not."""
    ends: Counter[str] = Counter()
    tried = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        while tried < count:
            is_photo = tried % 2 == 0
            content = changed(PHOTO_ANSWER if is_photo else PAGES[0], random_)
            try:
                analysis: Any = ImageAnalysis.from_aws(content) if is_photo else VideoAnalysis.from_aws(content)
            except RekogEmotionError as error:
                ends[f"{type(error).__name__} when read"] += 1
                tried += 1
                continue
            outputs: Mapping[str, Callable[[Any], Any]] = IMAGE_OUTPUTS if is_photo else VIDEO_OUTPUTS
            for name, output in outputs.items():
                try:
                    ends[_ended(lambda: output(analysis))] += 1  # noqa: B023 -- called at once
                except BaseException as error:
                    error.add_note(f"output {name} of {str(content)[:2000]!a}")
                    raise
                tried += 1
    return Held("odd values through every output", tried, ends)


# --- media ---


def media(count: int, random_: random.Random) -> Held:
    """Give the engine mutated pictures and clips."""
    with EmbeddedClient(mode="fast") as client:
        client._analyzer = fuzz.Some(client._analyzer, every=20)  # type: ignore[assignment]
        ended, slowest = fuzz.fuzz(count, seed=random_.randrange(2**31), client=client)
    ends: Counter[str] = Counter()
    for (_, end), times in ended.items():
        ends[end] += times
    return Held("mutated pictures and clips", count, ends, f"the slowest took {slowest:.1f} s of CPU time")


# --- signals ---


def _commands(folder: Path) -> dict[str, list[str]]:
    """Return each command, with all its outputs in a folder."""
    offline = ["--client", "embedded"]
    photo, clip = str(DATA / "astronaut.jpg"), str(DATA / "people.mp4")
    out = {name: str(folder / "out" / name) for name in ("o.png", "r.html", "e.csv")}
    return {
        "image": ["image", photo, "--draw", out["o.png"], *offline],
        "video": ["video", clip, *offline],
        "report": ["report", clip, "-o", out["r.html"], *offline],
        "export": ["export", photo, "--out", out["e.csv"], *offline],
        "serve": ["serve", "--port", "0"],
    }


def signals(count: int, random_: random.Random) -> Held:
    """Send one to four signals to each command, at any time from its first moments to its end."""
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": name}
        commands = _commands(folder)
        for number in range(count):
            which = tuple(commands)[number % len(commands)]
            by = [random_.choice((signal.SIGINT, signal.SIGTERM)) for _ in range(random_.choice((1, 1, 2, 4)))]
            process = subprocess.Popen(  # noqa: S603 -- our own command
                [sys.executable, "-m", "rekog_emotion", *commands[which]],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
            _wait_for_begin(process.pid)
            time.sleep(random_.uniform(0.0, 3.0))
            for one in by:
                process.send_signal(one)
                time.sleep(random_.choice((0.0, 0.001, 0.03, 0.1)))
            _, errors = process.communicate(timeout=120)
            code = process.returncode
            assert "Traceback" not in errors, (which, by, code, errors)
            assert "Exception ignored" not in errors, (which, by, code, errors)
            assert code in {0, 130, 143, -signal.SIGINT, -signal.SIGTERM}, (which, by, code, errors)
            for path in (folder / "out").iterdir():
                assert code == 0 or path.suffix in {".png", ".html", ".csv"}, (which, by, code, path)
                path.unlink()
            assert not list(folder.glob("rekog-emotion*")), (which, by, code)
            ends[f"exit code {code}"] += 1
    return Held("signals to commands, one to four in a row", count, ends)


def _wait_for_begin(pid: int) -> None:
    """Wait until a process of Python catches SIGTERM: before that, it dies of it, and of SIGINT with a traceback."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        caught = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt")), 0)
        if caught >> (signal.SIGTERM - 1) & 1 or "State:\tZ" in status:
            return
        time.sleep(0.005)


# --- all ---

# How many at scale 1.
ATTACKS: Final[dict[str, tuple[Attack, int]]] = {
    "requests": (requests, 20_000),
    "worst": (worst, 64),
    "answers": (answers, 2_000),
    "jobs": (jobs, 20_000),
    "values": (values, 10_000),
    "media": (media, 100_000),
    "signals": (signals, 50),
}
TABLE: Final = """
`python -m tests.reliability.attacks --write` attacks a real `serve`, the library, the engine and the commands, and
writes this table: whatever is tried ends as an answer or a named error. {how}

| attack | tried | ended as | seen |
|---|---|---|---|
{rows}
"""


def _run(name: str, scale: float, seed: int) -> tuple[Held, float]:
    """Run an attack; return what came of it, and how many seconds it took."""
    attack, count = ATTACKS[name]
    start = time.perf_counter()
    return attack(max(5, round(count * scale)), random.Random(seed)), time.perf_counter() - start  # noqa: S311 -- no secret


def run(names: list[str], *, scale: float, seed: int) -> list[Held]:
    """Run some attacks, each in a process of its own and one a core at once, and print what came of each."""
    held = []
    with ProcessPoolExecutor(min(len(names), os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        for one, seconds in pool.map(partial(_run, scale=scale, seed=seed), names):
            print(one.row, f"{seconds:.0f} s", flush=True)  # noqa: T201 -- a script prints
            held.append(one)
    return held


def with_table(page: str, held: list[Held], how: str) -> str:
    """Return a page with the table in place of the one that it has."""
    rows = "\n".join(one.row for one in held)
    return with_section(page, HEADING, TABLE.format(how=how, rows=rows))


def with_section(page: str, heading: str, text: str) -> str:
    """Return a page with a section in place of the one of the same heading, or as its last one."""
    before, _, rest = page.partition(heading)
    _, following, after = rest.partition("\n## ")
    return f"{before.rstrip()}\n{heading}{text}{following}{after}"


def main() -> None:
    """Run what is named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(ATTACKS)}; left out, all")
    parser.add_argument("--scale", type=float, default=0.02, help="how many, as a share of the full counts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    arguments = parser.parse_args()
    start = time.perf_counter()
    held = run(arguments.names or list(ATTACKS), scale=arguments.scale, seed=arguments.seed)
    if arguments.write:
        minutes = (time.perf_counter() - start) / 60
        how = f"Scale {arguments.scale:g}, seed {arguments.seed}: {minutes:.0f} minutes on {os.cpu_count()} cores."
        DOCS.write_text(with_table(DOCS.read_text(), held, how))


if __name__ == "__main__":
    main()
