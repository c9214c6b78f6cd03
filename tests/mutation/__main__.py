"""Change one thing after another in a copy of the package, and see whether the tests notice.

``python -m tests.mutation --sample 200 --seed 1 --room wire`` draws mutants of comparisons, arithmetic, booleans and
conditions, the same number from each room, and runs the tests that run the changed line: those of the mirrored file
first, then those of the folder, then others. It ends with a table, after Ctrl-C of those that were tried by then, and
fails below the bar. Needs the ``dev`` extra.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import accumulate, islice, zip_longest
from pathlib import Path
from typing import Final

from attrs import field, frozen

from tests.mutation.covering import Covering, covering
from tests.mutation.mutants import Mutant, equivalents, mutants_of
from tests.mutation.trying import preload, run

ROOT: Final = Path(__file__).parents[2]
# The tests that run a room beside those of its own folder.
TESTS: Final[Mapping[str, Sequence[str]]] = {
    "wire": ("values", "property/test_wire.py", "clients/test_fastpath.py"),
    "sources": ("property/test_sources.py", "journeys", "test_live.py"),
    "people": (*(f"results/test_{name}.py" for name in ("timeline", "tables", "video")), "property/test_tables.py"),
    "server": ("testing/test_endpoint.py",),
    "flows": ("journeys/test_drivers.py",),
}
BAR: Final = 0.9
MOST_SECONDS: Final = 20.0  # that the tests of one mutant cost without it; those of its own file always run
ENDED_WELL: Final = re.compile(r"^\d+ passed(, \d+ skipped)? in ", re.MULTILINE)
PATIENCE: Final = 15.0  # seconds that they may cost beyond five times that, until a mutant counts as endless


@frozen
class Verdict:
    """What became of a mutant: ``killed``, ``endless``, ``lived`` or ``same``."""

    mutant: Mutant
    word: str
    by: Sequence[str] = field(repr=False)


def main() -> int:
    """Draw, run and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=200, help="how many mutants, over all rooms")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", action="append", choices=list(TESTS), help="a folder; all where none is given")
    parser.add_argument("--file", action="append", help="a file of it, such as wire/compact.py; all by default")
    options = parser.parse_args()
    rooms = options.room or list(TESTS)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder).resolve() / "tree"
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "_build")
        shutil.copytree(ROOT, tree, ignore=ignored)
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "REKOG_EMOTION_TESTS": "few",  # long searches find what the others should
            "PYTHONPATH": str(tree),
        }
        os.environ.update(environment, PYTHONDONTWRITEBYTECODE="1")  # for the processes that tests start
        by_room = [_draw(tree, room, options.sample // len(rooms), options) for room in rooms]
        drawn = [one for row in zip_longest(*by_room) for one in row if one is not None]
        named = dict.fromkeys(name for room in rooms for name in (room, *TESTS[room]))
        covered = covering(tree, [f"tests/{name}" for name in named if (tree / "tests" / name).exists()], environment)
        same = equivalents()
        preload()
        _check(tree, covered, drawn)
        verdicts = []
        with suppress(KeyboardInterrupt):  # and tell of those that were tried
            for number, mutant in enumerate(drawn, 1):
                tests = _chosen(covered, mutant)
                word = "same" if mutant.key in same else _outcome(tree, covered, mutant, tests)
                verdicts.append(Verdict(mutant, word, tests))
                said = f"{number}/{len(drawn)} {word:8} {mutant}"
                print(said, file=sys.stderr, flush=True)  # noqa: T201 -- a script prints
    return _tell(rooms, verdicts, options.seed)


def _draw(tree: Path, room: str, many: int, options: argparse.Namespace) -> list[Mutant]:
    files = options.file or [f"{room}/{path.name}" for path in sorted((tree / "rekog_emotion" / room).glob("*.py"))]
    found = [make for file in files for make in mutants_of(tree, f"rekog_emotion/{file}")]
    random.Random(options.seed).shuffle(found)  # noqa: S311 -- no secret
    return list(islice(filter(None, (make() for make in found)), many))


def _chosen(covered: Covering, mutant: Mutant) -> list[str]:
    """Return the tests that run a line, those nearest first, quick ones first, and no more than there is time for."""
    room, name = Path(mutant.path).parts[1:]
    mirrored, folder = f"tests/{room}/test_{name}::", f"tests/{room}/"

    def rank(test: str) -> tuple[int, float]:
        return 2 - test.startswith(folder) - test.startswith(mirrored), covered.seconds[test]

    # Of a file that is run while pytest collects, nobody knows which tests look at it.
    tests = sorted(covered.of(mutant.path, mutant.line, folder=folder) or covered.seconds, key=rank)
    sums = accumulate(covered.seconds[test] for test in tests)
    return [test for test, total in zip(tests, sums, strict=True) if rank(test)[0] == 0 or total <= MOST_SECONDS]


def _outcome(tree: Path, covered: Covering, mutant: Mutant, tests: Sequence[str]) -> str:
    target = tree / mutant.path
    before = target.read_bytes()
    target.write_text(mutant.source, encoding="utf-8")
    try:
        code, said = run(tree, tests, seconds=PATIENCE + 5 * sum(covered.seconds[test] for test in tests))
    finally:
        target.write_bytes(before)
    if code is not None and code != 0 and ENDED_WELL.search(said):
        message = f"the run of tests broke, not a test: {said}"
        raise RuntimeError(message)
    return "endless" if code is None else "killed" if code else "lived"


def _check(tree: Path, covered: Covering, drawn: Sequence[Mutant]) -> None:
    """See that the tests of one mutant of each room pass without it: else each of the room might count as killed."""
    for mutant in {Path(one.path).parent: one for one in drawn}.values():
        code, said = run(tree, _chosen(covered, mutant), seconds=PATIENCE + 5 * MOST_SECONDS)
        if code != 0:
            message = f"tests of {mutant.path} fail without a mutant: {said}"
            raise RuntimeError(message)


def _tell(rooms: Sequence[str], verdicts: Sequence[Verdict], seed: int) -> int:
    print(f"| room (seed {seed}) | mutants | the same program | killed | of these endless | lived | rate |")  # noqa: T201 -- a script prints
    print("| --- | --: | --: | --: | --: | --: | --: |")  # noqa: T201 -- a script prints
    rates = []
    for room in rooms:
        words = [one.word for one in verdicts if Path(one.mutant.path).parts[1] == room]
        killed, endless, same = (words.count(word) for word in ("killed", "endless", "same"))
        rates.append((killed + endless) / ((len(words) - same) or 1))
        row = [room, len(words), same, killed + endless, endless, words.count("lived"), f"{rates[-1]:.0%}"]
        print(f"| {' | '.join(map(str, row))} |")  # noqa: T201 -- a script prints
    for one in verdicts:
        if one.word == "lived":
            print(f"lived ({len(one.by)} tests): {one.mutant}")  # noqa: T201 -- a script prints
    return 0 if min(rates) >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
