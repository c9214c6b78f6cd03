"""What is kept of video jobs, and where."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import field, frozen

__all__ = ["JobRecord", "MemoryStore", "Store"]


@frozen(kw_only=True)
class JobRecord:
    """A video job, without its faces.

    Attributes:
        job_id: The service's ``JobId``.
        request: The parameters of the start on the wire, without the token and with defaults written out.
        token: ``ClientRequestToken``, if one was given.
        path: Where the video lies on this machine.
        started: When the job was started, in seconds of the client's clock.
        ended: When it succeeded or failed; ``None`` while it goes on.
        status: The service's ``JobStatus``.
        message: ``StatusMessage`` of a job that failed.
        metadata: ``VideoMetadata``; ``None`` where the video cannot be decoded.
        face_count: Faces in all, once it has succeeded.
    """

    job_id: str
    request: Mapping[str, Any] = field(hash=False)
    token: str | None
    path: str
    started: float
    ended: float | None = None
    status: str = "IN_PROGRESS"
    message: str | None = None
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    face_count: int = 0


class Store(Protocol):
    """Keeps jobs and their faces. Each method is atomic and may be called from any thread."""

    def put(self, job: JobRecord) -> None:
        """Keep a job, in place of the one with the same id; one that was not there is its token's last job."""
        ...

    def get(self, job_id: str) -> JobRecord | None:
        """Return a job."""
        ...

    def with_token(self, token: str) -> JobRecord | None:
        """Return the last job that was started with a token."""
        ...

    def add_faces(self, job_id: str, faces: Sequence[Mapping[str, Any]]) -> None:
        """Append faces (``Timestamp`` and ``Face`` on the wire) to those of a job."""
        ...

    def faces(self, job_id: str, start: int, stop: int) -> list[dict[str, Any]]:
        """Return some faces of a job, in order; the caller may change them."""
        ...

    def drop_faces(self, job_id: str) -> None:
        """Forget the faces of a job."""
        ...

    def purge(self, ended_before: float) -> None:
        """Forget all jobs that ended before this time, with their faces and tokens."""
        ...


class _Faces:
    """Times and faces of one job; what stands unchanged for hours is kept once, with its times."""

    def __init__(self) -> None:
        self._times = array("q")
        self._faces: list[bytes] = []
        self._last: dict[int, tuple[object, bytes]] = {}

    def add(self, faces: Sequence[Mapping[str, Any]]) -> None:
        last: dict[int, tuple[object, bytes]] = {}
        for one in faces:
            face = one.get("Face")
            # By identity, which holds as long as the face itself is kept.
            _, encoded = last.get(id(face)) or self._last.get(id(face)) or (face, _encoded(face))
            last[id(face)] = face, encoded
            self._times.append(one["Timestamp"])
            self._faces.append(encoded)
        self._last = last

    def between(self, start: int, stop: int) -> list[dict[str, Any]]:
        pairs = zip(self._times[start:stop], self._faces[start:stop], strict=True)
        return [{"Timestamp": time, "Face": json.loads(face)} for time, face in pairs]


def _encoded(face: Mapping[str, Any] | None) -> bytes:
    return json.dumps(face, separators=(",", ":")).encode()


class MemoryStore:
    """Keeps jobs as long as the process lives.

    Faces are kept as JSON: a fourth of the memory that Python's objects take, and no caller can change them.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, JobRecord] = {}
        self._tokens: dict[str, str] = {}
        self._faces: dict[str, _Faces] = {}

    def put(self, job: JobRecord) -> None:
        """Keep a job, in place of the one with the same id; one that was not there is its token's last job."""
        if job.token is not None and job.job_id not in self._jobs:
            self._tokens[job.token] = job.job_id
        self._jobs[job.job_id] = job

    def get(self, job_id: str) -> JobRecord | None:
        """Return a job."""
        return self._jobs.get(job_id)

    def with_token(self, token: str) -> JobRecord | None:
        """Return the last job that was started with a token."""
        return self._jobs.get(self._tokens.get(token, ""))

    def add_faces(self, job_id: str, faces: Sequence[Mapping[str, Any]]) -> None:
        """Append faces to those of a job."""
        self._faces.setdefault(job_id, _Faces()).add(faces)

    def faces(self, job_id: str, start: int, stop: int) -> list[dict[str, Any]]:
        """Return some faces of a job, in order; the caller may change them."""
        kept = self._faces.get(job_id)
        return [] if kept is None else kept.between(start, stop)

    def drop_faces(self, job_id: str) -> None:
        """Forget the faces of a job."""
        self._faces.pop(job_id, None)

    def purge(self, ended_before: float) -> None:
        """Forget all jobs that ended before this time, with their faces and tokens."""
        for job in list(self._jobs.values()):
            if job.ended is not None and job.ended < ended_before:
                self.drop_faces(job.job_id)
                del self._jobs[job.job_id]
                if job.token is not None and self._tokens.get(job.token) == job.job_id:
                    del self._tokens[job.token]
