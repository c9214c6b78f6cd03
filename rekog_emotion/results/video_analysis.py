"""What an analysis gives: the faces of an image, or the faces of a video over time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, field, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.results.arguments import Image, Labels, Paint
from rekog_emotion.results.at_hand import check_same_video, file_of
from rekog_emotion.results.documents import Document
from rekog_emotion.results.faces import Faces
from rekog_emotion.results.outputs import Outputs
from rekog_emotion.results.reliable import LeftOut
from rekog_emotion.values.base import Value
from rekog_emotion.values.telling import told_faces
from rekog_emotion.values.videos import TimedFace, Video, VideoMetadata
from rekog_emotion.values.words import JobStatus
from rekog_emotion.wire.answers import draining, engine_of
from rekog_emotion.wire.kinds import OBJECT, TEXT, Many, One, wire, word
from rekog_emotion.wire.reading import broken, read_answer, read_members
from rekog_emotion.wire.writing import write_shape

if TYPE_CHECKING:
    import supervision as sv
    from matplotlib.figure import Figure

    from rekog_emotion.people.person import Track
    from rekog_emotion.results.timeline import Timeline
else:
    Figure = Timeline = Track = Any  # typing.get_type_hints() shall need no extra

__all__ = ["VideoAnalysis", "merge"]


@frozen(kw_only=True)
class VideoAnalysis(Outputs, Value):
    """The faces of one video over time: an answer of GetFaceDetection, of one page or of all.

    Attributes:
        faces: The faces in order of time; empty also while ``status`` is IN_PROGRESS or when it is FAILED.
        status: State of the job.
        status_message: Why the job failed.
        metadata: What the service says of the file.
        next_token: Where the next page begins; ``None`` on the last page and in a whole result.
        job_id: Id of the job; absent in older answers.
        video: The video, as the service echoes it; absent in older answers.
        job_tag: The tag that was given at the start.
        engine: Who made the analysis: ``"aws"``, ``"embedded"`` or what the client calls itself; ``None`` when unknown.
            Takes no part in equality.
        source: What was analysed: the exact path or address. Takes no part in equality.
        response_metadata: What botocore keeps beside the answer (AWS support asks for its ``RequestId``).
        left_out: What ``reliable()`` has left out of ``faces``. Takes no part in equality, and is not written.
    """

    _kind = "video"

    faces: tuple[TimedFace, ...] = field(
        default=(), repr=told_faces, metadata=wire("Faces", Many(TimedFace), after="NextToken")
    )
    status: JobStatus | str | None = field(default=None, metadata=wire("JobStatus", word(JobStatus)))
    status_message: str | None = field(default=None, metadata=wire("StatusMessage", TEXT))
    metadata: VideoMetadata | None = field(default=None, metadata=wire("VideoMetadata", One(VideoMetadata)))
    next_token: str | None = field(default=None, repr=False, metadata=wire("NextToken", TEXT))
    job_id: str | None = field(default=None, metadata=wire("JobId", TEXT))
    video: Video | None = field(default=None, metadata=wire("Video", One(Video)))
    job_tag: str | None = field(default=None, metadata=wire("JobTag", TEXT))
    engine: str | None = field(default=None, eq=False)
    source: str | None = field(default=None, eq=False)
    response_metadata: Mapping[str, Any] | None = field(
        default=None, repr=False, eq=False, metadata=wire("ResponseMetadata", OBJECT)
    )
    left_out: tuple[LeftOut[TimedFace], ...] = field(default=(), repr=False, eq=False)
    # An unfinished or failed job has an answer without faces, which is not the same as a list of none.
    _has_faces: bool = field(default=True, repr=False)

    def __attrs_post_init__(self) -> None:
        """Let the faces show themselves, with thumbnails where the file is at hand."""
        object.__setattr__(self, "faces", Faces(self.faces, source=self.source, size=self.size))

    @classmethod
    def from_aws(cls, *pages: Mapping[str, Any], engine: str | None = None) -> VideoAnalysis:
        """Read one or more pages of GetFaceDetection.

        One page gives that page, ``next_token`` and all. Several give the whole: the first page with the faces of all
        and no ``next_token``.

        Args:
            pages: The mappings that boto3 gives, or the JSON of recordings, in order.
            engine: Who made it; left out, it is read from the answer where the embedded engine says so.

        Raises:
            InvalidInputError: No page was given.
            ResponseError: A page that is not IN_PROGRESS or FAILED has no ``Faces``, or a member has the wrong type.
        """
        drained = [draining(page) for page in pages]
        del pages  # where the caller does not keep them, their faces are freed one by one
        read = [read_answer(_read_page, page) for page in drained]
        if not read:
            msg = "there is no page to read: give VideoAnalysis.from_aws() at least one answer of GetFaceDetection"
            raise InvalidInputError(msg)
        return merge(read, engine=engine)

    @classmethod
    def from_document(cls, document: Document) -> VideoAnalysis:
        """Return the analysis that a document of a video holds."""
        return evolve(cls.from_aws(*document.answers), **document.beside)

    def _beside(self) -> dict[str, object]:
        return {"source": self.source, "engine": self.engine}

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the video in pixels, for ``BoundingBox.to_pixels``; ``None`` where it is not said."""
        if self.metadata is None or self.metadata.frame_width is None or self.metadata.frame_height is None:
            return None
        return self.metadata.frame_width, self.metadata.frame_height

    def to_aws(self) -> dict[str, Any]:
        """Return the answer of GetFaceDetection, equal to what :meth:`from_aws` read from one page."""
        return write_shape(self, without=None if self._has_faces or self.faces else "Faces")

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from rekog_emotion.results.notebook import video_html

        return video_html(self)

    def to_supervision(self, *, size: tuple[int, int] | None = None) -> dict[int, sv.Detections]:
        """Return the faces of each sample as ``Detections`` of supervision, by its milliseconds.

        They are as those of a photo, with the person's id as ``tracker_id``; ``metadata`` has the ``timestamp_ms``.

        Args:
            size: Width and height in pixels of the video, where the analysis does not know them.

        Raises:
            InvalidInputError: The size is not known, or the job runs or has failed.
            MissingExtraError: The ``supervision`` extra is not installed.
        """
        from rekog_emotion.results.detections import of_video

        return of_video(self, size=size)

    def tracks(self, *, max_gap: float | None = None) -> tuple[Track, ...]:
        """Link the faces into people: by place, size, the shape of five landmarks, gender, age, glasses and beard.

        Nobody is recognised: who is away for longer than ``max_gap`` seconds is somebody new. The ids are the same
        whenever it is done, and in whatever order the faces of one time came.

        Args:
            max_gap: Seconds that a person may be away and still be known again; left out, two, or two samples where
                these are further apart than a second, as in a time-lapse.

        Returns:
            The people by id. Each face is in one track; those without a time or a box are in none.

        Raises:
            InvalidInputError: ``max_gap`` is negative or not finite, or the job runs or has failed.
            MissingExtraError: The ``timeline`` extra is not installed.
        """
        from rekog_emotion.results.timeline import tracks_of

        return tracks_of(self, max_gap=max_gap)

    def timeline(self, *, max_gap: float | None = None, smooth: float = 1.0, causal: bool = False) -> Timeline:
        """Return how the people look over time: emotions are how a face looks, not what a person feels.

        Args:
            max_gap: As for :meth:`tracks`.
            smooth: Width of the window in seconds whose samples are averaged, over no gap; 0 leaves the scores alone.
            causal: Average only with samples before, so that a score does not know the future.

        Raises:
            InvalidInputError: A number is negative or not finite, or the job runs or has failed.
            MissingExtraError: The ``timeline`` extra is not installed.
        """
        from rekog_emotion.results.timeline import timeline_of

        return timeline_of(self, max_gap=max_gap, smooth=smooth, causal=causal)

    def plot(
        self,
        *,
        kind: Literal["lines", "stacked"] = "lines",
        video: str | os.PathLike[str] | None = None,
        max_people: int = 30,
    ) -> Figure:
        """Draw how the people look over time, one row a person: how faces look, not what people feel.

        Args:
            kind: ``"lines"``, one an emotion, or ``"stacked"`` areas.
            video: The local file that was analysed, for thumbnails of the people.
            max_people: How many rows at most: those who are longest on screen.

        Returns:
            A matplotlib figure; ``clip.plot().savefig("people.png")`` writes it.

        Raises:
            InvalidInputError: An argument cannot be used; or the video cannot be decoded, or is not the one that was
                analysed.
            MissingExtraError: The ``plot`` extra, or for thumbnails ``embedded``, is not installed.
        """
        return self.timeline().plot(kind=kind, faces=self, video=video, max_people=max_people)

    def annotate(
        self,
        target: str | os.PathLike[str],
        *,
        video: str | os.PathLike[str] | None = None,
        landmarks: bool = False,
        pose: bool = True,
        labels: Labels = True,
        min_confidence: float = 0,
        color: Paint | None = None,
        width: float | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """Write a copy of the video with the faces drawn on it: how faces look, not what people feel.

        Args:
            target: The copy, H.264, or HEVC of more than eight bits, in ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``. It
                appears when it is whole.
            video: The local file that was analysed; left out, where the analysis says that it was.
            landmarks: Draw the landmarks.
            pose: Draw how the head is turned.
            labels: Write dominant emotion, gender and age range; or a function of a face that gives what its label
                says, or ``None`` for none.
            min_confidence: Leave out what is less surely a face, 0 to 100.
            color: Of boxes, landmarks and labels, instead of the emotion's: a name as CSS has it, ``"#rrggbb"``, or
                red, green and blue.
            width: Of the lines of boxes, in pixels; left out, they follow the face.
            on_progress: Called with the share that is done, 0 to 1, now and then.

        Raises:
            InvalidInputError: What was analysed was no file that is still there, and no other was given; it is not
                there, no video, a video of another shape or length than what was analysed, or the target itself; the
                target cannot be written, has another suffix, or cannot hold the sound; or an option cannot be used.
            MissingExtraError: The ``embedded`` extra is not installed.
            OSError: The disk is full, for instance.
        """
        from rekog_emotion.results.video import annotate_video

        source = self._file(video, "clip.annotate(target, video=path)")
        annotate_video(
            self,
            source,
            target,
            landmarks=landmarks,
            pose=pose,
            labels=labels,
            min_confidence=min_confidence,
            color=color,
            width=width,
            on_progress=on_progress,
        )

    def blur(
        self,
        target: str | os.PathLike[str],
        *,
        video: str | os.PathLike[str] | None = None,
        method: Literal["blur", "pixelate", "fill"] = "blur",
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """Write a copy of the video on which no face can be recognised: those that were found, and no others.

        Args:
            target: As for :meth:`annotate`.
            video: As for :meth:`annotate`.
            method: ``"blur"``, ``"pixelate"`` or ``"fill"`` with one colour. All leave four blocks a side or less.
            on_progress: As for :meth:`annotate`.

        Raises:
            InvalidInputError: There is no such method; or as for :meth:`annotate`.
            MissingExtraError: The ``embedded`` extra is not installed.
            OSError: The disk is full, for instance.
        """
        from rekog_emotion.results.video import blur_video

        source = self._file(video, "clip.blur(target, video=path)")
        blur_video(self, source, target, method=method, on_progress=on_progress)

    def report(
        self,
        target: str | os.PathLike[str],
        *,
        title: str | None = None,
        video: str | os.PathLike[str] | None = None,
        pictures: bool = True,
    ) -> None:
        """Write one HTML page on the people of the video, which stands alone: how faces look, not what people feel.

        Args:
            target: Where the page goes, such as ``report.html``. It appears when it is whole.
            title: What the page is called; left out, the name of what was analysed.
            video: The local file that was analysed; left out, where the analysis says that it was, if it is still
                there.
            pictures: Show everybody's best face, where the file is at hand.

        Raises:
            InvalidInputError: The job runs or has failed; the video cannot be decoded, or is not the one that was
                analysed; or the target cannot be written.
            MissingExtraError: The ``timeline`` extra, or for pictures ``embedded``, is not installed.
            OSError: The disk is full, for instance.
        """
        from rekog_emotion.results.report import write_report

        write_report(self, target, title=title, video=video, pictures=pictures)

    def frames_at(
        self, milliseconds: Iterable[float], *, video: str | os.PathLike[str] | None = None
    ) -> Iterator[tuple[float, Image]]:
        """Yield the frames of the video that are on display at given times, as players show them.

        Args:
            milliseconds: Times from the first frame, in ascending order, such as the ``timestamp_ms`` of faces. What is
                after the end of the video is passed over.
            video: As for :meth:`annotate`.

        Returns:
            Each time as it was given, and its frame, upright, of square pixels, in mode RGB.

        Raises:
            InvalidInputError: The video is not there, or not the one that was analysed; or the times do not ascend or
                are none.
            MissingExtraError: The ``embedded`` extra is not installed.
        """
        from rekog_emotion.results.video import frames_at

        source = self._file(video, "clip.frames_at(milliseconds, video=path)")
        check_same_video(self, source)
        return frames_at(source, milliseconds)

    def _file(self, video: str | os.PathLike[str] | None, how: str) -> str | os.PathLike[str]:
        return video if video is not None else file_of(self, kind="video", how=how)


def _read_page(answer: Mapping[str, Any]) -> VideoAnalysis:
    members = read_members(VideoAnalysis, answer)
    faces = members.pop("faces")
    if faces is None and members["status"] not in {JobStatus.IN_PROGRESS, JobStatus.FAILED}:
        broken("Faces", "missing from the answer, which is broken: this is not 'no faces'")
    return VideoAnalysis(**members, faces=faces or (), has_faces=faces is not None, engine=engine_of(answer))


def merge(pages: Sequence[VideoAnalysis], *, engine: str | None = None) -> VideoAnalysis:
    """Return a single page as it is; several as the first one with the faces of all and no token."""
    first = pages[0]
    if engine is not None:
        first = evolve(first, engine=engine)
    if len(pages) == 1:
        return first
    extra = {name: value for name, value in first.extra.items() if name != "NextToken"}
    faces = tuple(face for page in pages for face in page.faces)
    return evolve(first, faces=faces, next_token=None, extra=extra or None)
