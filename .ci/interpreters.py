"""Print the interpreters that this machine has of each Python that the project runs on: ``3.12 /usr/bin/python3.12``.

Looked for are ``python3`` and ``python3.N`` on the path, and what pyenv has installed. One of each version is printed,
in order, and no pre-release.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

LOWEST = (3, 11)
ASK = """
import ensurepip, sys, sysconfig, venv
if sys.version_info.releaselevel == "final" and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    print(*sys.version_info[:2], sys.executable)
"""


def candidates() -> Iterator[str]:
    """Yield commands and paths that may be interpreters."""
    yield "python3"
    yield from (f"python3.{minor}" for minor in range(LOWEST[1], 40))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    # The newest of each version first.
    yield from map(str, sorted(pyenv.glob("versions/3.*/bin/python3"), key=numbers, reverse=True))


def numbers(path: Path) -> list[int]:
    """Return the numbers in the name of the folder that pyenv has an interpreter in."""
    return [int(number) for number in re.findall(r"\d+", path.parents[1].name)]


def main() -> None:
    """Ask each what it is."""
    found: dict[tuple[int, int], str] = {}
    for candidate in candidates():
        if (path := shutil.which(candidate)) is None:
            continue
        # A shim of pyenv's stands on the path for versions that are not chosen, too, and fails.
        done = subprocess.run([path, "-c", ASK], capture_output=True, text=True, check=False)  # noqa: S603 -- an interpreter of this machine
        if done.returncode == 0 and done.stdout:
            major, minor, executable = done.stdout.rstrip("\n").split(" ", 2)
            if (version := (int(major), int(minor))) >= LOWEST:
                found.setdefault(version, executable)
    for (major, minor), executable in sorted(found.items()):
        print(f"{major}.{minor} {executable}")


if __name__ == "__main__":
    main()
