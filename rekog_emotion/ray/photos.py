"""The rows of a dataset that photos are in, whichever way: their columns, and the photos with their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.sources.naming import name_of

with needs("ray", "Ray Data"):
    import numpy as np
    import pyarrow as pa

__all__ = ["Photos", "check_columns", "column_of"]

# Where Ray's readers and `from_items` put pictures, their bytes, and paths.
_COLUMNS: Final = ("image", "bytes", "path", "uri", "url", "source", "item")
_NAMES: Final = ("path", "uri", "source")  # which say where the content of another column is from


def column_of(columns: Sequence[str], named: str | None) -> str:
    """Return the column that has the photos.

    Args:
        columns: Those that there are.
        named: The caller's.

    Raises:
        InvalidInputError: It is not there, or none is known to have photos.
    """
    there = ", ".join(map(repr, columns)) or "none"
    if named is not None:
        if named not in columns:
            msg = f"source_column={named!r}: the dataset has no such column; it has {there}"
            raise InvalidInputError(msg)
        return named
    for column in _COLUMNS:
        if column in columns:
            return column
    msg = f"no column of the dataset is known to have photos (it has {there}): name it by source_column="
    raise InvalidInputError(msg)


def check_columns(named: Sequence[str], faces: Sequence[str], dataset: Sequence[str] | None) -> None:
    """Check the columns that a caller wants.

    Args:
        named: The caller's.
        faces: Those that are known of a face.
        dataset: Those of the caller's own dataset; ``None`` without one.

    Raises:
        InvalidInputError: There is no such column.
    """
    for name in named:
        if name in faces or name in (dataset or ()):
            continue
        if dataset is None:
            msg = f"columns= has {name!r}, which is no column of faces; others come from a dataset that is the source="
        else:
            there = ", ".join(map(repr, dataset)) or "none"
            msg = f"columns= has {name!r}, which is neither a column of faces nor of the dataset, which has {there}"
        raise InvalidInputError(msg)


class Photos:
    """A batch of a dataset.

    Args:
        batch: As Ray gives it: a table, a frame, or arrays by their names.
        column: That has the photos; left out, it is found.
    """

    def __init__(self, batch: Any, column: str | None) -> None:  # noqa: ANN401 -- a table, a frame or a mapping
        self._batch = batch
        columns = self.columns
        column = column_of(columns, column)
        self.sources = [_photo(one) for one in self._cells(column)]
        whence = next((name for name in _NAMES if name in columns and name != column), None)
        names = [None] * len(self.sources) if whence is None else self._cells(whence)
        self.names = [
            str(name) if isinstance(name, str) else name_of(source)
            for source, name in zip(self.sources, names, strict=True)
        ]

    @property
    def columns(self) -> list[str]:
        """The columns of the batch."""
        if isinstance(self._batch, pa.Table):
            return list(self._batch.column_names)
        return list(self._batch)

    def _cells(self, column: str) -> Sequence[Any]:
        cells = self._batch[column]
        if isinstance(cells, pa.ChunkedArray):
            kind = cells.type
            if isinstance(kind, pa.ExtensionType):  # Ray's own, of arrays
                return [one for chunk in cells.chunks for one in chunk.to_numpy(zero_copy_only=False)]
            return list(cells.to_pylist())
        return list(cells)

    def carried(self, column: str, rows: Sequence[int]) -> pa.ChunkedArray:
        """Return a column of the batch for rows, each of the photo of a number."""
        cells = self._batch[column]
        if not isinstance(cells, pa.ChunkedArray):
            cells = pa.chunked_array([pa.array(cells, from_pandas=True)])
        return cells.take(pa.array(rows, pa.int64()))


def _photo(cell: Any) -> Any:  # noqa: ANN401 -- whatever a column has
    """Return a cell as what is analysed."""
    if isinstance(cell, np.str_):
        return str(cell)
    return bytes(cell) if isinstance(cell, np.bytes_) else cell
