"""The faces of an analysis: a tuple that shows itself as a table, with thumbnails where the file is at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self, SupportsIndex, TypeVar, overload

from rekog_emotion.values.faces import Face
from rekog_emotion.values.listing import Listing
from rekog_emotion.values.telling import told_face
from rekog_emotion.values.videos import TimedFace

__all__ = ["Faces"]

T_co = TypeVar("T_co", bound=Face | TimedFace, covariant=True)


class Faces(Listing, tuple[T_co, ...]):  # noqa: SLOT001 -- a tuple can have no slots of its own
    """Faces of a picture or a video, in its order; in all else a tuple.

    Args:
        faces: The faces.
        source: Path or address of what was analysed, for thumbnails.
        size: Its width and height in pixels.
    """

    _one, _many = "face", "faces"

    source: str | None
    size: tuple[int, int] | None

    def __new__(
        cls, faces: Iterable[T_co] = (), *, source: str | None = None, size: tuple[int, int] | None = None
    ) -> Self:
        """Make the tuple; one that is made already stays, if it is of the same source."""
        if type(faces) is cls and (faces.source, faces.size) == (source, size):
            return faces
        made = super().__new__(cls, faces)
        made.source, made.size = source, size
        return made

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> T_co: ...
    @overload
    def __getitem__(self, index: slice, /) -> Faces[T_co]: ...
    def __getitem__(self, index: Any, /) -> Any:
        """Return a face, or some of them."""
        found = super().__getitem__(index)
        return Faces(found, source=self.source, size=self.size) if isinstance(index, slice) else found

    def _lines(self, items: Iterable[object]) -> Iterator[str]:
        for one in items:
            if isinstance(one, TimedFace):
                when = "" if one.seconds is None else f"{one.seconds:.1f} s  "
                yield f"{when}{told_face(one.face)}"
            elif isinstance(one, Face):
                yield told_face(one)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from rekog_emotion.results.face_tables import faces_html

        return faces_html(self, source=self.source, size=self.size)
