"""``rekog-emotion image``: the faces of images, as a table or as JSON Lines, and drawn on a copy."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._listing import Listing
from rekog_emotion.commands._many import Many, above, add_many, is_collection, relative, use_engine
from rekog_emotion.commands._media import check_client, check_place, is_results, save
from rekog_emotion.commands._options import add_shared
from rekog_emotion.commands._terminal import one_line, say
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.files import is_file, is_folder, is_there
from rekog_emotion.media.writing import check_output, identity, make_folder

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
  rekog-emotion image photos/ --client embedded --draw overlays/
  rekog-emotion image photos/ --out faces.jsonl
  rekog-emotion image photos/ --out faces.jsonl --resume
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
        help="a file, a folder, a glob such as 'photos/**/*.jpg', s3://bucket/key, s3://bucket/prefix/, or - for the "
        "bytes of standard input; or a file of results (.jsonl, .json), which is shown again and costs no call; a bad "
        "one does not stop the others",
    )
    add_shared(parser)
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write a line of JSON a photo into this file, as soon as it is done, and print none",
    )
    parser.set_defaults(options={"checkpoint": "--out"})
    parser.add_argument("--resume", action="store_true", help="with --out: go on with that file, of an earlier run")
    parser.add_argument("--retry-errors", action="store_true", help="with --resume: try again what failed")
    add_many(parser)
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
    """Analyse the photos, a few at a time; return the highest exit code."""
    _check_out(args)
    use_engine(args)
    photos = _Photos(args)
    try:
        return photos.run()
    except KeyboardInterrupt:  # while something is drawn, for instance
        photos.many.tell_how_to_go_on()
        raise


def _check_out(args: argparse.Namespace) -> None:
    """Say before any call is paid for what is wrong with the file of results."""
    if args.out is None:
        for option, value in (("--resume", args.resume), ("--retry-errors", args.retry_errors)):
            if value:
                msg = f"{option} goes on with a file of results: name it by --out"
                raise InvalidInputError(msg)
        return
    saved = next(filter(is_results, args.photos), None)
    if saved is not None:
        msg = f"{saved} has results already, which --out {args.out} would get a second time; leave it out"
        raise InvalidInputError(msg)
    check_place(Path(args.out))
    if not args.resume and is_file(args.out) and Path(args.out).stat().st_size:
        msg = f"--out {args.out} is there already; --resume goes on with it, or name another file"
        raise InvalidInputError(msg)


class _Photos:
    """Analyses photos, draws on copies, and prints.

    Attributes:
        many: The outcomes of several.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._overlays = _Overlays(args.draw, args.photos, resume=args.resume)
        self._listing = Listing(args)
        self.many = Many(args, checkpoint=args.out)

    def run(self) -> int:
        """Do all of it; return the highest exit code."""
        places = self._args.photos
        check_client(self._args, places)
        collections = any(map(is_collection, places))
        several = self._args.out is not None or len(places) > 1 or collections
        for results, photos in groupby(places, key=is_results):
            if several and not results:
                self._analyze_many(list(photos))
                continue
            for photo in photos:
                try:
                    self._listing.add_results(photo) if results else self._analyze(photo)
                except (BrokenPipeError, _terminal.OutputError):
                    raise
                except Exception as error:  # noqa: BLE001 -- one bad file does not stop the others, whatever it has
                    self.many.fail(error, about=photo)
        if self._args.out is not None or collections:
            self.many.summarize()
        return self.many.code

    def _analyze(self, photo: str) -> None:
        from rekog_emotion.blocking.image import detect_image

        source = self._overlays.checked(photo)
        self._show(detect_image(source, client=self._args.client, attributes=self._args.attributes), source)

    def _analyze_many(self, photos: list[str]) -> None:
        """Analyse photos; they stay a list, whose length is known, where none has to be looked at before."""
        sources = self._checked(photos) if self._overlays.are_checked or _STANDARD_INPUT in photos else photos
        for outcome in self.many.outcomes(sources, attributes=self._args.attributes):
            self._show(outcome.result(), outcome.source)

    def _checked(self, photos: Iterable[str]) -> Iterator[str | bytes]:
        """Yield what is to be analysed; one that cannot be drawn on, though it is to be, is told before the call."""
        for photo in photos:
            try:
                yield self._overlays.checked(photo)
            except Exception as error:  # noqa: BLE001 -- one bad photo does not stop the others, whatever it has
                self.many.fail(error, about=photo)

    def _show(self, analysis: ImageAnalysis, source: object) -> None:
        """Draw what is to be drawn, which nobody who stops reading keeps from it, and print."""
        name = _STANDARD_INPUT if isinstance(source, bytes) else str(analysis.source)
        overlay, failure = self._overlays.of(name), None
        if overlay is not None:
            try:
                _draw(analysis, source if isinstance(source, bytes) else name, overlay)
            except Exception as error:  # noqa: BLE001 -- it is told when the faces are
                failure = error
        if self._args.out is None:
            self._listing.add(analysis, source=name)
        if failure is not None:
            self.many.fail(failure, about=name)
        elif overlay is not None:
            line = f"overlay: {one_line(str(overlay))}"
            if self._args.out is not None or _terminal.for_programs(self._args):
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


