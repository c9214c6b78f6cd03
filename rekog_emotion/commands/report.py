"""``rekog-emotion report``: one HTML page on the people of a video."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._many import add_engine, is_collection, use_engine
from rekog_emotion.commands._media import check_place, is_results, job_bar, naming_output, read_one
from rekog_emotion.commands._options import add_client, add_debug, add_job, add_results
from rekog_emotion.commands._terminal import one_line, say
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.writing import output_text
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.s3 import is_s3_uri

__all__ = ["DESCRIPTION", "EPILOG", "SUMMARY", "add", "run"]

SUMMARY: Final = "write a page on the people of a video: timelines, segments, best faces"
DESCRIPTION: Final = """\
Find the faces of a video, link them into people, and write one HTML page that
stands alone: who is on screen when, how each face looks over time, stretches
of one leading emotion, a summary. It has no scripts and loads nothing.

A report is of one video. Of photos, rekog-emotion export writes a table, and
rekog-emotion image --draw copies with the faces drawn on them.

Emotions are how a face looks, not what a person feels.
"""
EPILOG: Final = """\
examples:
  rekog-emotion report clip.mp4 -o report.html --client embedded
  rekog-emotion report s3://bucket/clip.mp4 -o report.html
  rekog-emotion report clip.mp4 -o report.html --staging s3://bucket/uploads/
  rekog-emotion report clip.mp4 -o report.html --results clip.jsonl
  rekog-emotion report answer.json -o report.html
"""

_OF_ONE_VIDEO: Final = (
    "a report is of one video; of photos, rekog-emotion export writes a table, and rekog-emotion image --draw copies "
    "with the faces drawn on them"
)


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "media",
        metavar="CLIP",
        help="a file, or s3://bucket/key; or a file of results (.jsonl, .json), for a page without pictures",
    )
    parser.add_argument(
        "-o", "--output", dest="out", required=True, metavar="OUT", help="where the page goes, such as report.html"
    )
    add_results(parser)
    add_client(parser)
    add_engine(parser)
    add_job(parser)
    parser.add_argument("--no-faces", action="store_true", help="leave the pictures of people out of the page")
    add_debug(parser)


def run(args: argparse.Namespace) -> int:
    """Analyse or read, then write the page."""
    use_engine(args)
    from rekog_emotion.results import timeline  # noqa: F401 -- a missing extra is said before a job is paid for
    from rekog_emotion.results.report import report

    if is_collection(args.media):
        msg = f"{args.media}: {_OF_ONE_VIDEO}"
        raise InvalidInputError(msg)
    out = Path(args.out)
    check_place(out, args.media, args.results)
    analysis = _analysis(args)
    seen = not args.no_faces and not is_results(args.media) and not is_s3_uri(args.media)
    title = os.path.basename(args.media)  # noqa: PTH119 -- an S3 address
    page = report(analysis, title=title, video=args.media if seen else None)
    with naming_output(f"{args.out}: the page"), output_text(out) as file:
        file.write(page)
    say(f"report: {one_line(args.out)}")
    return _terminal.OK


def _analysis(args: argparse.Namespace) -> VideoAnalysis:
    from rekog_emotion.blocking.video import analyze_video

    if is_results(args.media):
        if args.results is not None:
            msg = f"{args.media} and --results {args.results} are results both; name the video, or one of them alone"
            raise InvalidInputError(msg)
        return read_one(args.media, VideoAnalysis, advice=_OF_ONE_VIDEO)
    if args.results is not None:
        return read_one(args.results, VideoAnalysis, of=args.media, advice=_OF_ONE_VIDEO)
    with job_bar() as bar:
        return analyze_video(
            args.media, client=args.client, staging=args.staging, timeout=args.timeout, on_progress=bar
        )
