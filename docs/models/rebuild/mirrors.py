"""Read files of copies of public repositories: ``MIRROR/OWNER+NAME/repo``, of which only git's objects are read."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path


def git(mirror: Path, repository: str, *arguments: str) -> bytes:
    """Return what git prints about a repository, named ``OWNER/NAME``."""
    command = ["git", f"--git-dir={_folder(mirror, repository)}", *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 -- names are the scripts' own


def names(mirror: Path, repository: str, pattern: str, commit: str = "HEAD") -> dict[str, str]:
    """Return the object of each file whose path matches from its start, in order of the paths."""
    listed = git(mirror, repository, "ls-tree", "-r", "-z", commit).decode("utf-8", "replace").split("\0")
    found = (line.split("\t", 1) for line in listed if line)
    return dict(sorted((name, about.split()[2]) for about, name in found if re.match(pattern, name)))


def contents(mirror: Path, repository: str, objects: Iterable[str]) -> Iterator[bytes]:
    """Yield the content of each object, nothing for one that the copy lacks."""
    command = ["git", f"--git-dir={_folder(mirror, repository)}", "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 -- likewise
        assert process.stdin is not None
        assert process.stdout is not None
        for name in objects:
            process.stdin.write(f"{name}\n".encode())
            process.stdin.flush()
            *_, size = process.stdout.readline().split()
            if size == b"missing":
                yield b""
            else:
                yield process.stdout.read(int(size))
                process.stdout.read(1)


def files(mirror: Path, repository: str, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each file of the newest commit whose path matches from its start, in order."""
    listed = names(mirror, repository, pattern)
    yield from zip(listed, contents(mirror, repository, listed.values()), strict=True)


def _folder(mirror: Path, repository: str) -> Path:
    folder = mirror / repository.replace("/", "+") / "repo"
    return folder / ".git" if (folder / ".git").exists() else folder
