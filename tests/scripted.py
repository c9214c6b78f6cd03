"""A client that answers from a script, without HTTP, and what such scripts are made of."""

from __future__ import annotations

from types import SimpleNamespace

from botocore.exceptions import ClientError, EndpointConnectionError

from rekog_emotion import S3Object, StagingError

IN_PROGRESS = {"JobStatus": "IN_PROGRESS"}
STARTED = {"JobId": "j-1"}
LOST = EndpointConnectionError(endpoint_url="https://rekognition.example")


def page(*timestamps, then=None, **members):
    """Return a page of a finished job, with a face at each of the timestamps and, perhaps, the token of the next."""
    answer = {"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": at, "Face": {}} for at in timestamps], **members}
    return answer if then is None else {**answer, "NextToken": then}


def failed(reason=None):
    """Return the answer of a job that ended as FAILED."""
    return {"JobStatus": "FAILED"} if reason is None else {"JobStatus": "FAILED", "StatusMessage": reason}


def refusal(code, text="No.", *, status=400, operation="GetFaceDetection"):
    """Return the service's error as botocore raises it."""
    response = {
        "Error": {"Code": code, "Message": text},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r-1"},
    }
    return ClientError(response, operation)


class ScriptedClient:
    """Boto3's methods for videos: each gives, calls or raises what comes next in its script, the last one for ever.

    Args:
        get: For ``get_face_detection``.
        start: For ``start_face_detection``.
        retries: Leave retrying to the library, as ``aws_client()`` does.

    Attributes:
        calls: The parameters of every call, in order.
    """

    engine = "scripted"

    def __init__(self, *get, start=(STARTED,), retries=False):
        self.calls = []
        self._scripts = {"get": list(get), "start": list(start)}
        if retries:
            self.meta = SimpleNamespace(config=SimpleNamespace(retries={"total_max_attempts": 1}))

    def detect_faces(self, **_):
        """Answer nothing: these scripts are of videos."""
        raise NotImplementedError

    def start_face_detection(self, **parameters):
        """Answer StartFaceDetection."""
        return self._next("start", parameters)

    def get_face_detection(self, **parameters):
        """Answer GetFaceDetection."""
        return self._next("get", parameters)

    def _next(self, method, parameters):
        self.calls.append(parameters)
        script = self._scripts[method]
        step = script.pop(0) if len(script) > 1 else script[0]
        step = step() if callable(step) else step
        if isinstance(step, BaseException):
            raise step
        return step


class Shelf:
    """A staging that keeps files nowhere, and notes what was put and taken away.

    Args:
        broken: Nothing can be taken away.

    Attributes:
        events: What was done, in order.
    """

    def __init__(self, *, broken=False):
        self.events = []
        self._broken = broken

    def stage(self, path, **_):
        """Take a file."""
        self.events.append(f"stage {path.name}")
        return S3Object(bucket="shelf", name="k-1", version="v-1")

    def discard(self, staged):
        """Take it away."""
        if self._broken:
            msg = "it sticks"
            raise StagingError(msg, bucket=staged.bucket, key=staged.name)
        self.events.append(f"discard {staged.name}")
