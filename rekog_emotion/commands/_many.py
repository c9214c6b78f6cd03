"""Many photos on the command line: folders, globs and prefixes, with a bar, a summary, and a way to go on."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rekog_emotion.commands import _terminal
from rekog_emotion.errors import InvalidInputError, RekogEmotionError
from rekog_emotion.values.s3 import is_s3_uri

if TYPE_CHECKING:
    from rekog_emotion.flows.batch import ImageOutcome
    from rekog_emotion.values.progress import Progress

__all__ = [
    "Many",
    "above",
    "above_zero",
    "add_engine",
    "add_many",
    "add_weights",
    "is_collection",
    "is_there",
    "relative",
    "use_engine",
]

_TOLD: Final = 20  # of what is left out: more than that is only counted


def add_many(parser: argparse.ArgumentParser) -> None:
    """Add the options of many photos."""
    parser.add_argument(
        "--workers",
        type=_number,
        metavar="N",
        help="photos at a time (default: as many as the rate needs; offline, as there are cores)",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="CALLS",
        help="calls a second at most, your quota of DetectFaces for instance (default: AWS's for the region, and what "
        "the service then lets through)",
    )
    add_engine(parser)


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the choices of how much the embedded engine looks for, and by which networks."""
    parser.add_argument(
        "--mode",
        choices=("fast", "default", "thorough"),
        help="offline alone: fast misses small faces, thorough finds more of them (default: default)",
    )
    add_weights(parser, of="offline alone: ")


def add_weights(parser: argparse.ArgumentParser, *, of: str = "") -> None:
    """Add the choice of networks.

    Args:
        parser: Of the command.
        of: Whose networks they are.
    """
    parser.add_argument(
        "--weights",
        choices=("all", "clean"),
        help=f"{of}clean uses no network that learnt from pictures that are for research only or have no licence, and "
        "leaves out what the others cannot tell: emotions, age, beard, glasses, cover (default: all)",
    )


def use_engine(args: argparse.Namespace) -> None:
    """Put a client of the mode and the networks that were asked for in the place of its name.

    Raises:
        InvalidInputError: The client has no such choices.
    """
    chosen = {name: value for name in ("mode", "weights") if (value := getattr(args, name)) is not None}
    if not chosen or not (args.client is None or isinstance(args.client, str)):
        return
    if (args.client or os.environ.get("REKOG_EMOTION_CLIENT")) != "embedded":
        options = " ".join(f"--{name} {value}" for name, value in chosen.items())
        verb, them = ("are", "them") if len(chosen) > 1 else ("is", "it")
        msg = f"{options} {verb} of the embedded engine: add --client embedded, or leave {them} out"
        raise InvalidInputError(msg)
    from rekog_emotion.embedded import EmbeddedClient

    args.client = EmbeddedClient(**chosen)


def is_collection(place: str) -> bool:
    """Tell whether a place is a folder, a glob or a prefix in S3."""
    from rekog_emotion.sources.collections import is_collection as found

    return found(place)


def is_there(place: str) -> bool:
    """Tell whether there may be something at a place; of what is in S3 nobody knows here."""
    return place == "-" or is_s3_uri(place) or os.path.lexists(place) or is_collection(place)


def relative(photo: str, places: Iterable[str]) -> Path:
    """Return where a photo lies below the folder or the glob that it was found in; of any other its name."""
    for place in places:
        folder = os.path.join(above(place), "")  # noqa: PTH118 -- names stay as they were given
        if is_collection(place) and photo.startswith(folder):
            return Path(photo[len(folder) :].lstrip(os.sep))
    return Path(photo.rpartition("/")[2] if is_s3_uri(photo) else os.path.basename(photo))  # noqa: PTH119 -- likewise


def above(place: str) -> str:
    """Return the folder that a place is, or all of a glob lies in."""
    if os.path.isdir(place):  # noqa: PTH112 -- likewise
        return place
    wild = min((place.index(sign) for sign in "*?[" if sign in place), default=len(place))
    return os.path.dirname(place[:wild])  # noqa: PTH120 -- likewise


