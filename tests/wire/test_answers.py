import copy

import pytest

from rekog_emotion.errors import InvalidInputError, ResponseError
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.faces import Emotion, Face
from rekog_emotion.values.landmarks import Landmark
from rekog_emotion.values.videos import StartedJob, TimedFace, VideoMetadata
from rekog_emotion.wire.kinds import Leaf, One, members

MISSING = "missing from the answer, which is broken: this is not 'no faces'"
PLAIN_LANDMARK = {"Type": "nose", "X": 0.5, "Y": 0.5}


def page(*timestamps, **members):
    """Return a page of a finished job."""
    return {"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": at, "Face": {}} for at in timestamps]} | members


# --- wrong types: the whole message, which begins with the path ---


@pytest.mark.parametrize(
    ("detail", "message"),
    [
        ({"BoundingBox": 1}, "BoundingBox: expected an object, got int"),
        ({"BoundingBox": {"Width": "0.5"}}, "BoundingBox.Width: expected a number, got str"),
        ({"BoundingBox": {"Height": True}}, "BoundingBox.Height: expected a number, got bool"),
        ({"BoundingBox": {"Left": [0.5]}}, "BoundingBox.Left: expected a number, got list"),
        ({"BoundingBox": {"Top": {}}}, "BoundingBox.Top: expected a number, got dict"),
        ({"Confidence": "99"}, "Confidence: expected a number, got str"),
        ({"AgeRange": []}, "AgeRange: expected an object, got list"),
        ({"AgeRange": {"Low": 20.0}}, "AgeRange.Low: expected an integer, got float"),
        ({"AgeRange": {"High": False}}, "AgeRange.High: expected an integer, got bool"),
        ({"Smile": True}, "Smile: expected an object, got bool"),
        ({"Smile": {"Value": 1}}, "Smile.Value: expected a boolean, got int"),
        ({"Eyeglasses": {"Value": "true"}}, "Eyeglasses.Value: expected a boolean, got str"),
        ({"Sunglasses": {"Confidence": "9"}}, "Sunglasses.Confidence: expected a number, got str"),
        ({"Gender": "Male"}, "Gender: expected an object, got str"),
        ({"Gender": {"Value": True}}, "Gender.Value: expected a string, got bool"),
        ({"Gender": {"Confidence": []}}, "Gender.Confidence: expected a number, got list"),
        ({"Beard": 0}, "Beard: expected an object, got int"),
        ({"Mustache": ""}, "Mustache: expected an object, got str"),
        ({"EyesOpen": {"Value": 0.0}}, "EyesOpen.Value: expected a boolean, got float"),
        ({"MouthOpen": {"Value": {}}}, "MouthOpen.Value: expected a boolean, got dict"),
        ({"Emotions": {}}, "Emotions: expected a list, got dict"),
        ({"Emotions": "HAPPY"}, "Emotions: expected a list, got str"),
        ({"Emotions": b""}, "Emotions: expected a list, got bytes"),
        ({"Emotions": [{}, "HAPPY"]}, "Emotions[1]: expected an object, got str"),
        ({"Emotions": [{}, {}, None]}, "Emotions[2]: expected an object, got NoneType"),
        ({"Emotions": [{"Type": 7}]}, "Emotions[0].Type: expected a string, got int"),
        ({"Emotions": [{"Confidence": "7"}]}, "Emotions[0].Confidence: expected a number, got str"),
        ({"Landmarks": {}}, "Landmarks: expected a list, got dict"),
        ({"Landmarks": "nose"}, "Landmarks: expected a list, got str"),
        ({"Landmarks": [PLAIN_LANDMARK, 3]}, "Landmarks[1]: expected an object, got int"),
        ({"Landmarks": [PLAIN_LANDMARK, []]}, "Landmarks[1]: expected an object, got list"),
        ({"Landmarks": [PLAIN_LANDMARK | {"Type": ["nose"]}]}, "Landmarks[0].Type: expected a string, got list"),
        ({"Landmarks": [PLAIN_LANDMARK | {"X": "0.5"}]}, "Landmarks[0].X: expected a number, got str"),
        ({"Landmarks": [PLAIN_LANDMARK, PLAIN_LANDMARK | {"Y": True}]}, "Landmarks[1].Y: expected a number, got bool"),
        ({"Pose": 1.5}, "Pose: expected an object, got float"),
        ({"Pose": {"Roll": "x"}}, "Pose.Roll: expected a number, got str"),
        ({"Pose": {"Yaw": []}}, "Pose.Yaw: expected a number, got list"),
        ({"Pose": {"Pitch": {}}}, "Pose.Pitch: expected a number, got dict"),
        ({"Quality": []}, "Quality: expected an object, got list"),
        ({"Quality": {"Brightness": "x"}}, "Quality.Brightness: expected a number, got str"),
        ({"Quality": {"Sharpness": "x"}}, "Quality.Sharpness: expected a number, got str"),
        ({"FaceOccluded": 1}, "FaceOccluded: expected an object, got int"),
        ({"EyeDirection": 1}, "EyeDirection: expected an object, got int"),
        ({"EyeDirection": {"Yaw": "x"}}, "EyeDirection.Yaw: expected a number, got str"),
        ({"EyeDirection": {"Pitch": "x"}}, "EyeDirection.Pitch: expected a number, got str"),
        ({"EyeDirection": {"Confidence": "x"}}, "EyeDirection.Confidence: expected a number, got str"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_wrong_member_of_a_face(detail, message):
    """A member of the wrong type is named with its path: in a face, in an image, in a video."""
    path = message.partition(":")[0]
    reads = {
        "": lambda: Face.from_aws(detail),
        "FaceDetails[2].": lambda: ImageAnalysis.from_aws({"FaceDetails": [{}, {}, detail]}),
        "Faces[1].Face.": lambda: VideoAnalysis.from_aws({"Faces": [{}, {"Face": detail}]}),
    }

    for prefix, read in reads.items():
        with pytest.raises(ResponseError) as caught:
            read()
        assert str(caught.value) == f"{prefix}{message}"
        assert caught.value.path == f"{prefix}{path}"
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "read",
    [Face.from_aws, ImageAnalysis.from_aws, StartedJob.from_aws, VideoAnalysis.from_aws],
    ids=lambda read: read.__self__.__name__,
)
@pytest.mark.parametrize(
    ("answer", "got"),
    [(None, "NoneType"), ([], "list"), ("{}", "str"), (b"{}", "bytes"), (7, "int"), (True, "bool")],
)
def test_no_object(read, answer, got):
    """An answer that is no mapping is refused as a whole."""
    with pytest.raises(ResponseError) as caught:
        read(answer)

    assert str(caught.value) == f"expected an object, got {got}"
    assert caught.value.path == ""


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({}, f"FaceDetails: {MISSING}"),
        ({"FaceDetails": None}, f"FaceDetails: {MISSING}"),
        ({"ResponseMetadata": {"HTTPStatusCode": 200}}, f"FaceDetails: {MISSING}"),
        ({"Faces": []}, f"FaceDetails: {MISSING}"),
        ({"FaceDetails": {}}, "FaceDetails: expected a list, got dict"),
        ({"FaceDetails": "[]"}, "FaceDetails: expected a list, got str"),
        ({"FaceDetails": 0}, "FaceDetails: expected a list, got int"),
        ({"FaceDetails": [None]}, "FaceDetails[0]: expected an object, got NoneType"),
        (
            {"FaceDetails": [{}, {}, {"Emotions": [{"Confidence": "high"}]}]},
            "FaceDetails[2].Emotions[0].Confidence: expected a number, got str",
        ),
        ({"FaceDetails": [], "OrientationCorrection": 90}, "OrientationCorrection: expected a string, got int"),
        ({"FaceDetails": [], "ResponseMetadata": []}, "ResponseMetadata: expected an object, got list"),
    ],
    ids=repr,
)
def test_broken_answer_of_detect_faces(answer, message):
    """A 200 without faces to read is a broken answer, never "no faces"."""
    with pytest.raises(ResponseError) as caught:
        ImageAnalysis.from_aws(answer)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({}, f"Faces: {MISSING}"),
        ({"JobStatus": "SUCCEEDED"}, f"Faces: {MISSING}"),
        ({"JobStatus": "SUCCEEDED", "Faces": None}, f"Faces: {MISSING}"),
        ({"JobStatus": "SLEEPING"}, f"Faces: {MISSING}"),
        ({"JobStatus": "SUCCEEDED", "FaceDetails": []}, f"Faces: {MISSING}"),
        ({"JobStatus": 1, "Faces": []}, "JobStatus: expected a string, got int"),
        ({"Faces": "none"}, "Faces: expected a list, got str"),
        ({"Faces": [[]]}, "Faces[0]: expected an object, got list"),
        ({"Faces": [{}, {"Timestamp": 12.5}]}, "Faces[1].Timestamp: expected an integer, got float"),
        ({"Faces": [{"Timestamp": "0"}]}, "Faces[0].Timestamp: expected an integer, got str"),
        ({"Faces": [{"Timestamp": 0, "Face": []}]}, "Faces[0].Face: expected an object, got list"),
        (page(StatusMessage=1), "StatusMessage: expected a string, got int"),
        (page(NextToken=1), "NextToken: expected a string, got int"),
        (page(JobId=[]), "JobId: expected a string, got list"),
        (page(JobTag={}), "JobTag: expected a string, got dict"),
        (page(ResponseMetadata="x"), "ResponseMetadata: expected an object, got str"),
        (page(VideoMetadata=[]), "VideoMetadata: expected an object, got list"),
        (page(VideoMetadata={"Codec": 264}), "VideoMetadata.Codec: expected a string, got int"),
        (page(VideoMetadata={"DurationMillis": 1.5}), "VideoMetadata.DurationMillis: expected an integer, got float"),
        (page(VideoMetadata={"Format": 1}), "VideoMetadata.Format: expected a string, got int"),
        (page(VideoMetadata={"FrameRate": "30"}), "VideoMetadata.FrameRate: expected a number, got str"),
        (page(VideoMetadata={"FrameHeight": "480"}), "VideoMetadata.FrameHeight: expected an integer, got str"),
        (page(VideoMetadata={"FrameWidth": True}), "VideoMetadata.FrameWidth: expected an integer, got bool"),
        (page(VideoMetadata={"ColorRange": 1}), "VideoMetadata.ColorRange: expected a string, got int"),
        (page(Video="clip.mp4"), "Video: expected an object, got str"),
        (page(Video={"S3Object": "s3://b/k"}), "Video.S3Object: expected an object, got str"),
        (page(Video={"S3Object": {"Bucket": 1}}), "Video.S3Object.Bucket: expected a string, got int"),
        (page(Video={"S3Object": {"Name": 1}}), "Video.S3Object.Name: expected a string, got int"),
        (page(Video={"S3Object": {"Version": 1}}), "Video.S3Object.Version: expected a string, got int"),
    ],
    ids=repr,
)
def test_broken_answer_of_get_face_detection(answer, message):
    """A page that cannot be read says where it is broken; a finished job without ``Faces`` is broken, too."""
    with pytest.raises(ResponseError) as caught:
        VideoAnalysis.from_aws(answer)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({}, "JobId: missing from the answer, which is broken: the job may have been started"),
        ({"JobId": None}, "JobId: missing from the answer, which is broken: the job may have been started"),
        ({"JobId": ""}, "JobId: missing from the answer, which is broken: the job may have been started"),
        ({"JobId": 7}, "JobId: expected a string, got int"),
        ({"JobId": "j-1", "ResponseMetadata": 1}, "ResponseMetadata: expected an object, got int"),
    ],
    ids=repr,
)
def test_broken_answer_of_start_face_detection(answer, message):
    """An answer without a job id is broken, and a job may run that nobody can ask for."""
    with pytest.raises(ResponseError) as caught:
        StartedJob.from_aws(answer)

    assert str(caught.value) == message


