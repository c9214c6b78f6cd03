"""What ``annotate``, ``blur``, ``export`` and ``report`` share: analyse, or read what was analysed before."""

from __future__ import annotations

import argparse
import codecs
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from rekog_emotion.commands._many import is_there
from rekog_emotion.commands._terminal import note, one_line, report
from rekog_emotion.errors import InvalidInputError, RekogEmotionError, ResponseError
from rekog_emotion.media.writing import check_output, identity, output_file
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.protocols import check_succeeded
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.listing import counted
from rekog_emotion.values.s3 import VERSION, is_s3_uri

if TYPE_CHECKING:
    from PIL import Image

    from rekog_emotion.results.lossless import Analysis
    from rekog_emotion.values.progress import OnProgress, Progress

__all__ = [
    "analyze",
    "analyze_one",
    "check_client",
    "check_place",
    "is_results",
    "is_video",
    "job_bar",
    "naming_output",
    "progress_bar",
    "read_one",
    "read_results",
    "save",
]

One = TypeVar("One", bound=ImageAnalysis | VideoAnalysis)

_RESULTS: Final = {".jsonl", ".ndjson", ".json"}
_ANALYSES: Final[dict[type, str]] = {ImageAnalysis: "photo", VideoAnalysis: "video"}


def is_video(media: str) -> bool:
    """Tell by its content whether a file is no photo; of an object in S3 by its name."""
    from rekog_emotion.media.formats import video_format

    if is_s3_uri(media):
        key = media.rpartition(VERSION)[0] or media
        return key.lower().endswith((".mp4", ".mov", ".m4v"))
    try:
        with Path(media).open("rb") as file:
            start = file.read(64)
    except OSError:
        return False  # detect_image says what is wrong with it
    return video_format(start) is not None


def check_client(args: argparse.Namespace, sources: Sequence[str]) -> None:
    """Find out once, and before anything is read, whether there is anybody to analyse what is no result.

    What is wrong with the configuration is wrong for all of the sources. Those that are not there are named before it.
    """
    from rekog_emotion.clients.names import resolve_client
    from rekog_emotion.sources.images import prepare_image

    sent = [one for one in sources if not is_results(one)]
    gone = [one for one in sent if not is_there(one)]
    if len(gone) == len(sent):
        return  # each of them is told when it is its turn
    try:
        resolve_client(args.client)
    except RekogEmotionError:
        for one in gone:
            try:
                prepare_image(one)
            except RekogEmotionError as error:
                report(error, about=one, debug=args.debug)
        raise


def analyze(media: str, args: argparse.Namespace) -> Analysis:
    """Analyse a photo or a video."""
    from rekog_emotion.blocking.image import detect_image
    from rekog_emotion.blocking.video import analyze_video

    if not is_video(media):
        return detect_image(media, client=args.client)
    with job_bar() as bar:
        return analyze_video(media, client=args.client, staging=args.staging, timeout=args.timeout, on_progress=bar)


def analyze_one(args: argparse.Namespace) -> Analysis:
    """Return the analysis of ``args.media``: the one in the file ``--results`` names, or a new one."""
    if args.results is None:
        return analyze(args.media, args)
    if is_video(args.media):
        return read_one(args.results, VideoAnalysis, of=args.media)
    return read_one(args.results, ImageAnalysis, of=args.media)


def is_results(path: str) -> bool:
    """Tell by its name whether a file has results."""
    return Path(path).suffix.lower() in _RESULTS


def read_one(path: str, kind: type[One], *, of: str | None = None, advice: str = "one is needed") -> One:
    """Return the one analysis of its kind in a file of results, or of several the one of a photo or a video.

    Where it names another file than the one that it is taken for, standard error says so: that may be a copy.

    Args:
        path: The file.
        kind: Of the analysis.
        of: The photo or the video.
        advice: What is said where all the results are of the other kind.
    """
    from rekog_emotion.results.documents import known_as

    results = list(read_results(path))
    found = [one for one in results if isinstance(one, kind)]
    named = [one for one in found if of and one.source and known_as(one.source) == known_as(of)] or found
    if results and not found:
        has = counted(len(results), _ANALYSES[type(results[0])], f"{_ANALYSES[type(results[0])]}s")
        msg = f"{path} has the results of {has} and of no {_ANALYSES[kind]}: {advice}"
        raise InvalidInputError(msg)
    if len(named) != 1:
        which = "meant" if of is None else f"of {of}"
        msg = f"{path} has {len(named)} analyses that may be {which}, and one is needed"
        raise InvalidInputError(msg)
    source = named[0].source
    if of is not None and source and not source.startswith("<") and _file_name(source) != _file_name(of):
        note(one_line(f"{path}: the analysis is of {source}, and is taken for that of {of}"))
    return named[0]


