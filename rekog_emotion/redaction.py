"""Credentials taken out of foreign text and out of errors, before anybody sees them: here and nowhere else.

Two things are hidden: the values of all credentials that this process works with, whole, in parts and encoded, and
whatever is a secret by its form, be it of others: presigned addresses, headers that authorize, passwords in addresses.
"""

from __future__ import annotations

import json
import os
import re
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus

from attrs import frozen

__all__ = ["redacted", "remember", "withhold"]

_HIDDEN: Final = "***"
_VARIABLES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
)
_PART: Final = 8  # letters of a value that are hidden also without the rest of it
_SHORTEST: Final = 4  # a value below that says nothing, and would be found in every word
_LONGEST: Final = 1 << 13  # letters that are looked through, and kept; a page of a proxy may have any length
_DEEPEST: Final = 30

_ELEMENTS: Final = (
    "AccessKeyId|AWSAccessKeyId|CanonicalRequest|CanonicalRequestBytes|SecretAccessKey|SessionToken|SignatureProvided|"
    "StringToSign|StringToSignBytes|Token-0"
)
_HEADERS: Final = (
    "authorization|proxy-authorization|x-amz-security-token|x-amz-sso_bearer_token|x-aws-ec2-metadata-token"
)
_MEMBERS: Final = re.compile(f"(?:{_ELEMENTS}|{_HEADERS})", re.IGNORECASE)

# Credentials that clients of this process sign with, as long as there are any that do; they may renew themselves. The
# keys are the ids of the references.
_SEEN: Final[dict[int, weakref.ref[Any]]] = {}


