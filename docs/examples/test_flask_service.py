"""Tests of the Flask service, with answers that they choose: no network, no waiting."""

from pathlib import Path

import flask_service
import pytest

from rekog_emotion.testing import Fault

PHOTO = Path("photo.jpg").read_bytes()
SAD = {"FaceDetails": [{"Emotions": [{"Type": "SAD", "Confidence": 90.0}]}]}


@pytest.fixture
def web(rekog_fake, monkeypatch):
    """Let the service ask a client that answers what the test says; ``rekog_fake`` comes with rekog-emotion."""
    monkeypatch.setattr(flask_service, "CLIENT", rekog_fake)
    return flask_service.app.test_client()


def test_says_how_faces_look(web, rekog_fake):
    """A picture gives the strongest emotion of each face."""
    rekog_fake.script_images(SAD)

    assert web.post("/faces", data=PHOTO).json == {"emotions": ["SAD"]}


def test_survives_throttling(web, rekog_fake):
    """Three refusals are waited for, in virtual time."""
    rekog_fake.script_images(SAD)
    rekog_fake.faults.add(Fault.throttled(), times=3)

    assert web.post("/faces", data=PHOTO).json == {"emotions": ["SAD"]}


def test_says_that_it_is_busy(web, rekog_fake):
    """Where every call is refused, the answer is one to try again."""
    rekog_fake.faults.add(Fault.throttled(), times=None)  # all from now on

    assert web.post("/faces", data=PHOTO).status == "503 SERVICE UNAVAILABLE"


def test_says_what_is_no_picture(web):
    """The message is for whoever sent it."""
    answer = web.post("/faces", data=b"no photo")

    assert (answer.status, "error" in answer.json) == ("400 BAD REQUEST", True)
