import pytest

from rekog_emotion.values.faces import Attribute, Emotion, Face
from rekog_emotion.values.videos import StartedJob, Video
from rekog_emotion.values.words import EmotionType
from rekog_emotion.wire.writing import write_shape


def test_metadata_is_copied():
    """Whoever changes what was written changes nothing in the value."""
    job = StartedJob(job_id="j-1", response_metadata={"HTTPHeaders": {"date": "today"}})

    written = write_shape(job)
    written["ResponseMetadata"]["HTTPHeaders"]["date"] = "tomorrow"
    assert job.response_metadata == {"HTTPHeaders": {"date": "today"}}


def test_what_is_unknown_is_copied():
    """Members that this version does not know are written as they came, and are the value's own."""
    box = Face.from_aws({"BoundingBox": {"Width": 0.5, "New": {"a": [1]}}}).bounding_box

    written = write_shape(box)
    assert written == {"Width": 0.5, "New": {"a": [1]}}
    written["New"]["a"].append(2)
    assert box.extra == {"New": {"a": [1]}}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Face(), {}),
        (Face(confidence=0.0, smile=Attribute(value=False)), {"Confidence": 0.0, "Smile": {"Value": False}}),
        (Face(emotions=()), {"Emotions": []}),
        (Face(emotions=(Emotion(type=EmotionType.HAPPY), Emotion())), {"Emotions": [{"Type": "HAPPY"}, {}]}),
        (Video(), {}),
    ],
)
def test_what_is_none_is_not_written(value, written):
    """Zero, false and empty lists are."""
    assert write_shape(value) == written


def test_a_word_is_written_as_plain_text():
    """What reads JSON elsewhere knows no enum."""
    assert type(write_shape(Emotion(type=EmotionType.HAPPY))["Type"]) is str


def test_a_member_can_be_left_out():
    """The one that is named, and no other."""
    job = StartedJob(job_id="j-1", response_metadata={"RequestId": "r-1"})

    assert write_shape(job, without="ResponseMetadata") == {"JobId": "j-1"}