def _file_name(source: str) -> str:
    return source.rpartition(VERSION)[0].rpartition("/")[2] if VERSION in source else Path(source).name


def read_results(path: str, *, retry_errors: bool = False) -> Iterator[Analysis]:
    """Yield the analyses of a file of JSON Lines, or of one JSON document; an unfinished job has none.

    Lines that say why something has no analysis are passed over, and counted on standard error.

    Args:
        path: The file.
        retry_errors: What failed is done again, so that nothing is said of it.
    """
    from rekog_emotion.results.documents import Document
    from rekog_emotion.results.lossless import from_json, read_json_lines

    errors: list[Document] = []
    try:
        if Path(path).suffix.lower() == ".json" and not _has_lines(text := Path(path).read_bytes()):
            yield _ended(from_json(text))
            return
        with Path(path).open(encoding=_encoding(path)) as file:
            yield from map(_ended, read_json_lines(file, on_error=errors.append))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        raise InvalidInputError(msg) from error
    except InvalidInputError as error:
        msg = f"{path}: {error}"
        raise InvalidInputError(msg) from error
    except ResponseError as error:
        named = ResponseError(f"{path}: {error.message}")
        named.path = error.path  # which the message has already
        raise named from error
    cut = [one for one in errors if one.beside["source"] is None]
    for one in cut:
        note(one_line(f"{path}: {one.beside['error']}"))
    if (failed := len(errors) - len(cut)) and not retry_errors:
        lines = "1 line is an error, which has" if failed == 1 else f"{failed} lines are errors, which have"
        note(one_line(f"{path}: {lines} no faces"))


def _encoding(path: str) -> str:
    """Return how a file of text is encoded: Windows PowerShell writes what a command prints as UTF-16."""
    with Path(path).open("rb") as file:
        return "utf-16" if file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig"


def _has_lines(text: bytes) -> bool:
    """Tell whether a text is several documents, one a line, and not one over all its lines."""
    first, _, others = text.partition(b"\n")
    try:
        return bool(others.strip()) and bool(json.loads(first))
    except (ValueError, RecursionError):
        return False


def _ended(analysis: Analysis) -> Analysis:
    if isinstance(analysis, VideoAnalysis):
        check_succeeded(analysis)
    return analysis


def check_place(out: Path, *sources: str | None) -> None:
    """Refuse a place for a new file that is no place, or is one of the sources; ``None`` is none of them."""
    check_output(out, str(out))
    for source in filter(None, sources):
        if identity(out) == identity(source):
            msg = f"{out} would write over {source}; name another place"
            raise InvalidInputError(msg)


@contextmanager
def naming_output(what: str, *, source: str | None = None) -> Iterator[None]:
    """Say of an error in writing what it is about; one of the source is left as it is."""
    try:
        yield
    except BrokenPipeError:  # nobody reads any more: the frame of all commands knows what to do
        raise
    except OSError as error:
        if source is not None and error.filename == source:
            raise
        # Arrow words it in its own way, and at length.
        msg = f"{what} cannot be written: {os.strerror(error.errno) if error.errno else error}"
        raise InvalidInputError(msg) from error


def save(picture: Image.Image, out: Path, *, what: str = "") -> None:
    """Write a copy of a photo in the format that its suffix says; ``what`` is what an error calls it."""
    from PIL import Image

    data = io.BytesIO()  # Pillow does not notice where a disk takes half of what it writes
    with naming_output(what or str(out)):
        picture.save(data, Image.registered_extensions()[out.suffix.lower()], quality=95)
        with output_file(out) as part:
            part.write_bytes(data.getvalue())


@contextmanager
def job_bar() -> Iterator[OnProgress]:
    """Show upload, job and pages on standard error, where it is a terminal and the ``cli`` extra is there."""
    try:
        from rich import progress as rich
        from rich.console import Console
    except ModuleNotFoundError:
        yield lambda _progress: None
        return
    from rekog_emotion.showing import facts, share

    columns = (
        rich.SpinnerColumn(),
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.TimeElapsedColumn(),
    )
    with rich.Progress(
        *columns, console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("starting", total=None)

        def on_progress(progress: Progress) -> None:
            done, total = share(progress)
            bar.update(task, description=facts(progress), completed=done, total=total)

        yield on_progress


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float], None]]:
    """Show a bar with the time left on standard error, where it is a terminal and the ``cli`` extra is there."""
    try:
        from rich import progress as rich
        from rich.console import Console
    except ModuleNotFoundError:
        yield lambda _share: None
        return
    columns = (
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.TaskProgressColumn(),
        rich.TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr)
    with rich.Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(one_line(what), total=1.0)
        yield lambda share: bar.update(task, completed=share)
