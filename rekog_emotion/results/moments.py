"""Who is there at a moment, and how they look: what watching gives, one sample after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, field, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.results import documents
from rekog_emotion.results.arguments import Image, Labels, Paint
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.values.faces import Face
from rekog_emotion.values.telling import told_face
from rekog_emotion.values.videos import TimedFace
from rekog_emotion.values.words import EmotionType

if TYPE_CHECKING:
    from rekog_emotion.people.following import Presence

__all__ = ["Moment", "SeenPerson", "looks", "moment_of"]


@frozen(kw_only=True)
class SeenPerson:
    """One person at one moment: how the face looks, not what the person feels.

    Attributes:
        id: Of the person, as :meth:`VideoAnalysis.tracks` gives it for the same samples: 1 for who came first. Nobody
            is recognised: who was away for longer than ``max_gap`` is somebody new.
        face: The face.
        scores: How much it looks like each emotion, 0 to 100, together at most 100, highest first: above what the model
            says of every face, and averaged with the samples of the last second. Empty where emotions were not asked
            for.
        leading: The emotion that leads: another one takes over when it is higher by 10, and below 30 none leads.
        since: Seconds since when it leads, or since when none does.
        here_since: Seconds since when the person has been in every sample that was looked at. What was skipped, or had
            no frame, is no gap as long as the person is known again.
    """

    id: int
    face: Face = field(repr=lambda face: f"<{told_face(face)}>")
    scores: Mapping[EmotionType | str, float] = field(hash=False)
    leading: EmotionType | str | None
    since: float
    here_since: float

    def __str__(self) -> str:
        """Say who it is, and what the face looks like since when."""
        return f"{self.id} {looks(self)} since {self.since:.1f} s"


@frozen(kw_only=True)
class Moment:
    """Who is there at one moment of what is watched.

    Attributes:
        seconds: Since the first frame, or as the frame's own time says.
        frame: What was looked at, as it was given; of a camera, an address or a file an RGB array (height, width, 3).
            ``None`` where there is none. It is in memory alone, takes no part in equality, and is in no document.
        people: Who is there, by id.
        reason: Why nobody can be seen: the camera is lost, the service is busy, or the calls are used up. ``None``
            where the frame was looked at, be there people or not.
        skipped: Samples since the moment before for which there was no time.
        source: What is watched: a camera, a path, or an address without its password.
        analysis: The whole answer, faces without a box among it; ``None`` where the frame was not looked at.
    """

    seconds: float
    frame: Any = field(default=None, repr=False, eq=False)
    people: tuple[SeenPerson, ...] = ()
    reason: str | None = None
    skipped: int = 0
    source: str | None = None
    analysis: ImageAnalysis | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Say who is there and what each face looks like, or why nobody knows."""
        people = ", ".join(str(one) for one in self.people)
        return f"{self.seconds:.1f} s: {self.reason or people or 'nobody'}"

    @property
    def engine(self) -> str | None:
        """Who looked, ``"aws"``, ``"embedded"`` or what the client calls itself."""
        return None if self.analysis is None else self.analysis.engine

    @property
    def timed_faces(self) -> tuple[TimedFace, ...]:
        """The faces with their time, as :meth:`Timeline.of` takes them for a timeline of what was seen so far."""
        faces = () if self.analysis is None else self.analysis.faces
        return tuple(TimedFace(timestamp_ms=milliseconds(self.seconds), face=face) for face in faces)

    def draw(
        self,
        *,
        landmarks: bool = False,
        pose: bool = True,
        labels: Labels = True,
        min_confidence: float = 0,
        color: Paint | None = None,
        width: float | None = None,
    ) -> Image:
        """Draw the people on a copy of the frame, with their ids.

        Args:
            landmarks: Draw the landmarks.
            pose: Draw how the head is turned.
            labels: Write the id, the leading emotion and since when; or a function of a face that gives what its label
                says, or ``None`` for none.
            min_confidence: As for :meth:`ImageAnalysis.draw`, and so are the others.
            color: Of boxes, landmarks and labels.
            width: Of the lines of boxes, in pixels.

        Returns:
            A new picture in mode RGB.

        Raises:
            InvalidInputError: There is no frame, or an option cannot be used.
            MissingExtraError: The ``image`` extra is not installed.
        """
        analysis, picture = self._seen("drawn on")
        told = {id(person.face): person for person in self.people}

        def label(face: Face) -> str | None:
            person = told.get(id(face))
            return None if person is None else _label(person, self.seconds)

        return analysis.draw(
            picture,
            landmarks=landmarks,
            pose=pose,
            labels=label if labels is True else labels,
            min_confidence=min_confidence,
            color=color,
            width=width,
        )

    def blur(self, *, method: Literal["blur", "pixelate", "fill"] = "blur") -> Image:
        """Return a copy of the frame on which no face can be recognised: those that were found, and no others.

        Args:
            method: ``"blur"``, ``"pixelate"`` or ``"fill"`` with one colour.

        Raises:
            InvalidInputError: There is no frame.
            MissingExtraError: The ``image`` extra is not installed.
        """
        analysis, picture = self._seen("made unrecognisable")
        return analysis.blur(picture, method=method)

    def to_json(self) -> str:
        """Return a line of JSON: the document of an image, as all commands read it, with the time and the people.

        Of a moment of which nobody knows who was there it is the document of an error, which says why.
        """
        if self.analysis is None:
            return documents.written_error(self.source, self.reason or "", seconds=self.seconds, skipped=self.skipped)
        return documents.written(
            "image",
            self.analysis.to_aws(),
            indent=None,
            source=self.source,
            seconds=self.seconds,
            skipped=self.skipped,
            engine=self.engine,
            size=self.analysis.size,
            people=[_written(person, self.analysis.faces) for person in self.people],
        )

    def _seen(self, what: str) -> tuple[ImageAnalysis, Image]:
        if self.analysis is None or self.frame is None:
            msg = f"this moment has no frame that can be {what}: {self.reason or 'it was taken away'}"
            raise InvalidInputError(msg)
        from PIL.Image import Image

        from rekog_emotion.media.images import from_array

        picture = self.frame if isinstance(self.frame, Image) else from_array(self.frame)
        return evolve(self.analysis, source="<PIL image>"), picture


