"""Arrow schemas of faces, flat and nested, and what fills them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.media.writing import output_file
from rekog_emotion.results import rows as _rows
from rekog_emotion.results.protocols import Analyses
from rekog_emotion.values.base import Value
from rekog_emotion.values.faces import Face
from rekog_emotion.wire.kinds import BOOLEAN, INTEGER, NUMBER, Leaf, Member, One, members

with needs("arrow", "An Arrow table"):
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["FLAT", "FLAT_WITH_LANDMARKS", "NESTED", "Sink"]

_TYPES: Final = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def _flat(*, landmarks: bool, people: bool = False) -> pa.Schema:
    found = _rows.columns(landmarks=landmarks, people=people)
    return pa.schema([pa.field(column.name, _TYPES[column.type]) for column in found])


def _kind(leaf: Leaf) -> type:
    return {NUMBER.expected: float, INTEGER.expected: int, BOOLEAN.expected: bool}.get(leaf.expected, str)


def _type(member: Member) -> pa.DataType:
    if isinstance(member.kind, Leaf):
        return _TYPES[_kind(member.kind)]
    struct = _struct(member.kind.shape)
    return struct if isinstance(member.kind, One) else pa.list_(struct)


def _struct(shape: type[Value]) -> pa.DataType:
    return pa.struct([pa.field(member.attribute, _type(member)) for member in members(shape)])


#: One column a leaf; see `tables.COLUMNS`.
FLAT: Final[pa.Schema] = _flat(landmarks=False)
FLAT_WITH_LANDMARKS: Final[pa.Schema] = _flat(landmarks=True)


def _nested(*, people: bool) -> pa.Schema:
    whence = (pa.field(column.name, _TYPES[column.type]) for column in _rows.whence_columns(people=people))
    return pa.schema([*whence, pa.field("details", _struct(Face))])


#: What is known of the picture, and the face as a struct that has the members of `Face`.
NESTED: Final[pa.Schema] = _nested(people=False)


def _plain(value: Any, member: Member) -> Any:  # noqa: ANN401 -- a value, several, or a leaf
    if value is None:
        return None
    if isinstance(member.kind, Leaf):
        return _rows.plain(value, _kind(member.kind))
    shape = member.kind.shape
    return _members(value, shape) if isinstance(member.kind, One) else [_members(one, shape) for one in value]


def _members(value: Value, shape: type[Value]) -> dict[str, Any]:
    return {member.attribute: _plain(getattr(value, member.attribute), member) for member in members(shape)}


class Sink:
    """Makes Arrow tables of one schema."""

    def __init__(self, *, nested: bool, landmarks: bool, people: bool) -> None:
        self._nested, self._landmarks, self._people = nested, landmarks, people
        self._schema = _nested(people=people) if nested else _flat(landmarks=landmarks, people=people)

    def rows(self, analyses: Analyses) -> Iterator[dict[str, Any]]:
        """Yield a dict a face that fits the schema."""
        if not self._nested:
            return _rows.records(analyses, landmarks=self._landmarks, people=self._people)
        return (
            dict(zip(self._schema.names, [*whence, _members(face, Face)], strict=True))
            for whence, face in _rows.rows(analyses, people=self._people)
        )

    def table(self, rows: Iterable[dict[str, Any]]) -> pa.Table:
        """Return rows as a table."""
        try:
            return pa.Table.from_pylist(list(rows), schema=self._schema)
        except (pa.ArrowInvalid, OverflowError) as error:
            msg = f"a number does not fit into its column of 64 bits: {error}"
            raise InvalidInputError(msg) from error

    def write(self, path: Path, rows: Iterable[dict[str, Any]], *, rows_at_once: int) -> int:
        """Write rows as Parquet, in groups; the file appears when it is whole."""
        rows, number = iter(rows), 0
        with output_file(path) as part, pq.ParquetWriter(part, self._schema) as writer:
            while group := list(islice(rows, rows_at_once)):
                writer.write_table(self.table(group))
                number += len(group)
        return number
