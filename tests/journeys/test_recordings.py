"""Recorded answers of the real service, where the folder that REKOG_EMOTION_RECORDINGS names has some."""

import json
import os
import pickle
from pathlib import Path

import pytest

from rekog_emotion.errors import ResponseError
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.videos import StartedJob


def load(path):
    """Read a recording anew, so that no test can spoil it for another."""
    return json.loads(path.read_bytes())


def each(files):
    """Return the mark that runs a test for each of the files."""
    return pytest.mark.parametrize("path", files.values(), ids=files.keys())


NAMED = os.environ.get("REKOG_EMOTION_RECORDINGS")
FOLDERS = [Path(NAMED), Path(NAMED).parent / "seed"] if NAMED else []
FILES = {
    f"{folder.name}/{path.relative_to(folder).as_posix()}": path
    for folder in FOLDERS
    for path in sorted(folder.rglob("*.json"))
}
OTHERS = {name: path for name, path in FILES.items() if path.name.startswith(("errors_", "sns_message_"))}
ANSWERS = {name: path for name, path in FILES.items() if name not in OTHERS}
VIDEOS = {name: path for name, path in ANSWERS.items() if "Faces" in load(path)}

pytestmark = pytest.mark.skipif(not NAMED, reason="REKOG_EMOTION_RECORDINGS names no folder")


def kind_of(answer):
    """Return the class for an answer, told by the members that each must have."""
    if "FaceDetails" in answer:
        return ImageAnalysis
    return VideoAnalysis if "Faces" in answer or "JobStatus" in answer else StartedJob


def test_there_are_recordings():
    """A folder that is named has answers of both kinds."""
    kinds = {kind_of(load(path)) for path in ANSWERS.values()}

    assert {ImageAnalysis, VideoAnalysis} <= kinds


@each(ANSWERS)
def test_round_trip(path):
    """Every recorded answer comes back as it was, by way of JSON too."""
    answer = load(path)

    value = kind_of(answer).from_aws(answer)

    assert value.to_aws() == answer
    assert json.loads(json.dumps(value.to_aws())) == load(path)


@each(ANSWERS)
def test_is_a_value(path):
    """Every recorded answer hashes, compares and pickles."""
    kind = kind_of(load(path))
    value, again = kind.from_aws(load(path)), kind.from_aws(load(path))

    assert value == again == pickle.loads(pickle.dumps(value))  # noqa: S301 -- our own bytes
    assert hash(value) == hash(again)
    assert repr(value) == repr(again)


@each(ANSWERS)
def test_faces_read_well(path):
    """Every recorded face has a place in a picture, and the surest of its emotions is found wherever it stands."""
    for item in getattr(kind_of(load(path)).from_aws(load(path)), "faces", ()):
        face = getattr(item, "face", item)
        left, top, right, bottom = face.bounding_box.to_pixels((10_000, 10_000))
        assert left < right
        assert top < bottom
        if face.emotions:
            assert face.dominant_emotion.confidence == max(emotion.confidence for emotion in face.emotions)


@each(VIDEOS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_pages(path, size):
    """A recorded video that is cut into pages is whole again when they are read together."""
    whole = load(path)
    whole.pop("NextToken", None)
    cuts = [whole["Faces"][at : at + size] for at in range(0, len(whole["Faces"]), size)]
    pages = [whole | {"Faces": faces, "NextToken": str(number)} for number, faces in enumerate(cuts)]
    del pages[-1]["NextToken"]

    assert VideoAnalysis.from_aws(*pages) == VideoAnalysis.from_aws(whole)
    assert VideoAnalysis.from_aws(*pages).to_aws() == whole


@each({name: path for name, path in OTHERS.items() if path.name.startswith("errors_")})
def test_failed_jobs(path):
    """The recorded answers with status 200 among the errors are failed jobs, and come back as they were."""
    failed = [item["body"] for item in load(path) if item["status"] == 200]

    assert [VideoAnalysis.from_aws(body).to_aws() for body in failed] == failed
    assert {VideoAnalysis.from_aws(body).status for body in failed} == {"FAILED"}


@each({name: path for name, path in OTHERS.items() if path.name.startswith("sns_message_")})
def test_a_notice_is_no_result(path):
    """The notice that a job has ended has a status and an id, and is still no answer with faces."""
    with pytest.raises(ResponseError) as caught:
        VideoAnalysis.from_aws(load(path))

    assert str(caught.value) == "Faces: missing from the answer, which is broken: this is not 'no faces'"
