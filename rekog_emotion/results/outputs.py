"""What analyses of images and videos can be turned into, alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, cast

from attrs import evolve

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.results import documents
from rekog_emotion.results.reliable import MAX_PITCH, MAX_YAW, MIN_SHARPNESS, MIN_SIZE, Criteria
from rekog_emotion.values.faces import Face
from rekog_emotion.values.videos import TimedFace

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from rekog_emotion.results.protocols import AnyFaces

__all__ = ["Outputs"]

_CLASSES: Final = {"image": "ImageAnalysis", "video": "VideoAnalysis"}


def _face_of(one: Face | TimedFace) -> Face | None:
    return one.face if isinstance(one, TimedFace) else one


class Outputs:
    """The methods that analyses of images and of videos share: reliable faces, tables and JSON of one analysis."""

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

    def reliable(
        self,
        *,
        min_sharpness: float | None = MIN_SHARPNESS,
        min_brightness: float | None = None,
        max_yaw: float | None = MAX_YAW,
        max_pitch: float | None = MAX_PITCH,
        min_size: float | None = MIN_SIZE,
        min_confidence: float | None = None,
        covered: bool = True,
    ) -> Self:
        """Return an analysis of the faces of which more can be said than that they are there.

        The others are in its ``left_out``, each with the reason. What the analysis does not say of a face leaves none
        out, nor does a limit of ``None``. The defaults are explained in `rekog_emotion.results.reliable`.

        Args:
            min_sharpness: Of 0 to 100.
            min_brightness: Of 0 to 100.
            max_yaw: Degrees that the head may be turned to either side.
            max_pitch: Degrees that it may be turned up or down.
            min_size: Pixels of the shorter side of the box, where the size of the picture or the video is known.
            min_confidence: That it is a face, 0 to 100.
            covered: Keep faces of which something covers a part, which is never said of videos.

        Raises:
            InvalidInputError: A limit is no number from 0 on.
        """
        criteria = Criteria(
            min_sharpness=min_sharpness,
            min_brightness=min_brightness,
            max_yaw=max_yaw,
            max_pitch=max_pitch,
            min_size=min_size,
            min_confidence=min_confidence,
            covered=covered,
        )
        analysis: Any = self
        faces, left_out = criteria.sorted(analysis.faces, face_of=_face_of, size=analysis.size)
        reliable: Self = evolve(analysis, faces=faces, left_out=(*analysis.left_out, *left_out))
        return reliable

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
            InvalidInputError: Nothing can be written there, or an integer does not fit into 64 bits.
            OSError: The disk is full, for instance.
        """
        from rekog_emotion.results import tables

        return tables.write_parquet(path, [cast("AnyFaces", self)], nested=nested, landmarks=landmarks, people=people)

    def write_csv(
        self,
        path: str | os.PathLike[str],
        *,
        landmarks: bool = False,
        people: bool = False,
        delimiter: str = ",",
        decimal: str = ".",
    ) -> int:
        """Write the flat table as CSV that spreadsheets open, and return the number of rows below the heading.

        It begins with the mark (BOM) by which Excel knows UTF-8; read it as ``utf-8-sig``. A cell that a spreadsheet
        would take for a formula gets an apostrophe in front.

        Args:
            path: Where; the folder has to be there. The file appears when it is whole.
            landmarks: Give the coordinates of the landmarks as well.
            people: As for :meth:`to_pandas`.
            delimiter: Between two cells; Excel set to most European languages wants ``";"``.
            decimal: Sign of decimals; it wants ``","`` then.

        Raises:
            InvalidInputError: Nothing can be written there, or the delimiter or the sign of decimals cannot be used.
            OSError: The disk is full, for instance.
        """
        from rekog_emotion.results import tables

        return tables.write_csv(
            path,
            [cast("AnyFaces", self)],
            landmarks=landmarks,
            people=people,
            delimiter=delimiter,
            decimal=decimal,
        )

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