def milliseconds(seconds: float) -> int:
    """Return a time as faces have it."""
    return round(seconds * 1000)


def moment_of(
    analysis: ImageAnalysis, present: Sequence[Presence], *, seconds: float, frame: object, skipped: int, source: str
) -> Moment:
    """Return the moment of a frame that was looked at.

    Args:
        analysis: Its faces.
        present: Who they are.
        seconds: When.
        frame: The picture.
        skipped: Samples for which there was no time.
        source: What is watched.
    """
    people = [
        SeenPerson(
            id=one.id,
            face=analysis.faces[one.position],
            scores=one.scores,
            leading=one.leading,
            since=one.since,
            here_since=one.here_since,
        )
        for one in sorted(present, key=lambda one: one.id)
    ]
    return Moment(seconds=seconds, frame=frame, people=tuple(people), skipped=skipped, source=source, analysis=analysis)


def looks(person: SeenPerson) -> str:
    """Return what a face looks like, in a word."""
    from rekog_emotion.values.wording import word

    return "undecided" if person.leading is None else word(person.leading)


def _label(person: SeenPerson, now: float) -> str:
    from rekog_emotion.values.wording import percent, word

    if person.leading is None:
        return str(person.id)
    return (
        f"{person.id}: {word(person.leading)}{percent(person.scores[person.leading])}\nfor {now - person.since:.0f} s"
    )


def _written(person: SeenPerson, faces: tuple[Face, ...]) -> dict[str, object]:
    return {
        "id": person.id,
        "face": next(k for k, face in enumerate(faces) if face is person.face),
        "scores": {str(kind): score for kind, score in person.scores.items()},
        "leading": None if person.leading is None else str(person.leading),
        "since": person.since,
        "here_since": person.here_since,
    }
