"""A terminal for the commands."""

import sys

import pytest


@pytest.fixture
def terminal(capsys, monkeypatch):
    """Make standard output a terminal of 80 columns that shows no colours."""
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    return capsys
