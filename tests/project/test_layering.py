"""The rule of the house: imports run down the table, every import counts, and there is no circle of files."""

import ast
import graphlib
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(find_spec("rekog_emotion").origin).parent

# Everyone may import these; they import nothing but each other.
EVERYONE = {"errors", "forks", "interrupts", "logs", "redaction", "text", "workers"}
# What the rooms of a folder may import beside each other.
MAY = {
    "errors": set(),
    "forks": set(),
    "interrupts": set(),
    "redaction": set(),
    "text": set(),
    "workers": set(),
    "logs": set(),
    "wire": set(),
    "media": set(),
    "values": {"wire"},
    "sources": {"wire", "media", "values"},
    "people": {"values"},
    "embedded": {"wire", "media", "values"},
    "clients": {"wire", "values"},
    "results": {"wire", "media", "values", "people"},
    "flows": {"wire", "media", "values", "sources", "people", "results"},
    "showing": {"values"},
    "server": {"wire", "media", "values", "clients"},
    "blocking": {"wire", "values", "sources", "clients", "results", "flows"},
    "aio": {"wire", "values", "sources", "people", "clients", "results", "flows"},
    "live": {"values", "sources", "people", "results", "clients", "flows", "blocking"},
    "ray": {"wire", "values", "sources", "results", "clients", "flows", "blocking"},
    "testing": {"wire", "values", "results", "clients", "embedded", "server", "flows", "blocking"},
}
MAY["commands"] = {"values", *MAY["testing"], *MAY["flows"], "aio", "testing", "showing", "live", "ray"}
MAY["__main__"] = {"commands", "values"}
MAY["__init__"] = set(MAY)  # loads names when they are first used; nobody imports it
# One file may more than its folder.
ALSO = {"clients/names": {"embedded"}}
MOST_LINES = 400
# Packages that only these rooms import, and packages that these rooms never import.
ONLY = {
    "tenacity": {"flows/retrying"},
    "aiobotocore": {"clients/aio"},
    "av": {"media", "results/_copying", "results/frames", "results/recording", "results/video"},
    "starlette": {"server", "testing", "commands"},
    "uvicorn": {"server", "testing", "commands"},
    "matplotlib": {"results"},
    "onnxruntime": {"embedded"},
    "ray": {"ray"},
}
NEVER = {
    "values": {"boto3", "botocore", "numpy", "PIL"},
    "wire": {"boto3", "botocore", "numpy", "PIL"},
    "people": {"boto3", "botocore", "PIL", "av"},
    "embedded": {"boto3"},
    "flows": {"threading", "asyncio", "time", "socket", "boto3", "botocore", "aiobotocore"},
}

# Modules that `import rekog_emotion` and its names must not load: slow, large or not installed.
HEAVY = {"PIL", "aiobotocore", "av", "boto3", "botocore", "matplotlib", "numpy", "onnxruntime", "pandas", "ray", "rich"}
HEAVY |= {"pyarrow", "scipy", "shtab", "starlette", "uvicorn"}


