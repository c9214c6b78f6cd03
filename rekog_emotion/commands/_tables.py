"""Tables on a terminal: in columns where they fit, else a block a row, so that no cell is cut."""

from __future__ import annotations

import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Final

from rekog_emotion.commands._terminal import one_line, say

__all__ = ["print_table"]

_GAP: Final = 2  # between two columns
_LEAST: Final = 12  # of the last column, which alone is broken: in less, its lines are too many to be read
_NARROWEST: Final = 30  # a terminal of less breaks the lines itself
_SET_IN: Final = "  "


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table to standard output: by rich where the ``cli`` extra is installed, else in plain text.

    A terminal that is too narrow for the columns gets a block a row, with a line a cell that is not empty.

    Args:
        columns: The headings; where a line is too long for the terminal, the last column is broken.
        rows: As many cells each as there are columns.
    """
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    cells = [[one_line(cell) for cell in row] for row in rows]
    try:
        import rich  # noqa: F401 -- an extra
    except ModuleNotFoundError:
        _print_plain(columns, cells, width)
        return
    from rich.cells import cell_len
    from rich.console import Console

    table = _columns if _fits(columns, cells, width, cell_len) else _blocks
    # Of a terminal that can do little, rich takes the width for 80.
    Console(file=sys.stdout, width=width, height=shutil.get_terminal_size().lines).print(table(columns, cells))


def _fits(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, length: Callable[[str], int]
) -> list[int] | None:
    """Return the widths of columns that a terminal has room for, or nothing."""
    *fixed, last = (max(map(length, cells)) for cells in zip(columns, *rows, strict=True))
    words = (length(word) for cells in (columns, *rows) for word in cells[-1].split())
    room = width - sum(fixed) - _GAP * len(fixed)
    return [*fixed, min(last, room)] if room >= min(last, max(_LEAST, *words, 0)) else None


def _columns(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:  # noqa: ANN401 -- rich is an extra
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for i, column in enumerate(columns, start=1):
        table.add_column(Text(column), no_wrap=i < len(columns))
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:  # noqa: ANN401 -- rich is an extra
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        for name, cell in _block(columns, row):
            style = "" if name.startswith(_SET_IN) else "bold"
            table.add_row(Text(name, style=style), Text(cell, style=style))
    return table


def _block(columns: Sequence[str], row: Sequence[str]) -> list[tuple[str, str]]:
    """Return the lines of one row: those below the first are set in."""
    cells = zip(columns, row, strict=True)
    return [(name if i == 0 else _SET_IN + name, cell) for i, (name, cell) in enumerate(cells) if cell]


def _print_plain(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> None:
    fitting = _fits(columns, rows, width, _length)
    if fitting is not None:
        for line in (columns, *rows):
            _print_line(line, fitting)
        return
    names = max((_length(name) for row in rows for name, _ in _block(columns, row)), default=0)
    for row in rows:
        for line in _block(columns, row):
            _print_line(line, [names, max(width - names - _GAP, 1)])


def _print_line(cells: Sequence[str], widths: Sequence[int]) -> None:
    """Print the cells of a line, the last one on as many as it needs."""
    *fixed, last = cells
    *padded, room = widths
    start = "".join(cell + " " * (width + _GAP - _length(cell)) for cell, width in zip(fixed, padded, strict=True))
    for i, part in enumerate(textwrap.wrap(last, room) or [""]):
        say(f"{start if i == 0 else ' ' * _length(start)}{part}".rstrip())


def _length(text: str) -> int:
    """Return how many places of a terminal a text takes: signs of East Asia take two, marks on others none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )
