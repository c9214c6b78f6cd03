"""``rekog-emotion report``: one HTML page on the people of a video."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rekog_emotion import _terminal
from rekog_emotion._terminal import one_line, say
from rekog_emotion.commands._options import add_client, add_debug, add_job
from rekog_emotion.errors import InvalidInputError

if TYPE_CHECKING:
    from rekog_emotion.analyses import VideoAnalysis

__all__ = ["DESCRIPTION", "EPILOG", "SUMMARY", "add", "run"]

SUMMARY: Final = "write a page on the people of a video: timelines, segments, best faces"
DESCRIPTION: Final = """\
Find the faces of a video, link them into people, and write one HTML page that
stands alone: who is on screen when, how each face looks over time, stretches
of one leading emotion, a summary. It has no scripts and loads nothing.

Emotions are how a face looks, not what a person feels.
"""
EPILOG: Final = """\
examples:
  rekog-emotion report clip.mp4 --client embedded -o report.html
  rekog-emotion report s3://bucket/clip.mp4 -o report.html
  rekog-emotion report clip.mp4 --staging s3://bucket/uploads/ -o report.html
  rekog-emotion report --answer answer.json -o report.html
  rekog-emotion report clip.mp4 --answer answer.json -o report.html
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("clip", nargs="?", metavar="CLIP", help="a file, or s3://bucket/key")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="where the page goes, such as report.html"
    )
    parser.add_argument(
        "--answer",
        metavar="FILE",
        help="do not analyse anything, but read this answer of GetFaceDetection (JSON; a list of pages will do); with "
        "CLIP, its pictures are used",
    )
    add_client(parser)
    add_job(parser)
    parser.add_argument("--no-faces", action="store_true", help="leave the pictures of people out of the page")
    add_debug(parser)


def run(args: argparse.Namespace) -> int:
    """Analyse or read, then write the page."""
    from rekog_emotion.results import timeline  # noqa: F401, PLC0415 -- a missing extra is said before a job is paid for
    from rekog_emotion.results.report import report  # noqa: PLC0415 -- likewise

    if args.clip is None and args.answer is None:
        msg = "name a clip or a kept answer: CLIP, --answer FILE or both"
        raise InvalidInputError(msg)
    output = Path(args.output)
    if not output.parent.is_dir():
        msg = f"-o {args.output}: there is no directory {output.parent}; make it first"
        raise InvalidInputError(msg)
    for given in (args.clip, args.answer):
        if given is not None and output.exists() and Path(given).exists() and output.samefile(given):
            msg = f"-o {args.output} would write over {given}; name another place"
            raise InvalidInputError(msg)
    analysis = _analysis(args)
    local = args.clip if args.clip and not args.clip.startswith("s3://") and not args.no_faces else None
    page = report(analysis, title=os.path.basename(args.clip or args.answer), video=local)  # noqa: PTH119 -- an S3 address
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        msg = f"-o {args.output}: the page cannot be written: {error.strerror or error}"
        raise InvalidInputError(msg) from error
    say(f"report: {one_line(args.output)}")
    return _terminal.OK


def _analysis(args: argparse.Namespace) -> VideoAnalysis:
    from rekog_emotion.analyses import VideoAnalysis  # noqa: PLC0415 -- --help needs none of it
    from rekog_emotion.api import analyze_video  # noqa: PLC0415 -- likewise

    if args.answer is None:
        return analyze_video(args.clip, client=args.client, staging=args.staging, timeout=args.timeout)
    try:
        read = json.loads(Path(args.answer).read_bytes())
    except OSError as error:
        msg = f"--answer {args.answer} cannot be read: {error.strerror or error}"
        raise InvalidInputError(msg) from error
    except ValueError as error:
        msg = f"--answer {args.answer} is no JSON: {error}"
        raise InvalidInputError(msg) from error
    return VideoAnalysis.from_aws(*(read if isinstance(read, list) else [read]))
