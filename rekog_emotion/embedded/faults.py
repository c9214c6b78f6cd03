"""The service's errors as botocore raises them, so that error mapping exists once."""

from __future__ import annotations

import errno
import uuid
from typing import Any, Final

from botocore.exceptions import ClientError

from rekog_emotion.wire.service import CONTENT_TYPE, ENGINE_HEADER

__all__ = ["BAD_PARAMETER", "UNREADABLE_OBJECT", "client_error", "is_shortage", "response_metadata"]

# Codes and texts of the service, as recorded from it and as its developer guide lists them.
BAD_PARAMETER = ("InvalidParameterException", "Request has Invalid Parameters")
UNREADABLE_OBJECT = (
    "InvalidS3ObjectException",
    "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
)

_SHORTAGES: Final = {errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC}


def is_shortage(error: Exception) -> bool:
    """Tell whether this machine is short of space, memory or descriptors, which is no fault of an object."""
    return isinstance(error, OSError) and error.errno in _SHORTAGES


def client_error(operation: str, code: str, message: str, *, status: int = 400) -> ClientError:
    """Return the ``ClientError`` that botocore would raise for an answer of the service.

    Args:
        operation: The service's name of the operation, for example ``"DetectFaces"``.
        code: The service's error code, for example ``"InvalidParameterException"``.
        message: The service's text, for example ``"Request has Invalid Parameters"``.
        status: HTTP status code; all errors that a caller can mend are 400.
    """
    # A plain dict, which the published types of botocore take for too little.
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": response_metadata(status)}
    return ClientError(answer, operation)


def response_metadata(status: int = 200) -> dict[str, Any]:
    """Return what botocore keeps beside an answer; a header says that no service was asked.

    Args:
        status: HTTP status code.
    """
    request_id = str(uuid.uuid4())
    return {
        "RequestId": request_id,
        "HTTPStatusCode": status,
        "HTTPHeaders": {
            "x-amzn-requestid": request_id,
            "content-type": CONTENT_TYPE,
            ENGINE_HEADER: "embedded",
        },
        "RetryAttempts": 0,
    }
