"""What happens when a video job ends: a message to SNS goes out, and copies of the video are deleted."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from rekog_emotion.clients import RekognitionClient
from rekog_emotion.server.spool import NOTE, Spool, remove

__all__ = ["Endings", "publish"]

_LOG: Final = logging.getLogger(__name__)
_GONE: Final = "ResourceNotFoundException"


def publish(topic: str, message: str) -> None:
    """Publish a message to SNS, by boto3 with the endpoint and credentials of the environment.

    Args:
        topic: ARN of the topic, which names its region.
        message: JSON.
    """
    import boto3  # noqa: PLC0415 -- a third of a second, and few jobs ask for it
    from botocore.config import Config  # noqa: PLC0415 -- likewise

    settings = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    client = boto3.session.Session().client("sns", region_name=topic.split(":")[3], config=settings)
    try:
        client.publish(TopicArn=topic, Message=message)
    finally:
        client.close()


class Endings:
    """Sees to the ends of jobs, also of those that an earlier server with the same folder has started.

    It learns of them as any other caller would, by GetFaceDetection. A job is looked at only if there is something to
    do at its end. A note of it is kept in the folder until long after, since a start that is repeated with its token
    names a job that has been seen to.

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
        notes = (json.loads(path.read_bytes()) for path in spool.found(NOTE))
        self._open: dict[str, dict[str, Any]] = {note["JobId"]: note for note in notes if not note["Ended"]}

    def add(self, job_id: str, request: Mapping[str, Any], files: list[Path]) -> None:
        """Note what there is to do at the end of a job, if anything; take the files over, and out of the list."""
        with self._lock:
            if not files and ("NotificationChannel" not in request or self._note(job_id).exists()):
                return
            note = self._open.get(job_id)
            if note is None and self._note(job_id).exists():
                return  # it has ended; the files are of no use
            if note is None:
                kept = ("NotificationChannel", "JobTag", "Video")
                note = {"JobId": job_id, "Ended": False, "Files": [], **{k: request[k] for k in kept if k in request}}
            # Of two starts at once with the same token, one made a copy in vain; nobody can tell which.
            note["Files"] += [path.name for path in files]
            files.clear()
            self._open[job_id] = note
            self._write(note)

    async def watch(self, interval: float) -> None:
        """Look at the open jobs every so many seconds, for ever."""
        while True:
            await asyncio.sleep(interval)
            if self._open:
                await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Look at every open job once, and see to those that have ended."""
        for job_id, note in list(self._open.items()):
            try:
                status = self._client.get_face_detection(JobId=job_id, MaxResults=1)["JobStatus"]
            except ClientError as error:
                status = None if error.response["Error"]["Code"] == _GONE else "IN_PROGRESS"
            except Exception:  # noqa: BLE001 -- whatever a client may raise must not end the watch
                _LOG.exception("the state of video job %s cannot be had", job_id)
                continue
            if status != "IN_PROGRESS":
                self._see_to(note, status)

    def _see_to(self, note: dict[str, Any], status: str | None) -> None:
        if status is not None and "NotificationChannel" in note:
            self._notify(note, status)
        with self._lock:
            del self._open[note["JobId"]]
            remove([self._spool.folder / name for name in note["Files"]])
            self._write(note | {"Ended": True, "Files": []})

    def _notify(self, note: Mapping[str, Any], status: str) -> None:
        video = note["Video"]["S3Object"]
        message = {
            "JobId": note["JobId"],
            "Status": status,
            "API": "StartFaceDetection",
            **({"JobTag": note["JobTag"]} if "JobTag" in note else {}),
            "Timestamp": int(self._clock() * 1000),
            "Video": {"S3ObjectName": video["Name"], "S3Bucket": video["Bucket"]},
        }
        topic = note["NotificationChannel"]["SNSTopicArn"]
        try:
            self._publish(topic, json.dumps(message))
        except Exception as error:  # noqa: BLE001 -- whatever it is, it must not hold up the ends of other jobs
            _LOG.warning("the end of video job %s cannot be published to %s: %s", note["JobId"], topic, error)

    def _note(self, job_id: str) -> Path:
        return self._spool.folder / f"{hashlib.sha256(job_id.encode()).hexdigest()}{NOTE}"

    def _write(self, note: Mapping[str, Any]) -> None:
        # In one step: a server that is killed leaves the old note or the new one.
        path = self._note(note["JobId"])
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(note))
        fresh.replace(path)
