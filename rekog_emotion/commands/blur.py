"""``rekog-emotion blur``: a copy of a photo or a video on which the faces cannot be recognised."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._many import Many, add_many, is_collection, relative, use_engine
from rekog_emotion.commands._media import analyze_one, check_client, naming_output, progress_bar, save
from rekog_emotion.commands.annotate import add_media, check_target, tell
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.files import is_folder, is_there
from rekog_emotion.media.writing import make_folder
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.values.s3 import is_s3_uri

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
  rekog-emotion blur photos/ blurred/ --client embedded
  rekog-emotion blur clip.mp4 blurred.mp4 --client embedded --method pixelate
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_media(parser, many="a photo, a video, or a folder or a glob of photos, whose copies go into a folder")
    add_many(parser)
    parser.add_argument(
        "--resume", action="store_true", help="of a folder: leave out photos whose copies are there already"
    )
    parser.add_argument(
        "--method",
        choices=("blur", "pixelate", "fill"),
        default="blur",
        help="smooth, in blocks, or one grey; all of them throw the detail away (default: blur)",
    )


def run(args: argparse.Namespace) -> int:
    """Analyse, blur, and say where the copy is."""
    use_engine(args)
    if is_collection(args.media):
        return _blur_many(args)
    if args.resume:
        msg = f"--resume is about the copies of many photos, and {args.media} is one file; leave it out"
        raise InvalidInputError(msg)
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


def _blur_many(args: argparse.Namespace) -> int:
    """Blur each photo of a folder or a glob, and put its copy at the same place in another folder."""
    _check_many(args)
    check_client(args, [args.media])
    many, copies = Many(args), _Copies(args)
    for outcome in many.outcomes(copies.wanted(many), ordered=False):
        photo = str(outcome.source)
        try:
            out = copies.of(photo)
            make_folder(out.parent, name=args.out)
            save(outcome.result().blur(photo, method=args.method), out)
        except Exception as error:  # noqa: BLE001 -- one bad photo does not stop the others, whatever it has
            many.fail(error, about=photo)
    many.summarize(left_out=copies.left_out, skipped=copies.skipped)
    return many.code


def _check_many(args: argparse.Namespace) -> None:
    """Say before any call is paid for why the copies cannot go there."""
    from rekog_emotion.results.drawing import VIDEO_SUFFIXES, writable_suffixes

    out = Path(args.out)
    if is_s3_uri(args.media):
        msg = f"{args.media} is in S3: download the photos, and name their folder"
        raise InvalidInputError(msg)
    if args.results is not None:
        msg = f"--results {args.results} is of one photo or video, and {args.media} may be many; leave it out"
        raise InvalidInputError(msg)
    if is_there(out) and not is_folder(out):
        msg = f"{args.out} is a file, and there may be many photos; name a folder"
        raise InvalidInputError(msg)
    if not is_there(out) and out.suffix.lower() in {*VIDEO_SUFFIXES, *writable_suffixes()}:
        msg = f"{args.out} is named like a file, and {args.media} may be many photos; name a folder"
        raise InvalidInputError(msg)
    photos = Path(args.media).resolve() if is_folder(args.media) else None
    if photos is not None and (out.resolve() == photos or photos in out.resolve().parents):
        msg = f"{args.out} is in {args.media}, whose photos it would be among; name a folder beside it"
        raise InvalidInputError(msg)
    make_folder(out, name=args.out)


class _Copies:
    """Where the copy of each photo goes, and which are still to be made."""

    def __init__(self, args: argparse.Namespace) -> None:
        from rekog_emotion.results.drawing import writable_suffixes

        self._args = args
        self._suffixes = writable_suffixes()
        self.left_out = self.skipped = 0

    def of(self, photo: str) -> Path:
        """Return where the copy of a photo goes: in the same format, if Pillow can write it, else a PNG."""
        place = relative(photo, [self._args.media])
        if place.suffix.lower() not in self._suffixes:
            place = place.with_name(f"{place.name}.png")
        return Path(self._args.out) / place

    def wanted(self, many: Many) -> Iterator[str]:
        """Yield the photos that have no copy yet."""
        from rekog_emotion.sources.collections import LeftOut, Unusable, found_at

        for found in found_at(self._args.media):
            if isinstance(found, LeftOut):
                self.left_out += 1
                _terminal.note(_terminal.one_line(f"left out: {found.source}: {found.reason}"))
            elif isinstance(found, str):
                if self._args.resume and is_there(self.of(found)):
                    self.skipped += 1
                else:
                    yield found
            elif isinstance(found, Unusable):
                many.fail(found.error, about=found.source)
