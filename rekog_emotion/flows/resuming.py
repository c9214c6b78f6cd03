"""How a job is taken up again: the state that it is taken up from, and the errors and notes that tell of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from attrs import frozen

from rekog_emotion.errors import (
    InvalidInputError,
    JobCancelledError,
    JobError,
    JobTimeoutError,
    RekogEmotionError,
    StagingError,
)
from rekog_emotion.flows.request import CheckBeside, VideoRequest
from rekog_emotion.flows.steps import Opening, Resolve, Work
from rekog_emotion.text import shown
from rekog_emotion.values.s3 import S3Object, s3_uri

__all__ = ["WaysOut", "check_job_id", "opening", "read_state", "remind", "resumable", "write_state"]

_VERSION: Final = 1
_GOES_ON_HERE: Final = "it goes on until its client is closed, so wait again with the same client, or give it more time"
_GOES_ON: Final = "it goes on at the service, and VideoJob.from_dict(error.state) resumes it"
_TELLING: Final = (JobError, StagingError)
_IS_KEPT: Final = "its result is kept for 7 days, and VideoJob.from_dict(error.state) reads it"


def write_state(job_id: str, upload: S3Object | None) -> dict[str, Any]:
    """Return the state of a job: its id, and bucket, key and version of its upload."""
    owned = None if upload is None else {"bucket": upload.bucket, "key": upload.name, "version": upload.version}
    return {"version": _VERSION, "job_id": job_id, "upload": owned}


def read_state(state: Mapping[str, Any]) -> tuple[str, S3Object | None]:
    """Return a job's id and its upload, if it has one.

    Raises:
        InvalidInputError: ``state`` is of another kind or version.
    """
    match state:
        case {"version": version, "job_id": job_id, "upload": None} if version == _VERSION:
            return job_id, None
        case {
            "version": version,
            "job_id": job_id,
            "upload": {"bucket": str(bucket), "key": str(key), "version": str() | None as object_version},
        } if version == _VERSION:
            return job_id, S3Object(bucket=bucket, name=key, version=object_version)
    msg = f"this is no state of a job: pass what VideoJob.to_dict() gave (version {_VERSION})"
    raise InvalidInputError(msg)


def opening(
    job_id: object, options: Mapping[str, Any], *, check_beside: CheckBeside, find: Callable[..., Any]
) -> Opening[tuple[Any, Any]]:
    """Return the client, and what deletes the upload of a job that is taken up, ``None`` where nothing does.

    What is wrong whatever the client is comes first.

    Args:
        job_id: The service's id.
        options: Those of ``VideoJob.resume``.
        check_beside: Of the world.
        find: Finds what deletes an upload.

    Raises:
        InvalidInputError: The id or an option cannot be used.
    """
    check_job_id(job_id)
    asked, s3_client, given = VideoRequest.of(options), options["s3_client"], options["staging"]
    # Whoever takes an upload away has no use for an address, and says so.
    check_beside(None if isinstance(given, str) else given, s3_client, asked.sqs_client)
    client, can = yield Resolve(options["client"])
    asked.check_client(client, can)
    staging = yield Work(partial(find, given, client=client, upload=options["upload"], s3_client=s3_client))
    return client, staging


def check_job_id(job_id: object) -> None:
    """Refuse what is no id of a job.

    Raises:
        InvalidInputError: It is no text, or empty.
    """
    if not isinstance(job_id, str) or not job_id:
        msg = f"job_id={job_id!r} is no job id: pass the string that started jobs carry as job_id"
        raise InvalidInputError(msg)


@frozen(kw_only=True)
class WaysOut:
    """What is to be said of a job that goes on.

    Attributes:
        job_id: The service's id.
        upload: What the job owns in S3.
        here: Its client works by itself: there is no service behind it, and it has moved nothing.
    """

    job_id: str
    upload: S3Object | None
    here: bool

    @property
    def state(self) -> dict[str, Any]:
        """What ``VideoJob.from_dict`` takes."""
        return write_state(self.job_id, self.upload)

    @property
    def kept(self) -> str:
        """The end of a sentence that names the upload, if there is one."""
        if self.upload is None or self.here:
            return ""
        return f"; its upload {shown(s3_uri(self.upload))} is kept until then"

    def timed_out(self, waited: float, failure: BaseException | None) -> JobTimeoutError:
        """Return the error of a wait that took too long."""
        last = f" (the last look failed: {failure})" if failure else ""
        msg = f"job {shown(self.job_id)} was not finished after {waited:.0f} s{last}; {self._goes_on}{self.kept}"
        return JobTimeoutError(msg, job_id=self.job_id, state=self.state)

    def wait_cancelled(self, waited: float) -> JobCancelledError:
        """Return the error of a wait that was cancelled."""
        msg = f"the wait for job {shown(self.job_id)} was cancelled after {waited:.0f} s; {self._goes_on}{self.kept}"
        return JobCancelledError(msg, job_id=self.job_id, state=self.state)

    def reading_cancelled(self) -> JobCancelledError:
        """Return the error of pages that nobody wants to read on."""
        msg = f"reading the pages of job {shown(self.job_id)} was cancelled; {_IS_KEPT}{self.kept}"
        return JobCancelledError(msg, job_id=self.job_id, state=self.state)

    @property
    def _goes_on(self) -> str:
        return _GOES_ON_HERE if self.here else _GOES_ON


@contextmanager
def resumable(ways_out: Callable[[], WaysOut]) -> Iterator[None]:
    """Say how to take a job and its upload up again on every way out that does not say it by itself.

    Args:
        ways_out: Called at the way out: the job may have lost its upload by then.
    """
    try:
        yield
    except BaseException as error:
        remind(error, ways_out())
        raise


def remind(error: BaseException, ways: WaysOut) -> None:
    """Note how to take a job and its upload up again on an error that does not say it by itself."""
    ours = isinstance(error, RekogEmotionError) and getattr(error, "job_id", None) == ways.job_id
    # An error of ours has the job's id, which is enough where nothing lies in a bucket; of these, the upload, too.
    if isinstance(error, GeneratorExit) or (ours and (ways.upload is None or isinstance(error, _TELLING))):
        return
    job = shown(ways.job_id)
    note = f"VideoJob.from_dict({ways.state | {'job_id': job}!r}) takes job {job} up again{ways.kept}"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
