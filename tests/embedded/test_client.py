import errno
import math
import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.validate import ParamValidator
from PIL import Image, ImageFilter

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.embedded.detail import DEFAULT_MEMBERS, reduced
from rekog_emotion.embedded.nets import Net
from rekog_emotion.errors import InvalidInputError, MissingExtraError

DATA = Path(__file__).parents[1] / "data"
ASTRONAUT = (DATA / "astronaut.jpg").read_bytes()
DEFAULT = {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
FLAGS = ("Smile", "EyesOpen", "MouthOpen", "Eyeglasses", "Sunglasses", "Beard", "Mustache", "FaceOccluded")
MODEL = get_session().get_service_model("rekognition")


def faces(client, data, *attributes):
    """Return the faces of a picture, with all members unless attributes are named."""
    return client.detect_faces(Image={"Bytes": data}, Attributes=attributes or ("ALL",))["FaceDetails"]


def violations(shape, value, path="$"):
    """Yield where a value leaves the bounds of a shape of the service model, or is not of a plain Python type."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from violations(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            yield from violations(shape.member, member, f"{path}[{index}]")
    else:
        plain = {"float": float, "integer": int, "boolean": bool, "string": str}[shape.type_name]
        if type(value) is not plain:
            yield f"{path} is a {type(value)}"
        elif plain is str and shape.enum and value not in shape.enum:
            yield f"{path} is {value}"
        elif plain in {float, int}:
            low, high = shape.metadata.get("min", -math.inf), shape.metadata.get("max", math.inf)
            if not low <= value <= high or not math.isfinite(value):
                yield f"{path} is {value}"


# The answer


@pytest.mark.parametrize("name", ["astronaut", "biden", "obama"])
def test_answer_has_the_service_s_shape(client, name):
    """The answer is valid to botocore as one of DetectFaces, within the model's bounds, in plain Python types."""
    shape = MODEL.operation_model("DetectFaces").output_shape

    answer = client.detect_faces(Image={"Bytes": (DATA / f"{name}.jpg").read_bytes()}, Attributes=["ALL"])
    answer = {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    assert ParamValidator().validate(answer, shape).generate_report() == ""
    assert list(violations(shape, answer)) == []
    assert set(shape.members["FaceDetails"].member.members) == set(answer["FaceDetails"][0])


def test_all_thirty_landmarks_and_eight_emotions(client):
    """A face has each landmark of the model once, and each emotion but UNKNOWN, largest first, in sum 100."""
    (face,) = faces(client, ASTRONAUT)
    confidences = [emotion["Confidence"] for emotion in face["Emotions"]]

    assert Counter(MODEL.shape_for("LandmarkType").enum) == Counter(mark["Type"] for mark in face["Landmarks"])
    assert {*MODEL.shape_for("EmotionName").enum} - {"UNKNOWN"} == {emotion["Type"] for emotion in face["Emotions"]}
    assert sorted(confidences, reverse=True) == confidences
    assert pytest.approx(100) == sum(confidences)


def test_metadata_is_botocore_s(client):
    """Beside the answer lies what botocore puts there, and which engine made it."""
    metadata = client.detect_faces(Image={"Bytes": ASTRONAUT})["ResponseMetadata"]

    assert metadata["HTTPStatusCode"] == 200
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]
    assert metadata["HTTPHeaders"]["x-rekog-emotion-engine"] == client.engine == "embedded"


@pytest.mark.parametrize(
    ("attributes", "members"),
    [
        ((), DEFAULT),
        (("DEFAULT",), DEFAULT),
        (("EMOTIONS",), DEFAULT | {"Emotions"}),
        (["DEFAULT", "AGE_RANGE", "SMILE"], DEFAULT | {"AgeRange", "Smile"}),
        (("FACE_OCCLUDED", "EYE_DIRECTION"), DEFAULT | {"FaceOccluded", "EyeDirection"}),
    ],
)
def test_gives_the_members_asked_for(client, attributes, members):
    """Without ALL there are the default members, with five landmarks, and those that were named."""
    (face,) = client.detect_faces(Image={"Bytes": ASTRONAUT}, Attributes=attributes)["FaceDetails"]

    assert members == set(face)
    assert {"eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"} == {mark["Type"] for mark in face["Landmarks"]}


def test_knows_every_attribute_of_the_service(client):
    """Each word of the service's enumeration is accepted and adds one member."""
    words = set(MODEL.shape_for("Attribute").enum) - {"ALL", "DEFAULT"}

    (everything,) = faces(client, ASTRONAUT)
    (named,) = faces(client, ASTRONAUT, *words)

    assert set(everything) == set(named)
    assert faces(client, ASTRONAUT, "ALL", "DEFAULT") == [everything]


# What is seen


def test_sees_the_astronaut(client):
    """The portrait shows one happy, smiling woman of about 43 with open eyes."""
    (face,) = faces(client, ASTRONAUT)

    assert face["Emotions"][0]["Type"] == "HAPPY"
    assert face["Gender"]["Value"] == "Female"
    assert face["AgeRange"]["Low"] <= 48
    assert face["AgeRange"]["High"] >= 38
    flags = {name: face[name]["Value"] for name in FLAGS}
    assert flags == {
        "Smile": True,
        "EyesOpen": True,
        "MouthOpen": True,
        "Eyeglasses": False,
        "Sunglasses": False,
        "Beard": False,
        "Mustache": False,
        "FaceOccluded": False,
    }
    assert face["Confidence"] > 99


def test_box_and_landmarks_lie_on_the_face(client):
    """Left and right are the viewer's, and the points are where a person would put them (within 4 of 512 pixels)."""
    (face,) = faces(client, ASTRONAUT)
    marks = {mark["Type"]: (round(512 * mark["X"]), round(512 * mark["Y"])) for mark in face["Landmarks"]}
    box = face["BoundingBox"]

    for name, seen in {"eyeLeft": (203, 101), "eyeRight": (247, 104), "mouthLeft": (203, 139)}.items():
        assert seen == pytest.approx(marks[name], abs=4)
    assert marks["leftEyeLeft"][0] < marks["leftEyeRight"][0] < marks["nose"][0] < marks["rightEyeLeft"][0]
    assert box["Left"] * 512 < marks["eyeLeft"][0]
    assert marks["eyeRight"][0] < (box["Left"] + box["Width"]) * 512
    assert box["Top"] * 512 < marks["leftEyeBrowUp"][1]
    assert marks["mouthDown"][1] < (box["Top"] + box["Height"]) * 512


@pytest.mark.parametrize(("name", "emotion", "smile"), [("obama", "HAPPY", True), ("biden", "CALM", False)])
def test_sees_the_presidents(client, name, emotion, smile):
    """One smiles with an open mouth, the other looks calm; both look like men."""
    (face,) = faces(client, (DATA / f"{name}.jpg").read_bytes())

    assert face["Gender"]["Value"] == "Male"
    assert emotion == face["Emotions"][0]["Type"]
    assert smile == face["Smile"]["Value"] == face["MouthOpen"]["Value"]


def test_largest_face_comes_first(client, portrait, encoded):
    """Three people in one picture are three faces, by the area of their boxes."""
    picture = Image.new("RGB", (1200, 700), "grey")
    for name, side, left in (("astronaut", 260, 20), ("obama", 560, 300), ("biden", 330, 820)):
        picture.paste(portrait(name).resize((side, side)), (left, 60))

    found = faces(client, encoded(picture))
    areas = [face["BoundingBox"]["Width"] * face["BoundingBox"]["Height"] for face in found]

    assert sorted(areas, reverse=True) == areas
    assert [face["Gender"]["Value"] for face in found] == ["Male", "Male", "Female"]


def test_nobody_is_an_empty_list(client, encoded):
    """A picture without faces is an answer, not an error."""
    picture = Image.effect_noise((320, 240), 60).filter(ImageFilter.GaussianBlur(3)).convert("RGB")

    assert faces(client, encoded(picture)) == []


def test_a_turned_jpeg_is_seen_as_a_viewer_shows_it(client, portrait, encoded):
    """Ratios refer to the picture that the EXIF orientation makes; a PNG is taken as it is stored."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = portrait().transpose(Image.Transpose.ROTATE_90)

    (upright,) = faces(client, encoded(portrait(), quality=95))
    (turned,) = faces(client, encoded(lying, quality=95, exif=exif))
    (stored,) = faces(client, encoded(lying, "PNG", exif=exif))

    assert upright["BoundingBox"] == pytest.approx(turned["BoundingBox"], abs=0.01)
    assert turned["Pose"]["Roll"] == pytest.approx(3, abs=4)
    assert stored["Pose"]["Roll"] == pytest.approx(-87, abs=6)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_pictures_of_any_mode(client, portrait, encoded, mode):
    """Grey, transparent, palette and CMYK pictures are seen, too."""
    (face,) = faces(client, encoded(portrait().convert(mode), "JPEG" if mode == "CMYK" else "PNG"))

    assert face["Emotions"][0]["Type"] == "HAPPY"


@pytest.mark.parametrize("side", [80, 160])
def test_small_pictures(client, portrait, encoded, side):
    """The service's smallest picture is enough for a face that fills it."""
    assert len(faces(client, encoded(portrait().crop((130, 0, 340, 210)).resize((side, side))))) == 1


def test_fast_mode_looks_once(client, portrait, encoded):
    """The fast mode sees a portrait and misses a small face that the default mode finds."""
    with EmbeddedClient(mode="fast") as fast:
        picture = portrait("obama").resize((1600, 900)).filter(ImageFilter.GaussianBlur(60))
        picture.paste(portrait().resize((260, 260)), (1100, 300))

        assert [len(faces(fast, ASTRONAUT)), len(faces(fast, encoded(picture)))] == [1, 0]
        assert len(faces(client, encoded(picture))) == 1


# What is refused


@pytest.mark.parametrize(
    ("image", "code", "message"),
    [
        ({}, "InvalidParameterException", "Request has Invalid Parameters"),
        (None, "InvalidParameterException", "Request has Invalid Parameters"),
        (ASTRONAUT, "InvalidParameterException", "Request has Invalid Parameters"),
        ({"Bytes": b""}, "InvalidParameterException", "Request has Invalid Parameters"),
        ({"Bytes": None}, "InvalidParameterException", "Request has Invalid Parameters"),
        ({"Bytes": "text"}, "InvalidParameterException", "Request has Invalid Parameters"),
        ({"Url": "x"}, "InvalidParameterException", "Request has Invalid Parameters"),
        (
            {"Bytes": ASTRONAUT, "S3Object": {"Bucket": "bucket", "Name": "key"}},
            "InvalidParameterException",
            "Request has Invalid Parameters",
        ),
        ({"S3Object": {"Bucket": "bucket"}}, "InvalidS3ObjectException", "Request has invalid S3 object"),
        ({"S3Object": "s3://bucket/key"}, "InvalidParameterException", "Request has Invalid Parameters"),
        (
            {"S3Object": {"Bucket": "bucket", "Name": "key"}},
            "InvalidS3ObjectException",
            "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
        ),
        ({"Bytes": b"\xff" * 5_242_881}, "ImageTooLargeException", "Image size is too large"),
        ({"Bytes": b"\xff" * 5_242_880}, "InvalidImageFormatException", "Request has invalid image format"),
        ({"Bytes": b"GIF89a" + bytes(99)}, "InvalidImageFormatException", "Request has invalid image format"),
        ({"Bytes": b"not a picture"}, "InvalidImageFormatException", "Request has invalid image format"),
        ({"Bytes": ASTRONAUT[:9000]}, "InvalidImageFormatException", "Request has invalid image format"),
        ({"Bytes": ASTRONAUT[:20]}, "InvalidImageFormatException", "Request has invalid image format"),
        ({"Bytes": b"\x89PNG\r\n\x1a\n"}, "InvalidImageFormatException", "Request has invalid image format"),
    ],
)
def test_refuses_what_the_service_refuses(client, image, code, message):
    """Code and text are the service's, raised as botocore raises them."""
    with pytest.raises(ClientError) as caught:
        client.detect_faces(Image=image)

    assert {"Code": code, "Message": message} == caught.value.response["Error"]
    assert caught.value.operation_name == "DetectFaces"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("size", [(79, 200), (200, 79), (1, 1)])
def test_refuses_pictures_under_80_pixels(client, encoded, size):
    """Both sides need 80 pixels; the service's text does not say so."""
    with pytest.raises(ClientError) as caught:
        client.detect_faces(Image={"Bytes": encoded(Image.new("RGB", size), "PNG")})

    assert caught.value.response["Error"] == {
        "Code": "InvalidParameterException",
        "Message": "Request has Invalid Parameters",
    }


def test_refuses_formats_that_the_service_cannot_read(client, portrait, encoded):
    """A WebP is a good picture, but not for the service."""
    with pytest.raises(ClientError, match="InvalidImageFormatException"):
        faces(client, encoded(portrait(), "WEBP"))


@pytest.mark.parametrize("attributes", [["HAPPY"], ["ALL", "EVERYTHING"], "ALL", [1], [{}], ["all"], None, 7])
def test_refuses_unknown_attributes(client, attributes):
    """A word that the service does not know is an invalid parameter."""
    with pytest.raises(ClientError) as caught:
        client.detect_faces(Image={"Bytes": ASTRONAUT}, Attributes=attributes)

    assert caught.value.response["Error"] == {
        "Code": "InvalidParameterException",
        "Message": "Request has Invalid Parameters",
    }


def test_refuses_an_unknown_mode():
    """There are two modes."""
    with pytest.raises(InvalidInputError) as caught:
        EmbeddedClient(mode="slow")

    assert str(caught.value) == "unknown mode 'slow': use 'fast', 'default' or 'thorough'"


@pytest.mark.parametrize("name", ["threads", "workers", "video_threads"])
@pytest.mark.parametrize("number", [0, -1, 1.5, True, "2"])
def test_no_number_of_threads(name, number):
    """With none, jobs would wait for ever."""
    with pytest.raises(InvalidInputError) as caught:
        EmbeddedClient(**{name: number})

    assert str(caught.value) == f"{name}={number!r} is no number of threads: pass 1 or more"


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_takes_bytes_of_any_kind(client, kind):
    """Whatever holds bytes is taken."""
    assert len(faces(client, kind(ASTRONAUT))) == 1


# Objects in S3


def s3_image(**more):
    """Return an ``Image`` that names an object."""
    return {"S3Object": {"Bucket": "photos", "Name": "a/astronaut.jpg", **more}}


@pytest.mark.parametrize("found", [ASTRONAUT, DATA / "astronaut.jpg", str(DATA / "astronaut.jpg")])
def test_a_resolver_brings_objects(client, found):
    """It is given the wire's S3Object and gives bytes or a path; the answer is that of the bytes."""
    asked = []

    with EmbeddedClient(resolver=lambda where: asked.append(where) or found) as resolving:
        resolving._analyzer = client._analyzer
        answer = resolving.detect_faces(Image=s3_image(Version="7"))

    assert asked == [{"Bucket": "photos", "Name": "a/astronaut.jpg", "Version": "7"}]
    assert faces(client, ASTRONAUT, "DEFAULT") == answer["FaceDetails"]


@pytest.mark.parametrize("error", [FileNotFoundError("gone"), KeyError("a/astronaut.jpg"), PermissionError("no")])
def test_what_a_resolver_cannot_find_is_an_invalid_object(error):
    """Key, region or permission: the service does not tell which either; the cause is kept."""

    def resolve(_):
        raise error

    with EmbeddedClient(resolver=resolve) as resolving, pytest.raises(ClientError) as caught:
        resolving.detect_faces(Image=s3_image())

    assert caught.value.response["Error"]["Code"] == "InvalidS3ObjectException"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("shortage", [errno.ENOSPC, errno.EMFILE, errno.ENOMEM])
def test_what_this_machine_lacks_is_no_fault_of_an_object(shortage):
    """Then the same object may be read a moment later: the error goes through, for photos and videos alike."""
    error = OSError(shortage, os.strerror(shortage))

    def resolve(_):
        raise error

    with EmbeddedClient(resolver=resolve) as resolving:
        for call in (
            lambda: resolving.detect_faces(Image=s3_image()),
            lambda: resolving.start_face_detection(Video=s3_image()),
        ):
            with pytest.raises(OSError, match=os.strerror(shortage)) as caught:
                call()
            assert caught.value is error


def test_a_path_that_is_not_there_is_an_invalid_object(tmp_path):
    """A resolver may give a path without looking."""
    with EmbeddedClient(resolver=lambda _: tmp_path / "none.jpg") as resolving, pytest.raises(ClientError) as caught:
        resolving.detect_faces(Image=s3_image())

    assert caught.value.response["Error"]["Code"] == "InvalidS3ObjectException"


def test_objects_may_have_15_mebibytes():
    """The service's limit for objects is three times that for bytes."""
    codes = []
    for size in (5_242_881, 15 * 1024 * 1024 + 1):
        with (
            EmbeddedClient(resolver=lambda _, size=size: bytes(size)) as resolving,
            pytest.raises(ClientError) as caught,
        ):
            resolving.detect_faces(Image=s3_image())
        codes.append(caught.value.response["Error"]["Code"])

    assert codes == ["InvalidImageFormatException", "ImageTooLargeException"]


# Life


def test_threads_get_the_answers_that_one_thread_gets(portrait, encoded):
    """Eight calls at once on a client whose networks are not loaded yet give what eight calls in turn give."""
    pictures = [encoded(portrait(name).resize((256, 300))) for name in ("astronaut", "obama", "biden")]

    with EmbeddedClient(mode="fast") as fresh, ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda data: faces(fresh, data), [*pictures, *pictures, *pictures[:2]]))
        in_turn = [faces(fresh, data) for data in pictures]

    assert [*in_turn, *in_turn, *in_turn[:2]] == together


