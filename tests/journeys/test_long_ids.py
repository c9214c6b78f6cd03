"""An id of a job as no service gives it, a megabyte long, is data, and no message is as long as that."""

import pytest

from rekog_emotion import VideoJob, start_video
from rekog_emotion.errors import RekogEmotionError
from rekog_emotion.testing import virtual_time

LONG = "a" * 1_000_000
SHOWN = f"{'a' * 200}..."
PAGE = {"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": 1, "Face": {}}], "VideoMetadata": {}}
UNFINISHED = (
    f"job {SHOWN} was not finished after 5 s; it goes on at the service, and VideoJob.from_dict(error.state) resumes it"
)
MISFIT = (
    f"the pages of job {SHOWN} do not fit together: page 2 has the faces of the one before once more; "
    "VideoJob.resume() begins again"
)
NOTE = f"VideoJob.from_dict({{'version': 1, 'job_id': '{SHOWN}', 'upload': None}}) takes job {SHOWN} up again"


class Client:
    """A service that says of each job what it is told to say."""

    def __init__(self, answer):
        self.answer = answer

    def detect_faces(self, **_):
        """Answer nothing."""

    def start_face_detection(self, **_):
        """Start a job of a long id."""
        return {"JobId": LONG}

    def get_face_detection(self, **_):
        """Answer, or raise."""
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "message", "notes"),
    [
        (
            {"JobStatus": "FAILED", "StatusMessage": "no video"},
            f"s3://bucket/clip.mp4: job {SHOWN} failed: no video",
            [],
        ),
        ({"JobStatus": "IN_PROGRESS"}, UNFINISHED, []),
        (PAGE | {"NextToken": "more"}, MISFIT, []),
        (KeyboardInterrupt("now"), "now", [NOTE]),
    ],
)
def test_messages_are_short(answer, message, notes):
    """Errors and their notes have its beginning; the attribute has all of it."""
    with virtual_time(), pytest.raises((RekogEmotionError, KeyboardInterrupt)) as caught:
        start_video("s3://bucket/clip.mp4", client=Client(answer)).result(timeout=5)

    assert str(caught.value) == message
    assert getattr(caught.value, "__notes__", []) == notes
    assert getattr(caught.value, "job_id", LONG) == LONG


def test_a_job_is_short_to_look_at():
    """So is what a notebook or a debugger shows of it, while all of the id is kept."""
    job = VideoJob.resume(LONG, client=Client(PAGE))

    assert repr(job) == f"<VideoJob {SHOWN}>"
    assert job.to_dict()["job_id"] == LONG
