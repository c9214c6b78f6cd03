"""The policies of the documentation allow what the library calls, and no more."""

import ast
import json
import re
from importlib.util import find_spec
from pathlib import Path

import boto3
import pytest

from rekog_emotion.wire.service import DETECT_FACES, GET_FACE_DETECTION, START_FACE_DETECTION

PACKAGE = Path(find_spec("rekog_emotion").origin).parent
PAGE = Path(__file__).parents[2] / "docs/how-to/iam.md"
SECTIONS = dict(re.findall(r"^## (.+?)$\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
# What IAM calls the methods of boto3 that are called beside Rekognition's.
ACTIONS = {
    "upload_file": {"s3:PutObject", "s3:AbortMultipartUpload"},
    "head_object": {"s3:GetObject"},
    "delete_object": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    "list_objects_v2": {"s3:ListBucket"},
    "receive_message": {"sqs:ReceiveMessage"},
    "delete_message": {"sqs:DeleteMessage"},
    "change_message_visibility": {"sqs:ChangeMessageVisibility"},
}
READING = {"s3:GetObject", "s3:GetObjectVersion"}  # by Rekognition, with the rights of the caller
JOBS = {f"rekognition:{START_FACE_DETECTION}", f"rekognition:{GET_FACE_DETECTION}"}


def policies(section):
    """Return the policies of a section of the page, as they stand there."""
    return [
        json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", SECTIONS[section], re.MULTILINE | re.DOTALL)
    ]


def actions(policy):
    """Return what a policy allows."""
    stated = [statement["Action"] for statement in policy["Statement"]]
    return {action for one in stated for action in ([one] if isinstance(one, str) else one)}


def called(source):
    """Return the words of a source that may name a method: attributes and strings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_call_has_its_action():
    """Whatever method of S3, SNS or SQS the library calls is in the table; the server has an identity of its own."""
    methods = {"upload_file", "download_file", "upload_fileobj", "download_fileobj"}
    for service in ("s3", "sns", "sqs"):
        client = boto3.session.Session().client(service, region_name="eu-west-1")
        methods |= set(client.meta.method_to_api_mapping)
    sources = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "server"]

    assert {word for path in sources for word in called(path.read_text(encoding="utf-8")) if word in methods} == set(
        ACTIONS
    )


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("Photos", {f"rekognition:{DETECT_FACES}"}),
        ("Photos in S3", {f"rekognition:{DETECT_FACES}", *READING, *ACTIONS["list_objects_v2"]}),
        ("Videos in S3", JOBS | READING),
        (
            "A video of this machine",
            JOBS | READING | ACTIONS["upload_file"] | ACTIONS["head_object"] | ACTIONS["delete_object"],
        ),
        (
            "Messages",
            {
                *ACTIONS["receive_message"],
                *ACTIONS["delete_message"],
                *ACTIONS["change_message_visibility"],
                "iam:PassRole",
            },
        ),
    ],
)
def test_identity_may_do_what_is_called(section, expected):
    """The first policy of each section, that of the identity, has these actions and no other."""
    assert actions(policies(section)[0]) == expected


def test_others_may_do_their_part():
    """Of the parts of the messages, each may do one thing."""
    assert [actions(policy) for policy in policies("Messages")[1:]] == [
        {"sns:Publish"},
        {"sts:AssumeRole"},
        {"sqs:SendMessage"},
    ]


def test_nothing_is_allowed_by_a_star():
    """No action has a star, and only Rekognition's, which know no resources, are allowed on all."""
    statements = [one for section in SECTIONS for policy in policies(section) for one in policy.get("Statement", ())]

    assert [one for one in statements if "*" in json.dumps(one["Action"])] == []
    assert {action for one in statements if one.get("Resource") == "*" for action in actions({"Statement": [one]})} == {
        f"rekognition:{DETECT_FACES}",
        *JOBS,
    }
