"""Print the lowest version of everything that an extra brings, the project's own dependencies included.

``lowest.py pyproject.toml EXTRA`` prints one requirement a line, as pip takes them.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

path, extra = sys.argv[1:]
project = tomllib.loads(Path(path).read_text())["project"]


def requirements(named: list[str]) -> Iterator[str]:
    """Yield what is named, and what the project's own extras among it name."""
    for one in named:
        if own := re.fullmatch(rf"{project['name']}\[([\w,-]+)\]", one):
            for name in own[1].split(","):
                yield from requirements(project["optional-dependencies"][name])
        else:
            yield one


lowest: dict[str, str] = {}
for one in [*project["dependencies"], *requirements(project["optional-dependencies"][extra])]:
    bound = re.fullmatch(r"([\w.-]+(?:\[[\w,-]+\])?)>=([\w.]+)(,<[\w.]+)?", one)
    if bound is None:
        sys.exit(f"{path}: {one!r} is not NAME>=LOWEST or NAME>=LOWEST,<NEXT: give it a lower bound that was tested")
    if lowest.setdefault(bound[1], bound[2]) != bound[2]:
        sys.exit(f"{path}: {bound[1]} has two lower bounds, {lowest[bound[1]]} and {bound[2]}: give it one")
for name, version in lowest.items():
    print(f"{name}=={version}")
