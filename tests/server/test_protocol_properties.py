"""Any request whatsoever: the answer is one of the service's, and botocore reads it."""

import base64
import json
import os
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, Shape, StructureShape
from botocore.parsers import create_parser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.server import create_app
from tests.amounts import amount
from tests.server.in_process import JSON, SIGNED, InProcess

# More by hand: REKOG_EMOTION_EXAMPLES=20000.
EXAMPLES = int(os.environ.get("REKOG_EMOTION_EXAMPLES") or amount(120, whole=1000))
MODEL = botocore.session.get_session().get_service_model("rekognition")
OPERATIONS = ("DetectFaces", "StartFaceDetection", "GetFaceDetection")
KNOWN = {
    "AccessDeniedException",
    "IncompleteSignatureException",
    "MissingAuthenticationTokenException",
    "RequestEntityTooLargeException",
    "SerializationException",
    "UnknownOperationException",
    "ValidationException",
    *(shape.name for shape in MODEL.error_shapes),
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def valid(shape: Shape) -> st.SearchStrategy[Any]:
    """Give what a shape allows, near enough: what the pattern refuses is among it."""
    if isinstance(shape, StructureShape):
        required = {name: mutated(member) for name, member in shape.members.items() if name in shape.required_members}
        others = {name: mutated(member) for name, member in shape.members.items() if name not in required}
        return st.fixed_dictionaries(required, optional=others)
    if isinstance(shape, ListShape):
        return st.lists(mutated(shape.member), max_size=4)
    if shape.type_name == "integer":
        return st.integers(-1, 2000)
    if shape.type_name == "blob":
        return st.binary(max_size=64).map(lambda blob: base64.b64encode(blob).decode())
    limits = shape.metadata
    words = st.sampled_from(shape.metadata["enum"]) if "enum" in limits else st.from_regex(r"[a-zA-Z0-9-_]{1,70}")
    return words | st.text(min_size=limits.get("min", 0), max_size=limits.get("min", 0) + 20)


def mutated(shape: Shape) -> st.SearchStrategy[Any]:
    """Give what a shape allows, and now and then something else."""
    return st.integers(0, 9).flatmap(lambda roll: json_values if roll == 0 else valid(shape))


contents = st.sampled_from(OPERATIONS).flatmap(
    lambda operation: st.tuples(
        st.just(operation),
        st.tuples(
            valid(MODEL.operation_model(operation).input_shape),
            st.dictionaries(st.text(max_size=8), json_values, max_size=2),
        ).map(lambda pair: {**pair[1], **pair[0]}),
    )
)


def cut(body: bytes, at: float) -> bytes:
    """Return the beginning of a body."""
    return body[: int(len(body) * at)]


mostly_json = st.just(JSON) | st.sampled_from([None, "", "text/xml", "application/json", f"{JSON}; charset=utf-8"])
latin = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)


def often(usual: Any, *others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Give the usual nine times of ten."""
    return st.integers(0, 9).flatmap(lambda roll: st.one_of(*others) if roll == 0 else st.just(usual))


@st.composite
def requests(draw):
    """Give a request, which may be wrong anywhere."""
    operation, content = draw(contents)
    body = json.dumps(content).encode()
    body = draw(often(body, st.binary(max_size=200), st.floats(0, 1).map(lambda at: cut(body, at))))
    return {
        "operation": operation,
        "body": body,
        "method": draw(often("POST", st.sampled_from(["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"]))),
        "path": draw(often("/", st.just("/x"), st.text(st.characters(codec="ascii"), max_size=10).map("/{}".format))),
        "query": draw(often("", st.text(st.characters(codec="ascii"), max_size=40), st.just("X-Amz-Signature=1"))),
        "headers": {
            "host": draw(often("localhost", st.none(), latin)),
            "content-type": draw(often(JSON, mostly_json)),
            "authorization": draw(often(SIGNED, st.none(), latin, latin.map("AWS4-HMAC-SHA256 {}".format))),
            "x-amz-target": draw(
                often(
                    f"RekognitionService.{operation}",
                    st.none(),
                    latin,
                    st.sampled_from(MODEL.operation_names).map("RekognitionService.{}".format),
                )
            ),
        },
    }


@pytest.fixture
def endpoints(scripted):
    """Give an endpoint where nothing is found, one where everything is, and one that looks at signatures."""
    with (
        EmbeddedClient() as client,
        InProcess(create_app(client)) as empty,
        InProcess(create_app(scripted)) as full,
        InProcess(create_app(scripted, keys={"AKID": "not-a-secret"})) as closed,
    ):
        yield [empty] * 4 + [full] * 4 + [closed]


# One endpoint for all requests is what is meant.
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(request=requests(), which=st.integers(0, 8))
def test_every_answer_is_the_services(endpoints, request, which):
    """Status, headers and body are of the service's form, and botocore reads them; nothing fails inside."""
    reply = endpoints[which].ask(**request)

    assert reply.status in {200, 400, 403, 404, 413}
    assert reply.headers["content-type"] == JSON
    assert len(reply.headers["x-amzn-requestid"]) == 36
    assert int(reply.headers["content-length"]) == len(reply.body)
    operation = request["operation"]
    response = {"status_code": reply.status, "headers": reply.headers, "body": reply.body}
    read = create_parser("json").parse(response, MODEL.operation_model(operation).output_shape)
    assert read["ResponseMetadata"]["HTTPStatusCode"] == reply.status
    if reply.status == 200:
        assert set(read) - {"ResponseMetadata"} == set(reply.content)
    else:
        assert read["Error"]["Code"] in KNOWN
        assert set(reply.content) - {"__type", "Code"} <= {"Message"} or set(reply.content) == {"__type", "message"}
        assert "Traceback" not in reply.body.decode()
