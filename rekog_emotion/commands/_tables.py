"""Tables on a terminal: in columns where they fit, else a block a row, so that no cell is cut."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from rekog_emotion.commands._terminal import one_line, say

__all__ = ["Layout", "print_table"]

_GAP: Final = 2  # between two columns
_LEAST: Final = 12  # of the last column, which alone is broken: in less, its lines are too many to be read
_NARROWEST: Final = 30  # a terminal of less breaks the lines itself
_SET_IN: Final = "  "


class Layout(NamedTuple):
    """How a table was printed.

    Attributes:
        columns: The headings.
        widths: Places of a terminal that each column has.
    """

    columns: tuple[str, ...]
    widths: list[int]


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, above: Layout | None = None, likely: Sequence[str] = ()
) -> Layout | None:
    """Print a table to standard output: by rich where the ``cli`` extra is installed, else in plain text.

    A terminal that is too narrow for the columns gets a block a row, with a line a cell that is not empty.

    Args:
        columns: The headings; where a line is too long for the terminal, the last column is broken.
        rows: As many cells each as there are columns.
        above: How the table above was printed: where this one fits below it, its headings are those.
        likely: The widest cells that tables below may have, as many as there are columns: where this table is too wide
            for the headings above, its own have room for these.

    Returns:
        How it was printed; nothing where it has no columns.
    """
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    cells = [[one_line(cell) for cell in row] for row in rows]
    try:
        import rich  # noqa: F401 -- an extra
    except ModuleNotFoundError:
        return _print_plain(columns, cells, width, above, likely)
    from rich.cells import cell_len
    from rich.console import Console

    fitting = _fits(columns, cells, width, cell_len)
    if fitting is None:
        layout, table = None, _blocks(columns, cells, width)
    else:
        widths, is_below = _below(above, columns, fitting, width, likely)
        layout, table = Layout(tuple(columns), widths), _columns(columns, cells, widths, heads=not is_below)
    # Of a terminal that can do little, rich takes the width for 80.
    console = Console(file=sys.stdout, width=width, height=shutil.get_terminal_size().lines)
    with console.capture() as captured:
        console.print(table)
    sys.stdout.write(captured.get())  # rich would write past what keeps a bar below the lines that are printed
    sys.stdout.flush()
    return layout


def _below(
    above: Layout | None, columns: Sequence[str], least: list[int], width: int, likely: Sequence[str]
) -> tuple[list[int], bool]:
    """Return the widths of columns, and whether they are those of the table above, which has the headings.

    Args:
        above: How the table above was printed.
        columns: The headings.
        least: The widths that the cells need.
        width: Of the terminal.
        likely: Cells of the tables to come.
    """
    if above is None or above.columns != tuple(columns):
        return least, False
    both = [*map(max, least, above.widths)]
    room = width - sum(both) - _GAP * (len(both) - 1)
    if room < 0 or both == above.widths:
        return (least, False) if room < 0 else (both, True)
    for place, cell in enumerate(likely):
        more = min(max(len(cell) - both[place], 0), room)
        both[place], room = both[place] + more, room - more
    return both, False


def _fits(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, length: Callable[[str], int]
) -> list[int] | None:
    """Return the widths of columns that a terminal has room for, or nothing."""
    *fixed, last = (max(map(length, cells)) for cells in zip(columns, *rows, strict=True))
    words = (length(word) for cells in (columns, *rows) for word in cells[-1].split())
    room = width - sum(fixed) - _GAP * len(fixed)
    return [*fixed, min(last, room)] if room >= min(last, max(_LEAST, *words, 0)) else None


def _columns(columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], *, heads: bool) -> Any:  # noqa: ANN401 -- rich is an extra
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, show_header=heads, pad_edge=False, padding=(0, 1, 0, 0))
    # Rich would cut what just fits by the spaces that it breaks at.
    for cell, width in zip((*columns[:-1], _broken(columns[-1], widths[-1])), widths, strict=True):
        table.add_column(Text(cell), no_wrap=True, min_width=width)
    for row in rows:
        table.add_row(*map(Text, (*row[:-1], _broken(row[-1], widths[-1]))))
    return table


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Any:  # noqa: ANN401 -- rich is an extra
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    room = _room(columns, rows, width)
    for row in rows:
        for name, cell in _block(columns, row):
            style = "" if name.startswith(_SET_IN) else "bold"
            table.add_row(Text(name, style=style), Text(_broken(cell, room), style=style))
    return table


def _block(columns: Sequence[str], row: Sequence[str]) -> list[tuple[str, str]]:
    """Return the lines of one row: those below the first are set in."""
    cells = zip(columns, row, strict=True)
    return [(name if i == 0 else _SET_IN + name, cell) for i, (name, cell) in enumerate(cells) if cell]


def _print_plain(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, above: Layout | None, likely: Sequence[str]
) -> Layout | None:
    fitting = _fits(columns, rows, width, _length)
    if fitting is not None:
        widths, is_below = _below(above, columns, fitting, width, likely)
        for line in rows if is_below else (columns, *rows):
            _print_line(line, widths)
        return Layout(tuple(columns), widths)
    room = _room(columns, rows, width)
    for row in rows:
        for cells in _block(columns, row):
            _print_line(cells, [width - room - _GAP, room])
    return None


def _room(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> int:
    """Return the places that the cells of blocks have."""
    names = max((_length(name) for row in rows for name, _ in _block(columns, row)), default=0)
    return max(width - names - _GAP, 1)


def _print_line(cells: Sequence[str], widths: Sequence[int]) -> None:
    """Print the cells of a line, the last one on as many as it needs."""
    *fixed, last = cells
    *padded, room = widths
    start = "".join(cell + " " * (width + _GAP - _length(cell)) for cell, width in zip(fixed, padded, strict=True))
    for i, part in enumerate(_wrapped(last, room)):
        say(f"{start if i == 0 else ' ' * _length(start)}{part}".rstrip())


def _broken(text: str, room: int) -> str:
    return "\n".join(_wrapped(text, room))


def _wrapped(text: str, room: int) -> list[str]:
    """Return the lines of a text, broken between words, and within those that are longer than a line."""
    lines = [""]
    for word in text.split():
        if lines[-1] and _length(lines[-1]) + 1 + _length(word) <= room:
            lines[-1] += f" {word}"
            continue
        if lines[-1]:
            lines.append("")
        for sign in word:
            if lines[-1] and _length(lines[-1]) + _length(sign) > room:
                lines.append("")
            lines[-1] += sign
    return lines


def _length(text: str) -> int:
    """Return how many places of a terminal a text takes: signs of East Asia take two, marks on others none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )
