import importlib.util
import os
from pathlib import Path

import pytest

RECORDINGS = os.environ.get("REKOG_EMOTION_RECORDINGS")
MEASURE = Path(__file__).parents[2] / "docs" / "models" / "measure.py"

# What was measured when the engine was made; a little is left for rounding on other machines.
AT_LEAST = {
    "photos": {
        "found": 11,
        "iou": 0.899,
        "gender": 7 / 11,
        "age": 8 / 11,
        "emotion": 1.0,
        "Smile": 10 / 11,
        "Eyeglasses": 1.0,
        "Sunglasses": 9 / 11,
        "Beard": 10 / 11,
        "Mustache": 1.0,
        "EyesOpen": 9 / 11,
        "MouthOpen": 10 / 11,
        "FaceOccluded": 1.0,
    },
    "frames": {"found": 19, "iou": 0.833},
}
AT_MOST = {
    "photos": {
        "false": 0,
        "landmarks": 0.081,
        "roll": 0.9,
        "yaw": 1.1,
        "pitch": 0.7,
        "brightness": 1.7,
        "sharpness": 5.6,
    },
    "frames": {
        "false": 0,
        "landmarks": 0.103,
        "roll": 3.8,
        "yaw": 2.2,
        "pitch": 2.9,
        "brightness": 5.6,
        "sharpness": 5.4,
    },
}


@pytest.mark.skipif(not RECORDINGS, reason="REKOG_EMOTION_RECORDINGS names no folder with recorded answers")
@pytest.mark.parametrize(("kind", "folder"), [("photos", "."), ("frames", "video_frames")])
def test_agrees_with_the_service_as_the_docs_say(client, kind, folder):
    """No figure of the model card is worse than it says."""
    spec = importlib.util.spec_from_file_location("measure", MEASURE)
    measure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(measure)

    figures = measure.agreement([Path(RECORDINGS) / folder], client)

    assert {name: figures[name] for name, bar in AT_LEAST[kind].items() if figures[name] < bar - 1e-9} == {}
    assert {name: figures[name] for name, bar in AT_MOST[kind].items() if figures[name] > bar} == {}