def test_video_of_no_pages():
    """A video analysis needs a page to be read from."""
    with pytest.raises(InvalidInputError) as caught:
        VideoAnalysis.from_aws()

    assert str(caught.value) == (
        "there is no page to read: give VideoAnalysis.from_aws() at least one answer of GetFaceDetection"
    )


# --- absent, null, empty ---


@pytest.mark.parametrize(
    ("detail", "emotions", "extra"),
    [
        ({}, None, {}),
        ({"Emotions": None}, None, {"Emotions": None}),
        ({"Emotions": []}, (), {}),
    ],
    ids=["absent", "null", "empty"],
)
def test_absent_null_and_empty_emotions(detail, emotions, extra):
    """A list that is absent, null or empty is told apart, and written as it came."""
    face = Face.from_aws(detail)

    assert face.emotions == emotions
    assert face.extra == extra
    assert face.to_aws() == detail


def test_absent_null_and_empty_landmarks():
    """Landmarks likewise; an empty list of them is there and has no length."""
    absent, null, empty = (Face.from_aws(detail) for detail in ({}, {"Landmarks": None}, {"Landmarks": []}))

    assert (absent.landmarks, null.landmarks, len(empty.landmarks)) == (None, None, 0)
    assert (absent.to_aws(), null.to_aws(), empty.to_aws()) == ({}, {"Landmarks": None}, {"Landmarks": []})


