"""What every client of the seam does when it is given a video."""

import pytest
from botocore.exceptions import ClientError

from rekog_emotion import InvalidS3ObjectError, JobFailedError, JobNotFoundError

JOB = "0123456789abcdef" * 4
FACE = {
    "BoundingBox": {"Width": 0.22, "Height": 0.31, "Left": 0.33, "Top": 0.12},
    "Emotions": [{"Type": "HAPPY", "Confidence": 99.5}],
    "Confidence": 99.75,
}
METADATA = {
    "Codec": "h264",
    "DurationMillis": 1200,
    "Format": "QuickTime / MOV",
    "FrameRate": 10.0,
    "FrameHeight": 512,
    "FrameWidth": 512,
    "ColorRange": "LIMITED",
}
NO_OBJECT = (
    "InvalidS3ObjectException",
    "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
)


@pytest.mark.usefixtures("clock")
def test_analyzes_a_clip(world):
    """Two samples a second, each with its face, and what there is to say of the file."""
    faces = [{"Timestamp": milliseconds, "Face": FACE} for milliseconds in (0, 500, 1000)]
    world.will_answer("StartFaceDetection", {"JobId": JOB})
    world.will_answer(
        "GetFaceDetection",
        {"JobStatus": "IN_PROGRESS"},
        {"JobStatus": "SUCCEEDED", "JobId": JOB, "VideoMetadata": METADATA, "Faces": faces},
    )

    # Without a deadline: virtual time would pass one before a real engine is done.
    clip = world.verbs.analyze_video("s3://photos/clip.mp4", client=world.client, timeout=None)

    assert [face.timestamp_ms for face in clip.faces] == [0, 500, 1000]
    assert {str(face.face.dominant_emotion.type) for face in clip.faces} == {"HAPPY"}
    assert {face.face.face_occluded for face in clip.faces} == {None}
    assert (clip.metadata.codec, clip.metadata.format) == ("h264", "QuickTime / MOV")
    assert (clip.metadata.frame_width, clip.metadata.frame_height, clip.metadata.frame_rate) == (512, 512, 10.0)
    assert (clip.status, clip.engine) == ("SUCCEEDED", world.engine)


@pytest.mark.usefixtures("clock")
def test_cannot_decode_a_clip(world):
    """The job is started and fails, in the service's words."""
    world.will_answer("StartFaceDetection", {"JobId": JOB})
    world.will_answer("GetFaceDetection", {"JobStatus": "FAILED", "StatusMessage": "Unsupported codec/format."})

    with pytest.raises(JobFailedError) as caught:
        world.verbs.analyze_video("s3://photos/notes.txt", client=world.client, timeout=None)

    assert caught.value.job_id
    assert str(caught.value) == f"s3://photos/notes.txt: job {caught.value.job_id} failed: Unsupported codec/format."


def test_cannot_read_a_clip(world):
    """No job is started."""
    world.will_fail("StartFaceDetection", *NO_OBJECT)

    with pytest.raises(InvalidS3ObjectError) as caught:
        world.verbs.analyze_video("s3://photos/nothing.mp4", client=world.client)

    assert (caught.value.operation, caught.value.code) == ("StartFaceDetection", "InvalidS3ObjectException")


def test_knows_no_such_job(world):
    """The error carries the id, through the library and straight from the client."""
    world.will_fail("GetFaceDetection", "ResourceNotFoundException", "Could not find JobId")
    with pytest.raises(JobNotFoundError) as caught:
        world.verbs.VideoJob.resume(JOB, client=world.client).status()

    assert caught.value.job_id == JOB
    assert str(caught.value) == (
        f"GetFaceDetection of job {JOB} failed with ResourceNotFoundException: Could not find JobId "
        "(results are kept for 7 days, in the account and region that started the job)"
    )

    world.will_fail("GetFaceDetection", "ResourceNotFoundException", "Could not find JobId")
    with pytest.raises(ClientError) as raw:
        world.ask("get_face_detection", JobId=JOB)
    assert raw.value.response["Error"]["Code"] == "ResourceNotFoundException"
