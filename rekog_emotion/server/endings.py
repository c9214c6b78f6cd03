"""What happens when a video job ends: a message to SNS goes out, and copies of the video are deleted."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeGuard

from attrs import define
from botocore.exceptions import ClientError

from rekog_emotion.clients.protocols import RekognitionClient
from rekog_emotion.errors import RekogEmotionError
from rekog_emotion.logs import logger
from rekog_emotion.media.files import is_file
from rekog_emotion.redaction import withhold
from rekog_emotion.server.spool import DAMAGED, ENDED, NOTE, ROOM, Spool, SpoolError, remove
from rekog_emotion.wire.service import START_FACE_DETECTION

__all__ = ["Endings", "publish"]

_LOG: Final = logger(__name__)
_GONE: Final = "ResourceNotFoundException"
_KEPT: Final = ("NotificationChannel", "JobTag", "Video")
_BLOCK: Final = 4096  # bytes; file systems give space in no smaller pieces
_SPARE: Final = 1024  # bytes; what a note has besides the request, with some room
# Looks that are left out after failures in a row: 0, 1, 3, 7 ... and these at most, some minutes.
_LONGEST_REST: Final = 511


def publish(topic: str, message: str) -> None:
    """Publish a message to SNS, by boto3 with the endpoint and credentials of the environment.

    Args:
        topic: ARN of the topic, which names its region.
        message: JSON.
    """
    import boto3  # noqa: PLC0415 -- a third of a second, and few jobs ask for it
    from botocore.config import Config  # noqa: PLC0415 -- likewise

    # One attempt: who calls this tries again later, and the end of the server may have to wait for it.
    settings = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
    client = boto3.session.Session().client("sns", region_name=topic.split(":")[3], config=settings)
    try:
        client.publish(TopicArn=topic, Message=message)
    finally:
        client.close()


@define(eq=False)
class _Job:
    """A job whose end has not been seen to.

    Attributes:
        note: What is known of it.
        is_noted: Whether the note is in the folder, for the next server.
        is_told: Whether the message is out, or none is due.
        failures: How often in a row its end could not be seen to.
        rest: Looks to leave out.
    """

    note: dict[str, Any]
    is_noted: bool
    is_told: bool = False
    failures: int = 0
    rest: int = 0


class Endings:
    """Sees to the ends of jobs, also of those that an earlier server with the same folder has started.

    It learns of them as any other caller would, by GetFaceDetection. A job is looked at only if there is something to
    do at its end. A note of it is kept in the folder until long after, since a start that is repeated with its token
    names a job that has been seen to. The client is asked anew after a restart: it says that a job has ended only when
    it will always say so. What fails is logged and tried again after intervals that grow, without a delay
    for other jobs; a message that cannot be published, as long as the service knows of the job.

    Args:
        client: Runs the jobs.
        spool: Holds the copies, and the notes.
        publish: Publishes a message: takes the topic's ARN and JSON.
        clock: Gives the time in seconds since 1970.
    """

    def __init__(
        self,
        client: RekognitionClient,
        spool: Spool,
        *,
        publish: Callable[[str, str], None] = publish,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._spool = spool
        self._publish = publish
        self._clock = clock
        self._lock = threading.Lock()
        self._is_over = False
        self._open: dict[str, _Job] = {}
        for path in spool.found(NOTE):
            note = _read(path, spool)
            if note is not None:
                self._open[note["JobId"]] = _Job(note, is_noted=True)

    def reserve(self, request: Mapping[str, Any]) -> None:
        """Take the space for a note of a job's end, if there will be one, before the job is started.

        It is a file of the request of this thread, for :meth:`add`.

        Raises:
            SpoolError: There is no room.
        """
        if "NotificationChannel" in request:
            size = len(json.dumps(_note("", request))) + _SPARE
            self._spool.new_file([b" " * (size + -size % _BLOCK)], suffix=ROOM)

    def add(self, job_id: str, request: Mapping[str, Any], files: list[Path]) -> None:
        """Note what there is to do at the end of a job, if anything; take the files over, and out of the list.

        Raises:
            SpoolError: The note of a message that is due is kept in mind only. Whoever asked for it is to ask again,
                rather than to be told of a job whose end may go unannounced.
        """
        room = next((path for path in files if path.suffix == ROOM), None)
        copies = [path for path in files if path.suffix != ROOM]
        with self._lock:
            job = self._open.get(job_id)
            if job is None:
                if not (copies or "NotificationChannel" in request) or self._was_seen_to(job_id):
                    return
                job = self._open[job_id] = _Job(_note(job_id, request), is_noted=False)
            elif job.is_noted and not copies:
                return
            # Of two starts at once with the same token, one made a copy in vain; nobody can tell which.
            job.note["Files"] += [path.name for path in copies]
            files.clear()
            job.is_noted = False
            try:
                self._save(job, room)
            except SpoolError as error:
                self._put_off(job, f"is kept in mind only: {error}")
                if "NotificationChannel" in job.note:
                    raise

    def _was_seen_to(self, job_id: str) -> bool:
        path = self._path(job_id)
        return path.exists() or path.with_suffix(ENDED).exists()

    async def watch(self, interval: float) -> None:
        """Look at the open jobs every so many seconds, until it is cancelled."""
        self._is_over = False
        try:
            while True:
                await asyncio.sleep(interval)
                if self._open:
                    await asyncio.to_thread(self.look)
        finally:
            self._is_over = True  # the thread goes on, and the end of the server waits for it

    def look(self) -> None:
        """Look at every open job once, and see to those that have ended."""
        for job in list(self._open.values()):
            if self._is_over:
                return
            if job.rest:
                job.rest -= 1
                continue
            try:
                self._look_at(job)
            except SpoolError as error:
                self._put_off(job, f"cannot be noted: {error}")
            except _UntoldError as error:
                self._put_off(job, f"cannot be published to {error}")
            except RekogEmotionError as error:  # a store that cannot be read, for instance: its message says all
                self._put_off(job, f"cannot be seen to: {error}")
            except Exception as error:  # noqa: BLE001 -- whatever happens to one job, the ends of the others are seen to
                withhold(error)
                self._put_off(job, "cannot be seen to", trace=True)
            else:
                job.failures = 0

    def _put_off(self, job: _Job, why: str, *, trace: bool = False) -> None:
        _LOG.warning("the end of video job %s %s; it is tried again", job.note["JobId"], why, exc_info=trace)
        job.rest = min(2**job.failures - 1, _LONGEST_REST)
        job.failures += 1

    def _look_at(self, job: _Job) -> None:
        job_id = job.note["JobId"]
        try:
            status = self._client.get_face_detection(JobId=job_id, MaxResults=1)["JobStatus"]
        except ClientError as error:
            status = None if error.response["Error"]["Code"] == _GONE else "IN_PROGRESS"
        if status == "IN_PROGRESS":
            with self._lock:
                if not job.is_noted:
                    self._save(job)
            return
        self._remove_copies(job)  # first of all, since they may be what the disk is full of
        if not job.is_told and "NotificationChannel" in job.note:
            self._tell(job.note, status)
            job.is_told = True  # whatever happens now, not once more
        with self._lock:
            self._remove_copies(job)  # and what a start that was repeated has brought since
            path = self._path(job_id)
            if "NotificationChannel" in job.note and not path.exists():
                self._save(job)
            if path.exists():
                self._spool.move(path, ENDED)
            del self._open[job_id]

    def _remove_copies(self, job: _Job) -> None:
        remove([self._spool.folder / name for name in job.note["Files"]])

    def _tell(self, note: Mapping[str, Any], status: str | None) -> None:
        if status is None:
            _LOG.warning("video job %s is gone, and its end was not published", note["JobId"])
            return
        video = note["Video"]["S3Object"]
        message = {
            "JobId": note["JobId"],
            "Status": status,
            "API": START_FACE_DETECTION,
            **({"JobTag": note["JobTag"]} if "JobTag" in note else {}),
            "Timestamp": int(self._clock() * 1000),
            "Video": {"S3ObjectName": video["Name"], "S3Bucket": video["Bucket"]},
        }
        topic = note["NotificationChannel"]["SNSTopicArn"]
        try:
            self._publish(topic, json.dumps(message))
        except Exception as error:
            withhold(error)
            msg = f"{topic}: {error}"
            raise _UntoldError(msg) from error

    def _path(self, job_id: str) -> Path:
        return self._spool.folder / f"{hashlib.sha256(job_id.encode()).hexdigest()}{NOTE}"

    def _save(self, job: _Job, room: Path | None = None) -> None:
        self._spool.write(self._path(job.note["JobId"]), json.dumps(job.note), room=room)
        job.is_noted = True


class _UntoldError(Exception):
    """A message cannot be published."""


def _note(job_id: str, request: Mapping[str, Any]) -> dict[str, Any]:
    return {"JobId": job_id, "Files": [], **{name: request[name] for name in _KEPT if name in request}}


def _read(path: Path, spool: Spool) -> dict[str, Any] | None:
    """Return a note, or ``None`` of a damaged one, which is set aside: one job's note never holds up the others."""
    try:
        note = json.loads(path.read_bytes()) if is_file(path) else None  # a pipe would be waited for
        if not _is_note(note):
            why = "it is no note of a video job"
        else:
            return note
    except OSError as error:
        why = str(error.strerror)
    except (ValueError, RecursionError):
        why = "it is empty or torn"
    _LOG.error(
        "%s cannot be read: %s; it is set aside as %s, and the end of its job is not published",
        path,
        why,
        path.with_suffix(DAMAGED).name,
    )
    try:
        spool.move(path, DAMAGED)
    except SpoolError as error:
        _LOG.error("%s cannot be set aside: %s", path, error)
    return None


def _is_note(note: Any) -> TypeGuard[dict[str, Any]]:  # noqa: ANN401 -- whatever is in a file
    """Tell whether all is there that the end of a job needs, and no file outside of the folder is named."""
    try:
        files = note["Files"]
        texts = [note["JobId"], *files]
        if "NotificationChannel" in note:
            s3_object = note["Video"]["S3Object"]
            texts += [note["NotificationChannel"]["SNSTopicArn"], s3_object["Name"], s3_object["Bucket"]]
    except (KeyError, TypeError, IndexError):
        return False
    return isinstance(files, list) and all(isinstance(text, str) for text in texts) and all(map(_is_plain, files))


def _is_plain(name: str) -> bool:
    return Path(name).name == name