def test_absent_and_empty_objects():
    """An object without members is there; one that is null or absent is ``None``."""
    face = Face.from_aws({"Smile": {}, "Beard": None})

    assert (face.smile.value, face.beard, face.mustache) == (None, None, None)
    assert face.to_aws() == {"Smile": {}, "Beard": None}


@pytest.mark.parametrize(
    "answer",
    [
        {
            "FaceDetails": [
                {"BoundingBox": {"Width": None}, "AgeRange": None, "Landmarks": [{"Type": None, "X": None, "Y": 1}]}
            ],
            "OrientationCorrection": None,
        },
        {"FaceDetails": [], "ResponseMetadata": None},
    ],
)
def test_nulls_are_written_back(answer):
    """Members that came as null are ``None``, noted in ``extra``, and written back."""
    expected = copy.deepcopy(answer)

    analysis = ImageAnalysis.from_aws(answer)

    assert analysis.to_aws() == expected
    assert analysis.extra == {name: None for name, value in answer.items() if value is None}


def test_null_list_of_faces():
    """A job that is not finished may have null for its faces; that is written back, too."""
    answer = {"JobStatus": "IN_PROGRESS", "Faces": None}

    analysis = VideoAnalysis.from_aws(answer)

    assert analysis.faces == ()
    assert analysis.to_aws() == answer


