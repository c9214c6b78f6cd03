from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="mutants are made by Cosmic Ray, of the dev extra")

from tests.mutation.mutants import equivalents, mutants_of

ROOT = Path(__file__).parents[2]


def made(tmp_path, source):
    """Return the lines that mutants of a source have in place of one of it."""
    (tmp_path / "some.py").write_text(source, encoding="utf-8")
    return sorted(mutant.after for make in mutants_of(tmp_path, "some.py") if (mutant := make()))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", ["a <= b", "a >= b"]),
        ("a in b is not c", ["a in b is c", "a not in b is not c"]),
        ("a + -b", ["a + +b", "a - -b"]),
        ("a += b", ["a -= b"]),
        ("a and not b", ["a and  b", "a or not b"]),
        ("f(True, None)", ["f(False, None)"]),
        ("if a:\n  b\nelif f(c):\n  d", ["elif not (f(c)):", "if not a:"]),
        ("[a for a in b if a]", ["[a for a in b if not (a)]"]),
        ("a if b else c", ["a if not b else c"]),
    ],
)
def test_each_decision_is_changed(tmp_path, source, expected):
    """A comparison goes over its bound and to its opposite; the others become their opposite."""
    assert made(tmp_path, source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "def f(a: int | None = None, *, b: set[int] | None, **c) -> int | str: ...",
        "TYPE_CHECKING = 0\nif TYPE_CHECKING:\n    import a",
        "MOST: Final = 5 * 1024\nName: TypeAlias = 'a' | 'b'",
        "T_co = TypeVar('T_co', covariant=True)",
        "{**a, 'b': f(*c, **d)}\n[*e]",
        "match a:\n    case 1 | 2: ...",
    ],
)
def test_what_is_no_decision_stays(tmp_path, source):
    """Annotations, types, tuned constants, stars and patterns have no mutants."""
    assert made(tmp_path, source) == []


def test_a_negation_is_made_once(tmp_path):
    """A condition that is a comparison is not negated beside its opposite."""
    assert made(tmp_path, "if a == b: ...\nif not c: ...") == ["if  c: ...", "if a != b: ..."]


def test_a_mutant_says_where_it_is(tmp_path):
    """It tells file, line and function, what was and what is, and is known without the line."""
    (tmp_path / "some.py").write_text("\ndef f(a):\n    return a > 1\n", encoding="utf-8")

    mutant = mutants_of(tmp_path, "some.py")[0]()

    assert str(mutant) == "some.py:3 (f)  return a > 1  ->  return a >= 1"
    assert mutant.key == ("some.py", "f", "return a > 1", "return a >= 1")
    assert mutant.source == "\ndef f(a):\n    return a >= 1\n"


@pytest.mark.parametrize("key", equivalents(), ids=lambda key: f"{key[0]} {key[1]}")
def test_what_is_listed_as_the_same_program_is_a_mutant(key):
    """Whoever changes such a line takes it off the list, and each has a reason."""
    path, _, before, _ = key

    assert key in {mutant.key for make in mutants_of(ROOT, path, line=before) if (mutant := make())}
    assert equivalents()[key]
