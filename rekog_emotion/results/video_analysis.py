"""What an analysis gives: the faces of an image, or the faces of a video over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from rekog_emotion.results.outputs import Outputs
from rekog_emotion.values.faces import Face, S3Object, Value, short
from rekog_emotion.values.numbers import as_float
from rekog_emotion.values.words import ColorRange, JobStatus, OrientationCorrection

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure
    from PIL import Image

    from rekog_emotion.results.drawing import Picture
    from rekog_emotion.results.timeline import Timeline, Track

__all__ = [
    "ImageAnalysis",
    "StartedJob",
    "TimedFace",
    "Video",
    "VideoAnalysis",
    "VideoMetadata",
]


def _number_of(faces: tuple[object, ...]) -> str:
    return "<1 face>" if len(faces) == 1 else f"<{len(faces)} faces>"


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
    """

    faces: tuple[Face, ...] = field(default=(), repr=_number_of)
    size: tuple[int, int] | None = None
    engine: str | None = field(default=None, eq=False)
    source: str | None = field(default=None, eq=False)
    orientation_correction: OrientationCorrection | str | None = None
    response_metadata: Mapping[str, Any] | None = field(default=None, repr=False, eq=False)

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
        from rekog_emotion.wire import answers  # noqa: PLC0415 -- _wire imports this module

        return answers.read_image(answer, size=size, engine=engine, source=source)

    def to_aws(self) -> dict[str, Any]:
        """Return the answer of DetectFaces, equal to what :meth:`from_aws` read."""
        from rekog_emotion.wire import kinds  # noqa: PLC0415 -- _members imports this module

        return kinds.write_shape(self)

    def draw(
        self, picture: Picture | None = None, *, landmarks: bool = True, pose: bool = True, labels: bool = True
    ) -> Image.Image:
        """Draw the faces on a copy of their picture: boxes, landmarks, pose axes, and labels that say how they look.

        Args:
            picture: The picture that was analysed, or a copy of another size: a path, the bytes of a file, or a PIL
                image, which stays as it is. A file is turned as for the analysis, a PIL image taken as it stands. Left
                out, the file that was analysed, if it was one.
            landmarks: Draw the landmarks.
            pose: Draw how the head is turned: an axis to the face's side (red), one down (green), one out of it (blue).
            labels: Write dominant emotion, gender and age range.

        Returns:
            A new picture in mode RGB, as large as the turned one.

        Raises:
            InvalidInputError: The picture cannot be decoded, or does not have the shape of the one that was analysed;
                or none was given, and what was analysed was not a file that is still there.
            MissingExtraError: The ``image`` extra is not installed.
            OSError: The file cannot be read.
        """
        from rekog_emotion.results.drawing import draw  # noqa: PLC0415 -- Pillow is an extra

        return draw(self, picture, landmarks=landmarks, pose=pose, labels=labels)

    def crop(
        self, face: Face, picture: Picture | None = None, *, margin: float = 0.2, align: bool = False
    ) -> Image.Image:
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
        from rekog_emotion.results.crops import crop  # noqa: PLC0415 -- Pillow is an extra

        return crop(self, face, picture, margin=margin, align=align)

    def blur(
        self, picture: Picture | None = None, *, method: Literal["blur", "pixelate", "fill"] = "blur"
    ) -> Image.Image:
        """Return a copy of the picture on which no face can be recognised: those that were found, and no others.

        Args:
            picture: As for :meth:`draw`.
            method: ``"blur"``, ``"pixelate"`` or ``"fill"`` with one colour. All leave four blocks a side or less.

        Raises:
            InvalidInputError: As for :meth:`draw`.
            MissingExtraError: The ``image`` extra is not installed.
        """
        from rekog_emotion.results.privacy import blur  # noqa: PLC0415 -- Pillow is an extra

        return blur(self, picture, method=method)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from rekog_emotion.results.notebook import image_html  # noqa: PLC0415 -- only notebooks need it

        return image_html(self)


@frozen(kw_only=True)
class VideoMetadata(Value):
    """What the service says of the video file.

    Attributes:
        codec: For example ``"h264"``.
        duration_millis: Length in milliseconds.
        format: For example ``"QuickTime / MOV"``, which is what MP4 files are called, too.
        frame_rate: Frames a second.
        frame_height: Pixels.
        frame_width: Pixels.
        color_range: ``ColorRange``; absent in older answers.
    """

    codec: str | None = None
    duration_millis: int | None = None
    format: str | None = None
    frame_rate: float | None = field(default=None, repr=short(2))
    frame_height: int | None = None
    frame_width: int | None = None
    color_range: ColorRange | str | None = None