# --- what the service has and we do not know; what it says and we do not touch ---


def test_unknown_members_at_every_level():
    """Members of a later version of the service are kept where they are, and written back."""
    answer = {
        "FaceDetails": [
            {
                "BoundingBox": {"Width": 0.5, "Depth": 0.1},
                "Emotions": [{"Type": "CALM", "Intensity": {"Value": 3}}],
                "Landmarks": [{"Type": "nose", "X": 0.5, "Y": 0.5, "Z": 0.25}],
                "Hat": {"Value": True},
            }
        ],
        "FaceModelVersion": "9.0",
    }

    analysis = ImageAnalysis.from_aws(answer)
    face = analysis.faces[0]

    assert analysis.extra == {"FaceModelVersion": "9.0"}
    assert face.extra == {"Hat": {"Value": True}}
    assert face.bounding_box.extra == {"Depth": 0.1}
    assert face.emotions[0].extra == {"Intensity": {"Value": 3}}
    assert face.landmarks["nose"].extra == {"Z": 0.25}
    assert analysis.to_aws() == answer


def test_nothing_is_clamped():
    """Boxes beyond the picture, angles beyond 180 degrees, emotions that sum to 397: kept as they came."""
    detail = {
        "BoundingBox": {"Width": 1.5, "Height": 0.3, "Left": -0.23, "Top": 1.12},
        "Confidence": 100.00001,
        "Pose": {"Roll": 190.25, "Yaw": -200.0, "Pitch": 1e-12},
        "Emotions": [{"Type": "FEAR", "Confidence": 199.0}, {"Type": "HAPPY", "Confidence": 198}],
        "Landmarks": [{"Type": "nose", "X": -0.5, "Y": 1.75}],
        "AgeRange": {"Low": 60, "High": 4},
    }

    face = Face.from_aws(detail)

    assert (face.bounding_box.left, face.bounding_box.top) == (-0.23, 1.12)
    assert (face.pose.roll, face.pose.yaw, face.pose.pitch) == (190.25, -200.0, 1e-12)
    assert [emotion.confidence for emotion in face.emotions] == [199.0, 198]
    assert (face.landmarks["nose"].x, face.landmarks["nose"].y) == (-0.5, 1.75)
    assert face.to_aws() == detail


