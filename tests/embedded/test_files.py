"""Local files have the names of objects in S3."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rekog_emotion.embedded.files import LocalFiles


def test_staged():
    """A staged file is found under a random key of a reserved bucket, as often as it is staged."""
    files = LocalFiles()
    first, second = files.stage("/clips/a.mp4"), files.stage(Path("/clips/a.mp4"))
    assert first != second
    assert first["Bucket"] == "local-files"
    assert re.fullmatch("[0-9a-f]{32}", first["Name"])
    assert [files.resolve(first), files.resolve(second)] == ["/clips/a.mp4"] * 2


def test_relative(tmp_path, monkeypatch):
    """A relative path means what it meant when the file was staged."""
    files = LocalFiles()
    monkeypatch.chdir(tmp_path)
    staged = files.stage("a.mp4")
    monkeypatch.chdir("/")
    assert str(tmp_path / "a.mp4") == files.resolve(staged)


def test_discarded():
    """A discarded file is forgotten; a second time does nothing, nor does an object of another bucket."""
    files = LocalFiles()
    staged = files.stage("/clips/a.mp4")
    files.discard({**staged, "Bucket": "elsewhere"})
    assert files.resolve(staged) == "/clips/a.mp4"
    for _ in range(2):
        files.discard(staged)
        with pytest.raises(LookupError):
            files.resolve(staged)


def test_elsewhere():
    """Every other object is looked for where the caller says, even in a bucket of the same name."""
    files = LocalFiles(lambda where: f"/mirror/{where['Bucket']}/{where['Name']}")
    staged = files.stage("/clips/a.mp4")
    assert files.resolve(staged) == "/clips/a.mp4"
    assert files.resolve({"Bucket": "local-files", "Name": "b.mp4"}) == "/mirror/local-files/b.mp4"
    assert files.resolve({"Bucket": "films", "Name": staged["Name"]}) == f"/mirror/films/{staged['Name']}"


def test_nowhere():
    """Without another place an object that was not staged is a LookupError."""
    with pytest.raises(LookupError):
        LocalFiles().resolve({"Bucket": "films", "Name": "b.mp4"})
