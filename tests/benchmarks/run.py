"""Run all benchmarks and write docs/benchmarks.md: ``python tests/benchmarks/run.py [--no-peers] [--rounds N]``.

Every variant runs in a fresh process, in turns, so that a busy machine is busy for all of them. The service is a server
on the loopback interface, in a process of its own, whose time does not count.

With ``--before FOLDER``, which holds an earlier version of the project (``git worktree add FOLDER COMMIT``), what is
ours runs by both versions in turns; no page is written, and the command fails where a line got slower.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"
PEERS = ("capo-rekognition", "boto3-dataclass-rekognition", "aws-resource-validator-rekognition")
TURNS = 3
SLOWER = 1.05  # times what it took before


class Row(NamedTuple):
    """A line of a table: the variant, what the page calls it, and the highest ratio that it shall have."""

    variant: str
    title: str
    at_most: float | None = None


BYTES = (
    Row("raw", "boto3, plain dicts"),
    Row("slow road", "boto3, then our values"),
    Row("fast road", "rekog-emotion", 0.45),
    Row("fast road, orjson", "rekog-emotion with `fast`", 0.30),
)
FACES = (
    *BYTES[:2],
    *(row._replace(at_most=None) for row in BYTES[2:]),
    Row("fast road, orjson, landmarks", "the same, and a `Landmark` object for each point"),
)
FACES_OF_PEERS = (
    Row("capo", "capo-rekognition, typed dicts"),
    Row("dataclass", "boto3-dataclass-rekognition"),
    Row("validator", "aws-resource-validator-rekognition, faces alone"),
)
KEPT = (BYTES[0], BYTES[2]._replace(at_most=0.45), BYTES[3]._replace(at_most=0.38))
HELD = (*BYTES[:3], BYTES[3]._replace(at_most=0.32))
HELD_PAGES = 25
IMAGES = (
    Row("raw", "`boto3.detect_faces`"),
    Row("fast road, unlimited", "`detect_image(..., timeout=None)`", 1.03),
    Row("fast road, orjson, unlimited", "`detect_image(..., timeout=None)` with `fast`", 1.03),
    Row("fast road", "`detect_image`, which has a time-out", 1.03),
    Row("fast road, orjson", "`detect_image` with `fast`", 1.03),
)
IMPORTS = (
    Row("attrs, tenacity", "`import attrs, tenacity`"),
    Row("rekog_emotion", "`import rekog_emotion`", 1.2),
    Row("rekog_emotion.blocking.video", "with all that `detect_image` and `analyze_video` need"),
)
FITTING = (
    Row("bare", "Pillow: decoding, resizing and encoding once, at the size and quality that were chosen"),
    Row("fit", "`detect_image`, up to the call", 1.5),
)


class Bench:
    """Runs variants.

    Args:
        url: Address of the server.
        peers: The interpreter that has the peers, if any.
        rounds: How often a process repeats its work.
        package: The folder that has our package; left out, the installed one.
    """

    def __init__(self, url: str, peers: Path | None, rounds: int, package: Path | None = None) -> None:
        self._url, self._peers, self._rounds = url, peers, rounds
        self._environment = _environment() | ({} if package is None else {"PYTHONPATH": os.fspath(package.resolve())})

    def run(self, case: str, row: Row, rounds: int | None = None, *, url: str | None = None) -> dict[str, Any]:
        """Run one variant in a process of its own, and return what it printed."""
        python = self._peers if self._peers and row in FACES_OF_PEERS else sys.executable
        command = [python, HERE / "variants.py", case, row.variant, str(rounds or self._rounds), url or self._url]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=self._environment)  # noqa: S603 -- our own
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def times(self, case: str, rows: Sequence[Row], turns: int = TURNS, rounds: int | None = None) -> list[list[float]]:
        """Return the times of each row in milliseconds, of several processes that took turns."""
        times: list[list[float]] = [[] for _ in rows]
        for _ in range(turns):
            for spent, row in zip(times, rows, strict=True):
                spent.extend(self.run(case, row, rounds)["ms"])
        return times

    def turns(self, case: str, rows: Sequence[Row], rounds: int, turns: int = TURNS) -> list[list[float]]:
        """Return the times of each row in milliseconds, of several processes that each run all rows, in order."""
        runs = [self.run(case, rows[0], rounds)["ms"] for _ in range(turns)]
        return [[spent for run in runs for spent in run[index]] for index in range(len(rows))]

    def kept(self, rows: Sequence[Row], turns: int = TURNS) -> list[list[float]]:
        """Return the times of a page of each row in milliseconds, of processes that each read a job of their own."""
        times: list[list[float]] = [[] for _ in rows]
        for _ in range(turns):
            for spent, row in zip(times, rows, strict=True):
                with server(HELD_PAGES) as url:
                    spent.extend(self.run("kept", row, 1, url=url)["ms"])
        return times

    def memory(self, rows: Sequence[Row]) -> list[list[float]]:
        """Return the peaks of memory of each row in MiB."""
        return [[self.run("memory", row)["mib"]] for row in rows]


def _environment() -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
    }


@contextmanager
def server(pages: int = 1) -> Iterator[str]:
    """Run the server, with a job of so many pages that can be read once, or of one; give its address."""
    command = [sys.executable, HERE / "server.py", str(pages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


@contextmanager
def peers_python(*, wanted: bool) -> Iterator[Path | None]:
    """Install the peers into a virtual environment that lasts as long as the block; give its interpreter."""
    if not wanted:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "Scripts" if os.name == "nt" else "bin", "python")
        install = [python, "-m", "pip", "install", "-q", f"boto3=={version('boto3')}", *PEERS]
        subprocess.run(install, check=True)  # noqa: S603 -- our own
        yield python


def table(rows: Sequence[Row], values: Sequence[Sequence[float]], unit: str) -> list[str]:
    """Return a table in Markdown; ratios are those of the least, to the first row."""
    lines = [f"| | least {unit} | median {unit} | ratio | at most |", "|---|--:|--:|--:|--:|"]
    for row, found in zip(rows, values, strict=True):
        ratio = min(found) / min(values[0])
        bound = "" if row.at_most is None else f"{row.at_most:.2f}" + (" (missed)" if ratio > row.at_most else "")
        lines.append(f"| {row.title} | {min(found):.2f} | {statistics.median(found):.2f} | {ratio:.3f} | {bound} |")
    return lines


def sections(bench: Bench, peers: tuple[Row, ...]) -> Iterator[list[str]]:
    """Run all, and give the page part by part."""
    yield [
        "## A page of 1000 faces, from bytes",
        "",
        "CPU time from the body of an answer of GetFaceDetection to values of which every emotion of every face was",
        "looked at; the body is in memory, the rest of the call is as always.",
        "",
        *table(BYTES, bench.times("bytes", BYTES), "ms"),
    ]
    yield [
        "## A page of 1000 faces, over HTTP",
        "",
        "The same with the body read from a connection, and beside other packages. Everything is",
        "reachable: boto3-dataclass-rekognition makes its values when they are touched, so they were, but for the",
        "landmarks; rekog-emotion keeps landmarks in columns, and the last of its lines makes an object of each, too.",
        "",
        *table([*FACES, *peers], bench.times("pages", [*FACES, *peers]), "ms"),
    ]
    yield [
        "## 25 pages of a job, kept",
        "",
        "CPU time of a page, over HTTP, of `VideoJob.resume(...).faces()` and of a loop over the bare calls: every",
        "emotion of every face was looked at, and all faces are kept. Of the first line",
        "a third is Python's garbage collector, which walks what is kept again and again.",
        "",
        *table(KEPT, bench.kept(KEPT), "ms"),
    ]
    yield [
        "## 25 000 faces held in memory",
        "",
        "Peak memory of the process, interpreter and boto3 included.",
        "",
        *table([*HELD, *peers], bench.memory([*HELD, *peers]), "MiB"),
    ]
    yield [
        "## An image with one face",
        "",
        "CPU time of a call, from the bytes of a JPEG to the result; all take turns call by call, too. No call of",
        "boto3 can be interrupted: so that a time-out holds whatever hangs, another thread closes the connections",
        "of calls that take too long, and makes new ones.",
        "",
        *table(IMAGES, bench.turns("images", IMAGES, rounds=2000), "ms"),
    ]
    yield ["## Import", "", "CPU time.", "", *table(IMPORTS, bench.times("imports", IMPORTS, turns=15), "ms")]
    fitted = bench.run("fitting", FITTING[1], rounds=1)
    width, height = fitted["size"]
    yield [
        "## A photo of 24 megapixels, fitted under 5 MiB",
        "",
        "CPU time.",
        f"A JPEG of {fitted['in'] / 1e6:.1f} MB becomes {width} x {height} pixels of quality {fitted['quality']}.",
        "",
        *table(FITTING, bench.times("fitting", FITTING, rounds=5), "ms"),
    ]


def _of_boto3(bench: Bench, rounds: int) -> list[list[float]]:
    """Return what calls for an image take of what boto3's take in the same process.

    What a process pays for a connection and its memory differs by a tenth and more between processes, for boto3, too.
    """
    raw, *ours = map(min, bench.turns("images", IMAGES, rounds, 1))
    return [[least / raw] for least in ours]


def compared(now: Bench, before: Bench, rounds: int) -> Iterator[tuple[str, float]]:
    """Run what is ours by two versions in turns, and give a line and the ratio of the least of each.

    The medians are compared of ratios to something else, and of times that a process measures once: it may be lucky
    with its memory. Who begins changes from turn to turn.
    """
    yield "| | | before | now | ratio |\n|---|---|--:|--:|--:|", 0.0
    for case, unit, rows, measure in (
        ("a page from bytes", "ms", BYTES[1:], lambda bench, rows: bench.times("bytes", rows, 1, rounds)),
        ("a page over HTTP", "ms", FACES[1:], lambda bench, rows: bench.times("pages", rows, 1, rounds)),
        ("a page of a job, kept", "ms", KEPT[1:], lambda bench, rows: bench.kept(rows, 1)),
        ("25 000 faces in memory", "MiB", HELD[1:], Bench.memory),
        ("an image", "of boto3's", IMAGES[1:], lambda bench, _: _of_boto3(bench, 10 * rounds)),
        ("import", "ms", IMPORTS, lambda bench, rows: bench.times("imports", rows, 5)),
        ("a large photo, fitted", "ms", FITTING[1:], lambda bench, rows: bench.times("fitting", rows, 1, 2)),
    ):
        found: tuple[list[list[float]], ...] = tuple([[] for _ in rows] for _ in range(2))
        relative = unit == "of boto3's"
        typical = statistics.median if relative or case.endswith("kept") else min
        for turn in range(max(1, rounds // TURNS) * (TURNS if relative else 1)):
            for spent, bench in list(zip(found, (before, now), strict=True))[:: 1 if turn % 2 else -1]:
                for row, more in zip(spent, measure(bench, rows), strict=True):
                    row.extend(more)
        for row, *spent in zip(rows, *found, strict=True):
            old, new = map(typical, spent)
            mark = " (slower)" if new / old > SLOWER else ""
            yield f"| {case} | {row.title} | {old:.2f} {unit} | {new:.2f} {unit} | {new / old:.3f}{mark} |", new / old


def heading() -> list[str]:
    """Return what the page begins with."""
    names = ("boto3", "botocore", "attrs", "orjson", "pillow")
    return [
        "# Benchmarks",
        "",
        "Written by `python tests/benchmarks/run.py`, which runs every variant in fresh processes that take turns,",
        "against a server on the loopback interface. Machines differ: compare ratios, which are those of the least, to",
        "the first line of each table. The last column is what the project promises itself.",
        "",
        f"Python {platform.python_version()} on {platform.system()},",
        f"{', '.join(f'{name} {version(name)}' for name in names)}.",
        "",
        *ELSEWHERE,
    ]


# Python's garbage collector differs from version to version: what the same command gave on others.
ELSEWHERE = (
    "On Python 3.13.0 (28 November 2026, same machine), of boto3's plain dicts: a page kept .41, with `fast` .26;",
    "25 000 faces in memory .23 and .25; a page from bytes .47 and .27. Python 3.14 was not at hand: not measured.",
)


def main() -> int:
    """Run all, print the tables, write the page."""
    parser = argparse.ArgumentParser(description="Run all benchmarks and write docs/benchmarks.md.")
    parser.add_argument("--no-peers", action="store_true", help="do not install and measure other packages")
    parser.add_argument("--rounds", type=int, default=15, help="repetitions in each process (default: 15)")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="an earlier version, to compare this one with")
    options = parser.parse_args()
    if options.before is not None:
        with server() as url:
            versions = (Bench(url, None, options.rounds, package) for package in (HERE.parents[1], options.before))
            slowest = 0.0
            for line, ratio in compared(*versions, options.rounds):
                print(line, flush=True)  # noqa: T201 -- scripts print
                slowest = max(slowest, ratio)
        return 0 if slowest <= SLOWER else 1
    page = [heading()]
    with peers_python(wanted=not options.no_peers) as python, server() as url:
        bench = Bench(url, python, options.rounds)
        for section in sections(bench, FACES_OF_PEERS if python else ()):
            print("\n".join(section), "\n", flush=True)  # noqa: T201 -- scripts print
            page.append(section)
    PAGE.write_text("\n\n".join("\n".join(section) for section in page) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