@cache
def _forms() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return what is a secret by its form, and what stands instead; to compile it takes 10 ms, once there is a text."""
    request = r"The (?:Canonical String for this request|String-to-Sign)\b.*"
    return (
        # What follows in the message about a wrong signature is the request with its headers, session token and all.
        (re.compile(request, re.DOTALL | re.IGNORECASE), ""),
        (re.compile(r"//[^/\s\"'<>]+@"), f"//{_HIDDEN}@"),
        # An address that is signed is worth what it opens. Its query is left out whole, whoever signed it.
        (re.compile(r"(https?://[^\s\"'<>?]*)\?[^\s\"'<>]+", re.IGNORECASE), rf"\1?{_HIDDEN}"),
        (
            re.compile(
                r"\?[^\s\"'<>?]*(?:x-amz-signature|x-amz-security-token|signature|sig)=[^\s\"'<>]*", re.IGNORECASE
            ),
            f"?{_HIDDEN}",
        ),
        (
            re.compile(
                r"\b(x-amz-(?:credential|security-token|signature)|credential|signature)(=|%3D)(?:(?!%26)[^\s&,\"'<>])+",
                re.IGNORECASE,
            ),
            rf"\1\2{_HIDDEN}",
        ),
        (re.compile(rf"<({_ELEMENTS})>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE), rf"<\1>{_HIDDEN}</\1>"),
        (
            re.compile(rf"\b({_HEADERS})([\"']?\s*(?::|=(?=\s*b?[\"']))\s*(?:b?[\"'])?)[^\r\n\"'}}]+", re.IGNORECASE),
            rf"\1\2{_HIDDEN}",
        ),
        (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}[\w.-]*"), _HIDDEN),  # a token of web identity
        (re.compile(r"\bBearer\s+[\w.~+/=-]{16,}", re.IGNORECASE), f"Bearer {_HIDDEN}"),
        (
            re.compile(
                r"\b((?:aws_?)?(?:secret_?access_?key|session_?token|security_?token|access_?key_?id))"
                r"([\"']?\s*[:=]\s*[\"']?)[^\s\"',;&<>}]+",
                re.IGNORECASE,
            ),
            rf"\1\2{_HIDDEN}",
        ),
    )


def remember(credentials: object) -> None:
    """Hide the values of these credentials from now on, as long as somebody holds them."""
    # No callback clears them away: Ctrl-C in one, whenever somebody's client ends, would be printed and forgotten.
    reference = weakref.ref(credentials)  # without one it is the same each time
    _SEEN[id(reference)] = reference
    for key, seen in list(_SEEN.items()):
        if seen() is None:
            _SEEN.pop(key, None)


def redacted(text: str) -> str:
    """Return foreign text without what is a secret in it."""
    return _redacted(text, _grams(_known()))


def withhold(error: BaseException) -> None:
    """Take what is a secret out of an error, its notes and members, and all errors that led to it: in place.

    An uncaught error is printed with all of them, and they are the vendor's own: nobody else could.
    """
    _clean_error(error, _grams(_known()), set())


def _known() -> tuple[str, ...]:
    values = {os.environ.get(name, "") for name in _VARIABLES}
    for reference in list(_SEEN.values()):
        values.update(_values(reference()))
    return tuple(sorted(value for value in values if len(value) >= _SHORTEST))


def _values(credentials: object) -> Iterator[str]:
    """Yield the values that credentials have now; those that renew themselves are not asked, which would do it."""
    members = getattr(credentials, "__dict__", {})
    for name in ("access_key", "secret_key", "token"):
        for value in (members.get(name), members.get(f"_{name}")):
            if isinstance(value, str):
                yield value.strip()


def _redacted(text: str, grams: _Grams) -> str:
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    for form, instead in _forms():
        text = form.sub(instead, text)
    return grams.out_of(text)


@frozen
class _Grams:
    """The parts by which values are known again in a text: all pieces of one length, a length a form."""

    by_length: Mapping[int, frozenset[str]]
    short: re.Pattern[str] | None

    def out_of(self, text: str) -> str:
        """Return a text with every run of such pieces hidden."""
        for length, pieces in self.by_length.items():
            text = _without(text, pieces, length)
        return self.short.sub(_HIDDEN, text) if self.short else text


@lru_cache(maxsize=4)
def _grams(values: tuple[str, ...]) -> _Grams:
    long = [value for value in values if len(value) >= _PART]
    pieces = {
        _PART: frozenset(piece for value in long for form in _as_text(value) for piece in _pieces(form, _PART)),
        2 * _PART: frozenset(piece for value in long for form in _as_hex(value) for piece in _pieces(form, 2 * _PART)),
        3 * _PART - 1: frozenset(
            piece for value in long for form in _as_hex(value, " ") for piece in _pieces(form, 3 * _PART - 1)
        ),
    }
    words = "|".join(re.escape(value) for value in values if len(value) < _PART)
    short = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])") if words else None
    return _Grams({length: some for length, some in pieces.items() if some}, short)


def _pieces(text: str, length: int) -> Iterator[str]:
    return (text[i : i + length] for i in range(len(text) - length + 1))


def _as_text(value: str) -> Iterator[str]:
    import base64  # noqa: PLC0415 -- it and the table of html take a fiftieth of every start, and few look for secrets
    import html  # noqa: PLC0415 -- likewise

    yield value
    yield quote(value, safe="", errors="replace")
    yield quote_plus(value, errors="replace")
    yield re.sub("%..", lambda escape: escape[0].lower(), quote(value, safe="", errors="replace"))
    yield json.dumps(value)[1:-1]
    yield repr(value)[1:-1]
    yield value.replace("/", "\\/")
    yield html.escape(value)
    data = value.encode(errors="replace")
    for offset in range(3):  # where it begins within three bytes of a longer text
        encoded = base64.b64encode(bytes(offset) + data).decode()
        inner = encoded[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]
        yield inner
        yield inner.translate({ord("+"): "-", ord("/"): "_"})


def _as_hex(value: str, between: str = "") -> Iterator[str]:
    data = value.encode(errors="replace")
    text = data.hex(between) if between else data.hex()
    yield text
    yield text.upper()


def _without(text: str, pieces: frozenset[str], length: int) -> str:
    kept: list[str] = []
    begin = i = 0
    while i <= len(text) - length:
        if text[i : i + length] not in pieces:
            i += 1
            continue
        kept += [text[begin:i], _HIDDEN]
        begin = i + length
        while text[begin - length + 1 : begin + 1] in pieces:
            begin += 1
        i = begin
    return "".join([*kept, text[begin:]]) if kept else text


# Members of Python's own errors that are neither among their arguments nor in their dict.
_OWN: Final = (ImportError, OSError, SyntaxError, UnicodeError)
_OWN_MEMBERS: Final = ("filename", "filename2", "msg", "object", "strerror", "text")


def _clean_error(error: BaseException, grams: _Grams, seen: set[int]) -> None:
    if id(error) in seen:
        return
    seen.add(id(error))
    for link in ("__cause__", "__context__"):
        if (led_to_it := getattr(error, link)) is not None:
            _clean_error(led_to_it, grams, seen)
            if _tells(led_to_it, grams):
                setattr(error, link, None)
    arguments = _clean(error.args, grams, seen)
    if arguments is not error.args:
        error.args = arguments
    _clean_members(error, grams, seen)


def _clean_members(error: BaseException, grams: _Grams, seen: set[int]) -> None:
    for name in _OWN_MEMBERS if isinstance(error, _OWN) else ():
        value = getattr(error, name, None)
        if isinstance(value, (str, bytes)) and (cleaned := _clean(value, grams, seen)) != value:
            with suppress(AttributeError, TypeError):
                setattr(error, name, cleaned)
    if isinstance(error, json.JSONDecodeError):
        error.doc = ""  # the whole of what a program has printed to give credentials
    members = getattr(error, "__dict__", {})
    for name, value in list(members.items()):
        if (cleaned := _clean(value, grams, seen)) is not value:
            members[name] = cleaned


def _tells(error: BaseException, grams: _Grams) -> bool:
    """Tell whether an error that was cleaned still shows something, or may: a parser quotes lines of the file."""
    text = f"{error} {error!r}"
    return type(error).__module__ == "configparser" or grams.out_of(text) != text


def _clean(value: Any, grams: _Grams, seen: set[int], depth: int = 0) -> Any:  # noqa: ANN401, PLR0911 -- of any type
    """Return a value of an error without what is a secret; the value itself where there is nothing."""
    if isinstance(value, str):
        text = _redacted(value, grams)
        return value if text == value else text
    if isinstance(value, (bytes, bytearray)):
        data = _redacted(value.decode("latin-1"), grams).encode("latin-1")
        return value if data == value else data
    if isinstance(value, BaseException):
        _clean_error(value, grams, seen)
        return value
    if type(value).__module__ == "botocore.awsrequest":
        return None  # a request that was signed; to print it is to print its headers
    if depth > _DEEPEST and isinstance(value, (dict, list, tuple)):
        return _HIDDEN
    if isinstance(value, dict):
        cleaned = {name: _clean_member(name, member, grams, seen, depth) for name, member in value.items()}
        return value if all(cleaned[name] is member for name, member in value.items()) else cleaned
    if type(value) in {list, tuple}:
        some = [_clean(member, grams, seen, depth + 1) for member in value]
        return value if all(one is member for one, member in zip(some, value, strict=True)) else type(value)(some)
    return value


def _clean_member(name: object, member: Any, grams: _Grams, seen: set[int], depth: int) -> Any:  # noqa: ANN401 -- likewise
    if isinstance(name, str) and _MEMBERS.fullmatch(name):
        return _HIDDEN
    return _clean(member, grams, seen, depth + 1)
