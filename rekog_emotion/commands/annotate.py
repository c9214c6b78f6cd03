"""``rekog-emotion annotate``: a copy of a photo or a video with the faces drawn on it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._many import add_engine, use_engine
from rekog_emotion.commands._media import analyze_one, check_place, is_video, naming_output, progress_bar, save
from rekog_emotion.commands._options import add_job, add_results, add_shared
from rekog_emotion.commands._terminal import one_line, say
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.files import is_there, where_to_look
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.values.s3 import is_s3_uri

if TYPE_CHECKING:
    from rekog_emotion.results.lossless import Analysis

__all__ = ["DESCRIPTION", "EPILOG", "SUMMARY", "add", "add_media", "check_target", "run", "tell"]

SUMMARY: Final = "draw the faces on a copy of a photo or a video"
DESCRIPTION: Final = """\
Draw the faces on a copy of a photo or a video: boxes, pose axes and labels. A
video keeps its sound and the times of its frames; between two samples, boxes
move with faces that are plausibly the same.

Emotions are how a face looks, not what a person feels.
"""
EPILOG: Final = """\
examples:
  rekog-emotion annotate portrait.jpg overlay.png --client embedded
  rekog-emotion annotate clip.mp4 annotated.mp4 --client embedded
  rekog-emotion annotate clip.mp4 annotated.mp4 --results clip.jsonl
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_media(parser)
    add_engine(parser)
    parser.add_argument("--no-labels", action="store_true", help="write no labels")
    parser.add_argument("--no-pose", action="store_true", help="draw no pose axes")
    parser.add_argument("--no-landmarks", action="store_true", help="draw no landmarks; a video has none anyway")


def add_media(parser: argparse.ArgumentParser, *, many: str = "a photo or a video, a local file") -> None:
    """Add the arguments that name a photo or a video, its copy and its analysis."""
    parser.add_argument("media", metavar="MEDIA", help=many)
    parser.add_argument(
        "out", metavar="OUT", help="the copy: .png, .jpg, ... of a photo; .mp4, .mov or .mkv of a video"
    )
    add_results(parser)
    add_shared(parser)
    add_job(parser)


def run(args: argparse.Namespace) -> int:
    """Analyse, draw, and say where the copy is."""
    use_engine(args)
    check_target(args.media, args.out, args.results)
    analysis = analyze_one(args)
    labels, pose = not args.no_labels, not args.no_pose
    if isinstance(analysis, ImageAnalysis):
        save(analysis.draw(args.media, landmarks=not args.no_landmarks, pose=pose, labels=labels), Path(args.out))
    else:
        from rekog_emotion.results.video import annotate_video

        with naming_output(args.out, source=args.media), progress_bar("drawing") as on_progress:
            annotate_video(analysis, args.media, args.out, labels=labels, pose=pose, on_progress=on_progress)
    tell(args, analysis)
    return _terminal.OK


def check_target(media: str, out: str, results: str | None) -> None:
    """Say before any call is paid for why the copy cannot go there."""
    from rekog_emotion.results._stills import check_still
    from rekog_emotion.results.drawing import VIDEO_SUFFIXES, writable_suffixes

    if is_s3_uri(media):
        msg = f"{media} is in S3: download it, and name the file; what was analysed of it is read by --results"
        raise InvalidInputError(msg)
    path = Path(out)
    check_place(path, media, results)
    if not is_there(media):
        msg = f"{media}: there is no such file; {where_to_look(media)}"
        raise InvalidInputError(msg)
    if is_video(media):
        from rekog_emotion.results.video import check_suffix

        check_suffix(path)
    elif path.suffix.lower() in VIDEO_SUFFIXES:
        raise InvalidInputError(_no_video(media, path))
    elif path.suffix.lower() not in writable_suffixes():
        msg = f"{out}: Pillow writes no picture of this suffix; name it {path.with_suffix('.png')}"
        raise InvalidInputError(msg)
    else:
        check_still(media)


def _no_video(media: str, out: Path) -> str:
    """Say what is wrong where a copy is named like a video's: with its name, or with what it is to be a copy of."""
    from rekog_emotion.media.formats import looks_like_an_image
    from rekog_emotion.sources.videos import prepare_video

    try:
        with Path(media).open("rb") as file:
            is_photo = looks_like_an_image(file.read(64))
    except OSError:
        is_photo = False
    if is_photo:
        return f"{media} is a photo, and {out} is named like a video; name it {out.with_suffix('.png')}"
    prepare_video(media)  # where it is certain what the content is, this says so
    return f"{media}: the content is neither a photo nor a video that is read; check what was read or downloaded"


def tell(args: argparse.Namespace, analysis: Analysis) -> None:
    """Say where the copy is, to people or to programs."""
    if _terminal.for_programs(args):
        say(
            json.dumps({"source": args.media, "out": args.out, "engine": analysis.engine, "faces": len(analysis.faces)})
        )
    else:
        faces = "1 face" if len(analysis.faces) == 1 else f"{len(analysis.faces)} faces"
        say(f"{one_line(args.out)}: {faces}, engine: {one_line(str(analysis.engine))}")