@frozen(kw_only=True)
class Video(Value):
    """The video of a job, as the service echoes it."""

    s3_object: S3Object | None = None


@frozen(kw_only=True)
class TimedFace(Value):
    """A face at a moment of a video.

    Attributes:
        timestamp_ms: Milliseconds from the start of the video; the service samples about two frames a second.
        face: The face; several may share one timestamp, in no fixed order.
    """

    timestamp_ms: int | None = None
    face: Face | None = None

    @classmethod
    def from_aws(cls, detection: Mapping[str, Any]) -> TimedFace:
        """Read the service's ``FaceDetection``.

        Raises:
            ResponseError: A member has the wrong type; ``path`` says which.
        """
        from rekog_emotion.wire import answers  # noqa: PLC0415 -- _wire imports this module

        return answers.read_timed_face(detection)

    def to_aws(self) -> dict[str, Any]:
        """Return the service's ``FaceDetection``, equal to what :meth:`from_aws` read."""
        from rekog_emotion.wire import kinds  # noqa: PLC0415 -- _members imports this module

        return kinds.write_shape(self)

    @property
    def seconds(self) -> float | None:
        """The timestamp in seconds."""
        return None if self.timestamp_ms is None else as_float(self.timestamp_ms) / 1000


@frozen(kw_only=True)
class StartedJob(Value):
    """The answer of StartFaceDetection."""

    job_id: str | None = None
    response_metadata: Mapping[str, Any] | None = field(default=None, repr=False, eq=False)

    @classmethod
    def from_aws(cls, answer: Mapping[str, Any]) -> StartedJob:
        """Read an answer of StartFaceDetection.

        Raises:
            ResponseError: There is no ``JobId``.
        """
        from rekog_emotion.wire import answers  # noqa: PLC0415 -- _wire imports this module

        return answers.read_started_job(answer)

    def to_aws(self) -> dict[str, Any]:
        """Return the answer of StartFaceDetection, equal to what :meth:`from_aws` read."""
        from rekog_emotion.wire import kinds  # noqa: PLC0415 -- _members imports this module

        return kinds.write_shape(self)


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
    """

    faces: tuple[TimedFace, ...] = field(default=(), repr=_number_of)
    status: JobStatus | str | None = None
    status_message: str | None = None
    metadata: VideoMetadata | None = None
    next_token: str | None = field(default=None, repr=False)
    job_id: str | None = None
    video: Video | None = None
    job_tag: str | None = None
    engine: str | None = field(default=None, eq=False)
    source: str | None = field(default=None, eq=False)
    response_metadata: Mapping[str, Any] | None = field(default=None, repr=False, eq=False)
    # An unfinished or failed job has an answer without faces, which is not the same as a list of none.
    _has_faces: bool = field(default=True, repr=False)

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
        from rekog_emotion.wire import answers  # noqa: PLC0415 -- _wire imports this module

        drained = [answers.draining(page) for page in pages]
        del pages  # where the caller does not keep them, their faces are freed one by one
        return answers.read_video(drained, engine=engine)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the video in pixels, for ``BoundingBox.to_pixels``; ``None`` where it is not said."""
        if self.metadata is None or self.metadata.frame_width is None or self.metadata.frame_height is None:
            return None
        return self.metadata.frame_width, self.metadata.frame_height

    def to_aws(self) -> dict[str, Any]:
        """Return the answer of GetFaceDetection, equal to what :meth:`from_aws` read from one page."""
        from rekog_emotion.wire import kinds  # noqa: PLC0415 -- _members imports this module

        return kinds.write_shape(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from rekog_emotion.results.notebook import video_html  # noqa: PLC0415 -- only notebooks need it

        return video_html(self)

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
        from rekog_emotion.results.timeline import tracks_of  # noqa: PLC0415 -- NumPy and SciPy are an extra

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
        from rekog_emotion.results.timeline import timeline_of  # noqa: PLC0415 -- NumPy and SciPy are an extra

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
            A matplotlib figure: ``clip.plot().savefig("people.png")``.

        Raises:
            InvalidInputError: An argument cannot be used, or the video cannot be decoded.
            MissingExtraError: The ``plot`` extra, or for thumbnails ``embedded``, is not installed.
        """
        return self.timeline().plot(kind=kind, faces=self, video=video, max_people=max_people)