class _Overlays:
    """Where each photo's overlay goes.

    Args:
        out: What ``--draw`` says.
        photos: Photos and places.
        resume: An earlier run has drawn overlays already, which are kept.
    """

    def __init__(self, out: str | None, photos: Sequence[str], *, resume: bool) -> None:
        self._photos = photos
        self._folder: Path | None = None
        self._paths: dict[str, list[Path]] = {}
        if out is None:
            return
        if any(map(is_collection, photos)):
            self._folder = _folder(out)
            # Nor is a picture written over that lies in or below the folder, and is one of the photos perhaps.
            folder, places = self._folder.resolve(), [Path(above(photo)).resolve() for photo in photos]
            self._names = _Names(keep=resume or any(folder in (place, *place.parents) for place in places))
            return
        for photo, path in zip(photos, _overlays(out, photos), strict=True):
            self._paths.setdefault(photo, []).append(path)

    @property
    def are_checked(self) -> bool:
        """Whether photos are looked at before they are analysed."""
        return bool(self._paths)

    def checked(self, photo: str) -> str | bytes:
        """Return a photo as it is analysed, or say that it cannot be drawn on, if that is wanted."""
        source = sys.stdin.buffer.read() if photo == _STANDARD_INPUT else photo
        if self._paths and (isinstance(source, bytes) or is_file(source)):
            from rekog_emotion.results._stills import check_still

            check_still(source)
        return source

    def of(self, photo: str) -> Path | None:
        """Return where the overlay of a photo goes, and make the folders that it needs."""
        if self._folder is None:
            paths = self._paths.get(photo)
            return paths.pop(0) if paths else None
        path = self._names.free(self._folder / relative(photo, self._photos).with_suffix(".png"))
        make_folder(path.parent, name=f"--draw {path}")
        return path


class _Names:
    """Names for overlays, each given once: those of ``a.jpg`` and ``a.png`` are ``a.png`` and ``a-2.png``.

    Args:
        keep: Give no name that a file has.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self._taken: set[str] = set()

    def free(self, wanted: Path) -> Path:
        """Return a path as it is wanted, or with a number."""
        number, path = 1, wanted
        # Without regard to case, as some file systems have it.
        while str(path).casefold() in self._taken or (self._keep and is_there(path)):
            number += 1
            path = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        self._taken.add(str(path).casefold())
        return path


def _folder(out: str) -> Path:
    path = Path(out)
    if path.suffix and not is_folder(path):
        msg = (
            f"--draw {out} is one file, and there may be many photos; name a directory: --draw {path.with_suffix('')}/"
        )
        raise InvalidInputError(msg)
    make_folder(path, name=f"--draw {out}")
    return path


def _overlays(out: str, photos: Sequence[str]) -> list[Path]:
    """Return where each overlay goes, or say before any call is paid for why it cannot go there."""
    from rekog_emotion.results.drawing import writable_suffixes

    path = Path(out)
    saved = next(filter(is_results, photos), None)
    if saved is not None:
        msg = f"--draw {out}: {saved} has results; rekog-emotion annotate PHOTO OUT --results {saved} draws them"
        raise InvalidInputError(msg)
    if is_folder(path) or out.endswith(("/", os.sep)) or not path.suffix:
        make_folder(path, name=f"--draw {out}")
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
        make_folder(path.parent, name=f"--draw {out}")
        paths = [path]
    originals = {identity(photo) for photo in photos}
    for path in paths:
        check_output(path, f"--draw {path}")
        if identity(path) in originals:
            msg = f"--draw {out} would write over the photo {path}; name another place"
            raise InvalidInputError(msg)
    return paths


def _names_in(directory: Path, photos: Sequence[str]) -> list[Path]:
    """Return one name a photo; photos of one name from several directories are numbered."""
    names = _Names()
    stems = ("stdin" if photo == _STANDARD_INPUT else Path(photo).stem for photo in photos)
    return [names.free(directory / f"{stem}.png") for stem in stems]


def _draw(analysis: ImageAnalysis, source: str | bytes, path: Path) -> None:
    if analysis.size is None:
        msg = "cannot be drawn on, as it is in S3; download it and analyse the file"
        raise InvalidInputError(msg)
    picture = analysis.draw(source)
    save(picture, path, what=f"the overlay {path}")
