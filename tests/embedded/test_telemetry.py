"""Nothing that the library brings tells anybody that it is used: no socket is opened, and no file is left."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import rekog_emotion as rekog
from tests.embedded import sealed

DATA = Path(__file__).parents[1] / "data"
FOLDERS = {
    "HOME": "home",
    "USERPROFILE": "home",
    "XDG_CACHE_HOME": "home/.cache",
    "XDG_CONFIG_HOME": "home/.config",
    "XDG_DATA_HOME": "home/.local/share",
    "XDG_STATE_HOME": "home/.local/state",
    "TMPDIR": "tmp",
}
ENGINE = f"""
    import rekog_emotion as rekog
    photo = rekog.detect_image({str(DATA / "astronaut.jpg")!r}, client="embedded")
    clip = rekog.analyze_video({str(DATA / "people.mp4")!r}, client="embedded")
    assert (len(photo.faces), len(clip.faces)) == (1, 9)
"""
EXTRAS = f"""
    import io
    from rekog_emotion.commands.cli import main
    photo.to_pandas(), photo.to_arrow(), photo.to_json()
    image = io.BytesIO()
    photo.draw().save(image, "PNG")
    clip.timeline().plot()
    assert main(["image", {str(DATA / "astronaut.jpg")!r}, "--client", "embedded"]) == 0
"""


def run(folder, program, **environment):
    """Run a sealed program where everything that it could leave something in is a new folder."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    for name in FOLDERS.values():
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "work").mkdir()
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, sealed.__file__, textwrap.dedent(program)],
        env={
            **kept,
            **{name: str(folder / place) for name, place in FOLDERS.items()},
            "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(Path(rekog.__file__).parents[1]),
            **environment,
        },
        cwd=folder / "work",
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder):
    """Return what is in a folder and those in it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_a_socket_ends_the_program(tmp_path):
    """A program that opens a socket does not come to its end, whatever it catches."""
    done = run(tmp_path, "import socket\ntry: socket.socket()\nexcept BaseException: pass")

    assert (done.returncode, done.stdout, done.stderr) == (1, "", "socket.__new__\n")


@pytest.mark.skipif(not sealed.is_sealable(), reason="this system's kernel cannot be asked")
def test_a_native_socket_ends_the_program(tmp_path):
    """Nor does one that opens it past Python."""
    done = run(tmp_path, "import ctypes; ctypes.CDLL(None).socket(2, 1, 0)")

    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGSYS, "", "")


def test_the_engine_leaves_and_sends_nothing(tmp_path):
    """A photo and a video by the embedded engine open no socket and leave no file, at home or elsewhere."""
    done = run(tmp_path, ENGINE)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == []
    assert files(tmp_path) == []


def test_the_extras_send_nothing(tmp_path):
    """Tables, drawings, plots and the command line open no socket; matplotlib keeps its list of fonts."""
    done = run(tmp_path, f"{ENGINE}\n{EXTRAS}")

    assert done.returncode == 0, done.stderr
    assert [name for name in files(tmp_path) if not name.startswith("home/.cache/matplotlib/fontlist")] == []


@pytest.fixture
def stand_in(tmp_path):
    """Give a folder with a module that stands for ONNX Runtime, and tells what it was loaded with."""
    folder = tmp_path / "modules"
    folder.mkdir()
    folder.joinpath("onnxruntime.py").write_text(
        "import os\n"
        'print("loaded with", os.environ.get("ORT_DISABLE_TELEMETRY"))\n'
        'def disable_telemetry_events(): print("disabled")\n'
    )
    return folder


@pytest.mark.parametrize(
    ("before", "environment", "expected"),
    [
        ("", {}, ["loaded with 1", "disabled", "1"]),
        ("", {"ORT_DISABLE_TELEMETRY": "0"}, ["loaded with 0", "0"]),
        ("", {"ORT_DISABLE_TELEMETRY": ""}, ["loaded with ", ""]),
        ("import onnxruntime", {}, ["loaded with None", "None"]),
    ],
    ids=["nobody chose", "by the variable", "by an empty one", "loaded before"],
)
def test_the_choice_of_the_user(stand_in, before, environment, expected):
    """ONNX Runtime is told to send no usage data, unless the user has chosen or another module has loaded it before."""
    program = f"import os\n{before}\nimport rekog_emotion.embedded.nets\nprint(os.environ.get('ORT_DISABLE_TELEMETRY'))"
    paths = f"{stand_in}{os.pathsep}{Path(rekog.__file__).parents[1]}"

    done = run(stand_in.parent, program, PYTHONPATH=paths, **environment)

    assert (done.stderr, done.stdout.splitlines()[:-1]) == ("", expected)
