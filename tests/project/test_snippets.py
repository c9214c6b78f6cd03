import doctest
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import boto3
import pytest
from PIL import Image
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

from rekog_emotion.embedded import EmbeddedClient
from tests.conftest import configure_aws
from tests.http_standin import Answer

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
# They run by themselves, in an empty environment: tests/project/test_examples.py.
PROGRAMS = {path.read_text(encoding="utf-8") for path in ROOT.glob("docs/examples/*.py")}
# Snippets that need one of these run where it is installed: some environments of tests are older, or smaller.
ELSEWHERE = {"from fastapi import": "fastapi", "import ray\n": "ray"}
SYBIL = Sybil(parsers=[PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS)])


@pytest.fixture(scope="module")
def s3_address(moto):
    """Give the address of a stand-in for S3 that has the bucket for uploads."""
    with pytest.MonkeyPatch.context() as patch:
        configure_aws(patch)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.session.Session().client("s3", endpoint_url=moto).create_bucket(Bucket="my-uploads")
    return moto


@pytest.fixture(scope="module")
def faces():
    """Give the face of the portrait in the service's shape."""
    portrait = (ROOT / "tests/data/astronaut.jpg").read_bytes()
    return EmbeddedClient().detect_faces(Image={"Bytes": portrait}, Attributes=["ALL"])["FaceDetails"]


@pytest.fixture
def aws(standin, s3_address, faces, monkeypatch):
    """Let calls without ``client=`` reach stand-ins for AWS that have seen the portrait, as a photo and as a video."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_address)
    standin.script("DetectFaces", Answer({"FaceDetails": faces}))
    standin.script("StartFaceDetection", Answer({"JobId": "376e40bc4cfa8522"}))
    page = {"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": 500 * i, "Face": face} for i, face in enumerate(faces)]}
    standin.script("GetFaceDetection", Answer(page))


@pytest.fixture
def workplace(monkeypatch, tmp_path):
    """Work in a folder with the pictures that the documents speak of, and nothing else."""
    shutil.copytree(ROOT / "tests/data", tmp_path / "tests/data")
    shutil.copy(ROOT / "tests/data/astronaut.jpg", tmp_path / "photo.jpg")
    shutil.copy(ROOT / "tests/data/people.mp4", tmp_path / "clip.mp4")
    with Image.open(tmp_path / "photo.jpg") as portrait:
        portrait.save(tmp_path / "test.png")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("aws", "workplace")
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: os.fspath(path.relative_to(ROOT)))
def test_every_snippet_runs(path):
    """All Python of a document runs, in its order and in one namespace; what it shows as output comes out."""
    for example in SYBIL.parse(path).examples():
        if str(example.parsed) in PROGRAMS:
            continue
        if all(line not in str(example.parsed) or find_spec(name) for line, name in ELSEWHERE.items()):
            example.evaluate()