def test_order_is_kept():
    """Emotions and landmarks stay in the order of the answer."""
    detail = {
        "Emotions": [{"Type": kind, "Confidence": 1.0} for kind in ("SAD", "HAPPY", "CALM")],
        "Landmarks": [{"Type": kind, "X": 0.5, "Y": 0.5} for kind in ("nose", "eyeRight", "eyeLeft")],
    }

    assert Face.from_aws(detail).to_aws() == detail


def test_whole_numbers_stay_whole():
    """A whole number where the service has a fraction is valid JSON, and stays what it was."""
    written = Face.from_aws({"Confidence": 100, "Landmarks": [{"Type": "nose", "X": 0, "Y": 1}]}).to_aws()

    assert type(written["Confidence"]) is int
    assert [type(written["Landmarks"][0][axis]) for axis in "XY"] == [int, int]


def test_tuples_are_lists():
    """A client that answers with tuples is understood."""
    analysis = ImageAnalysis.from_aws({"FaceDetails": ({"Emotions": (), "Landmarks": (PLAIN_LANDMARK,)},)})

    assert analysis.to_aws() == {"FaceDetails": [{"Emotions": [], "Landmarks": [PLAIN_LANDMARK]}]}


# --- jobs ---


def test_started_job():
    """The answer of a start is the job's id, and what the service may add."""
    answer = {"JobId": "j-1", "QueuePosition": 3, "ResponseMetadata": {"RequestId": "r-1"}}

    job = StartedJob.from_aws(answer)

    assert (job.job_id, job.extra, job.response_metadata) == ("j-1", {"QueuePosition": 3}, {"RequestId": "r-1"})
    assert job.to_aws() == answer


@pytest.mark.parametrize(
    ("answer", "status", "status_message"),
    [
        ({"JobStatus": "IN_PROGRESS"}, "IN_PROGRESS", None),
        (
            {"JobStatus": "FAILED", "StatusMessage": "Unsupported codec/format."},
            "FAILED",
            "Unsupported codec/format.",
        ),
    ],
)
def test_unfinished_and_failed(answer, status, status_message):
    """A job that has no result yet, or none ever, has no faces and says why."""
    analysis = VideoAnalysis.from_aws(answer)

    assert (analysis.faces, analysis.status, analysis.status_message) == ((), status, status_message)
    assert analysis.to_aws() == answer


