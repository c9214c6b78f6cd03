"""How far something long is, shown where people look: a bar on a terminal or in a notebook, lines in a log."""

from __future__ import annotations

import atexit
import html
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TextIO

from rekog_emotion.text import plain, shown
from rekog_emotion.values.listing import counted
from rekog_emotion.values.progress import OnProgress, Progress

if TYPE_CHECKING:
    from rich.progress import TaskID

__all__ = ["facts", "share", "show_progress"]

_SECONDS_A_LINE: Final = 10.0
_SECONDS_A_FRAME: Final = 0.1
_WIDEST_NAME: Final = 40
_MINUTE, _HOUR = 60, 3600


def show_progress(*, file: TextIO | None = None) -> OnProgress:
    """Return a listener for ``on_progress=`` that shows how far it is.

    On a terminal it is a bar with rate and time left, by rich (the ``cli`` extra), in a notebook a live bar, and
    anywhere else, a log for instance, a line in ten seconds. It is of use for many photos, for a video and for many.

    Args:
        file: Where to; left out, standard error.

    Returns:
        A listener for one call.
    """
    if file is None and _in_notebook():
        return _Notebook()
    place = sys.stderr if file is None else file
    if place.isatty():
        try:
            return _Bars(place)
        except ModuleNotFoundError:  # rich, which is an extra
            pass
    return _Lines(place)


def _in_notebook() -> bool:
    """Tell whether a notebook runs this: nobody is in one without having imported IPython."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class _Lines:
    """Writes a line in ten seconds, and one at the end."""

    def __init__(self, file: TextIO, *, now: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._now = now
        self._next = now() + _SECONDS_A_LINE

    def __call__(self, progress: Progress) -> None:
        if progress.event != "ENDED" and self._now() < self._next:
            return
        self._next = self._now() + _SECONDS_A_LINE
        print(plain(_line(progress)), file=self._file, flush=True)


class _Bars:
    """Shows a bar a task on a terminal, with the lines that are printed meanwhile above them."""

    def __init__(self, file: TextIO) -> None:
        from rich import progress as rich  # noqa: PLC0415 -- an extra
        from rich.console import Console  # noqa: PLC0415 -- likewise

        columns = (
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(),
            rich.TextColumn("{task.fields[facts]}", markup=False),
        )
        # What goes to a program is not to go to the terminal.
        self._progress = rich.Progress(
            *columns,
            console=Console(file=file),
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=file is sys.stderr,
        )
        self._tasks: dict[str, TaskID] = {}
        self._open: set[str] = set()

    def __call__(self, progress: Progress) -> None:
        name, (done, total) = _name(progress), share(progress)
        if name not in self._tasks:
            if not self._open:
                self._progress.start()
                atexit.register(self._progress.stop)  # or the cursor would stay hidden
            self._tasks[name] = self._progress.add_task(_described(name), total=None, facts="")
            self._open.add(name)
        self._progress.update(self._tasks[name], completed=done, total=total, facts=plain(facts(progress)))
        if _is_last(progress):
            self._open.discard(name)
            if not self._open:
                self._progress.refresh()
                self._progress.stop()
                atexit.unregister(self._progress.stop)


class _Notebook:
    """Shows a bar a task below the cell, which is replaced as it goes on."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._next = 0.0
        self._tasks: dict[str, Progress] = {}
        self._handle: Any = None

    def __call__(self, progress: Progress) -> None:
        self._tasks[_name(progress)] = progress
        if not _is_last(progress) and self._now() < self._next:
            return
        self._next = self._now() + _SECONDS_A_FRAME
        display: Any = import_module("IPython.display")  # it is there in every notebook
        page = display.HTML("".join(map(_html, self._tasks.values())))
        if self._handle is None:
            self._handle = display.display(page, display_id=True)
        else:
            self._handle.update(page)


def _html(progress: Progress) -> str:
    done, total = share(progress)
    value = "" if total is None else f' value="{done:.6g}" max="{total:.6g}"'
    words = html.escape(f"{_described(_name(progress))} {facts(progress)}")
    return f'<div><progress{value} style="width: 20em"></progress> {words}</div>'


def _name(progress: Progress) -> str:
    """Return what a bar is about: photos have one together, videos one each."""
    if progress.done is not None:
        return "photos"
    return progress.source or "video"


def _described(name: str) -> str:
    return shown(name) if len(name) <= _WIDEST_NAME else f"...{shown(name[-_WIDEST_NAME:])}"


def _is_last(progress: Progress) -> bool:
    """Tell whether nothing is waited for any more: of a video, that its pages come in."""
    return progress.event in {"ENDED", "PAGE"}


def share(progress: Progress) -> tuple[float, float | None]:
    """Return how much is done, and of how much, as far as that is known."""
    if progress.done is not None:
        return progress.done + (progress.failed or 0) + (progress.skipped or 0), progress.total
    if progress.event == "PAGE":
        return 1, 1
    if progress.fraction is not None:
        return progress.fraction, 1
    return progress.bytes_done or 0, progress.bytes_total


def _line(progress: Progress) -> str:
    return f"{_described(_name(progress))}: {facts(progress)}"


def facts(progress: Progress) -> str:
    """Say how far it is."""
    if progress.done is not None:
        return _facts_of_photos(progress)
    if progress.fraction is not None:
        left = "" if progress.seconds_left is None else f", {_duration(progress.seconds_left)} left"
        return f"looking, {progress.fraction:.0%}{left}"
    return {
        "UPLOADING": f"uploading, {(progress.bytes_done or 0) / 1e6:.1f} of {(progress.bytes_total or 0) / 1e6:.1f} MB",
        "WAITING_FOR_SLOT": "waiting for a free slot",
        "PAGE": f"reading, {counted(progress.faces or 0, 'face', 'faces')}",
    }.get(progress.event, "waiting for the job")


def _facts_of_photos(progress: Progress) -> str:
    came = (progress.done or 0) + (progress.failed or 0) + (progress.skipped or 0)
    facts = [f"{came} of {progress.total}" if progress.total is not None else str(came)]
    for number, word in (
        (progress.failed, "failed"),
        ((progress.skipped or 0) - (progress.failed_before or 0), "done before"),
        (progress.failed_before, "failed before"),
        (progress.left_out, "left out"),
    ):
        if number:
            facts.append(f"{number} {word}")
    if progress.rate:
        facts.append(f"{progress.rate:.1f}/s" if progress.rate >= 1 else f"{progress.rate * _MINUTE:.1f}/min")
    if progress.seconds_left is not None and progress.event != "ENDED":
        facts.append(f"{_duration(progress.seconds_left)} left")
    return ", ".join(facts)


def _duration(seconds: float) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h"
