"""Recorded answers, and synthetic ones, through ``analyze_video``: what comes out is what the service gave."""

import copy
import json
import os
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rekog_emotion import VideoAnalysis, analyze_video
from tests.property.strategies import videos
from tests.scripted import IN_PROGRESS, STARTED

NAMED = os.environ.get("REKOG_EMOTION_RECORDINGS")
FOLDERS = [Path(NAMED), Path(NAMED).parent / "seed"] if NAMED else []
PATTERNS = ("vid_*.json", "docs_*get_face_detection*.json", "get_face_detection*.json")
RECORDINGS = [path for folder in FOLDERS for pattern in PATTERNS for path in sorted(folder.glob(pattern))]


class Replay:
    """A client that gives one answer of GetFaceDetection in pages, as the service cuts them.

    Args:
        whole: The answer.
        size: Faces a page.
    """

    def __init__(self, whole, size):
        self._whole, self._size, self._looks = whole, size, 0
        self.pages = 0

    def detect_faces(self, **_):
        """Answer nothing: this is a video."""
        raise NotImplementedError

    def start_face_detection(self, **_):
        """Start a job."""
        return STARTED

    def get_face_detection(self, *, JobId, MaxResults, NextToken="0"):  # noqa: N803 -- boto3's names
        """Say once that it is not finished, then give the page of the token."""
        assert (JobId, MaxResults) == ("j-1", 1000)
        self._looks += 1
        if self._looks == 1:
            return IN_PROGRESS
        self.pages += 1
        begin = int(NextToken)
        end = begin + self._size
        answer = self._whole | {"Faces": self._whole["Faces"][begin:end]}
        return copy.deepcopy(answer | {"NextToken": str(end)} if end < len(self._whole["Faces"]) else answer)


def through(whole, size):
    """Return what ``analyze_video`` makes of an answer in pages, and how many there were."""
    client = Replay(whole, size)
    return analyze_video("s3://bucket/clip.mp4", client=client), client.pages


@pytest.fixture(autouse=True)
def _no_time(clock):
    """Let no test wait."""


@pytest.mark.skipif(not NAMED, reason="REKOG_EMOTION_RECORDINGS names no folder")
def test_there_are_recordings():
    """A folder that is named has videos."""
    assert RECORDINGS


@pytest.mark.parametrize("size", [7, 1000])
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_recordings(path, size):
    """A recorded video comes out as it was recorded, however it is cut; a first page of one is taken for the whole."""
    whole = json.loads(path.read_bytes())
    whole.pop("NextToken", None)

    clip, pages = through(whole, size)

    assert clip.to_aws() == whole
    assert clip == VideoAnalysis.from_aws(whole)
    assert pages == max(1, -(-len(whole["Faces"]) // size))


@given(
    whole=videos,
    size=st.integers(min_value=1, max_value=4),
    status=st.just({"JobStatus": "SUCCEEDED"}),
)
def test_anything_the_service_may_say(whole, size, status):
    """An answer with any members, known and unknown, there, absent or null, survives being cut into pages."""
    whole |= status
    whole.pop("NextToken", None)
    faces = whole["Faces"]
    # The service has no two pages that are alike.
    assume(all(faces[at : at + size] != faces[at + size : at + 2 * size] for at in range(0, len(faces) - size, size)))

    clip, _ = through(whole, size)

    assert clip.to_aws() == whole
    assert clip == VideoAnalysis.from_aws(whole)
