"""``rekog-emotion blur``: a copy of a photo or a video on which the faces cannot be recognised."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._media import analyze_one, naming_output, progress_bar, save
from rekog_emotion.commands.annotate import add_media, check_target, tell
from rekog_emotion.results.image_analysis import ImageAnalysis

__all__ = ["DESCRIPTION", "EPILOG", "SUMMARY", "add", "run"]

SUMMARY: Final = "make the faces of a photo or a video unrecognisable"
DESCRIPTION: Final = """\
Make the faces on a copy of a photo or a video unrecognisable. A face that the
analysis missed stays as it is, and so does the sound: look at the copy before
you publish it.
"""
EPILOG: Final = """\
examples:
  rekog-emotion blur portrait.jpg blurred.jpg --client embedded
  rekog-emotion blur clip.mp4 blurred.mp4 --client embedded --method pixelate
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_media(parser)
    parser.add_argument(
        "--method",
        choices=("blur", "pixelate", "fill"),
        default="blur",
        help="smooth, in blocks, or one grey; all of them throw the detail away (default: blur)",
    )


def run(args: argparse.Namespace) -> int:
    """Analyse, blur, and say where the copy is."""
    check_target(args.media, args.out, args.results)
    analysis = analyze_one(args)
    if isinstance(analysis, ImageAnalysis):
        save(analysis.blur(args.media, method=args.method), Path(args.out))
    else:
        from rekog_emotion.results.video import blur_video

        with naming_output(args.out, source=args.media), progress_bar("blurring") as on_progress:
            blur_video(analysis, args.media, args.out, method=args.method, on_progress=on_progress)
    tell(args, analysis)
    return _terminal.OK
