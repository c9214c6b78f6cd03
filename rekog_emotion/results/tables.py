"""Faces as rows of a table: one row a face, always the same columns, for pandas, Arrow, Parquet, CSV and JSON Lines.

Every function takes one analysis, several, or any iterable of them, be it a list, a generator or what a verb for many
gives: of an outcome the analysis counts, and one that is an error has no rows, which the log says.

An emotion is how a face looks, not what a person feels; that holds for a column of them as well.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.writing import Writable, text_file
from rekog_emotion.people.tables import Cells, frame_of
from rekog_emotion.results.protocols import Analyses
from rekog_emotion.results.rows import COLUMNS, LANDMARK_COLUMNS, PERSON, Column, Record, cells, columns, records
from rekog_emotion.values.base import short

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = [
    "COLUMNS",
    "LANDMARK_COLUMNS",
    "PERSON",
    "Column",
    "to_arrow",
    "to_pandas",
    "to_records",
    "write_csv",
    "write_parquet",
    "write_records",
]

# With which a spreadsheet takes a cell for a formula; the last four are wide forms of the others.
_FORMULAS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_DELIMITERS: Final = (",", ";", "\t", "|")
_DECIMALS: Final = (".", ",")
_ROW_END: Final = "\r\n"
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1  # of an integer in a column
_ROWS_AT_ONCE: Final = 5000  # of a Parquet file: so many faces are in memory, and in one row group


def to_records(*analyses: Analyses, landmarks: bool = False, people: bool = False) -> Iterator[Record]:
    """Yield one flat dict a face, in the order of the analyses; see ``COLUMNS``.

    Args:
        analyses: Of images and videos, mixed as you like.
        landmarks: Give the columns of the landmarks as well.
        people: Give the column ``person`` as well.

    Yields:
        Plain strings, numbers, booleans and ``None`` by the names of the columns, always all of them.
    """
    return records(analyses, landmarks=landmarks, people=people)


def to_pandas(*analyses: Analyses, landmarks: bool = False, people: bool = False) -> pd.DataFrame:
    """Return a frame with one row a face.

    Args:
        analyses: Of images and videos; ``source`` and ``timestamp_ms`` tell them apart.
        landmarks: Give the columns of the landmarks as well.
        people: Give the column ``person`` as well: who is who in a video, by the ids of ``tracks()`` and
            ``timeline()``. Needs the ``timeline`` extra.

    Returns:
        A frame of the columns ``COLUMNS``, with the same types whatever is in it, also when there are no faces:
        ``string``, ``Int64``, ``boolean``, and ``float64`` with NaN for what is absent.

    Raises:
        MissingExtraError: The ``pandas`` extra is not installed.
        InvalidInputError: An integer does not fit into 64 bits, or an answer is of a job that has not succeeded.
    """
    return frame_of(_filled(analyses, landmarks=landmarks, people=people))


def _filled(analyses: Sequence[Analyses], *, landmarks: bool, people: bool) -> Iterator[Cells]:
    """Yield the columns; a generator of analyses, whose calls are paid for, is not begun before the first is wanted."""
    named = columns(landmarks=landmarks, people=people)
    found = [*zip(*cells(analyses, landmarks=landmarks, people=people), strict=True)] or [()] * len(named)
    by_column = {column.name: list(one) for column, one in zip(named, found, strict=True)}
    for column in named:
        for cell in by_column[column.name] if column.type is int else ():
            if cell is not None and not _SMALLEST <= cell <= _LARGEST:
                msg = f"a number does not fit into its column of 64 bits: {column.name} is {short(0)(cell)}"
                raise InvalidInputError(msg)
    yield from ((column.name, column.type, by_column[column.name]) for column in named)


def to_arrow(*analyses: Analyses, nested: bool = False, landmarks: bool = False, people: bool = False) -> pa.Table:
    """Return an Arrow table with one row a face.

    Args:
        analyses: Of images and videos.
        nested: Give the members as structs and lists, as the values here have them, with all landmarks, instead of
            flat columns.
        landmarks: Give the flat columns of the landmarks as well.
        people: See :func:`to_pandas`.

    Returns:
        A table whose schema does not depend on what is in it. polars and DuckDB read it as it stands.

    Raises:
        MissingExtraError: The ``arrow`` extra is not installed.
        InvalidInputError: An integer does not fit into 64 bits, or an answer is of a job that has not succeeded.
    """
    from rekog_emotion.results.arrow import Sink

    sink = Sink(nested=nested, landmarks=landmarks, people=people)
    return sink.table(sink.rows(analyses))


def write_parquet(
    path: str | os.PathLike[str],
    analyses: Analyses,
    *,
    nested: bool = False,
    landmarks: bool = False,
    people: bool = False,
) -> int:
    """Write a Parquet file with one row a face, in pieces: memory does not grow with the number of analyses.

    The file appears under its name when it is whole; where writing fails, what was there stays.

    Args:
        path: Where; the folder has to be there.
        analyses: Any iterable, for example a generator that analyses one photo after the other.
        nested: See :func:`to_arrow`.
        landmarks: See :func:`to_arrow`.
        people: See :func:`to_pandas`.

    Returns:
        The number of rows.

    Raises:
        MissingExtraError: The ``arrow`` extra is not installed.
        InvalidInputError: Nothing can be written there; an integer does not fit into 64 bits, or an answer is of a job
            that has not succeeded.
        OSError: The disk is full, for instance.
    """
    from rekog_emotion.results.arrow import Sink

    sink = Sink(nested=nested, landmarks=landmarks, people=people)
    return sink.write(Path(path), sink.rows(analyses), rows_at_once=_ROWS_AT_ONCE)


def write_csv(
    file: str | os.PathLike[str] | Writable,
    analyses: Analyses,
    *,
    landmarks: bool = False,
    people: bool = False,
    delimiter: str = ",",
    decimal: str = ".",
) -> int:
    """Write the flat table as CSV with a heading, row by row.

    A cell of text that a spreadsheet would take for a formula (a file name that begins with ``=``, say) gets an
    apostrophe in front.

    Args:
        file: A path, or a text file that was opened with ``newline=""``. The file of a path appears under its name
            when it is whole, and begins with the mark (BOM) by which Excel knows UTF-8; read it as ``utf-8-sig``.
        analyses: Any iterable.
        landmarks: Write the columns of the landmarks as well.
        people: See :func:`to_pandas`.
        delimiter: Between two cells; spreadsheets set to most European languages want ``";"``.
        decimal: Sign of decimals; these want ``","``.

    Returns:
        The number of rows below the heading.

    Raises:
        InvalidInputError: Nothing can be written there, or the delimiter or the sign of decimals cannot be used.
        OSError: The disk is full, for instance.
    """
    if delimiter not in _DELIMITERS or decimal not in _DECIMALS or delimiter == decimal:
        msg = (
            f"delimiter={delimiter!r} and decimal={decimal!r} make no CSV: the first is one of "
            f"{', '.join(map(repr, _DELIMITERS))}, the second '.' or ',', and they differ"
        )
        raise InvalidInputError(msg)
    names = [column.name for column in columns(landmarks=landmarks, people=people)]
    number = 0
    with text_file(file, encoding="utf-8-sig") as out:
        writer = csv.DictWriter(_Rows(out), names, lineterminator=_ROW_END, delimiter=delimiter)
        writer.writeheader()
        for record in records(analyses, landmarks=landmarks, people=people):
            with _written():
                writer.writerow({name: _harmless(cell, decimal) for name, cell in record.items()})
            number += 1
    return number


def write_records(
    file: str | os.PathLike[str] | Writable, analyses: Analyses, *, landmarks: bool = False, people: bool = False
) -> int:
    """Write the flat table as JSON Lines, one object a face.

    Args:
        file: A path, whose file appears when it is whole, or a text file.
        analyses: Any iterable.
        landmarks: Write the columns of the landmarks as well.
        people: See :func:`to_pandas`.

    Returns:
        The number of lines.

    Raises:
        InvalidInputError: Nothing can be written there.
        OSError: The disk is full, for instance.
    """
    number = 0
    with text_file(file) as out:
        for record in records(analyses, landmarks=landmarks, people=people):
            with _written():
                line = json.dumps(record, allow_nan=False)
            out.write(line + "\n")
            number += 1
    return number


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except ValueError as error:  # NaN and infinity in JSON; an integer of over 4300 digits
        msg = f"a number cannot be written: {error}"
        raise InvalidInputError(msg) from error


@frozen
class _Rows:
    """A file that gets rows of CSV, each of which ends a line of Unix.

    The writer quotes whatever is in its own end of a row: the CR of a name, too, else another row began behind it.
    """

    file: Writable

    def write(self, row: str) -> object:
        return self.file.write(f"{row.removesuffix(_ROW_END)}\n")


def _harmless(cell: object, decimal: str) -> object:
    if decimal != "." and isinstance(cell, float):
        return str(cell).replace(".", decimal)
    if isinstance(cell, str) and (cell.startswith(("\t", "\r", "\n")) or cell.lstrip().startswith(_FORMULAS)):
        return f"'{cell}"
    return cell
