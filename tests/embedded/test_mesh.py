import attrs
import pytest
from botocore.session import get_session
from PIL import Image

from rekog_emotion.embedded.geometry import overlap
from rekog_emotion.embedded.mesh import DEFAULT_LANDMARKS, LANDMARKS


def test_landmarks_are_the_service_s():
    """Every type of the service's model has a vertex; the five default ones come first."""
    model = get_session().get_service_model("rekognition")

    assert set(LANDMARKS) == set(model.shape_for("LandmarkType").enum)
    assert [*LANDMARKS][:DEFAULT_LANDMARKS] == ["eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"]


@pytest.fixture
def detected(engine, portrait):
    """Return the mesh network, the portrait, and what the detector saw in it."""
    nets, picture = engine._networks(), portrait()
    detections, _ = next(nets.detector.search(picture, mode="fast"))
    return nets.mesh, picture, detections


def test_a_sure_detection_stays_without_the_mesh_s_consent(detected):
    """Profiles have no presence: the detector is believed, and the face is marked."""
    mesh, picture, detections = detected

    (face,) = mesh(picture, detections, presence=0.5)
    (believed,) = mesh(picture, detections, presence=1.1)

    assert [face.profile, believed.profile] == [False, True]
    assert overlap(face.extent, believed.extent[None])[0] > 0.8


def test_a_doubtful_detection_needs_the_mesh_s_consent(detected):
    """What neither network is sure of is no face."""
    mesh, picture, (detection,) = detected
    doubtful = type(detection)(detection.box, detection.eyes, 0.6)

    assert len(mesh(picture, [doubtful], presence=0.5)) == 1
    assert mesh(picture, [doubtful], presence=1.1) == []


def test_a_detection_says_what_it_needs(detected):
    """One that scored low needs more of the mesh; one that was seen again needs nothing."""
    mesh, picture, (detection,) = detected
    weak = attrs.evolve(detection, score=0.9, presence=1.1)

    assert mesh(picture, [weak], presence=0.5) == []
    (face,) = mesh(picture, [attrs.evolve(weak, score=0.6, presence=0.0, confirmed=True)], presence=1.1)
    assert face.profile


def test_what_is_plainly_no_face_is_fitted_once(detected, monkeypatch):
    """A second fit is for faces, and for doubted detections, whose boxes are worse."""
    mesh, _, (detection,) = detected
    bare = Image.new("RGB", (512, 512), (90, 100, 90))
    fits, network = [], mesh._net
    monkeypatch.setattr(mesh, "_net", lambda batch: fits.append(len(batch)) or network(batch))

    assert mesh(bare, [attrs.evolve(detection, score=0.6)], presence=0.3) == []
    assert fits == [1]
    assert mesh(bare, [attrs.evolve(detection, score=0.4, presence=0.99)], presence=0.3) == []
    assert fits == [1, 1, 1]


def test_no_detections_are_no_faces(detected):
    """There is nothing to fit."""
    mesh, picture, _ = detected

    assert mesh(picture, [], presence=0.5) == []