def test_networks_load_when_needed_and_go_with_close():
    """A client costs nothing until its first call; closing it twice is harmless."""
    client = EmbeddedClient(mode="fast")
    loaded = [client._analyzer._loaded]
    faces(client, ASTRONAUT)
    loaded.append(client._analyzer._loaded)
    client.close()
    client.close()

    assert loaded[0] is None
    assert loaded[1] is not None
    assert client._analyzer._loaded is None


@pytest.mark.parametrize("module", ["numpy", "onnxruntime", "PIL"])
def test_a_missing_extra_names_the_command(monkeypatch, module):
    """Without the extra the import says how to mend it."""
    hide(monkeypatch, module)

    with pytest.raises(MissingExtraError) as caught:
        import rekog_emotion.embedded  # noqa: F401 -- the import is the subject

    assert str(caught.value) == "The embedded engine needs the 'embedded' extra: pip install 'rekog-emotion[embedded]'"


def test_another_missing_module_is_told_as_it_is(monkeypatch):
    """What no extra brings is not blamed on one."""
    hide(monkeypatch, "botocore.exceptions")

    with pytest.raises(ModuleNotFoundError) as caught:
        import rekog_emotion.embedded  # noqa: F401 -- the import is the subject

    assert not isinstance(caught.value, MissingExtraError)


def hide(monkeypatch, module):
    """Make a module unimportable, and everything of ours that may have imported it forgotten, for one test."""
    ours = [name for name in sys.modules if name.startswith(("rekog_emotion.embedded", "rekog_emotion.media.images"))]
    for name in [*ours, *(name for name in sys.modules if name.partition(".")[0] == module)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)


def test_the_default_members_cost_no_more_than_they_need(client, portrait, encoded, monkeypatch):
    """They are those of a whole answer, and neither emotions nor attributes nor age are computed for them."""
    image = {"Bytes": encoded(portrait("obama"))}
    (whole,) = client.detect_faces(Image=image, Attributes=["ALL"])["FaceDetails"]
    networks = set()
    monkeypatch.setattr(Net, "run", lambda self, batch, run=Net.run: networks.add(self.name) or run(self, batch))

    (face,) = client.detect_faces(Image=image)["FaceDetails"]

    assert networks == {"yunet", "face_landmarks_detector"}
    assert face == reduced(whole, DEFAULT_MEMBERS)
