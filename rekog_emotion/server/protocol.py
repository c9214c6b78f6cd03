"""Rekognition's wire protocol: which operation a request means, and answers and errors in the service's form."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from attrs import field, frozen
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from botocore.model import ServiceModel, StructureShape

from rekog_emotion.wire.service import CONTENT_TYPE, ENGINE_HEADER, METHODS, TARGET

__all__ = [
    "BAD_SIGNATURE",
    "MALFORMED",
    "Answer",
    "RefusedError",
    "answer_to",
    "answer_to_error",
    "input_shape",
    "operation_of",
    "refusal",
    "serialization_error",
    "service_error",
    "throttled",
]

BAD_SIGNATURE: Final = "InvalidSignatureException"
MALFORMED: Final = "MalformedHttpRequestException"
UNKNOWN: Final = "UnknownOperationException"
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


@frozen(kw_only=True)
class Answer:
    """An answer on its way out.

    Attributes:
        body: JSON.
        status: HTTP status code.
        request_id: What ``x-amzn-RequestId`` says: a UUID of which nothing depends on that nobody can guess it.
        engine: Who answered, where the client says so.
    """

    body: bytes
    status: int = 200
    request_id: str = field(factory=lambda: str(uuid.UUID(int=random.getrandbits(128), version=4)))
    engine: str | None = None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers, as ASGI has them."""
        headers = [
            (b"x-amzn-requestid", self.request_id.encode("latin-1")),
            (b"content-type", CONTENT_TYPE.encode()),
            (b"content-length", b"%d" % len(self.body)),
        ]
        if self.engine is not None:
            headers.append((ENGINE_HEADER.encode(), self.engine.encode("latin-1")))
        return headers


class RefusedError(Exception):
    """The request is not carried out; the error has the answer that says so."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def refusal(code: str, message: str | None, *, status: int = 400) -> RefusedError:
    """Return an error of AWS's front end, which all services share: it has its text in ``message``.

    Args:
        code: The error's code.
        message: Its text; some have none.
        status: HTTP status code.
    """
    return _refused({"__type": code, "message": message}, status)


def serialization_error(message: str | None) -> RefusedError:
    """Return the error for a body that is not of the operation's types; its text is in ``Message``."""
    return _refused({"__type": "SerializationException", "Message": message}, 400)


def service_error(code: str, message: str, *, status: int = 400) -> RefusedError:
    """Return an error of Rekognition itself, which has its code twice and its text in ``Message``.

    Args:
        code: The error's code.
        message: Its text.
        status: HTTP status code.
    """
    return RefusedError(Answer(body=_service_error(code, message), status=status))


def throttled() -> RefusedError:
    """Return the service's answer to more than it can take, which SDKs try again later."""
    return service_error("ThrottlingException", "Slow down; sudden increase in rate of requests.")


def _service_error(code: str, message: str) -> bytes:
    return _json({"__type": code, "Code": code, "Message": message})


def _refused(body: Mapping[str, str | None], status: int) -> RefusedError:
    said = {name: text for name, text in body.items() if text is not None}
    return RefusedError(Answer(body=_json(said), status=status))


def operation_of(method: str, path: str, headers: Mapping[str, str]) -> str:
    """Return the operation that a request means.

    Args:
        method: HTTP method.
        path: Path of the URL.
        headers: By names in lower case.

    Raises:
        RefusedError: It is not Rekognition's protocol, or an operation that is not answered here.
    """
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if (method, path, content_type) != ("POST", "/", CONTENT_TYPE):
        raise refusal(UNKNOWN, None, status=404)
    prefix, _, operation = headers.get("x-amz-target", "").partition(".")
    if prefix == TARGET and operation in METHODS:
        return operation
    if prefix == TARGET and operation in _model().operation_names:
        raise refusal(UNKNOWN, f"{operation} is not answered by this endpoint, which has {', '.join(METHODS)}")
    raise refusal(UNKNOWN, None)


def answer_to(result: Mapping[str, Any]) -> Answer:
    """Return the answer that carries what a client returned."""
    metadata = result.get("ResponseMetadata", {})
    content = {name: value for name, value in result.items() if name != "ResponseMetadata"}
    return _answer(_json(content), 200, metadata)


def answer_to_error(error: ClientError) -> Answer:
    """Return the answer that carries the error that a client raised."""
    described, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    code, status = described.get("Code", "InternalServerError"), metadata.get("HTTPStatusCode", 400)
    return _answer(_service_error(code, described.get("Message", "")), status, metadata)


def input_shape(operation: str) -> StructureShape:
    """Return what botocore's model of the service says of the operation's request."""
    shape = _model().operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)  # noqa: S101 -- for type checkers: all of Rekognition's are
    return shape


@cache
def _model() -> ServiceModel:
    # Not through a session, which would read the AWS configuration of a server that needs none.
    return ServiceModel(create_loader().load_service_model("rekognition", "service-2"), "rekognition")


def _answer(body: bytes, status: int, metadata: Mapping[str, Any]) -> Answer:
    """Return an answer with the request id and the engine of the client's own answer, if it says them."""
    engine = metadata.get("HTTPHeaders", {}).get(ENGINE_HEADER)
    request_id = metadata.get("RequestId")
    if not request_id:
        return Answer(body=body, status=status, engine=engine)
    return Answer(body=body, status=status, engine=engine, request_id=request_id)


def _json(content: Any) -> bytes:  # noqa: ANN401 -- whatever a client returned
    return _ENCODER.encode(content).encode()
