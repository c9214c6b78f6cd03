"""``rekog-emotion export``: one table of the faces of photos, videos and saved results."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._many import Many, add_many, is_collection, use_engine
from rekog_emotion.commands._media import analyze, check_client, is_results, is_video, naming_output, read_results
from rekog_emotion.commands._options import add_job, add_shared
from rekog_emotion.commands._terminal import one_line, say
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.files import is_file
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
  rekog-emotion export photos/ --client embedded --out faces.csv
  rekog-emotion export photos/ --checkpoint done.jsonl --out faces.parquet
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
        help="a photo, a folder or a glob of photos, s3://bucket/prefix/, a video or a file of results; a bad one does "
        "not stop the others",
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
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="keep the analyses of photos in this file of results (.jsonl), and go on with it where it is there: what "
        "is in it costs no call, and is in the table",
    )
    parser.add_argument("--retry-errors", action="store_true", help="with --checkpoint: try again what failed")
    add_shared(parser)
    add_many(parser)
    add_job(parser)


class _Analyses:
    """The analyses of all sources, one at a time; what is wrong with one of them is told at once."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._many = Many(args, checkpoint=args.checkpoint)

    @property
    def code(self) -> int:
        """The highest exit code so far."""
        return self._many.code

    def __iter__(self) -> Iterator[Analysis]:
        checkpoint = self._args.checkpoint
        if checkpoint is not None and is_file(checkpoint):
            yield from read_results(checkpoint, retry_errors=self._args.retry_errors)
        for photos, sources in groupby(self._args.sources, key=lambda one: not (is_results(one) or is_video(one))):
            if photos:
                for outcome in self._many.outcomes(list(sources)):
                    yield outcome.result()
                continue
            for source in sources:
                try:
                    if is_results(source):
                        yield from read_results(source)
                    else:
                        yield analyze(source, self._args)
                except (BrokenPipeError, _terminal.OutputError):
                    raise
                except Exception as error:  # noqa: BLE001 -- one bad source does not stop the others
                    self._many.fail(error, about=source)
        if checkpoint is not None or any(map(is_collection, self._args.sources)):
            self._many.summarize()


def run(args: argparse.Namespace) -> int:
    """Write the table; return the highest exit code."""
    out = None if args.out in {None, "-"} else Path(args.out)
    form = args.format or ("csv" if out is None else _FORMATS.get(out.suffix.lower()))
    _check(args, out, form)
    if args.people:
        from rekog_emotion.results import timeline  # noqa: F401 -- a missing extra is said before any call

    use_engine(args)
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
    if args.retry_errors and args.checkpoint is None:
        msg = "--retry-errors tries again what failed in a file of results: name it by --checkpoint"
        raise InvalidInputError(msg)
    if args.checkpoint is not None and identity(args.checkpoint) in map(identity, filter(None, [out, *args.sources])):
        msg = f"--checkpoint {args.checkpoint} is a source, or --out, at the same time; name another file"
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
