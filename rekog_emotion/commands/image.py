"""``rekog-emotion image``: the faces of images, as a table or as JSON Lines, and drawn on a copy."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._listing import Listing
from rekog_emotion.commands._media import check_client, is_results, save
from rekog_emotion.commands._options import add_shared
from rekog_emotion.commands._terminal import one_line, say
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.writing import check_output, identity

if TYPE_CHECKING:
    from rekog_emotion.results.image_analysis import ImageAnalysis

__all__ = ["DESCRIPTION", "EPILOG", "SUMMARY", "add", "run"]

SUMMARY: Final = "find and describe the faces of images"
DESCRIPTION: Final = """\
Find the faces of images and describe them: a table on a terminal, JSON Lines
(the whole analysis of an image on a line) when asked for or when the output
goes elsewhere.

Emotions are how a face looks, not what a person feels.
"""
EPILOG: Final = """\
examples:
  rekog-emotion image portrait.jpg --client embedded
  rekog-emotion image portrait.jpg --client embedded --draw overlay.png
  rekog-emotion image *.jpg --client embedded --draw overlays/
  rekog-emotion image s3://bucket/portrait.jpg
  rekog-emotion image *.jpg | jq -c '[.source, (.answer.FaceDetails | length)]'
"""

_STANDARD_INPUT: Final = "-"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "photos",
        nargs="+",
        metavar="PHOTO",
        help="a file, s3://bucket/key, or - for the bytes of standard input; or a file of results (.jsonl, .json), "
        "which is shown again and costs no call; a bad one does not stop the others",
    )
    add_shared(parser)
    parser.add_argument(
        "--attributes",
        type=_attributes,
        default=("ALL",),
        metavar="NAMES",
        help="what to ask for: ALL, DEFAULT (box, landmarks, pose, quality) or a list such as EMOTIONS,SMILE,AGE_RANGE "
        "(default: ALL)",
    )
    parser.add_argument(
        "--draw",
        metavar="OUT",
        help="draw the faces on a copy of the photo: a file such as overlay.png, or a directory (several photos need "
        "one), which gets a PNG of the photo's name; directories are made where they are missing",
    )


def run(args: argparse.Namespace) -> int:
    """Analyse the photos one by one; return the highest exit code."""
    overlays = _overlays(args.draw, args.photos) if args.draw else [None] * len(args.photos)
    check_client(args, args.photos)
    code, listing = _terminal.OK, Listing(args)
    for photo, overlay in zip(args.photos, overlays, strict=True):
        try:
            if is_results(photo):
                listing.add_results(photo)
            else:
                _analyze(photo, overlay, args, listing)
        except (BrokenPipeError, _terminal.OutputError):
            raise
        except Exception as error:  # noqa: BLE001 -- one bad photo does not stop the others, whatever is wrong with it
            code = max(code, _terminal.report(error, about=photo, debug=args.debug))
    return code


def _analyze(photo: str, overlay: Path | None, args: argparse.Namespace, listing: Listing) -> None:
    from rekog_emotion.blocking.image import detect_image

    source = sys.stdin.buffer.read() if photo == _STANDARD_INPUT else photo
    if overlay is not None and (isinstance(source, bytes) or Path(source).is_file()):
        from rekog_emotion.results._stills import check_still

        check_still(source)
    analysis = detect_image(source, client=args.client, attributes=args.attributes)
    listing.add(analysis, source=photo)
    if overlay is None:
        return
    _draw(analysis, source, overlay)
    line = f"overlay: {one_line(str(overlay))}"
    if _terminal.for_programs(args):
        _terminal.note(line)  # beside the answers, not among them
    else:
        say(line)


def _attributes(text: str) -> tuple[str, ...]:
    from rekog_emotion.flows.request import ATTRIBUTES, attribute_names

    names = tuple(attribute_names(text))
    for name in names:
        if name not in ATTRIBUTES:
            msg = f"{name!r} is none of {', '.join(ATTRIBUTES)}"
            raise argparse.ArgumentTypeError(msg)
    return names


# The overlay


def _overlays(out: str, photos: Sequence[str]) -> list[Path]:
    """Return where each overlay goes, or say before any call is paid for why it cannot go there."""
    from rekog_emotion.results.drawing import writable_suffixes

    path = Path(out)
    saved = next(filter(is_results, photos), None)
    if saved is not None:
        msg = f"--draw {out}: {saved} has results; rekog-emotion annotate PHOTO OUT --results {saved} draws them"
        raise InvalidInputError(msg)
    if path.is_dir() or out.endswith(("/", os.sep)) or not path.suffix:
        _make(path, out)
        paths = _names_in(path, photos)
    elif len(photos) > 1:
        msg = (
            f"--draw {out} is one file, and there are {len(photos)} photos; name a directory: "
            f"--draw {path.with_suffix('')}/"
        )
        raise InvalidInputError(msg)
    elif path.suffix.lower() not in writable_suffixes():
        msg = f"--draw {out}: Pillow writes no picture of this suffix; name it {path.with_suffix('.png')}"
        raise InvalidInputError(msg)
    else:
        _make(path.parent, out)
        paths = [path]
    originals = {identity(photo) for photo in photos}
    for path in paths:
        check_output(path, f"--draw {path}")
        if identity(path) in originals:
            msg = f"--draw {out} would write over the photo {path}; name another place"
            raise InvalidInputError(msg)
    return paths


def _make(directory: Path, out: str) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"--draw {out}: the directory {directory} cannot be made: {error.strerror}"
        raise InvalidInputError(msg) from error


def _names_in(directory: Path, photos: Sequence[str]) -> list[Path]:
    """Return one name a photo; photos of one name from several directories are numbered."""
    names: list[str] = []
    taken: set[str] = set()
    for photo in photos:
        stem = "stdin" if photo == _STANDARD_INPUT else Path(photo).stem
        number, name = 1, f"{stem}.png"
        # Without regard to case, as some file systems have it.
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}.png"
        taken.add(name.casefold())
        names.append(name)
    return [directory / name for name in names]


def _draw(analysis: ImageAnalysis, source: str | bytes, path: Path) -> None:
    if analysis.size is None:
        msg = "cannot be drawn on, as it is in S3; download it and analyse the file"
        raise InvalidInputError(msg)
    picture = analysis.draw(source)
    save(picture, path, what=f"the overlay {path}")
