"""A client that answers what it is told to: recorded answers, jobs that take virtual time, faults on cue."""

from __future__ import annotations

import copy
import json
import os
import reprlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NoReturn, TypeAlias

from attrs import define, field, frozen

from rekog_emotion.blocking import clock as _clock
from rekog_emotion.blocking.clock import Clock
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.testing.faults import Fault, FaultPlan
from rekog_emotion.wire.service import (
    BAD_PAGE,
    DETECT_FACES,
    GET_FACE_DETECTION,
    MAX_JOBS,
    MAX_PAGE_FACES,
    NO_JOB,
    OTHER_REQUEST,
    PAGE_TOKENS_LAST,
    RESULTS_LAST,
    START_FACE_DETECTION,
    Operation,
)

__all__ = ["Call", "FakeClient", "Recording"]

Recording: TypeAlias = Mapping[str, Any] | str | os.PathLike[str] | ImageAnalysis | VideoAnalysis
"""An answer in the service's shape: as a mapping, as a file of JSON, or as what this library made of it."""

# Recorded from the service, or as its developer guide and its service model have them.


_SHORT: Final = reprlib.Repr()  # of calls, as a test that fails prints them: they may have whole pictures
_SHORT.maxdict, _SHORT.maxstring, _SHORT.maxother = 20, 80, 80


@frozen
class Call:
    """A call that was made.

    Attributes:
        operation: The service's name of it.
        parameters: As they were given.
    """

    operation: Operation
    parameters: Mapping[str, Any] = field(repr=_SHORT.repr)


@frozen
class _Video:
    """What a job finds, and after how many seconds."""

    answer: dict[str, Any]  # without its faces, if they are a list
    faces: list[Any]
    seconds: float


@define
class _Job:
    job_id: str
    request: dict[str, Any]
    token: str | None
    video: _Video
    started: float

    @property
    def ends(self) -> float:
        return self.started + self.video.seconds


