"""What every client of the seam does when it is shown an image."""

import io

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters
from PIL import Image

from rekog_emotion import (
    AgeRange,
    EmotionType,
    GenderType,
    InvalidMediaError,
    InvalidParameterError,
    InvalidS3ObjectError,
    LandmarkType,
)
from tests.contract.conftest import DATA

PHOTO = DATA / "astronaut.jpg"
ATTRIBUTES = ["FaceOccluded", "Smile", "Eyeglasses", "Sunglasses", "Beard", "Mustache", "EyesOpen", "MouthOpen"]

BRIEF = {
    "BoundingBox": {"Width": 0.22, "Height": 0.31, "Left": 0.33, "Top": 0.12},
    "Landmarks": [
        {"Type": kind, "X": 0.4, "Y": 0.2} for kind in ("eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose")
    ],
    "Pose": {"Roll": -5.5, "Yaw": 8.25, "Pitch": 3.0},
    "Quality": {"Brightness": 80.5, "Sharpness": 90.5},
    "Confidence": 99.75,
}
FULL = BRIEF | {
    "AgeRange": {"Low": 36, "High": 44},
    **{name: {"Value": name in {"Smile", "EyesOpen", "MouthOpen"}, "Confidence": 97.5} for name in ATTRIBUTES},
    "Gender": {"Value": "Female", "Confidence": 99.5},
    "Emotions": [{"Type": kind.value, "Confidence": 12.5} for kind in EmotionType if kind is not EmotionType.HAPPY],
    "Landmarks": [{"Type": kind.value, "X": 0.4, "Y": 0.2} for kind in LandmarkType],
    "EyeDirection": {"Yaw": 1.5, "Pitch": -2.5, "Confidence": 98.5},
}
FULL["Emotions"] = [{"Type": "HAPPY", "Confidence": 99.5}, *FULL["Emotions"]]

NO_IMAGE = ("InvalidImageFormatException", "Request has invalid image format")
NO_PARAMETER = ("InvalidParameterException", "Request has Invalid Parameters")
TOO_LARGE = ("ImageTooLargeException", "Image size is too large")
NO_OBJECT = (
    "InvalidS3ObjectException",
    "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
)


def grey(width, height):
    """Return a picture of nothing as a PNG."""
    file = io.BytesIO()
    Image.new("L", (width, height), 128).save(file, "PNG")
    return file.getvalue()


def validated(answer):
    """Return an answer that botocore's model of the service takes for one."""
    shape = botocore.session.get_session().get_service_model("rekognition").operation_model("DetectFaces").output_shape
    validate_parameters({name: value for name, value in answer.items() if name != "ResponseMetadata"}, shape)
    return answer


# --- through the library ---


def test_describes_a_portrait(world):
    """One face, with every member that the service gives for images, in this library's types."""
    world.will_answer("DetectFaces", {"FaceDetails": [FULL]})

    photo = world.verbs.detect_image(PHOTO, client=world.client)

    assert (photo.size, photo.engine, photo.source) == ((512, 512), world.engine, str(PHOTO))
    [face] = photo.faces
    assert 0.3 < face.bounding_box.left < face.bounding_box.left + face.bounding_box.width < 0.6
    assert face.confidence > 90
    assert (face.dominant_emotion.type, face.gender.value) == (EmotionType.HAPPY, GenderType.FEMALE)
    assert len(face.emotions) >= 8
    assert face.smile.value is True
    assert face.sunglasses.value is False
    assert isinstance(face.age_range, AgeRange)
    assert face.age_range.low <= 48
    assert face.age_range.high >= 38
    assert set(face.landmarks.types) == set(LandmarkType)
    assert all(isinstance(value, float) for value in (face.pose.roll, face.pose.yaw, face.pose.pitch))
    assert all(isinstance(value, float) for value in (face.quality.brightness, face.quality.sharpness))
    assert isinstance(face.face_occluded.value, bool)
    assert isinstance(face.eye_direction.yaw, float)
    assert face.extra == {}


def test_gives_back_the_answer_that_it_read(world):
    """Nothing is lost on the way, and what comes out is valid by the service's own model."""
    world.will_answer("DetectFaces", {"FaceDetails": [FULL]})

    photo = world.verbs.detect_image(PHOTO, client=world.client)

    again = validated(photo.to_aws())
    assert type(photo).from_aws(again, size=photo.size, engine=photo.engine, source=photo.source) == photo


def test_describes_in_brief(world):
    """The default attributes are five landmarks and no emotions."""
    world.will_answer("DetectFaces", {"FaceDetails": [BRIEF]})

    [face] = world.verbs.detect_image(PHOTO, client=world.client, attributes="DEFAULT").faces

    assert set(face.landmarks.types) == {
        LandmarkType.EYE_LEFT,
        LandmarkType.EYE_RIGHT,
        LandmarkType.MOUTH_LEFT,
        LandmarkType.MOUTH_RIGHT,
        LandmarkType.NOSE,
    }
    assert None not in {face.bounding_box, face.confidence, face.pose, face.quality}
    assert {face.emotions, face.age_range, face.gender, face.smile, face.face_occluded, face.eye_direction} == {None}


def test_finds_nobody(world):
    """A picture of nothing has no faces, which is an answer."""
    world.will_answer("DetectFaces", {"FaceDetails": []})

    assert world.verbs.detect_image(grey(200, 200), client=world.client).faces == ()


def test_reads_an_object_in_s3(world):
    """The client fetches it; its size stays unknown."""
    world.will_answer("DetectFaces", {"FaceDetails": [FULL]})

    photo = world.verbs.detect_image("s3://photos/astronaut.jpg", client=world.client)

    assert (len(photo.faces), photo.size, photo.source) == (1, None, "s3://photos/astronaut.jpg")


def test_cannot_read_an_object_in_s3(world):
    """The error names all causes."""
    world.will_fail("DetectFaces", *NO_OBJECT)

    with pytest.raises(InvalidS3ObjectError) as caught:
        world.verbs.detect_image("s3://photos/nothing.jpg", client=world.client)

    assert str(caught.value) == (
        "DetectFaces failed with InvalidS3ObjectException: Unable to get object metadata from S3. Check object key, "
        f"region and/or access permissions. ({world.no_object})"
    )
    assert (caught.value.operation, caught.value.status) == ("DetectFaces", 400)


# --- straight to the client, in boto3's words ---


@pytest.mark.parametrize(("attributes", "members"), [(["ALL"], set(FULL)), (["DEFAULT"], set(BRIEF))])
def test_answers_in_the_services_shape(world, attributes, members):
    """The answer is valid by botocore's model, has the members asked for, and says which request it was."""
    world.will_answer("DetectFaces", {"FaceDetails": [{name: FULL[name] for name in members}]})

    answer = validated(world.ask("detect_faces", Image={"Bytes": PHOTO.read_bytes()}, Attributes=attributes))

    assert [set(face) for face in answer["FaceDetails"]] == [members]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["ResponseMetadata"]["RequestId"]


def test_describes_in_brief_unless_told(world):
    """As the service does where no attributes are named."""
    world.will_answer("DetectFaces", {"FaceDetails": [BRIEF]})

    answer = world.ask("detect_faces", Image={"Bytes": PHOTO.read_bytes()})

    assert [set(face) for face in answer["FaceDetails"]] == [set(BRIEF)]


@pytest.mark.parametrize(
    ("request_", "fault", "kind"),
    [
        pytest.param({"Image": {"Bytes": b"no image"}}, NO_IMAGE, InvalidMediaError, id="text"),
        pytest.param({"Image": {"Bytes": grey(200, 200)[:60]}}, NO_IMAGE, InvalidMediaError, id="truncated"),
        pytest.param({"Image": {"Bytes": grey(79, 200)}}, NO_PARAMETER, InvalidParameterError, id="small"),
        pytest.param(
            {"Image": {"Bytes": grey(200, 200) + bytes(5_242_880)}},
            TOO_LARGE,
            InvalidMediaError,
            id="large",
        ),
        pytest.param({"Image": {}}, NO_PARAMETER, InvalidParameterError, id="nothing"),
        pytest.param(
            {"Image": {"S3Object": {"Bucket": "photos", "Name": "nothing.jpg"}}},
            NO_OBJECT,
            InvalidS3ObjectError,
            id="no such object",
        ),
    ],
)
def test_refuses_in_the_services_words(world, request_, fault, kind):
    """A bad request is botocore's ClientError with the service's code, which the library maps to its class."""
    if fault == TOO_LARGE and hasattr(world, "too_large"):
        code, message = world.too_large
        fault, kind = (code, message.format(len(request_["Image"]["Bytes"]))), InvalidParameterError
    world.will_fail("DetectFaces", *fault)
    with pytest.raises(ClientError) as caught:
        world.ask("detect_faces", **request_)

    response = caught.value.response
    assert (response["Error"]["Code"], response["Error"]["Message"]) == fault
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RequestId"]
    assert caught.value.operation_name == "DetectFaces"

    world.will_fail("DetectFaces", *fault)
    with pytest.raises(kind) as mapped:
        world.verbs.once(world.client, "detect_faces", request_)
    assert (mapped.value.code, mapped.value.operation) == (fault[0], "DetectFaces")
