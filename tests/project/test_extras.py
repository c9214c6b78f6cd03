"""What is missing is said by the extra that brings it."""

import json
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion import MissingExtraError
from rekog_emotion.errors import _MODULES, needs

# Packages whose modules have another name.
NAMES = {"pillow": "PIL"}
EMBEDDED = "The embedded engine needs the 'embedded' extra: pip install 'rekog-emotion[embedded]'"
VIDEO = "Embedded video needs the 'embedded' extra: pip install 'rekog-emotion[embedded]'"
DRAWING = "Drawing needs the 'image' extra: pip install 'rekog-emotion[image]'"
PEOPLE = "Following people over time needs the 'timeline' extra: pip install 'rekog-emotion[timeline]'"
REPORT = "A report needs the 'timeline' extra: pip install 'rekog-emotion[timeline]'"
WATCHING = "Watching needs the 'timeline' extra: pip install 'rekog-emotion[timeline]'"
PLOTTING = "Plotting needs the 'plot' extra: pip install 'rekog-emotion[plot]'"
ARROW = "An Arrow table needs the 'arrow' extra: pip install 'rekog-emotion[arrow]'"
RAY = "Ray Data needs the 'ray' extra: pip install 'rekog-emotion[ray]'"
SERVER = "The server needs the 'server' extra: pip install 'rekog-emotion[server]'"
ROOMS = ["embedded", "media.clips", "results.drawing", "results.timeline", "results.report", "results.plots"]
ROOMS += ["results.arrow", "server", "ray", "flows.watching"]
MISSING = {
    "PIL": {"embedded": EMBEDDED, "results.drawing": DRAWING},
    "av": {"media.clips": VIDEO},
    "numpy": {
        "embedded": EMBEDDED,
        "media.clips": VIDEO,
        "results.timeline": PEOPLE,
        "results.report": REPORT,
        "results.plots": PLOTTING,
        "flows.watching": WATCHING,
    },
    "onnxruntime": {"embedded": EMBEDDED},
    "scipy": {"results.timeline": PEOPLE, "results.report": PEOPLE, "flows.watching": PEOPLE},
    "matplotlib": {"results.plots": PLOTTING},
    "pyarrow": {"results.arrow": ARROW, "ray": RAY},
    "ray": {"ray": RAY},
    "starlette": {"server": SERVER},
    "uvicorn": {"server": SERVER},
}
# Loads what there is once; then hides one module after the other, and loads the rooms anew each time.
PROGRAM = """
import importlib, json, sys
modules, rooms = map(json.loads, sys.argv[1:])

def said(room):
    for name in [name for name in sys.modules if name.startswith("rekog_emotion.") and name != "rekog_emotion.errors"]:
        del sys.modules[name]
    try:
        module = importlib.import_module(f"rekog_emotion.{room}")
        for name in module.__all__:
            getattr(module, name)
    except ImportError as error:
        return f"{type(error).__name__}: {error}"

def without(module):
    hidden = {name: found for name, found in sys.modules.items() if name.partition(".")[0] == module}
    sys.modules.update(dict.fromkeys([module, *hidden]))
    texts = {room: text for room in rooms if (text := said(room))}
    del sys.modules[module]
    sys.modules.update(hidden)
    return texts

for room in rooms:
    said(room)
print(json.dumps({module: without(module) for module in modules}))
"""


def modules(packages, extras):
    """Return the names that Python imports of packages."""
    names = set()
    for package in packages:
        name, _, inner = package.partition("[")
        bare = name.split(">")[0].split("=")[0].split("<")[0].strip()
        if bare == "rekog-emotion":
            names |= {one for extra in inner.partition("]")[0].split(",") for one in modules(extras[extra], extras)}
        else:
            names.add(NAMES.get(bare, bare))
    return names


def test_extras_have_their_modules():
    """What the project says each extra brings; of `fast` nothing is ever missing."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    for_users = set(extras) - {"dev", "docs", "fast", "test"}
    assert {extra: modules(extras[extra], extras) for extra in for_users} == _MODULES


@pytest.fixture(scope="module")
def said():
    """Give what each room says where a module is missing, by the module."""
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-I", "-c", PROGRAM, json.dumps(list(MISSING)), json.dumps(ROOMS)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", MISSING)
def test_a_room_says_which_extra_is_missing(module, said):
    """Whichever module of it is not there; rooms that do without it are loaded."""
    expected = MISSING[module] if find_spec("ray") else {**MISSING[module], "ray": RAY}

    assert said[module] == {room: f"MissingExtraError: {text}" for room, text in expected.items()}


@pytest.mark.parametrize(
    ("name", "is_own"),
    [("PIL", True), ("PIL.Image", True), ("PILLS", False), ("rekog_emotion.no_such", False), (None, False)],
)
def test_other_errors_come_out_as_they_are(name, is_own):
    """A module of ours, or of somebody else, that is missing is another matter."""
    error = ModuleNotFoundError("No module", name=name)

    with pytest.raises(ImportError) as caught, needs("image", "Drawing"):
        raise error

    if is_own:
        assert (type(caught.value), caught.value.extra, str(caught.value)) == (MissingExtraError, "image", DRAWING)
        assert caught.value.__cause__ is error
    else:
        assert caught.value is error


@pytest.mark.parametrize(
    "error", [ImportError("cannot import name", name="PIL"), ValueError("no"), KeyboardInterrupt()]
)
def test_what_is_there_is_not_missing(error):
    """One that cannot be loaded, or fails at it, is not mended by installing it."""
    with pytest.raises(type(error)) as caught, needs("image", "Drawing"):
        raise error

    assert caught.value is error


LOOKING = """
import inspect, json, pydoc, sys
sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))
import rekog_emotion
names = [name for name, _ in inspect.getmembers(rekog_emotion)]
print(json.dumps([names, pydoc.plain(pydoc.render_doc(rekog_emotion))]))
"""


def test_the_package_can_be_looked_at_without_extras():
    """By `help()` and by whatever completes its names: what is missing is said where it is used."""
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-I", "-c", LOOKING, json.dumps(list(MISSING))], capture_output=True, text=True, check=True
    )
    members, page = json.loads(done.stdout)

    assert {*rekog.__all__, "aio", "ray"} <= set(members)
    assert "    detect_image(" in page
