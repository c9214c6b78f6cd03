import doctest
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

from rekog_emotion.embedded import EmbeddedClient
from tests.http_standin import Answer

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
SYBIL = Sybil(parsers=[PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS)])


@pytest.fixture
def aws(standin):
    """Let every call without ``client=`` reach a stand-in for AWS that has seen the portrait."""
    portrait = (ROOT / "tests/data/astronaut.jpg").read_bytes()
    answer = EmbeddedClient().detect_faces(Image={"Bytes": portrait}, Attributes=["ALL"])
    standin.script("DetectFaces", Answer({"FaceDetails": answer["FaceDetails"]}))


@pytest.fixture
def workplace(monkeypatch, tmp_path):
    """Work in a folder with the pictures that the documents speak of, and nothing else."""
    shutil.copytree(ROOT / "tests/data", tmp_path / "tests/data")
    shutil.copy(ROOT / "tests/data/astronaut.jpg", tmp_path / "photo.jpg")
    with Image.open(tmp_path / "photo.jpg") as portrait:
        portrait.save(tmp_path / "test.png")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("aws", "workplace")
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: os.fspath(path.relative_to(ROOT)))
def test_every_snippet_runs(path):
    """All Python of a document runs, in its order and in one namespace; what it shows as output comes out."""
    for example in SYBIL.parse(path).examples():
        example.evaluate()
