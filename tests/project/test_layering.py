import ast
import graphlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(find_spec("rekog_emotion").origin).parent

# What each module imports of the package when it is itself imported, low before high; a package within counts as one
# module. A module that is not here has no place yet: put it where it belongs.
BELOW = {
    "_beside": set(),
    "_forks": set(),
    "_pixels": set(),
    "_secrets": set(),
    "_sniffing": set(),
    "_diagnosis": set(),
    "enums": set(),
    "_numbers": set(),
    "_budget": {"_forks"},
    "_quoting": {"_secrets"},
    "_containers": {"_sniffing"},
    "_logging": {"_quoting", "_secrets"},
    "errors": {"_quoting"},
    "_lengths": {"_containers"},
    "progress": {"_logging", "enums"},
    "_clips": {"_pixels", "errors"},
    "_configuring": {"_quoting", "_secrets", "errors"},
    "_decoding": {"errors"},
    "_fastpath": {"_forks", "errors"},
    "_outputs": {"errors"},
    "_reading": {"_quoting", "_sniffing", "errors"},
    "_waiting": {"errors"},
    "_writing": {"errors"},
    "models": {"enums", "errors"},
    "_guarding": {"_beside", "_configuring", "_secrets", "errors"},
    "_flattening": {"_decoding", "errors"},
    "_headers": {"_decoding", "errors"},
    "clients": {"_beside", "_configuring", "_fastpath", "_forks", "errors"},
    "_locations": {"_quoting", "errors", "models"},
    "_states": {"errors", "models"},
    "_wording": {"_quoting", "models"},
    "analyses": {"_numbers", "_outputs", "enums", "models"},
    "_imaging": {"_decoding", "_flattening", "_headers", "_sniffing", "errors"},
    "_calls": {"_configuring", "_fastpath", "_guarding", "_quoting", "_waiting", "clients", "errors"},
    "notifications": {"_forks", "_guarding", "_logging", "_quoting", "_waiting", "clients", "errors"},
    "sources": {
        "_containers",
        "_decoding",
        "_headers",
        "_locations",
        "_quoting",
        "_reading",
        "_sniffing",
        "errors",
        "models",
    },
    "staging": {"_guarding", "_locations", "_quoting", "clients", "errors", "models"},
    "_ways_out": {"_locations", "_quoting", "_states", "errors", "models"},
    "_members": {"analyses", "enums", "models"},
    "_outcomes": {"_diagnosis", "_quoting", "analyses", "enums", "errors"},
    "_paging": {"_calls", "_logging", "_waiting", "analyses", "enums", "errors"},
    "_starting": {
        "_calls",
        "_containers",
        "_locations",
        "_quoting",
        "_waiting",
        "_ways_out",
        "analyses",
        "clients",
        "errors",
        "models",
        "notifications",
        "progress",
    },
    "_shapes": {"_members", "analyses", "enums", "models"},
    "_lookout": {
        "_budget",
        "_paging",
        "_waiting",
        "_ways_out",
        "analyses",
        "clients",
        "enums",
        "errors",
        "notifications",
        "progress",
    },
    "_readout": {"_budget", "_paging", "_waiting", "_ways_out", "analyses", "enums", "errors", "progress"},
    "_wire": {"_shapes", "analyses", "enums", "errors", "models"},
    "jobs": {
        "_budget",
        "_lengths",
        "_locations",
        "_logging",
        "_lookout",
        "_outcomes",
        "_paging",
        "_quoting",
        "_readout",
        "_starting",
        "_states",
        "_waiting",
        "_ways_out",
        "_wire",
        "analyses",
        "clients",
        "enums",
        "errors",
        "models",
        "notifications",
        "progress",
        "sources",
        "staging",
    },
    "api": {
        "_calls",
        "_waiting",
        "_wire",
        "analyses",
        "clients",
        "errors",
        "jobs",
        "notifications",
        "progress",
        "sources",
        "staging",
    },
}
# The embedded engine, the server and the results know the rest by the wire alone.
BESIDE = {
    "embedded": {"_clips", "_forks", "_imaging", "_logging", "errors", "models"},
    "server": {"_headers", "_logging", "_secrets", "clients", "errors"},
    "results": {
        "_clips",
        "_decoding",
        "_imaging",
        "_members",
        "_numbers",
        "_outcomes",
        "_pixels",
        "_quoting",
        "_wording",
        "_writing",
        "analyses",
        "enums",
        "errors",
        "models",
    },
}
TOP = {name: set(BELOW) for name in ("aio", "batch", "ray", "testing")}
TOP |= {
    "_terminal": {"_quoting", "_secrets", "errors"},
    "commands": {*BELOW, "_terminal"},
    "cli": {"_terminal", "commands"},
    "__main__": {"_terminal", "cli"},
    # Loads names when they are first used.
    "__init__": set(),
}
MAY_IMPORT = {**BELOW, **BESIDE, **TOP}

