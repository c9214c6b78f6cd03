"""The pictures of a folder, of a glob and of a prefix in S3: one after the other, whatever their number."""

# Names stay as they were given; a Path would make "./a" into "a".
# ruff: noqa: PTH112, PTH113, PTH116, PTH118, PTH123
from __future__ import annotations

import fnmatch
import glob
import mimetypes
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import frozen

from rekog_emotion.errors import InvalidInputError, RekogEmotionError
from rekog_emotion.media.files import where_to_look
from rekog_emotion.media.formats import looks_like_an_image, not_an_image
from rekog_emotion.sources.places import locate
from rekog_emotion.text import shown
from rekog_emotion.values.s3 import S3, S3Object, is_s3_uri, parse_s3_uri, s3_uri

__all__ = [
    "Found",
    "LeftOut",
    "Prefix",
    "Unusable",
    "check_place",
    "count_at",
    "found_at",
    "found_in_page",
    "is_collection",
    "prefix_of",
]

_HEAD: Final = 1024  # bytes that tell what content is
# Names of a folder that are put in order; of one with more of them nobody wants to hold all in memory.
_SORTED: Final = 10_000
_HIDDEN: Final = "hidden: its name begins with a dot"
_SEPARATORS: Final = re.compile(r"[/\\]" if os.sep == "\\" else "/")
_IMAGE_TYPES: Final = ("image/", "application/octet-stream")


@frozen
class LeftOut:
    """Something in a folder or under a prefix that is no picture.

    Attributes:
        source: Its path or address.
        reason: What it is.
    """

    source: str
    reason: str


@frozen
class Unusable:
    """A place that cannot be looked into.

    Attributes:
        source: Its path or address.
        error: Why.
    """

    source: str
    error: RekogEmotionError


@frozen
class Prefix:
    """A part of a bucket, to be listed page by page by whoever has a client of S3.

    Attributes:
        bucket: Name of the bucket.
        prefix: What the keys begin with; empty for the whole bucket.
    """

    bucket: str
    prefix: str


Found: TypeAlias = "str | S3Object | LeftOut | Unusable | Prefix"
"""A picture, or what else a place has."""


def found_at(place: str | os.PathLike[str]) -> Iterator[Found]:
    """Yield what is at a place, as it is found.

    A folder is gone through with all its folders, linked ones, too, each once; what is no image by its first bytes is
    left out, and so is what is hidden. A glob (``*``, ``?``, ``[...]``, and ``**`` for folders of any depth) gives the
    images among the files that match. The order is that of the names within each folder, unless one has over 10 000.
    Anything else is a picture itself, whatever it turns out to be.

    Args:
        place: A file, a folder, a glob, ``s3://bucket/key``, or ``s3://bucket/prefix/``.
    """
    text = os.fsdecode(os.fspath(place))
    if (prefix := prefix_of(text)) is not None:
        yield prefix
        return
    if is_s3_uri(text) or not _is_path(place):
        yield text
        return
    if os.path.isdir(text):
        yield from _with_folders(_Walk().through(text))
    elif glob.has_magic(text) and not os.path.lexists(text):
        matches = _with_folders(_matches(text))
        first = next(matches, None)
        yield Unusable(text, _no_match(text)) if first is None else first
        yield from matches
    else:
        yield text


def check_place(place: str | os.PathLike[str]) -> None:
    """Refuse a place where there is nothing, before anything is begun.

    Raises:
        InvalidInputError: There is no such file or folder, nothing matches a glob, or it is no place at all.
    """
    text = os.fsdecode(os.fspath(place))
    if prefix_of(text) is not None:
        return
    if isinstance(locate(place), S3Object) or os.path.lexists(text):
        return
    if not glob.has_magic(text):
        msg = f"{shown(text)}: there is no such file or folder; {where_to_look(text)}"
        raise InvalidInputError(msg)
    if next(_matches(text), None) is None:
        raise _no_match(text)


