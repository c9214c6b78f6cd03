import attrs
import pytest

from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.faces import Face
from rekog_emotion.values.videos import StartedJob, TimedFace, VideoMetadata

FACE = Face(confidence=99.0)
METADATA = {"RequestId": "r-1", "HTTPHeaders": {"content-type": "application/x-amz-json-1.1"}}


@pytest.mark.parametrize(("timestamp_ms", "seconds"), [(0, 0.0), (500, 0.5), (21_600_000, 21_600.0), (None, None)])
def test_seconds(timestamp_ms, seconds):
    """The timestamp in seconds, ``None`` where the service gave none."""
    assert TimedFace(timestamp_ms=timestamp_ms).seconds == seconds


@pytest.mark.parametrize("kind", [ImageAnalysis, StartedJob, VideoAnalysis], ids=lambda kind: kind.__name__)
def test_response_metadata_is_no_part_of_the_value(kind):
    """Two answers that differ in their request id alone are equal, hash alike and show alike."""
    first, second = kind(response_metadata={"RequestId": "r-1"}), kind(response_metadata={"RequestId": "r-2"})

    assert first == second == kind()
    assert hash(first) == hash(second)
    assert repr(first) == repr(kind())
    assert first.to_aws()["ResponseMetadata"] == {"RequestId": "r-1"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ImageAnalysis(engine="aws", source="a.jpg"), ImageAnalysis(engine="embedded", source="b.jpg")),
        (VideoAnalysis(engine="aws"), VideoAnalysis(engine="embedded")),
    ],
    ids=["image", "video"],
)
def test_origin_is_no_part_of_the_value(first, second):
    """Who made an analysis, and of which file, shows but does not make it another one."""
    assert first == second
    assert hash(first) == hash(second)
    assert repr(first) != repr(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ImageAnalysis(size=(640, 480)), ImageAnalysis(size=(480, 640))),
        (VideoAnalysis(next_token="t-2"), VideoAnalysis(next_token="t-3")),  # noqa: S106 -- page tokens, no secrets
        (VideoAnalysis(job_id="j-1"), VideoAnalysis(job_id="j-2")),
    ],
    ids=["size", "token", "job"],
)
def test_everything_else_is(first, second):
    """Analyses that differ in anything else are different."""
    assert first != second


def test_response_metadata_is_a_copy():
    """What is done to an answer, read or written, does not reach the analysis."""
    answer = {"FaceDetails": [], "ResponseMetadata": {"HTTPHeaders": {"server": "a"}}}
    analysis = ImageAnalysis.from_aws(answer)

    answer["ResponseMetadata"]["HTTPHeaders"]["server"] = "b"
    analysis.to_aws()["ResponseMetadata"]["HTTPHeaders"]["server"] = "c"

    assert analysis.response_metadata == {"HTTPHeaders": {"server": "a"}}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            ImageAnalysis(size=(640, 480), engine="aws", source="a.jpg", response_metadata=METADATA),
            (
                "ImageAnalysis(faces=<0 faces>, size=(640, 480), engine='aws', source='a.jpg', "
                "orientation_correction=None)"
            ),
        ),
        (
            VideoAnalysis.from_aws(
                {
                    "JobStatus": "SUCCEEDED",
                    "Faces": [{"Timestamp": 0}, {"Timestamp": 500}],
                    "VideoMetadata": {"FrameRate": 29.969802856445312, "ColorRange": "FULL"},
                    "NextToken": "t" * 200,
                    "JobId": "j-1",
                    "ResponseMetadata": METADATA,
                }
            ),
            (
                "VideoAnalysis(faces=<2 faces>, status=SUCCEEDED, status_message=None, "
                "metadata=VideoMetadata(codec=None, "
                "duration_millis=None, format=None, frame_rate=29.97, frame_height=None, frame_width=None, "
                "color_range=FULL), job_id='j-1', video=None, job_tag=None, engine=None, source=None)"
            ),
        ),
        (StartedJob(job_id="j-1", response_metadata=METADATA), "StartedJob(job_id='j-1')"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_repr(value, text):
    """A video shows how many faces it has, not each; neither tokens nor headers are shown."""
    assert repr(value) == text


@pytest.mark.parametrize("status", ["IN_PROGRESS", "FAILED"])
def test_no_list_of_faces_is_not_a_list_of_none(status):
    """A job without a result is not equal to one that found nobody, though both have no faces."""
    without, with_none = (
        VideoAnalysis.from_aws({"JobStatus": status}),
        VideoAnalysis.from_aws({"JobStatus": status, "Faces": []}),
    )

    assert without.faces == with_none.faces == ()
    assert without != with_none
    assert without.to_aws() == {"JobStatus": status}
    assert with_none.to_aws() == {"JobStatus": status, "Faces": []}


def test_faces_given_later_show():
    """Faces that are put into an analysis without any are written."""
    analysis = attrs.evolve(VideoAnalysis.from_aws({"JobStatus": "IN_PROGRESS"}), faces=(TimedFace(face=FACE),))

    assert analysis.to_aws() == {"JobStatus": "IN_PROGRESS", "Faces": [{"Face": {"Confidence": 99.0}}]}


def test_what_the_caller_knows_is_not_on_the_wire():
    """Size, engine and source are the caller's, not the service's."""
    analysis = ImageAnalysis.from_aws({"FaceDetails": []}, size=(640, 480), engine="aws", source="me.jpg")

    assert (analysis.size, analysis.engine, analysis.source) == ((640, 480), "aws", "me.jpg")
    assert analysis.to_aws() == {"FaceDetails": []}


def test_size_of_a_video():
    """Its pixels, where the service says them: for boxes in pixels."""
    metadata = VideoMetadata(frame_width=640, frame_height=480)

    assert VideoAnalysis(metadata=metadata).size == (640, 480)
    assert VideoAnalysis(metadata=VideoMetadata(frame_width=640)).size is None
    assert VideoAnalysis().size is None