# Modules that `import rekog_emotion` and its names must not load: slow, large or not installed.
HEAVY = {"PIL", "aiobotocore", "av", "boto3", "botocore", "matplotlib", "numpy", "onnxruntime", "pandas", "ray", "rich"}
HEAVY |= {"pyarrow", "scipy", "shtab", "starlette", "uvicorn"}


def place(path):
    """Return the name of the table for a source file."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def statements(body):
    """Yield the statements that run when a module is imported, those within blocks and classes included."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        yield statement
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            guarded = isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING")
            if block == "body" and guarded:
                continue
            yield from statements(getattr(statement, block, []))


def imported(source, package):
    """Yield the full names that a source imports on module level; ``from x import y`` gives ``x.y``."""
    for statement in statements(ast.parse(source).body):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) + 1 - statement.level] if statement.level else []
            module = ".".join([*base, *filter(None, [statement.module])])
            yield from (f"{module}.{alias.name}" for alias in statement.names)


def imported_places(path):
    """Return the names of the table that a source file imports."""
    package = ".".join(["rekog_emotion", *path.relative_to(ROOT).parts[:-1]])
    parts = [name.split(".") for name in imported(path.read_text(encoding="utf-8"), package)]
    return {rest[0] if rest else "__init__" for root, *rest in parts if root == "rekog_emotion"}


FILES = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.py"))}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import a.b, c", {"a.b", "c"}),
        ("from a.b import c as d", {"a.b.c"}),
        ("from . import a\nfrom .a import b\nfrom ..a import c", {"p.q.a", "p.q.a.b", "p.a.c"}),
        (
            "try:\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c\nfinally:\n    import d",
            set("abcd"),
        ),
        ("class A:\n    import a\n    def f(self):\n        import b", {"a"}),
        ("if x:\n    import a\nelse:\n    import b\nwith x:\n    import c", set("abc")),
        ("match x:\n    case 1:\n        import a", {"a"}),
        ("if TYPE_CHECKING:\n    import a\nelse:\n    import b", {"b"}),
        ("if typing.TYPE_CHECKING:\n    import a\n\nasync def f():\n    import b", set()),
    ],
)
def test_finds_imports(source, names):
    """Imports in blocks and classes are found; those in functions, and for type checkers alone, do not count."""
    assert set(imported(source, "p.q")) == names


@pytest.mark.parametrize("path", FILES.values(), ids=FILES.keys())
def test_imports_run_one_way(path):
    """A module imports on module level only what the table lets it."""
    name = place(path)
    assert name in MAY_IMPORT, f"rekog_emotion.{name} has no place in MAY_IMPORT yet: put it where it belongs"

    assert sorted(imported_places(path) - MAY_IMPORT[name] - {name}) == []


def test_table_has_no_cycle():
    """The table itself leads one way."""
    order = list(graphlib.TopologicalSorter(MAY_IMPORT).static_order())

    assert sorted(order) == sorted(MAY_IMPORT)


def test_waiting_alone_uses_tenacity():
    """Retrying and polling live in one place."""
    users = {
        place(path)
        for path in FILES.values()
        if any(
            "tenacity" in ast.unparse(node).split()[1]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, (ast.Import, ast.ImportFrom))
        )
    }

    assert users == {"_waiting"}


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
