"""Tables of pandas and Arrow, whose columns have the same types whatever is in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rekog_emotion.errors import needs

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Cells", "Tabular", "frame_of"]

Cells: TypeAlias = tuple[str, type, Any]
"""Name of a column, what it holds (``str``, ``int``, ``float`` or ``bool``), and its cells: a sequence or an array."""

_DTYPES: Final[dict[type, Any]] = {str: "string", int: "Int64", bool: "boolean", float: "float64"}


def frame_of(columns: Iterable[Cells]) -> pd.DataFrame:
    """Return a frame of some columns.

    Raises:
        MissingExtraError: The ``pandas`` extra is not installed.
    """
    with needs("pandas", "A data frame"):
        import pandas as pd  # noqa: PLC0415 -- an extra
    return pd.DataFrame({name: pd.Series(cells, dtype=_DTYPES[kind]) for name, kind, cells in columns})


class Tabular:
    """The methods of what is a table by itself."""

    __slots__ = ()

    def _table(self) -> Sequence[Cells]:
        """Return the columns."""
        raise NotImplementedError

    def to_pandas(self) -> pd.DataFrame:
        """Return a frame, typed also when there is nothing in it.

        Raises:
            MissingExtraError: The ``pandas`` extra is not installed.
        """
        return frame_of(self._table())

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table, of one schema whatever is in it.

        Raises:
            MissingExtraError: The ``arrow`` extra is not installed.
        """
        with needs("arrow", "An Arrow table"):
            import pyarrow as pa  # noqa: PLC0415 -- an extra
        types = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), float: pa.float64()}
        # What pandas calls NaN is a cell without a value.
        return pa.table({name: pa.array(cells, types[kind], from_pandas=True) for name, kind, cells in self._table()})

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Give the table to whatever reads Arrow: ``polars.DataFrame(...)``, ``duckdb.from_arrow(...)``."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)