def _no_match(pattern: str) -> InvalidInputError:
    msg = f"{shown(pattern)}: no file matches; {where_to_look(pattern, 'pattern')}"
    return InvalidInputError(msg)


def is_collection(place: str | os.PathLike[str]) -> bool:
    """Tell whether a place is a folder, a glob or a prefix in S3, and not a picture."""
    text = os.fsdecode(os.fspath(place))
    if prefix_of(text) is not None:
        return True
    return _is_path(place) and (os.path.isdir(text) or (glob.has_magic(text) and not os.path.lexists(text)))


def count_at(place: str | os.PathLike[str]) -> Iterator[int]:
    """Yield a one for each file that :func:`found_at` looks at: what is left out is among them."""
    text = os.fsdecode(os.fspath(place))
    if not _is_path(place) or not os.path.isdir(text):
        files: Iterator[Found] = _matches(text) if glob.has_magic(text) else iter([text])
    else:
        files = _Walk().through(text)
    return (1 for found in files if isinstance(found, str))


def found_in_page(bucket: str, contents: Iterable[Mapping[str, Any]]) -> Iterator[Found]:
    """Yield the pictures among the objects of one page of a listing; what an object is, its name alone tells."""
    for listed in contents:
        key = str(listed["Key"])
        found = S3Object(bucket=bucket, name=key)
        kind = mimetypes.guess_type(key)[0]
        if key.endswith("/"):
            continue  # what consoles make for a folder
        if listed.get("Size") == 0:
            yield LeftOut(s3_uri(found), "empty")
        elif kind is not None and not kind.startswith(_IMAGE_TYPES):
            yield LeftOut(s3_uri(found), f"no image by its name ({kind})")
        else:
            yield found


def prefix_of(text: str) -> Prefix | None:
    """Return the prefix that an address names: it ends with a slash, or has no key."""
    if not is_s3_uri(text):
        return None
    bucket, _, prefix = text[len(S3) :].partition("/")
    if prefix and not prefix.endswith("/"):
        return None
    try:
        parse_s3_uri(f"{S3}{bucket}/{prefix}key")
    except InvalidInputError:
        return None  # as a picture it is refused with its reason
    return Prefix(bucket, prefix)


def _is_path(place: str | os.PathLike[str]) -> bool:
    try:
        return isinstance(locate(place), Path)
    except InvalidInputError:
        return False


def _with_folders(found: Iterator[Found]) -> Iterator[Found]:
    """Look into each file that was found."""
    for one in found:
        if not isinstance(one, str) or (reason := _no_image(one)) is None:
            yield one
        else:
            yield LeftOut(one, reason)


