import attrs
import numpy as np
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
    return nets.mesh, picture, next(nets.detector.search(picture, mode="fast"))


@pytest.fixture
def counted(detected, monkeypatch):
    """Return the sizes of the batches that the network is given."""
    mesh, *_ = detected
    batches, network = [], mesh._net
    monkeypatch.setattr(mesh, "_net", lambda batch: batches.append(len(batch)) or network(batch))
    return batches


def test_the_mesh_lies_where_the_face_was_detected(detected):
    """It is the network's own, and its points are near the detector's."""
    mesh, picture, (detection,) = detected

    (face,) = mesh(picture, [detection])

    assert not face.placed
    assert face.presence > 0.9
    assert overlap(face.extent, detection.box[None])[0] > 0.7
    five = np.array([face.points[[33, 133]].mean(0), face.points[[362, 263]].mean(0), *face.points[[4, 61, 291]]])
    assert np.abs(five[:, :2] - detection.points).max() < 0.2 * (face.extent[2] - face.extent[0])


def test_a_face_without_a_mesh_has_the_detected_box_and_points(detected):
    """Where the network sees nothing, the average face is laid on the five points, and the box is the detector's."""
    mesh, picture, (detection,) = detected

    (face,) = mesh(Image.new("RGB", picture.size, (90, 100, 90)), [detection])

    assert face.placed
    assert face.extent.tolist() == detection.box.tolist()
    assert face.points[468, :2] == pytest.approx(detection.points[0], abs=8)
    assert face.points[[4, 61, 291], :2] == pytest.approx(detection.points[2:], abs=12)


def test_what_the_mesh_shall_decide_needs_its_consent(detected):
    """Below the presence that a detection asks for it is no face."""
    mesh, picture, (detection,) = detected

    assert len(mesh(picture, [attrs.evolve(detection, presence=0.9)])) == 1
    assert mesh(picture, [attrs.evolve(detection, presence=1.1)]) == []


def test_a_settled_face_is_fitted_once(detected, counted):
    """A second fit is for regions that were off, and is made for all of them in one call."""
    mesh, picture, (detection,) = detected
    off = attrs.evolve(detection, box=detection.box + 40)

    mesh(picture, [detection])
    assert counted == [1]
    mesh(picture, [off, detection, off])

    assert counted == [1, 3, 2]


def test_no_detections_are_no_faces(detected):
    """There is nothing to fit."""
    mesh, picture, _ = detected

    assert mesh(picture, []) == []
