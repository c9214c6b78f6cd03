"""What analyses of images and videos can be turned into, alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, cast

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.writing import output_file
from rekog_emotion.results import documents

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from rekog_emotion.results.protocols import AnyFaces

__all__ = ["Outputs", "number_of"]

_CLASSES: Final = {"image": "ImageAnalysis", "video": "VideoAnalysis"}


def number_of(faces: tuple[object, ...]) -> str:
    """Say in the repr of an analysis how many faces it has."""
    return "<1 face>" if len(faces) == 1 else f"<{len(faces)} faces>"


class Outputs:
    """The methods that analyses of images and of videos share: tables and JSON of one analysis."""

    __slots__ = ()

    _kind: ClassVar[str]

    def to_aws(self) -> dict[str, Any]:
        """Return the service's own answer."""
        raise NotImplementedError

    @classmethod
    def from_document(cls, document: documents.Document) -> Self:
        """Return the analysis that a document of its kind holds."""
        raise NotImplementedError

    def _beside(self) -> dict[str, object]:
        """Return what a document has beside the answer."""
        raise NotImplementedError

    def to_records(self, *, landmarks: bool = False, people: bool = False) -> Iterator[dict[str, Any]]:
        """Yield one flat dict a face, always with the same names.

        Args:
            landmarks: Give the coordinates of the landmarks as well.
            people: Give the column ``person`` as well: who is who in a video, by the ids of ``tracks()`` and
                ``timeline()``. Needs the ``timeline`` extra.
        """
        from rekog_emotion.results import tables

        return tables.to_records(cast("AnyFaces", self), landmarks=landmarks, people=people)

    def to_pandas(self, *, landmarks: bool = False, people: bool = False) -> pd.DataFrame:
        """Return a frame with one row a face, typed also when there are none.

        Args:
            landmarks: Give the coordinates of the landmarks as well.
            people: Give the column ``person`` as well: who is who in a video, by the ids of ``tracks()`` and
                ``timeline()``. Needs the ``timeline`` extra.

        Raises:
            MissingExtraError: The ``pandas`` extra is not installed.
            InvalidInputError: An integer does not fit into 64 bits.
        """
        from rekog_emotion.results import tables

        return tables.to_pandas(cast("AnyFaces", self), landmarks=landmarks, people=people)

    def to_arrow(self, *, nested: bool = False, landmarks: bool = False, people: bool = False) -> pa.Table:
        """Return an Arrow table with one row a face.

        Args:
            nested: Give the members as structs and lists instead of flat columns.
            landmarks: Give the flat coordinates of the landmarks as well; the nested form has them anyway.
            people: As for :meth:`to_pandas`.

        Raises:
            MissingExtraError: The ``arrow`` extra is not installed.
            InvalidInputError: An integer does not fit into 64 bits.
        """
        from rekog_emotion.results import tables

        return tables.to_arrow(cast("AnyFaces", self), nested=nested, landmarks=landmarks, people=people)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Give the table to whatever reads Arrow: ``polars.DataFrame(photo)``, ``duckdb.from_arrow(photo)``."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def write_parquet(
        self, path: str | os.PathLike[str], *, nested: bool = False, landmarks: bool = False, people: bool = False
    ) -> int:
        """Write a Parquet file with one row a face, and return the number of rows.

        Args:
            path: Where; the folder has to be there.
            nested: As for :meth:`to_arrow`.
            landmarks: As for :meth:`to_arrow`.
            people: As for :meth:`to_pandas`.

        Raises:
            MissingExtraError: The ``arrow`` extra is not installed.
            InvalidInputError: An integer does not fit into 64 bits.
            OSError: The file cannot be written.
        """
        from rekog_emotion.results import tables

        return tables.write_parquet(path, [cast("AnyFaces", self)], nested=nested, landmarks=landmarks, people=people)

    def write_csv(self, path: str | os.PathLike[str], *, landmarks: bool = False) -> int:
        """Write the flat table as CSV that spreadsheets open, and return the number of rows below the heading.

        It begins with the mark (BOM) by which Excel knows UTF-8; read it as ``utf-8-sig``. A cell that a spreadsheet
        would take for a formula gets an apostrophe in front.

        Args:
            path: Where; the folder has to be there. The file appears when it is whole.
            landmarks: Give the coordinates of the landmarks as well.

        Raises:
            OSError: The file cannot be written.
        """
        from rekog_emotion.results import tables

        with output_file(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
            return tables.write_csv(file, [cast("AnyFaces", self)], landmarks=landmarks)

    def to_json(self, *, indent: int | None = None) -> str:
        """Return a versioned JSON document that :meth:`from_json` reads back without loss.

        Args:
            indent: Spaces a level; left out, all is on one line.

        Raises:
            InvalidInputError: A number is NaN or infinite, which JSON cannot hold.
        """
        return documents.written(self._kind, self.to_aws(), indent=indent, **self._beside())

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what :meth:`to_json` wrote, or the service's own answer.

        Raises:
            InvalidInputError: It is no JSON, no analysis, or one of the other kind; or a later version wrote it.
            ResponseError: A member of the answer has the wrong type.
        """
        document = documents.parsed(text)
        documents.check_analysis(document)
        if document.kind != cls._kind:
            msg = f"the JSON holds {_CLASSES[document.kind]}, not {cls.__name__}: read it with that class"
            raise InvalidInputError(msg)
        return cls.from_document(document)