def _no_image(path: str) -> str | None:
    """Say what a file is that is no image by its first bytes; one that cannot be read may be one."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    if not head:
        return "empty"
    if looks_like_an_image(head):
        return None
    return (not_an_image(head) or "no image").partition(";")[0]


@frozen
class _Folder:
    path: str


class _Walk:
    """Goes through folders, each once, whatever links lead to it."""

    def __init__(self) -> None:
        self._been: set[tuple[int, int]] = set()

    def through(self, folder: str) -> Iterator[Found]:
        """Yield the files in a folder and all its folders, and what is none."""
        # A stack of its own: folders may lie in one another deeper than Python lets calls.
        stack = [self._open(folder)]
        while stack:
            one = next(stack[-1], None)
            if one is None:
                stack.pop()
            elif isinstance(one, _Folder):
                stack.append(self._open(one.path))
            else:
                yield one

    def _open(self, folder: str) -> Iterator[Found | _Folder]:
        """Yield what lies in one folder."""
        if self.meets(folder):
            return
        try:
            entries = _entries(folder)
        except OSError as error:
            yield _unlisted(folder, error)
            return
        for entry in entries:
            path = os.path.join(folder, entry.name)
            kind = _kind(entry)
            if entry.name.startswith("."):
                yield LeftOut(path, _HIDDEN)
            elif kind == "folder" and entry.is_symlink() and self.knows(path):
                yield LeftOut(path, "a link to a folder that is gone through anyway")
            elif kind == "folder":
                yield _Folder(path)
            elif kind == "file":
                yield path
            else:
                yield LeftOut(path, kind)

    def knows(self, folder: str) -> bool:
        """Tell whether a folder has been gone through, or is being."""
        return _identity(folder) in self._been

    def meets(self, folder: str) -> bool:
        """Note a folder, and tell whether it was met before."""
        identity = _identity(folder)
        if identity is None:
            return False
        if identity in self._been:
            return True
        self._been.add(identity)
        return False


def _identity(folder: str) -> tuple[int, int] | None:
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_ino else None


def _entries(folder: str) -> Iterable[os.DirEntry[str]]:
    """Return what is in a folder, by name where it is not too much."""
    with os.scandir(folder or os.curdir) as scan:
        first = [entry for entry, _ in zip(scan, range(_SORTED), strict=False)]
        if len(first) < _SORTED:
            return sorted(first, key=lambda entry: entry.name)
    return _unsorted(folder)


def _unsorted(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder or os.curdir) as scan:
        yield from scan


def _kind(entry: os.DirEntry[str]) -> str:
    """Return ``"file"`` or ``"folder"``, or what else lies in a folder."""
    try:
        mode = entry.stat().st_mode
    except FileNotFoundError:
        return "a link to nothing" if entry.is_symlink() else "gone"
    except OSError as error:
        return "a link that leads to itself" if entry.is_symlink() else f"unreadable ({error.strerror})"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "no file, but a pipe, a socket or a device"


def _unlisted(folder: str, error: OSError) -> Unusable:
    what = "this user may not list the folder" if isinstance(error, PermissionError) else error.strerror
    msg = f"{shown(folder)}: {what}; its pictures are missing"
    return Unusable(folder, InvalidInputError(msg))


def _matches(pattern: str) -> Iterator[Found]:
    """Yield the files that a pattern matches; what lies in a folder that cannot be listed is told."""
    drive, rest = os.path.splitdrive(pattern)
    parts = [part for part in _SEPARATORS.split(rest) if part]
    start = drive + (os.sep if _SEPARATORS.match(rest) else "")
    seen: set[str] = set()
    repeated = parts.count("**") > 1  # two of them may lead to one file on several ways
    for found in _matching(start, parts, _Walk()):
        if not (repeated and isinstance(found, str)):
            yield found
        elif found not in seen:
            seen.add(found)
            yield found


def _matching(folder: str, parts: list[str], walk: _Walk) -> Iterator[Found]:
    if not parts:
        return
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _at_any_depth(folder, rest or ["*"], walk)
    elif not glob.has_magic(part):
        path = os.path.join(folder, part)
        if rest:
            yield from _matching(path, rest, walk)
        elif os.path.isfile(path):
            yield path
    else:
        yield from _fitting(folder, part, rest, walk)


def _fitting(folder: str, part: str, rest: list[str], walk: _Walk) -> Iterator[Found]:
    """Yield what matches in the entries of a folder that fit a part of the pattern."""
    try:
        entries = _entries(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield _unlisted(folder, error)
        return
    for entry in entries:
        hidden = entry.name.startswith(".") and not part.startswith(".")
        if hidden or not fnmatch.fnmatch(entry.name, part):
            continue
        path = os.path.join(folder, entry.name)
        kind = _kind(entry)
        if rest:
            if kind == "folder":
                yield from _matching(path, rest, walk)
        elif kind == "file":
            yield path
        elif kind != "folder":
            yield LeftOut(path, kind)


def _at_any_depth(folder: str, rest: list[str], walk: _Walk) -> Iterator[Found]:
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        if walk.meets(folder or os.curdir):
            continue
        yield from _matching(folder, rest, _Walk())
        try:
            below = [entry.name for entry in _entries(folder) if _kind(entry) == "folder"]
        except OSError:
            continue  # which was told above
        waiting += [os.path.join(folder, name) for name in reversed(below) if not name.startswith(".")]