class Many:
    """The outcomes of many photos; what is wrong with one of them is told at once.

    Args:
        args: Of the command.
        checkpoint: The file to go on from.

    Attributes:
        code: The highest exit code so far.
    """

    def __init__(self, args: argparse.Namespace, *, checkpoint: str | None = None) -> None:
        self.code = _terminal.OK
        self._args = args
        self._checkpoint = checkpoint
        self._left_out = 0
        self._ended: list[Progress] = []  # what was told last, of each time that there were some
        self._show: Any = None
        self._is_told = False

    def outcomes(
        self, photos: Iterable[Any], *, attributes: str | Sequence[str] = "ALL", ordered: bool = True
    ) -> Iterator[ImageOutcome]:
        """Yield the outcomes that have an analysis.

        Args:
            photos: Photos and places.
            attributes: What to ask for.
            ordered: Give them in the order of the photos.
        """
        from rekog_emotion.blocking.images import detect_images

        if isinstance(photos, list) and not any(map(is_there, photos)):
            self._tell_what_is_gone(photos)
            return
        if sys.stderr.isatty():
            from rekog_emotion.showing import show_progress

            self._show = show_progress(file=sys.stderr)
        args = self._args
        outcomes = detect_images(
            photos,
            client=args.client,
            attributes=attributes,
            workers=args.workers,
            rate=args.rate,
            ordered=ordered,
            checkpoint=self._checkpoint,
            retry_errors=self._checkpoint is not None and getattr(args, "retry_errors", False),
            on_progress=self._hear,
        )
        try:
            for outcome in outcomes:
                if outcome.error is None:
                    yield outcome
                else:
                    self.fail(outcome.error, about=str(outcome.source))
        except KeyboardInterrupt:
            outcomes.close()  # type: ignore[attr-defined]  # of a generator: calls under way are waited for
            self.tell_how_to_go_on()
            raise

    def fail(self, error: Exception, *, about: str) -> None:
        """Tell what is wrong with one of the photos."""
        self.code = max(self.code, _terminal.report(error, about=about, debug=self._args.debug))

    def summarize(self, *, left_out: int = 0, skipped: int = 0) -> None:
        """Say how many were done, to people.

        Args:
            left_out: What else was left out.
            skipped: What else was skipped.
        """
        if not self._ended:
            return
        if self._left_out > _TOLD:
            _terminal.note(f"left out: {self._left_out - _TOLD} more")
        done, failed, before, failed_before, left_out_here = (
            sum(getattr(last, name) or 0 for last in self._ended)
            for name in ("done", "failed", "skipped", "failed_before", "left_out")
        )
        counts = (
            (done, "done"),
            (failed, "failed"),
            (before - failed_before + skipped, "done before"),
            (failed_before, "failed before (--retry-errors tries again)"),
            (left_out_here + left_out, "left out, as they are no pictures"),
        )
        _terminal.note(", ".join(f"{number} {word}" for number, word in counts if number or word == "done"))

    def _tell_what_is_gone(self, photos: Iterable[str]) -> None:
        """Say of each photo that it is not there: nobody is needed to analyse it."""
        from rekog_emotion.sources.images import prepare_image

        for photo in photos:
            try:
                prepare_image(photo)
            except RekogEmotionError as error:
                self.fail(error, about=photo)

    def _hear(self, progress: Progress) -> None:
        if progress.event == "ENDED":
            self._ended.append(progress)
        if progress.event == "LEFT_OUT":
            self._left_out += 1
            if self._left_out <= _TOLD:
                _terminal.note(_terminal.one_line(f"left out: {progress.source}: {progress.reason}"))
        if self._show is not None:
            self._show(progress)

    def tell_how_to_go_on(self) -> None:
        """Say, once, how an interrupted run is taken up."""
        if self._checkpoint is None or self._is_told:
            return
        self._is_told = True
        words = [_terminal.PROGRAM, *(getattr(self._args, "argv", None) or sys.argv[1:])]
        if getattr(self._args, "resume", None) is False:
            words.append("--resume")
        _terminal.note(f"interrupted; {self._checkpoint} has what is done. Go on with: {shlex.join(words)}")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        msg = f"{text!r} is no number: name 1 or more"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _rate(text: str) -> float:
    return above_zero(text, "rate: name calls a second, such as 50 or 0.5")


def above_zero(text: str, what: str) -> float:
    """Return the number that an option has, for `argparse`.

    Args:
        text: As it was given.
        what: What it is not, where it is no number above zero.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        msg = f"{text!r} is no {what}"
        raise argparse.ArgumentTypeError(msg)
    return number
