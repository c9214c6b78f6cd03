"""What a picture's analysis gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, field, frozen

from rekog_emotion.results.arguments import Image, Labels, Paint, Picture
from rekog_emotion.results.documents import Document
from rekog_emotion.results.faces import Faces
from rekog_emotion.results.outputs import Outputs
from rekog_emotion.results.reliable import LeftOut
from rekog_emotion.values.base import Value
from rekog_emotion.values.faces import Face
from rekog_emotion.values.telling import told_faces
from rekog_emotion.values.words import OrientationCorrection
from rekog_emotion.wire.answers import engine_of
from rekog_emotion.wire.kinds import OBJECT, Many, wire, word
from rekog_emotion.wire.reading import broken, read_answer, read_members
from rekog_emotion.wire.writing import write_shape

if TYPE_CHECKING:
    import supervision as sv

__all__ = ["ImageAnalysis"]


@frozen(kw_only=True)
class ImageAnalysis(Outputs, Value):
    """The faces of one image, largest first.

    Attributes:
        faces: The faces; empty when there are none.
        size: Width and height in pixels of the picture that the ratios refer to, as a viewer shows it (turned by EXIF);
            ``None`` for an image in S3.
        engine: Who made the analysis: ``"aws"``, ``"embedded"`` or what the client calls itself; ``None`` when unknown.
            Takes no part in equality.
        source: What was analysed: the exact path or address. Takes no part in equality.
        orientation_correction: Not sent since 2018; kept for old recordings.
        response_metadata: What botocore keeps beside the answer (AWS support asks for its ``RequestId``).
        left_out: What ``reliable()`` has left out of ``faces``. Takes no part in equality, and is not written.
    """

    _kind = "image"

    faces: tuple[Face, ...] = field(default=(), repr=told_faces, metadata=wire("FaceDetails", Many(Face)))
    size: tuple[int, int] | None = None
    engine: str | None = field(default=None, eq=False)
    source: str | None = field(default=None, eq=False)
    orientation_correction: OrientationCorrection | str | None = field(
        default=None, metadata=wire("OrientationCorrection", word(OrientationCorrection))
    )
    response_metadata: Mapping[str, Any] | None = field(
        default=None, repr=False, eq=False, metadata=wire("ResponseMetadata", OBJECT)
    )
    left_out: tuple[LeftOut[Face], ...] = field(default=(), repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """Let the faces show themselves, with thumbnails where the file is at hand."""
        object.__setattr__(self, "faces", Faces(self.faces, source=self.source, size=self.size))

    @classmethod
    def from_aws(
        cls,
        answer: Mapping[str, Any],
        *,
        size: tuple[int, int] | None = None,
        engine: str | None = None,
        source: str | None = None,
    ) -> ImageAnalysis:
        """Read an answer of DetectFaces.

        Args:
            answer: The mapping that boto3 gives, or the JSON of a recording.
            size: Width and height in pixels of the picture as a viewer shows it.
            engine: Who made it; left out, it is read from the answer where the embedded engine says so.
            source: Name of what was analysed.

        Raises:
            ResponseError: There is no ``FaceDetails`` (a broken answer, not "no faces"), or a member has the wrong
                type.
        """
        members = read_answer(_members, answer)
        return cls(**members, size=size, engine=engine or engine_of(answer), source=source)

    def to_aws(self) -> dict[str, Any]:
        """Return the answer of DetectFaces, equal to what :meth:`from_aws` read."""
        return write_shape(self)

    @classmethod
    def from_document(cls, document: Document) -> ImageAnalysis:
        """Return the analysis that a document of an image holds."""
        return evolve(cls.from_aws(*document.answers), **document.beside)

    def _beside(self) -> dict[str, object]:
        return {"source": self.source, "engine": self.engine, "size": self.size}

    def draw(
        self,
        picture: Picture | None = None,
        *,
        landmarks: bool = True,
        pose: bool = True,
        labels: Labels = True,
        min_confidence: float = 0,
        color: Paint | None = None,
        width: float | None = None,
    ) -> Image:
        """Draw the faces on a copy of their picture: boxes, landmarks, pose axes, and labels that say how they look.

        Args:
            picture: The picture that was analysed, or a copy of another size: a path, the bytes of a file, or a PIL
                image, which stays as it is. A file is turned as for the analysis, a PIL image taken as it stands. Left
                out, the file that was analysed, if it was one.
            landmarks: Draw the landmarks.
            pose: Draw how the head is turned: an axis to the face's side (red), one down (green), one out of it (blue).
            labels: Write dominant emotion, gender and age range; or a function of a face that gives what its label
                says, or ``None`` for none.
            min_confidence: Leave out what is less surely a face, 0 to 100.
            color: Of boxes, landmarks and labels, instead of the emotion's: a name as CSS has it, ``"#rrggbb"``, or
                red, green and blue.
            width: Of the lines of boxes, in pixels; left out, they follow the face.

        Returns:
            A new picture in mode RGB, as large as the turned one.

        Raises:
            InvalidInputError: The picture cannot be read or decoded, or does not have the shape of the one that was
                analysed; or none was given, and what was analysed was not a file that is still there; or an option
                cannot be used.
            MissingExtraError: The ``image`` extra is not installed.
        """
        from rekog_emotion.results.drawing import draw

        return draw(
            self,
            picture,
            landmarks=landmarks,
            pose=pose,
            labels=labels,
            min_confidence=min_confidence,
            color=color,
            width=width,
        )

    def crop(self, face: Face, picture: Picture | None = None, *, margin: float = 0.2, align: bool = False) -> Image:
        """Return the part of the picture that shows a face.

        Args:
            face: One of ``faces``.
            picture: As for :meth:`draw`.
            margin: How much more to take on each side, as a ratio of the box.
            align: Turn the picture so that the eyes are level, and make it square.

        Raises:
            InvalidInputError: The face has no box, or lies outside the picture; or as for :meth:`draw`.
            MissingExtraError: The ``image`` extra is not installed.
        """
        from rekog_emotion.results.crops import crop

        return crop(self, face, picture, margin=margin, align=align)

    def blur(self, picture: Picture | None = None, *, method: Literal["blur", "pixelate", "fill"] = "blur") -> Image:
        """Return a copy of the picture on which no face can be recognised: those that were found, and no others.

        Args:
            picture: As for :meth:`draw`.
            method: ``"blur"``, ``"pixelate"`` or ``"fill"`` with one colour. All leave four blocks a side or less.

        Raises:
            InvalidInputError: As for :meth:`draw`.
            MissingExtraError: The ``image`` extra is not installed.
        """
        from rekog_emotion.results.privacy import blur

        return blur(self, picture, method=method)

    def to_supervision(self, *, size: tuple[int, int] | None = None) -> sv.Detections:
        """Return the faces as ``Detections`` of supervision: how faces look, not what people feel.

        ``confidence`` is that it is a face, 0 to 1; ``class_id`` is the place of the dominant emotion in
        ``EmotionType``, that of ``UNKNOWN`` where it has none. ``data`` has ``class_name``, the emotion,
        ``emotion_confidence``, 0 to 1, and ``face``, the position in ``faces``. Faces without a box are left out.

        Args:
            size: Width and height in pixels of the picture, where the analysis does not know them, or of a copy.

        Raises:
            InvalidInputError: The size is not known.
            MissingExtraError: The ``supervision`` extra is not installed.
        """
        from rekog_emotion.results.detections import of_image

        return of_image(self, size=size)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from rekog_emotion.results.notebook import image_html

        return image_html(self)


def _members(answer: Mapping[str, Any]) -> dict[str, Any]:
    members = read_members(ImageAnalysis, answer)
    if members["faces"] is None:
        # botocore raises nothing for a 200 with an empty, cut or foreign body.
        broken("FaceDetails", "missing from the answer, which is broken: this is not 'no faces'")
    return members
