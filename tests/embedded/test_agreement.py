"""Results do not depend on threads, on what else is in the picture, or on the order of faces."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from rekog_emotion.embedded.engine import Engine, _find, _looks
from rekog_emotion.embedded.nets import Hardware

TOLERANCE = 1e-4  # of the service's scales: ratios, degrees and confidences of 0..100


def close(one, other):
    """Whether two answers are the same within the tolerance."""
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(close(value, other[key]) for key, value in one.items())
    if isinstance(one, Sequence) and not isinstance(one, str):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, float):
        return abs(one - other) <= TOLERANCE * max(1.0, abs(one))
    return one == other


@pytest.fixture(scope="module")
def group(portrait):
    """Return a picture of three faces, of which the batches of all networks are made up differently than of one."""
    picture = Image.new("RGB", (900, 420), (120, 120, 110))
    for name, left in (("obama", 0), ("biden", 300), ("astronaut", 600)):
        picture.paste(portrait(name).resize((300, 360)), (left, 20))
    return picture


@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads(engine, group, threads):
    """A network that works with more threads adds up in another order, and no more."""
    assert close(engine.analyze(group), Engine(on=Hardware(threads)).analyze(group))


def test_calls_at_once(engine, group):
    """Threads that share the networks do not disturb each other."""
    expected = engine.analyze(group, mode="fast")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: engine.analyze(group, mode="fast"), range(4)))

    assert all(close(expected, answer) for answer in answers)


def test_order_and_company_of_faces(engine, group):
    """What the networks say of a face does not depend on which others are asked about with it, or in which place."""
    nets = engine._networks()
    faces = _find(nets, group, "default")
    orders = [list(range(len(faces)))[::-1], *([k] for k in range(len(faces)))]

    together = [plain(look) for look in _looks(nets, faces, None)]

    assert len(faces) == 3
    for order in orders:
        some = [plain(look) for look in _looks(nets, [faces[k] for k in order], None)]
        assert close([together[k] for k in order], some)


def plain(look):
    """Return what is said of a face; emotions of the same confidence may change places, so they are named."""
    muscles, told, apparent = look
    emotions = {one["Type"]: one["Confidence"] for one in told.emotions}
    return {**muscles, **emotions, **told.likely, "look": dict(told.look), "age": apparent.age, "male": apparent.male}


def test_the_mesh_of_a_face_does_not_depend_on_the_others(engine, group):
    """Detections fitted together and one by one give the same points."""
    nets = engine._networks()
    detections = next(nets.detector.search(group))

    together = nets.mesh(group, detections)
    alone = [face for detection in detections for face in nets.mesh(group, [detection])]

    assert len(together) == 3
    for face, other in zip(together, alone, strict=True):
        assert np.abs(face.points - other.points).max() / np.ptp(face.points[:, 0]) < TOLERANCE