FILES = {path.relative_to(ROOT).with_suffix("").as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
ROOMS = {name.removesuffix("/__init__") or "__init__": path for name, path in FILES.items()}


def imported(source, package):
    """Yield the full names that a source imports, wherever it does; ``from x import y`` gives ``x.y``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


@cache
def names(room):
    """Return the full names that a room imports."""
    path = ROOMS[room]
    return frozenset(
        imported(path.read_text(encoding="utf-8"), ".".join(["rekog_emotion", *path.relative_to(ROOT).parts[:-1]]))
    )


def targets(found):
    """Return the rooms that names lead to."""
    inner = ["/".join(name.split(".")[1:]) for name in found if name.partition(".")[0] == "rekog_emotion"]
    rooms = set()
    for name in inner:
        parts = name.split("/")
        steps = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]
        rooms.add(next((step for step in steps if step in ROOMS), "__init__"))
    return rooms


def beyond(room, to):
    """Return those of the rooms that a room may not import."""
    folder = room.partition("/")[0]
    may = EVERYONE | MAY[folder] | ALSO.get(room, set()) | {folder}
    return {target for target in to if target.partition("/")[0] not in may}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b, c", {"a.b", "c"}),
        ("from a.b import c as d", {"a.b.c"}),
        ("from . import a\nfrom .a import b\nfrom ..a import c", {"p.q.a", "p.q.a.b", "p.a.c"}),
        ("class A:\n    import a\n    def f(self):\n        import b", {"a", "b"}),
        ("try:\n    import a\nexcept ImportError:\n    import b", {"a", "b"}),
        ("if TYPE_CHECKING:\n    import a\nasync def f():\n    from b import c", {"a", "b.c"}),
    ],
)
def test_finds_every_import(source, expected):
    """In blocks, classes and functions, and for type checkers alone."""
    assert set(imported(source, "p.q")) == expected


@pytest.mark.parametrize(
    ("room", "source", "expected"),
    [
        ("values/faces", "def f():\n    from rekog_emotion.results.drawing import draw", {"results/drawing"}),
        ("wire/kinds", "if TYPE_CHECKING:\n    from rekog_emotion.values.faces import Face", {"values/faces"}),
        ("flows/pages", "import rekog_emotion", {"__init__"}),
        ("clients/aws", "from rekog_emotion.embedded import EmbeddedClient", {"embedded"}),
        ("clients/names", "from rekog_emotion.embedded import EmbeddedClient", set()),
        ("results/rows", "from rekog_emotion import errors, text\nfrom rekog_emotion.values import faces", set()),
    ],
)
def test_sees_what_reaches_up(room, source, expected):
    """An import in a function and one for type checkers count like any other."""
    assert beyond(room, targets(set(imported(source, "rekog_emotion")))) == expected


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_down(room):
    """A room imports only what the table lets its folder."""
    assert room.partition("/")[0] in MAY, f"rekog_emotion/{room} has no place in the table yet"
    assert beyond(room, targets(names(room)) - {room}) == set()


def test_no_circle_of_files():
    """No file imports itself by way of others."""
    graph = {room: targets(names(room)) - {room} for room in ROOMS if room != "__init__"}

    assert set(graphlib.TopologicalSorter(graph).static_order()) >= set(graph)


def test_sees_a_circle():
    """A circle made on purpose is found."""
    graph = {room: targets(names(room)) - {room} for room in ROOMS if room != "__init__"}
    graph["errors"] = {"values/faces"}

    with pytest.raises(graphlib.CycleError):
        list(graphlib.TopologicalSorter(graph).static_order())


def test_the_drawing_is_that_of_the_rule():
    """The page on the design shows every folder, from what imports least on, and what each may import."""
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "design.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/?` \| .+ \| ?(.*) ?\|$", page, re.MULTILINE)

    above, drawn = set(), {}
    for folder, may in rows:
        drawn[folder] = set(above) if may.strip() == "everything above" else set(filter(None, re.split(r"[,\s]+", may)))
        assert drawn[folder] <= above, f"{folder}/ stands above what it imports"
        above.add(folder)
    assert drawn == {folder: may for folder, may in MAY.items() if folder not in EVERYONE and "_" not in folder}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_can_be_read_at_one_go(room):
    """It has 400 lines at most."""
    assert len(ROOMS[room].read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_the_root_has_no_private_room():
    """What lies at the root says by its name what it is."""
    assert [room for room in ROOMS if "/" not in room and room.startswith("_") and not room.startswith("__")] == []


@pytest.mark.parametrize("package", ONLY)
def test_only_some_rooms_use_a_package(package):
    """Retrying, networks, clips, servers and plots live in one place each."""
    users = {room for room in ROOMS if any(name.partition(".")[0] == package for name in names(room))}

    assert [room for room in users if not {room, room.partition("/")[0]} & ONLY[package]] == []


@pytest.mark.parametrize("folder", NEVER)
def test_some_rooms_never_use_a_package(folder):
    """Values and wire, for instance, are plain Python."""
    rooms = [room for room in ROOMS if room.partition("/")[0] == folder]

    assert {(room, name) for room in rooms for name in names(room) if name.partition(".")[0] in NEVER[folder]} == set()


@pytest.mark.parametrize(
    "code",
    [
        "import rekog_emotion",
        "import rekog_emotion\nfor name in rekog_emotion.__all__: getattr(rekog_emotion, name)",
        "from rekog_emotion import *",
        "import rekog_emotion.errors, rekog_emotion.values.faces, rekog_emotion.results.video_analysis",
    ],
    ids=["package", "every name", "star", "values"],
)
def test_imports_nothing_heavy(code):
    """Neither the package nor any of its names loads what only a call or an extra needs."""
    program = f"import sys\n{code}\nprint(*sorted({HEAVY!r} & set(sys.modules)))"

    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
