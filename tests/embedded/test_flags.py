import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekog_emotion.embedded.appearance import FLAGS
from rekog_emotion.embedded.attributes import OUTPUTS, Shape
from rekog_emotion.embedded.flags import CERTAIN, FITS, FREQUENCY, Evidence, flag, flags, log_odds

PROBABILITY, AGE = st.floats(0, 1), st.floats(-5, 110)
PLAIN = Evidence(
    likely=dict.fromkeys(OUTPUTS, 0.001) | {"Male": 0.99},
    look=dict.fromkeys(FLAGS, -5.0) | {"Male": 5.0},
    form=Shape(eyes_open=0.99, mouth_open=0.01, smile=0.01),
    smile=0.0,
    happy=0.01,
    male=0.99,
    age=40.0,
    cut=0.01,
    covered=0.01,
)


def with_likely(**probabilities):
    """Return the plain man's evidence but for what the attribute network says."""
    return attrs.evolve(PLAIN, likely={**PLAIN.likely, **probabilities})


@pytest.mark.parametrize(
    ("probability", "value", "confidence"), [(0.5, True, 50), (0.9, True, 90), (0.1, False, 90), (0, False, 100)]
)
def test_confidence_is_that_of_the_value(probability, value, confidence):
    """Even odds are true; a confidence is never below 50."""
    assert flag(probability) == {"Value": value, "Confidence": pytest.approx(confidence)}


@pytest.mark.parametrize(("probability", "bound"), [(0, -CERTAIN), (0.5, 0), (1, CERTAIN)])
def test_log_odds_are_bounded(probability, bound):
    """Nothing is so certain that it outweighs all the rest."""
    assert bound == pytest.approx(log_odds(probability, CERTAIN))


def test_a_plain_face_has_nothing():
    """A man with open eyes and nothing else on his face."""
    assert {name for name, member in flags(PLAIN).items() if member["Value"]} == {"EyesOpen"}


def test_sunglasses_are_eyeglasses():
    """Whatever the network says of frames; and they leave it open what the eyes do."""
    members = flags(with_likely(Sunglasses=0.9, Eyeglasses=0.3))

    assert members["Sunglasses"]["Value"]
    assert members["Eyeglasses"]["Value"]
    assert members["EyesOpen"]["Confidence"] < 60 < flags(PLAIN)["EyesOpen"]["Confidence"]


def test_dark_lenses_cover():
    """Whoever wears dark glasses is occluded."""
    assert flags(with_likely(Sunglasses=0.95))["FaceOccluded"]["Value"]


def test_the_edge_cuts_whatever_else_is_seen():
    """A face that is partly outside the picture is occluded; colours that are off alone are not enough."""
    assert flags(attrs.evolve(PLAIN, cut=0.99))["FaceOccluded"] == {"Value": True, "Confidence": pytest.approx(99)}
    assert not flags(attrs.evolve(PLAIN, covered=0.99))["FaceOccluded"]["Value"]


@pytest.mark.parametrize("name", ["Smile", "MouthOpen", "Beard", "Mustache"])
def test_two_networks_count(name):
    """Where the one is torn, the other decides."""
    torn = attrs.evolve(with_likely(**{name: 0.5}), smile=0.2)
    yes, no = (attrs.evolve(torn, look={**torn.look, name: logit}) for logit in (4.0, -4.0))

    assert flags(yes)[name]["Value"]
    assert not flags(no)[name]["Value"]


def test_a_smile_follows_happy():
    """The emotion moves it a little."""
    torn = attrs.evolve(with_likely(Smile=0.5), smile=0.2)
    happy, sad = (flags(attrs.evolve(torn, happy=share))["Smile"] for share in (0.95, 0.05))

    assert (happy["Value"], sad["Value"]) == (False, False)
    assert happy["Confidence"] < sad["Confidence"]


def test_a_beard_is_likelier_on_a_man():
    """The same picture of a chin tells less of a woman."""
    stubble = attrs.evolve(with_likely(Beard=0.5, Mustache=0.1), look={**PLAIN.look, "Beard": 0.0})

    assert flags(stubble)["Beard"]["Value"]
    assert not flags(attrs.evolve(stubble, male=0.01))["Beard"]["Value"]


@pytest.mark.parametrize(("age", "expected"), [(1, 0), (10, 0), (12.5, 0.5), (15, 1), (80, 1)])
def test_a_beard_is_no_childs(age, expected):
    """What looks like hair on a child's chin is none; grown people's is believed."""
    bearded = with_likely(Beard=0.999, Mustache=0.999)
    full, young = (flags(one) for one in (bearded, attrs.evolve(bearded, age=age)))

    for name in ("Beard", "Mustache"):
        likelihood = young[name]["Confidence"] if young[name]["Value"] else 100 - young[name]["Confidence"]
        assert likelihood == pytest.approx(expected * full[name]["Confidence"])


def test_nothing_is_told_of_what_a_mask_hides():
    """Under a sure cover the lower face is as other faces are; sunglasses do not cover it."""
    members = flags(with_likely(FaceOccluded=1.0, Sunglasses=0.0, Beard=0.999, Smile=0.999))

    assert members["FaceOccluded"]["Value"]
    for name, share in FREQUENCY.items():
        assert members[name] == {"Value": False, "Confidence": pytest.approx(100 * (1 - share))}
    assert flags(with_likely(FaceOccluded=1.0, Sunglasses=1.0, Beard=0.999))["Beard"]["Value"]


@settings(deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(OUTPUTS, PROBABILITY)), PROBABILITY, PROBABILITY, PROBABILITY, AGE)
def test_members_never_contradict_each_other(likely, eyes_open, happy, male, age):
    """Whatever is seen, sunglasses are eyeglasses, and every confidence is one."""
    form = Shape(eyes_open=eyes_open, mouth_open=0.5, smile=0.5)
    members = flags(attrs.evolve(PLAIN, likely=likely, form=form, happy=happy, male=male, age=age))

    assert members["Eyeglasses"]["Value"] or not members["Sunglasses"]["Value"]
    assert all(50 <= member["Confidence"] <= 100 for member in members.values())
    assert members.keys() == {*FITS, "Eyeglasses", "Sunglasses", "EyesOpen"}
