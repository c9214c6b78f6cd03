import hashlib
import json
import shutil

import pytest

from rekog_emotion import ConfigurationError
from rekog_emotion.embedded import EmbeddedClient, nets
from rekog_emotion.embedded.nets import WEIGHTS, read_weights
from tests.pictures import PORTRAIT

MANIFEST = json.loads((WEIGHTS / "manifest.json").read_text("utf-8"))
NOTICE = (WEIGHTS / "NOTICE").read_text("utf-8")


def test_every_weight_file_is_in_the_manifest():
    """Nothing is shipped whose origin is not told, and nothing is told that is not shipped."""
    assert {path.name for path in WEIGHTS.iterdir()} == {*MANIFEST, "manifest.json", "NOTICE"}


@pytest.mark.parametrize("name", MANIFEST)
def test_weight_files_are_those_of_the_manifest(name):
    """Size and sha256 are as told."""
    data = (WEIGHTS / name).read_bytes()

    assert MANIFEST[name]["sha256"] == hashlib.sha256(data).hexdigest()
    assert MANIFEST[name]["bytes"] == len(data)


@pytest.mark.parametrize("name", MANIFEST)
def test_weight_files_have_a_licence_notice(name):
    """The notice names every file, its licence and where it came from."""
    section = next(part for part in NOTICE.split("\n\n\n") if name in part.splitlines()[0])
    words = {
        "Apache-2.0": "Apache License, Version 2.0",
        "BSD-3-Clause": "3-clause BSD License",
        "CC0-1.0": "CC0 1.0",
        "MIT": "MIT License",
    }

    assert words[MANIFEST[name]["licence"]] in section


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Give a copy of the weight files, of which nothing is known yet."""
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)
    monkeypatch.setattr(nets, "WEIGHTS", folder)
    monkeypatch.setattr(nets, "_intact", set())
    return folder


def flip(path):
    """Change one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


MEND = "; install the package anew: pip install --force-reinstall --no-deps rekog-emotion"


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        *((name, None, "is damaged") for name in sorted(MANIFEST)),
        ("emotion.onnx", b"", "is damaged"),
        ("emotion.onnx", "gone", "is missing"),
        ("canonical.npz", "gone", "is missing"),
        ("manifest.json", "gone", "is missing"),
        ("manifest.json", b"{}", "is damaged"),
        ("manifest.json", b"[]", "is damaged"),
        ("manifest.json", b"\xff", "is damaged"),
    ],
    ids=str,
)
def test_a_file_that_is_not_the_shipped_one_is_refused(name, content, what, installed):
    """Say which file it is and how to mend it, rather than give other numbers."""
    if content is None:
        flip(installed / name)
    elif content == "gone":
        (installed / name).unlink()
    else:
        (installed / name).write_bytes(content)

    with EmbeddedClient() as client, pytest.raises(ConfigurationError) as caught:
        client.detect_faces(Image={"Bytes": PORTRAIT.read_bytes()})

    assert f"the embedded engine's file {installed / name} {what}{MEND}" == str(caught.value)


def test_a_directory_in_place_of_a_file_is_refused(installed):
    """Say what the system says of a file that cannot be read."""
    (installed / "emotion.onnx").unlink()
    (installed / "emotion.onnx").mkdir()

    with pytest.raises(ConfigurationError) as caught:
        read_weights("emotion.onnx")

    assert str(caught.value) == (
        f"the embedded engine's file {installed / 'emotion.onnx'} cannot be read (Is a directory){MEND}"
    )


def test_a_file_is_checked_once_a_process(installed):
    """Spend no time on what was found intact."""
    read_weights("emotion.onnx")
    (installed / "manifest.json").unlink()

    assert read_weights("emotion.onnx") == (WEIGHTS / "emotion.onnx").read_bytes()
