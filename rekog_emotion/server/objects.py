"""Where an ``S3Object`` lies: in a folder of this machine, or in S3."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.logs import logger
from rekog_emotion.media.files import is_folder
from rekog_emotion.media.headers import memory_of
from rekog_emotion.redaction import withhold
from rekog_emotion.server.admission import weigh
from rekog_emotion.server.spool import Spool
from rekog_emotion.wire.service import MAX_IMAGE_OBJECT_BYTES

__all__ = ["MediaRoot", "S3Objects", "weigh_picture"]

_LOG: Final = logger(__name__)
_DEFAULT_REGION: Final = "us-east-1"
_CHUNK: Final = 1024 * 1024
_SIGNATURES: Final = (b"\xff\xd8\xff", b"\x89PNG")
_ENOUGH_PIXELS: Final = 8_000_000  # to which the embedded engine shrinks larger pictures


def weigh_picture(picture: bytes) -> None:
    """See whether the request of this thread may decode a picture now.

    Args:
        picture: The whole file.

    Raises:
        TooHeavyError: It has to wait for its turn.
    """
    weigh(memory_of(picture, enough=_ENOUGH_PIXELS))


def _weigh_file(path: Path) -> None:
    """See the same for a file, if it is a picture; what is too large for the service is not decoded."""
    with path.open("rb") as file:
        if file.read(4).startswith(_SIGNATURES) and path.stat().st_size <= MAX_IMAGE_OBJECT_BYTES:
            file.seek(0)
            weigh_picture(file.read(MAX_IMAGE_OBJECT_BYTES))


class MediaRoot:
    """Objects that are files of a folder: ``folder/bucket/key``.

    Nothing outside of the bucket's folder is ever given, whatever ``..``, absolute key or link is in the way.

    Args:
        folder: Holds a folder for each bucket.

    Raises:
        InvalidInputError: There is no such folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._root = Path(folder)
        if not is_folder(self._root):
            msg = f"the media root {self._root} is no folder; make it, with a folder for each bucket"
            raise InvalidInputError(msg)

    def __call__(self, s3_object: Mapping[str, Any]) -> Path:
        """Return the path of an object.

        Args:
            s3_object: The wire's ``S3Object``.

        Raises:
            LookupError: There is no such file within the bucket's folder, or a version is asked for.
        """
        bucket, parts = s3_object["Bucket"], s3_object["Name"].split("/")
        # What is no plain name would be another file, or the same one under a name that S3 tells from it.
        if "Version" in s3_object or not all(map(_is_plain, (bucket, *parts))):
            raise LookupError(s3_object["Name"])
        try:
            folder = (self._root / bucket).resolve(strict=True)
            path: Path = folder.joinpath(*parts).resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise LookupError(s3_object["Name"]) from error
        within = folder.is_relative_to(self._root.resolve()) and path.is_relative_to(folder)
        # A pipe or a device would be read for ever.
        if not within or not path.is_file():
            raise LookupError(s3_object["Name"])
        _weigh_file(path)
        return path


def _is_plain(name: str) -> bool:
    return name not in {"", ".", ".."} and not any(sign in name for sign in (*_SEPARATORS, "\0"))


# On Windows, a colon begins a drive's path or a stream of the file.
_SEPARATORS: Final = ("/", "\\", ":") if os.name == "nt" else ("/",)


class S3Objects:
    """Objects in S3, by boto3 with the endpoint, region and credentials of the environment.

    Args:
        spool: Takes the copies; it deletes them with the request, or with the job.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._lock = threading.Lock()
        self._client: Any = None

    def __call__(self, s3_object: Mapping[str, Any]) -> Path:
        """Return the path of a copy of an object; of one that is too large, something as large as that.

        Args:
            s3_object: The wire's ``S3Object``.

        Raises:
            LookupError: There is none, it may not be read, or its bucket is in another region. The log says which.
            SpoolError: There is no room for the copy, for instance.
        """
        where = {"Bucket": s3_object["Bucket"], "Key": s3_object["Name"]}
        if "Version" in s3_object:
            where["VersionId"] = s3_object["Version"]
        try:
            client = self._s3()
            _check_region(client, where["Bucket"])
            path = self._copy(client, where)
        except (BotoCoreError, ClientError) as error:
            # The service's answer says nothing of it.
            withhold(error)
            _LOG.warning("s3://%s/%s cannot be read: %s", where["Bucket"], where["Key"], error)
            raise LookupError(where["Key"]) from error
        _weigh_file(path)
        return path

    def _s3(self) -> Any:  # noqa: ANN401 -- boto3's clients have no importable type
        import boto3  # noqa: PLC0415 -- a third of a second, and a folder may be all that is used

        with self._lock:
            if self._client is None:
                session = boto3.session.Session()
                settings = Config(
                    connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3}
                )
                region = session.region_name or _DEFAULT_REGION
                self._client = session.client("s3", region_name=region, config=settings)
            return self._client

    def _copy(self, client: Any, where: Mapping[str, str]) -> Path:  # noqa: ANN401 -- likewise
        found = client.get_object(**where)
        with closing(found["Body"]) as body:
            if found.get("ContentLength", 0) > self._spool.largest:
                return self._spool.new_file(size=self._spool.largest + 1)
            return self._spool.new_file(_as_far(body.iter_chunks(_CHUNK), self._spool.largest))


def _as_far(pieces: Iterable[bytes], largest: int) -> Iterator[bytes]:
    """Give the pieces of an object, as far as it takes to see that it is too large where nobody has said it."""
    read = 0
    for piece in pieces:
        yield piece
        read += len(piece)
        if read > largest:
            return


def _check_region(client: Any, bucket: str) -> None:  # noqa: ANN401 -- likewise
    """Refuse a bucket of another region, as the service does; botocore would follow it there."""
    try:
        answer = client.head_bucket(Bucket=bucket)
    except ClientError as error:  # it may be that only its objects may be read
        answer = error.response
    region = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region", client.meta.region_name)
    if region != client.meta.region_name:
        msg = f"the bucket is in {region}, and this endpoint is in {client.meta.region_name}"
        _LOG.warning("s3://%s: %s", bucket, msg)
        raise LookupError(msg)
