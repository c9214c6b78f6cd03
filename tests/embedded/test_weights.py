import hashlib
import json

import pytest

from rekog_emotion.embedded.nets import WEIGHTS

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
    words = {"Apache-2.0": "Apache License, Version 2.0", "MIT": "MIT License", "CC0-1.0": "CC0 1.0"}

    assert words[MANIFEST[name]["licence"]] in section