class FakeClient:
    """A Rekognition client for tests, to be passed as ``client=``.

    It answers in order what it was given, the last answer again and again, and keeps a list of what it was asked. Jobs
    are those of the service: they take their time, their results come in pages, tokens and results expire, a
    ``ClientRequestToken`` that is used again gives its old job. Like a client of :func:`rekog_emotion.aws_client` it
    leaves retrying to the library; under :func:`virtual_time` nothing of it takes real time, in asyncio neither.

    An emotion is how a face looks, not what a person feels.

    Args:
        images: For :meth:`script_images`.
        videos: For :meth:`script_videos`.
        faults: What goes wrong, and when; a new, empty plan if left out.
        max_jobs: Jobs that may be open at once.
        clock: Where time comes from; left out, where the library has it from.

    Attributes:
        engine: ``"fake"``, which analyses carry as their ``engine``.
        calls: Every :class:`Call`, in order.
        faults: The plan of what goes wrong.
    """

    engine = "fake"

    def __init__(
        self,
        *,
        images: Recording | Sequence[Recording] = (),
        videos: Recording | Sequence[Recording] = (),
        faults: FaultPlan | None = None,
        max_jobs: int = MAX_JOBS,
        clock: Clock | None = None,
    ) -> None:
        self.calls: list[Call] = []
        self.faults = FaultPlan() if faults is None else faults
        # What tells the library that it makes a single attempt.
        self.meta = SimpleNamespace(config=SimpleNamespace(retries={"total_max_attempts": 1}))
        self._clock = clock
        self._max_jobs = max_jobs
        self._lock = threading.Lock()
        self._jobs: dict[str, _Job] = {}
        self._pages: dict[str, tuple[str, int, float]] = {}
        self.script_images(*_several(images))
        self.script_videos(*_several(videos))

    def script_images(self, *answers: Recording) -> None:
        """Answer DetectFaces with these in turn, and with the last one from then on.

        Args:
            answers: What the service answered, or would.

        Raises:
            InvalidInputError: One of them is no answer of DetectFaces.
        """
        self._images = [_loaded(answer, "FaceDetails", DETECT_FACES) for answer in answers]

    def script_videos(self, *answers: Recording, seconds: float = 0.0) -> None:
        """Let the next jobs end as these in turn, and as the last one from then on.

        Args:
            answers: What GetFaceDetection answered, or would, at the end: SUCCEEDED with all faces, which are cut into
                pages as they are asked for; or FAILED with its ``StatusMessage``. One that is IN_PROGRESS never ends.
            seconds: How long each job takes.

        Raises:
            InvalidInputError: One of them is no answer of GetFaceDetection.
        """
        self._videos = [_video(answer, seconds) for answer in answers]

    def count(self, operation: Operation) -> int:
        """Return how often an operation was called."""
        return sum(call.operation == operation for call in self.calls)

    def detect_faces(self, *, Image: Any, Attributes: Sequence[Any] = ("DEFAULT",)) -> Mapping[str, Any]:  # noqa: ANN401, N803 -- boto3's signature
        """Answer DetectFaces."""
        return self._answer(DETECT_FACES, {"Image": Image, "Attributes": Attributes})

    def start_face_detection(
        self,
        *,
        Video: Any,  # noqa: ANN401, N803 -- boto3's signature
        ClientRequestToken: str | None = None,  # noqa: N803 -- boto3's signature
        NotificationChannel: Any = None,  # noqa: ANN401, N803 -- boto3's signature
        FaceAttributes: Any = "DEFAULT",  # noqa: ANN401, N803 -- boto3's signature
        JobTag: str | None = None,  # noqa: N803 -- boto3's signature
    ) -> Mapping[str, Any]:
        """Answer StartFaceDetection."""
        given = {
            "Video": Video,
            "ClientRequestToken": ClientRequestToken,
            "NotificationChannel": NotificationChannel,
            "FaceAttributes": FaceAttributes,
            "JobTag": JobTag,
        }
        return self._answer(START_FACE_DETECTION, _present(given))

    def get_face_detection(
        self,
        *,
        JobId: str,  # noqa: N803 -- boto3's signature
        MaxResults: int = MAX_PAGE_FACES,  # noqa: N803 -- boto3's signature
        NextToken: str | None = None,  # noqa: N803 -- boto3's signature
    ) -> Mapping[str, Any]:
        """Answer GetFaceDetection."""
        given = {"JobId": JobId, "MaxResults": MaxResults, "NextToken": NextToken}
        return self._answer(GET_FACE_DETECTION, _present(given))

    def _answer(self, operation: Operation, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(Call(operation, parameters))
        fault = self.faults.take(operation)
        if fault is not None:
            _spoil(fault, operation)
        answer = self._true_answer(operation, parameters)
        if fault is not None and fault.reset:
            _break_connection()
        if fault is not None and (fault.body is not None or fault.cut):
            answer = {}  # to botocore, a body that is not of the service's shape is an answer without members
        return {"ResponseMetadata": _metadata(), **answer}

    def _true_answer(self, operation: Operation, parameters: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if operation == DETECT_FACES:
                return copy.deepcopy(_next(self._images, operation, "script_images"))
            if operation == START_FACE_DETECTION:
                return {"JobId": self._start(parameters).job_id}
            return copy.deepcopy(self._page(parameters))

    def _now(self) -> float:
        return (self._clock or _clock.SYSTEM_CLOCK).now()

    def _start(self, parameters: dict[str, Any]) -> _Job:
        now, operation = self._now(), START_FACE_DETECTION
        token = parameters.get("ClientRequestToken")
        request = {name: value for name, value in parameters.items() if name != "ClientRequestToken"}
        for job in self._jobs.values():
            if token is not None and job.token == token and now - job.started <= RESULTS_LAST:
                if job.request != request:
                    _refuse(operation, *OTHER_REQUEST)
                return job
        running = sum(now < job.ends for job in self._jobs.values())
        if running >= self._max_jobs:
            text = f"{running} open Jobs for User arn:aws:iam::123456789012:user/test Maximum limit: {self._max_jobs}"
            _refuse(operation, "LimitExceededException", text)
        video = _next(self._videos, operation, "script_videos")
        job = _Job(f"fake-job-{len(self._jobs) + 1}", request, token, video, now)
        self._jobs[job.job_id] = job
        return job

    def _page(self, parameters: dict[str, Any]) -> dict[str, Any]:
        now, operation = self._now(), GET_FACE_DETECTION
        job = self._jobs.get(parameters["JobId"])
        if job is None or now - job.ends > RESULTS_LAST:
            _refuse(operation, *NO_JOB)
        beside = {"JobId": job.job_id}
        beside.update({name: value for name, value in job.request.items() if name in {"Video", "JobTag"}})
        if now < job.ends:
            return {"JobStatus": "IN_PROGRESS", "Faces": [], **beside}
        begin = 0
        if token := parameters.get("NextToken"):
            owner, begin, issued = self._pages.get(token, ("", 0, now))
            if owner != job.job_id or now - issued > PAGE_TOKENS_LAST:
                _refuse(operation, *BAD_PAGE)
        end = begin + min(parameters["MaxResults"], MAX_PAGE_FACES)
        answer = {**job.video.answer, **beside}
        if answer["JobStatus"] == "SUCCEEDED" and "Faces" not in answer:
            answer["Faces"] = job.video.faces[begin:end]
        if end < len(job.video.faces):
            answer["NextToken"] = f"fake-page-{len(self._pages) + 1}"
            self._pages[answer["NextToken"]] = (job.job_id, end, now)
        return answer


def _several(answers: Recording | Sequence[Recording]) -> Sequence[Recording]:
    if isinstance(answers, Sequence) and not isinstance(answers, str):
        return answers
    return [answers]


def _loaded(recording: Recording, member: str, operation: str) -> dict[str, Any]:
    """Return an answer that no caller can change.

    Raises:
        InvalidInputError: It is none of the operation's.
    """
    name = "the recording"
    content: object = recording
    if isinstance(recording, (ImageAnalysis, VideoAnalysis)):
        content = recording.to_aws()
    elif isinstance(recording, (str, os.PathLike)):
        name = os.fspath(recording)
        try:
            content = json.loads(Path(recording).read_bytes())
        except (ValueError, RecursionError) as error:
            msg = f"{name} is no answer of {operation}: it is no JSON ({error})"
            raise InvalidInputError(msg) from error
    if not isinstance(content, Mapping) or member not in content:
        msg = f"{name} is no answer of {operation}: it has no {member}"
        raise InvalidInputError(msg)
    return copy.deepcopy(dict(content))


def _video(recording: Recording, seconds: float) -> _Video:
    answer = _loaded(recording, "JobStatus", GET_FACE_DETECTION)
    if answer["JobStatus"] == "IN_PROGRESS":
        seconds = float("inf")
    answer.pop("NextToken", None)
    # What is no list stays where it is, as a service would give it that is broken.
    faces = answer.pop("Faces") if isinstance(answer.get("Faces", ...), list) else []
    return _Video(answer, faces, seconds)


def _next(script: list[Any], operation: str, method: str) -> Any:  # noqa: ANN401 -- as the script has it
    if not script:
        msg = f"FakeClient has no answer for {operation}: give it some with {method}()"
        raise AssertionError(msg)
    return script.pop(0) if len(script) > 1 else script[0]


def _present(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _spoil(fault: Fault, operation: str) -> None:
    """Do what a fault does before the call is carried out."""
    if fault.until is not None:
        fault.until.wait()
    if fault.reset and fault.body is not None:
        _break_connection()
    if fault.status >= 400 and fault.body is not None:  # noqa: PLR2004 -- HTTP's errors
        try:
            content = json.loads(fault.body)
            code, message = content["__type"], content["Message"]
        except (ValueError, RecursionError):
            # botocore takes the status for the code, and whatever came for the message.
            code, message = str(fault.status), fault.body.decode()
        _refuse(operation, code, message, status=fault.status)


def _break_connection() -> NoReturn:
    from botocore.exceptions import ConnectionClosedError

    raise ConnectionClosedError(endpoint_url="https://rekognition.fake")


def _refuse(operation: str, code: str, message: str, *, status: int = 400) -> NoReturn:
    from botocore.exceptions import ClientError

    # A plain dict, which the published types of botocore take for too little.
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": _metadata(status)}
    raise ClientError(response, operation)


def _metadata(status: int = 200) -> dict[str, Any]:
    return {"RequestId": "fake-request", "HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
