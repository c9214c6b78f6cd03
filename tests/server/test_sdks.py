"""The AWS CLI and the SDK for JavaScript use the server unchanged; run where the environment says where they are."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from botocore.session import get_session
from botocore.validate import validate_parameters

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.server import MediaRoot, create_app
from tests.conftest import configure_aws
from tests.server.conftest import DATA, PORTRAIT, at_a_port

SCRIPTS = Path(__file__).parent / "sdks"
MODEL = get_session().get_service_model("rekognition")
SDKS = {
    # A path of aws, and of a folder where `npm install @aws-sdk/client-rekognition` was run.
    "REKOG_EMOTION_AWS_CLI": ["sh", str(SCRIPTS / "aws_cli.sh")],
    "REKOG_EMOTION_NODE_MODULES": ["node", str(SCRIPTS / "node.mjs")],
}


@pytest.mark.parametrize("variable", SDKS)
def test_other_sdks_find_faces(tmp_path, monkeypatch, variable):
    """They sign, ask and read as they always do; with keys, so that their signatures are checked, too."""
    if variable not in os.environ:
        pytest.skip(f"{variable} does not say where it is")
    configure_aws(monkeypatch)
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    (tmp_path / "bucket").mkdir()
    shutil.copy(DATA / "people.mp4", tmp_path / "bucket")
    keys = {os.environ["AWS_ACCESS_KEY_ID"]: os.environ["AWS_SECRET_ACCESS_KEY"]}

    with EmbeddedClient(resolver=MediaRoot(tmp_path)) as client, at_a_port(create_app(client, keys=keys)) as url:
        done = subprocess.run(  # noqa: S603 -- our own program
            [*SDKS[variable], os.environ[variable], str(PORTRAIT), "bucket", "people.mp4"],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "AWS_ENDPOINT_URL_REKOGNITION": url},
            timeout=180,
        )

    assert done.returncode == 0, done.stderr
    photo, job, page = map(json.loads, done.stdout.splitlines())
    for operation, answer in (("DetectFaces", photo), ("StartFaceDetection", job), ("GetFaceDetection", page)):
        answer.pop("$metadata", None)  # of the SDK for JavaScript
        validate_parameters(answer, MODEL.operation_model(operation).output_shape)
    [face] = photo["FaceDetails"]
    assert (face["Emotions"][0]["Type"], len(face["Landmarks"])) == ("HAPPY", 30)
    assert (page["JobStatus"], page["JobId"]) == ("SUCCEEDED", job["JobId"])
    assert page["Faces"]
