"""``rekog-emotion export``: one table of the faces of photos, videos and saved results."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._media import analyze, check_client, is_results, naming_output, read_results
from rekog_emotion.commands._options import add_job, add_shared
from rekog_emotion.commands._terminal import one_line, say
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.writing import check_output, identity, output_text

if TYPE_CHECKING:
    from rekog_emotion.results.lossless import Analysis

__all__ = ["DESCRIPTION", "EPILOG", "SUMMARY", "add", "run"]

SUMMARY: Final = "write the faces of photos, videos and saved results as one table"
DESCRIPTION: Final = """\
Write a table with one row a face: CSV, Parquet or JSON Lines. Sources are
photos, videos, and files of results (.jsonl, .json) that rekog-emotion image
or video printed before, or to_json() wrote: those cost no call.

Emotions are how a face looks, not what a person feels.
"""
EPILOG: Final = """\
examples:
  rekog-emotion export *.jpg --client embedded --out faces.csv
  rekog-emotion image *.jpg > faces.jsonl
  rekog-emotion export faces.jsonl --out faces.parquet
  rekog-emotion export faces.jsonl --format csv | head
"""

_FORMATS: Final = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="a photo, a video or a file of results; a bad one does not stop the others",
    )
    parser.add_argument("--out", metavar="FILE", help="where; left out, or -, standard output (no Parquet)")
    parser.add_argument(
        "--format", choices=("csv", "parquet", "jsonl"), help="left out, what the suffix of FILE says, else csv"
    )
    parser.add_argument("--landmarks", action="store_true", help="two more columns a landmark")
    parser.add_argument(
        "--people",
        action="store_true",
        help="one more column, person: who is who in a video, by the ids of its tracks",
    )
    parser.add_argument(
        "--nested", action="store_true", help="Parquet alone: members as structs and lists instead of flat columns"
    )
    add_shared(parser)
    add_job(parser)


class _Analyses:
    """The analyses of all sources, one at a time; what is wrong with one of them is told at once."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self.code = _terminal.OK

    def __iter__(self) -> Iterator[Analysis]:
        for source in self._args.sources:
            try:
                if is_results(source):
                    yield from read_results(source)
                else:
                    yield analyze(source, self._args)
            except (BrokenPipeError, _terminal.OutputError):
                raise
            except Exception as error:  # noqa: BLE001 -- one bad source does not stop the others
                self.code = max(self.code, _terminal.report(error, about=source, debug=self._args.debug))


def run(args: argparse.Namespace) -> int:
    """Write the table; return the highest exit code."""
    out = None if args.out in {None, "-"} else Path(args.out)
    form = args.format or ("csv" if out is None else _FORMATS.get(out.suffix.lower()))
    _check(args, out, form)
    if args.people:
        from rekog_emotion.results import timeline  # noqa: F401 -- a missing extra is said before any call

    check_client(args, args.sources)
    analyses = _Analyses(args)
    rows = _write(args, out, form, analyses)
    if out is not None:
        _tell(args, form, rows)
    return analyses.code


def _check(args: argparse.Namespace, out: Path | None, form: str | None) -> None:
    if form is None:
        msg = f"--out {args.out}: the suffix is none of {', '.join(_FORMATS)}; name one, or --format"
        raise InvalidInputError(msg)
    if form == "parquet" and out is None:
        msg = "Parquet goes into a file: name --out faces.parquet"
        raise InvalidInputError(msg)
    if args.nested and form != "parquet":
        msg = "--nested goes with Parquet only; the lines of rekog-emotion image are nested JSON"
        raise InvalidInputError(msg)
    if out is None:
        return
    check_output(out, f"--out {args.out}")
    if identity(out) in map(identity, args.sources):
        msg = f"--out {args.out} would write over a source; name another place"
        raise InvalidInputError(msg)


def _write(args: argparse.Namespace, out: Path | None, form: str | None, analyses: _Analyses) -> int:
    from rekog_emotion.results import tables

    if form == "parquet" and out is not None:
        with naming_output(f"--out {out}"):
            return tables.write_parquet(out, analyses, nested=args.nested, landmarks=args.landmarks, people=args.people)
    write = partial(
        tables.write_csv if form == "csv" else tables.write_records, landmarks=args.landmarks, people=args.people
    )
    if out is None:
        return write(_terminal.Terminal() if sys.stdout.isatty() else sys.stdout, analyses)
    with naming_output(f"--out {out}"), output_text(out) as file:
        return write(file, analyses)


def _tell(args: argparse.Namespace, form: str | None, rows: int) -> None:
    if _terminal.for_programs(args):
        say(json.dumps({"out": args.out, "format": form, "rows": rows}))
    else:
        say(f"{one_line(args.out)}: {rows} row{'' if rows == 1 else 's'}")