def test_whole_answer_of_a_job():
    """Every member of a page has its attribute."""
    answer = page(
        0,
        500,
        VideoMetadata={"Codec": "h264", "FrameRate": 29.97, "DurationMillis": 1000, "ColorRange": "SUPER"},
        NextToken="t-2",
        JobId="j-1",
        Video={"S3Object": {"Bucket": "b", "Name": "k", "Version": "v"}},
        JobTag="tag",
        ResponseMetadata={"RequestId": "r-1"},
    )

    analysis = VideoAnalysis.from_aws(answer)

    assert analysis.status == "SUCCEEDED"
    assert [face.timestamp_ms for face in analysis.faces] == [0, 500]
    assert (analysis.metadata.codec, analysis.metadata.color_range) == ("h264", "SUPER")
    assert (analysis.next_token, analysis.job_id, analysis.job_tag) == ("t-2", "j-1", "tag")
    assert (analysis.video.s3_object.bucket, analysis.video.s3_object.name) == ("b", "k")
    assert analysis.to_aws() == answer


# --- pages ---


def test_pages_are_merged():
    """Several pages give the first one with the faces of all and no token."""
    first, second, third = page(0, 500, NextToken="t-2", JobId="j-1"), page(1000, NextToken="t-3"), page(1500)

    analysis = VideoAnalysis.from_aws(first, second, third)

    assert analysis.to_aws() == page(0, 500, 1000, 1500, JobId="j-1")
    assert analysis == VideoAnalysis.from_aws(page(0, 500, 1000, 1500, JobId="j-1"))


def test_null_token_is_not_merged():
    """A token that came as null on the first page is gone from the whole, like any other token."""
    assert VideoAnalysis.from_aws(page(0, NextToken=None, New=1), page(500)).to_aws() == page(0, 500, New=1)


def test_broken_later_page():
    """Each page is read by itself: a path is within the page that is broken."""
    with pytest.raises(ResponseError) as caught:
        VideoAnalysis.from_aws(page(0), page(0, "x"))

    assert caught.value.path == "Faces[1].Timestamp"


# --- who answered ---


@pytest.mark.parametrize(
    "read", [ImageAnalysis.from_aws, VideoAnalysis.from_aws], ids=lambda read: read.__self__.__name__
)
@pytest.mark.parametrize(
    ("metadata", "engine"),
    [
        ({"HTTPHeaders": {"x-rekog-emotion-engine": "embedded"}}, "embedded"),
        ({"HTTPHeaders": {"server": "x"}}, None),
        ({"HTTPHeaders": {"x-rekog-emotion-engine": 7}}, None),
        ({"HTTPHeaders": ["x-rekog-emotion-engine"]}, None),
        ({}, None),
    ],
)
def test_engine_of_an_answer(read, metadata, engine):
    """An engine that is not the service says so in a header; nothing else in the metadata is trusted."""
    analysis = read({"FaceDetails": [], "Faces": [], "ResponseMetadata": metadata})

    assert analysis.engine == engine
    assert analysis.response_metadata == metadata


@pytest.mark.parametrize(
    "read", [ImageAnalysis.from_aws, VideoAnalysis.from_aws], ids=lambda read: read.__self__.__name__
)
def test_engine_given_by_the_caller(read):
    """What the caller says goes before the header."""
    headers = {"x-rekog-emotion-engine": "embedded"}
    answer = {"FaceDetails": [], "Faces": [], "ResponseMetadata": {"HTTPHeaders": headers}}

    assert read(answer, engine="mine").engine == "mine"
    assert read({"FaceDetails": [], "Faces": []}).engine is None


def test_shapes_of_the_fast_reader_have_no_lists():
    """Faces, which have, are compact, and answers are read carefully; a list in another shape would be overlooked."""
    found, rest = set(), [ImageAnalysis, VideoAnalysis]
    while rest:
        shape = rest.pop()
        inner = {kind.shape for _, _, kind in members(shape) if not isinstance(kind, Leaf)} - found
        found |= inner
        rest += inner

    listed = {shape for shape in found for _, _, kind in members(shape) if not isinstance(kind, (Leaf, One))}
    assert listed == {Face}
    assert hasattr(Face, "_layout")
    assert {VideoMetadata, TimedFace, Emotion, Landmark} < found
