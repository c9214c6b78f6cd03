"""Facts of the service stand once, in wire/service.py."""

import re
from importlib.util import find_spec
from pathlib import Path

import boto3
import pytest

from rekog_emotion.wire import service

ROOT = Path(find_spec("rekog_emotion").origin).parent
ROOMS = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "wire" / "service.py"]
WORDS = {*service.METHODS, service.TARGET, service.CONTENT_TYPE, service.ENGINE_HEADER}
WORDS |= {text for refusal in (service.NO_JOB, service.BAD_PAGE, service.OTHER_REQUEST) for text in refusal[1:]}
WORDS |= {service.TOKEN.pattern, service.JOB_TAG.pattern}
SIZES = {service.MAX_IMAGE_BYTES, service.MAX_IMAGE_OBJECT_BYTES, service.MAX_VIDEO_BYTES}


def constants(code):
    """Give the constants of compiled code, computed ones as well."""
    for one in code.co_consts:
        yield from (
            constants(one) if hasattr(one, "co_consts") else one if isinstance(one, (tuple, frozenset)) else [one]
        )


def found(source):
    """Return the facts that a room writes out itself; a message or docstring that names one is none."""
    return {
        one
        for one in constants(compile(source, "room", "exec", dont_inherit=True))
        if (one.decode("latin-1") if isinstance(one, bytes) else one) in WORDS | SIZES
    }


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_room_writes_a_fact_out(path):
    """It takes it from the one place."""
    assert found(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f():\n    return call('DetectFaces')", {"DetectFaces"}),
        ("HEADERS = {b'content-type': b'application/x-amz-json-1.1'}", {b"application/x-amz-json-1.1"}),
        ("class A:\n    most = 15 * 1024 * 1024", {15 * 1024**2}),
        ("def f(name):\n    return name in ('x-rekog-emotion-engine', 'b')", {"x-rekog-emotion-engine"}),
        ("'''About DetectFaces.'''\nMESSAGE = 'DetectFaces failed'", set()),
    ],
)
def test_finds_what_is_written_out(source, expected):
    """Wherever it stands, and however it is computed; a message that names it is none."""
    assert found(source) == expected


def test_facts_are_those_of_the_service_model():
    """As far as the installed model has them."""
    model = boto3.session.Session().client("rekognition", region_name="eu-west-1").meta.service_model
    start = model.shape_for("StartFaceDetectionRequest").members

    assert set(service.METHODS) < set(model.operation_names)
    assert model.metadata["targetPrefix"] == service.TARGET
    assert f"application/x-amz-json-{model.metadata['jsonVersion']}" == service.CONTENT_TYPE
    assert model.shape_for("ImageBlob").metadata["max"] == service.MAX_IMAGE_BYTES
    assert {method: operation for operation, method in service.METHODS.items()} == service.OPERATIONS
    for name, pattern, longest in (("ClientRequestToken", service.TOKEN, 64), ("JobTag", service.JOB_TAG, 1024)):
        assert start[name].metadata["max"] == longest
        for text in ("a-b_1", "a b", "", "a.b:c/=", "é"):
            matches = bool(text) and re.fullmatch(start[name].metadata["pattern"], text) is not None
            assert (pattern.fullmatch(text) is not None) == matches
        assert [bool(pattern.fullmatch("a" * length)) for length in (longest, longest + 1)] == [True, False]
