import subprocess
import sys

import numpy as np
import onnxruntime
import pytest

from rekog_emotion import ConfigurationError, InvalidInputError
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.embedded.engine import Engine
from rekog_emotion.embedded.nets import MAX_BATCH, Hardware, Net, sigmoid


@pytest.mark.parametrize("threads", [1, 2])
def test_a_large_batch_gives_what_its_parts_give(threads):
    """Above the limit a batch is cut; order and values stay."""
    net = Net("dlib_gender", on=Hardware(threads))
    batch = np.random.default_rng(0).uniform(-0.5, 0.5, (MAX_BATCH + 3, 3, 32, 32))

    (together,) = net(batch)
    parts = np.concatenate([net(batch[k : k + 1])[0] for k in range(len(batch))])

    assert parts == pytest.approx(together, abs=1e-5)


PEAK = """
from pathlib import Path
import numpy as np
from rekog_emotion.embedded.nets import Net

def peak():  # kB; what resource tells of a process begins with its parent's
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

net = Net("yunet")
"""
AGAIN = """
picture = np.ones((1, 864, 1280, 3), np.uint8)
net(picture)
before = peak()
net(picture)
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory is told by Linux")
def test_a_second_picture_of_a_size_takes_no_more_memory():
    """What the first one needed is used again: no plan for its shape holds a block of its own, of 51 MB."""
    assert told(PEAK + AGAIN) < 10_000


LARGE = """
picture = np.ones((1, 1280, 1920, 3), np.uint8)
before = peak()
net(picture)
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory is told by Linux")
def test_a_large_picture_takes_little_memory():
    """It is seen in bands: as a whole, 1920 pixels took 140 MB."""
    assert told(PEAK + LARGE) < 90_000


MANY = """
net, views = Net("face_landmarks_detector"), np.ones((120, 256, 256, 3), np.uint8)
net(views[:6])
before = peak()
net(views)
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory is told by Linux")
def test_many_views_take_no_more_memory_than_a_few():
    """They are made into what the network takes a few at a time: all as numbers of four bytes were 94 MB."""
    assert told(PEAK + MANY) < 10_000


def test_no_copy_of_a_file_is_held():
    """What a network is made of lies in memory once."""
    assert not [held for held in vars(Net("dlib_gender")._session).values() if isinstance(held, bytes)]


def told(program):
    """Return the kilobytes that a program tells."""
    return int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)  # noqa: S603 -- our own


@pytest.mark.parametrize("kind", [np.float32, float])
@pytest.mark.parametrize(("logit", "probability"), [(0, 0.5), (1e9, 1), (-1e9, 0), (np.log(3), 0.75)])
def test_sigmoid(logit, probability, kind):
    """Far logits saturate without a warning, those of numpy and Python's alike."""
    assert sigmoid(kind(logit)) == pytest.approx(probability)


CPU = ("CPUExecutionProvider", {})
CUDA = ("CUDAExecutionProvider", {"use_tf32": "0"})


@pytest.mark.parametrize(
    ("has", "device", "expected"),
    [
        (["CPU"], "auto", [CPU]),
        (["CoreML", "CPU"], "auto", [CPU]),
        (["TensorRT", "CUDA", "CPU"], "auto", [CUDA, CPU]),
        (["Dml", "CPU"], "auto", [("DmlExecutionProvider", {}), CPU]),
        (["CUDA", "CPU"], "cpu", [CPU]),
        (["CUDA", "CPU"], "cuda", [CUDA, CPU]),
        (["CoreML", "CPU"], "coreml", [("CoreMLExecutionProvider", {}), CPU]),
    ],
)
def test_the_device_picks_what_is_installed(has, device, expected, monkeypatch):
    """The CPU stands behind each; what rounds to half precision is taken by name alone."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [f"{one}ExecutionProvider" for one in has])

    assert Hardware(device=device).providers() == expected


def test_a_device_that_is_not_installed_is_refused(monkeypatch):
    """Say what is missing, what there is, and both ways out."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])

    with pytest.raises(ConfigurationError) as caught:
        EmbeddedClient(device="cuda")

    assert str(caught.value) == (
        "device='cuda' needs an ONNX Runtime with CUDAExecutionProvider, and the installed one has "
        "CPUExecutionProvider: pip uninstall onnxruntime, then pip install onnxruntime-gpu; or pass device='cpu'"
    )


@pytest.mark.parametrize("device", ["gpu", None, ["cuda"]])
def test_an_unknown_device_is_refused(device):
    """Name those that there are."""
    with pytest.raises(InvalidInputError) as caught:
        EmbeddedClient(device=device)

    assert str(caught.value) == (f"unknown device {device!r}: use 'auto', 'cpu', 'cuda', 'directml', 'coreml'")


def test_the_cpu_by_name_gives_the_same(engine, portrait):
    """Whatever is picked here, the faces are those of the CPU within a thousandth."""
    faces = Engine(on=Hardware(device="cpu")).analyze(portrait())

    for one, other in zip(faces, engine.analyze(portrait()), strict=True):
        assert list(one["BoundingBox"].values()) == pytest.approx(list(other["BoundingBox"].values()), abs=1e-3)
