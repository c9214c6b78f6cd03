"""``rekog-emotion watch``: who is there, how they look and since when, while it is filmed."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rekog_emotion.commands import _terminal
from rekog_emotion.commands._many import above_zero, add_engine, use_engine
from rekog_emotion.commands._media import check_place, naming_output
from rekog_emotion.commands._options import add_shared
from rekog_emotion.commands._terminal import as_typed, note, one_line, say
from rekog_emotion.flows.request import WATCH_RATE
from rekog_emotion.values.listing import counted
from rekog_emotion.wire.service import DETECT_FACES, IMAGE_PRICE

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from rekog_emotion.results.moments import Moment, SeenPerson

__all__ = ["DESCRIPTION", "EPILOG", "SUMMARY", "add", "run"]

SUMMARY: Final = "say who is there and how they look, while it is filmed"
DESCRIPTION: Final = """\
Watch a camera, a stream or a video at its own speed: on a terminal who is there,
how they look and since when, in place; for programs JSON Lines, a moment a line.
What is lost is opened again; Ctrl-C ends it.

Frames stay in memory unless --record is named. Whoever is filmed has to know.
Emotions are how a face looks, not what a person feels.
"""
EPILOG: Final = """\
examples:
  rekog-emotion watch 0 --client embedded
  rekog-emotion watch rtsp://camera.local/stream --client embedded --for 60 --json
  rekog-emotion watch clip.mp4 --client embedded --record out.mp4
  rekog-emotion watch 0 --client aws --rate 0.5 --max-calls 1000
"""

_COLUMNS: Final = ("person", "looks", "score", "since", "here", "about")
_WIDE: Final = 72  # signs that all columns take
_NARROW: Final = (0, 1, 3)  # the columns on a narrower terminal: who, what they look like, since when
_BAR: Final = 10  # signs
_HOUR: Final = 3600
_MINUTE: Final = 60


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a camera's number or camera:NAME, an address (rtsp://, http://, also HLS, rtmp://, srt://, udp://), or a "
        "local video",
    )
    parser.add_argument(
        "--rate", type=_rate, default=WATCH_RATE, metavar="N", help=f"samples a second (default: {WATCH_RATE:g})"
    )
    parser.add_argument("--for", dest="seconds", type=_rate, metavar="SECONDS", help="end after so many seconds")
    parser.add_argument("--max-calls", type=int, metavar="N", help="end after so many calls of the client")
    parser.add_argument(
        "--record", metavar="OUT", help="write a video of the samples, with the people drawn on it: .mp4, .mov or .mkv"
    )
    add_shared(parser)
    add_engine(parser)


def _rate(text: str) -> float:
    return above_zero(text, "number over 0")


def run(args: argparse.Namespace) -> int:
    """Watch, show, and record if that is asked for."""
    from rekog_emotion.clients.names import engine_name, resolve_client
    from rekog_emotion.live import record, watch

    use_engine(args)
    if args.record is not None:
        check_place(Path(args.record), args.source)
        from rekog_emotion.results.video import check_suffix

        check_suffix(Path(args.record))
    client = resolve_client(args.client)
    source = int(args.source) if args.source.isdecimal() else args.source
    moments = watch(source, client=client, rate=args.rate, max_calls=args.max_calls)
    if engine_name(client) == "aws":
        calls = args.rate * _HOUR
        note(
            f"{args.rate:g} samples a second are {calls:.0f} calls of {DETECT_FACES} an hour, some "
            f"{calls * IMAGE_PRICE:.2f} USD at the list price; --max-calls ends it sooner"
        )
    with closing(moments), ExitStack() as stack:
        shown = _shown(moments, _show(args, stack), args.seconds)
        if args.record is None:
            for _ in shown:
                pass
            return _terminal.OK
        with naming_output(args.record):
            frames = record(shown, args.record)
    note(
        f"{one_line(args.record)}: {counted(frames, 'frame', 'frames')}"
        if frames
        else "nothing was seen, and nothing is recorded"
    )
    return _terminal.OK


def _shown(moments: Iterator[Moment], show: Callable[[Moment], None], seconds: float | None) -> Iterator[Moment]:
    """Show moments, and hand them on until the time is over."""
    first: float | None = None
    for moment in moments:
        first = moment.seconds if first is None else first
        if seconds is not None and moment.seconds - first >= seconds:
            return
        show(moment)
        yield moment


def _show(args: argparse.Namespace, stack: ExitStack) -> Callable[[Moment], None]:
    """Return what shows a moment: to programs, in place, or, where rich is not there, a line where things change."""
    if _terminal.for_programs(args):
        return lambda moment: say(moment.to_json())
    try:
        from rich.console import Console
        from rich.live import Live
    except ModuleNotFoundError:
        return _Lines()
    width = shutil.get_terminal_size().columns
    live = stack.enter_context(Live(console=Console(file=sys.stdout, width=width), auto_refresh=False))
    return lambda moment: live.update(_table(moment, width), refresh=True)


class _Lines:
    """Prints a line where somebody comes, goes or looks different, and where something goes wrong."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, moment: Moment) -> None:
        from rekog_emotion.results.moments import looks

        people = ", ".join(f"{one.id} {looks(one)}" for one in moment.people)
        text = as_typed(moment.reason or "") or people or "nobody"
        if text != self._last:
            say(one_line(f"{_clock(moment.seconds)} {text}"))
        self._last = text


def _table(moment: Moment, width: int) -> Table | Text:
    """Return what a terminal shows of a moment: on a narrow one what fits, and no words cut to pieces."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    skipped = f", {moment.skipped} skipped" if moment.skipped else ""
    title = f"{_clock(moment.seconds)}  {moment.source}  {moment.engine or ''}{skipped}"
    if not moment.people:
        return Text(f"{one_line(title)}\n\n{one_line(as_typed(moment.reason or '') or 'nobody is there')}")
    shown = _NARROW if width < _WIDE else tuple(range(len(_COLUMNS)))
    table = Table(box=box.SIMPLE, title=Text(one_line(title)), title_justify="left")
    for k in shown:
        table.add_column(_COLUMNS[k], overflow="fold")
    for one in moment.people:
        cells = _cells(one, moment.seconds)
        table.add_row(*(Text(one_line(cells[k])) for k in shown))
    return table


def _cells(person: SeenPerson, now: float) -> tuple[str, ...]:
    from rekog_emotion.results.moments import looks
    from rekog_emotion.values.wording import age, word

    score = 0.0 if person.leading is None else person.scores[person.leading]
    filled = round(score / 100 * _BAR)
    about = (word(person.face.gender.value) if person.face.gender else "", age(person.face.age_range))
    return (
        str(person.id),
        looks(person),
        f"{'█' * filled}{'░' * (_BAR - filled)} {score:3.0f}" if person.leading else "",
        _clock(now - person.since),
        _clock(now - person.here_since),
        ", ".join(filter(None, about)),
    )


def _clock(seconds: float) -> str:
    """Return a time as a clock shows it."""
    minutes, rest = divmod(max(seconds, 0.0), _MINUTE)
    hours, minutes = divmod(int(minutes), _MINUTE)
    return f"{hours}:{minutes:02}:{int(rest):02}" if hours else f"{minutes}:{int(rest):02}"
