import json
import re
from pathlib import Path

import pytest

from rekog_emotion import ConfigurationError, InvalidInputError, detect_image
from rekog_emotion.embedded import EmbeddedClient, nets
from rekog_emotion.embedded.age_gender import AgeGender
from rekog_emotion.embedded.appearance import Appearance
from rekog_emotion.embedded.attributes import Attributes
from rekog_emotion.embedded.detector import Detector
from rekog_emotion.embedded.expression import Emotions
from rekog_emotion.embedded.gender import Gender
from rekog_emotion.embedded.nets import WEIGHTS
from rekog_emotion.embedded.provenance import may_use
from tests.pictures import PORTRAIT

MANIFEST = json.loads((WEIGHTS / "manifest.json").read_text("utf-8"))
CARD = (Path(__file__).parents[2] / "docs" / "models" / "README.md").read_text("utf-8")
LEFT_OUT = {"AgeRange", "Beard", "Emotions", "Eyeglasses", "FaceOccluded", "Mustache", "Sunglasses"}


@pytest.fixture(scope="module")
def clean():
    """Return a client that may use clean networks alone, and the names of the files that it has read."""
    names, read = [], nets.read_weights
    with pytest.MonkeyPatch.context() as patch, EmbeddedClient(weights="clean") as client:
        patch.setattr(nets, "read_weights", lambda name: names.append(name) or read(name))
        yield client, names


def test_only_clean_networks_are_loaded(clean):
    """What learnt from pictures for research only, or without a licence, is not even read."""
    client, names = clean

    client.detect_faces(Image={"Bytes": PORTRAIT.read_bytes()}, Attributes=["ALL"])

    assert len(names) >= 4
    assert {name for name in names if not MANIFEST[name]["clean"]} == set()


@pytest.mark.parametrize("attributes", [["ALL"], ["EMOTIONS", "SMILE"], ["DEFAULT"]])
def test_what_clean_networks_cannot_tell_is_left_out(clean, client, attributes):
    """Asked for or not; the other members are those that all networks give."""
    asked = {"Image": {"Bytes": PORTRAIT.read_bytes()}, "Attributes": attributes}
    (face,), (other,) = (one.detect_faces(**asked)["FaceDetails"] for one in (clean[0], client))

    assert face.keys() == other.keys() - LEFT_OUT
    assert face["Landmarks"] == [
        {"Type": mark["Type"], **{axis: pytest.approx(mark[axis], abs=0.01) for axis in "XY"}}
        for mark in other["Landmarks"]
    ]


def test_members_that_are_left_out_are_none(clean):
    """The values say so, and do not guess."""
    (face,) = detect_image(PORTRAIT, client=clean[0]).faces

    assert (face.smile.value, face.gender.value, face.mouth_open.value, face.eyes_open.value) == (
        True,
        "Female",
        True,
        True,
    )
    assert (face.dominant_emotion, face.emotions, face.age_range, face.beard) == (None, None, None, None)
    assert (face.eyeglasses, face.sunglasses, face.mustache, face.face_occluded) == (None, None, None, None)


def test_a_stream_knows_no_more(clean):
    """Faces that are followed from picture to picture have the same members."""
    from PIL import Image

    stream, picture = clean[0].stream(), Image.open(PORTRAIT).convert("RGB")
    answers = [
        stream.detect_faces(Image={"Pixels": picture, "Seconds": seconds}, Attributes=["ALL"])["FaceDetails"]
        for seconds in (0.0, 0.1)
    ]

    assert [len(faces) for faces in answers] == [1, 1]
    assert all(not LEFT_OUT & face.keys() for faces in answers for face in faces)
    assert answers[0][0]["Gender"] == answers[1][0]["Gender"]


@pytest.mark.parametrize("weights", ["cleaned", None, True, ["clean"]])
def test_other_weights_are_refused(weights):
    """Say which there are."""
    with pytest.raises(InvalidInputError) as caught:
        EmbeddedClient(weights=weights)

    assert str(caught.value) == f"unknown weights {weights!r}: use 'all' or 'clean'"


def test_a_network_without_an_origin_is_not_used():
    """What the manifest does not know is no clean network, but a damaged manifest."""
    assert may_use("all", "unheard")
    with pytest.raises(ConfigurationError) as caught:
        may_use("clean", "unheard")

    assert str(caught.value) == (
        f"the embedded engine's file {WEIGHTS / 'manifest.json'} is damaged; install the package anew: "
        "pip install --force-reinstall --no-deps rekog-emotion"
    )


@pytest.mark.parametrize("part", [AgeGender, Appearance, Attributes, Detector, Emotions, Gender])
def test_parts_name_the_files_of_the_manifest(part):
    """The choice of networks is that of the manifest."""
    assert {f"{name}.onnx" for name in part.FILES} <= MANIFEST.keys()


def test_the_card_says_what_the_manifest_says():
    """Licence and authors, what each file learnt from, and whether it is clean."""
    rows = dict(
        re.findall(r"^\| `([\w.]+\.(?:onnx|npz))` \| (.*) \|$", CARD.partition("\n## What is inside")[2], re.MULTILINE)
    )
    told = {name: row.split(" | ")[2:] for name, row in rows.items()}

    assert told == {
        name: [
            entry["licence"] if entry["source"] is None else f"{entry['licence']} ({entry['authors']})",
            entry["data"],
            "yes" if entry["clean"] else "no",
        ]
        for name, entry in MANIFEST.items()
    }
