"""Signature Version 4, checked over the headers that are signed: who asks before the body is read, the rest after."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Container, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from attrs import field, frozen

from rekog_emotion.server.protocol import BAD_SIGNATURE, RefusedError, refusal

__all__ = ["Claim", "SignatureCheck"]

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_MINUTES: Final = 5  # by which the two clocks may differ
_FORM: Final = (
    "a Credential of the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request and a time of the form YYYYMMDDThhmmssZ"
)
_LONGEST_LIFE: Final = 7 * 24 * 60 * 60  # seconds, of a presigned request
_SCOPE: Final = re.compile(
    r"(?P<key>.+)/(?P<date>\d{8})/(?P<region>[\w-]{1,64})/(?P<service>[^/]+)/(?P<end>[^/]+)", re.ASCII
)
_TIME: Final = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
SIGV4_TIMESTAMP: Final = "%Y%m%dT%H%M%SZ"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# Beside all ``x-amz-*``: what would mean something else if it were there twice.
_HOST: Final = "host"
_ALONE: Final = frozenset({"authorization", _HOST, "date", "content-type"})
_NEVER_SIGNED: Final = frozenset({"authorization", "date", "content-type"})
_LONGEST_NAME: Final = 64
_MOST_PARAMETERS: Final = 32  # a presigned request has six, seven with a token
_SIGNING_KEYS: Final = 64  # a day and a region each

# The texts are the service's, or those of other services that share its front end.
_UNSIGNED: Final = ("MissingAuthenticationTokenException", "Missing Authentication Token")
_LONG_QUERY: Final = ("MalformedQueryStringException", "The query string has too many parameters.")
_UNKNOWN_KEY: Final = ("UnrecognizedClientException", "The security token included in the request is invalid.")
_MISMATCH: Final = (
    BAD_SIGNATURE,
    (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    ),
)


@frozen(kw_only=True)
class Claim:
    """A signature of a known key, of the right form and time; whether it is the key's own, the body tells.

    Attributes:
        key: The access key id.
        digest: What the request says is the SHA-256 of its body, in hexadecimal, if it does.
    """

    key: str
    digest: str | None
    _signature: str
    _head: str
    _stamp: str
    _scope: str
    _signing_key: bytes = field(repr=False)

    def verify(self, digest: str) -> None:
        """Check the signature over a body.

        Args:
            digest: The SHA-256 of the body, in hexadecimal.

        Raises:
            RefusedError: The signature is another.
        """
        if self.digest is not None and not hmac.compare_digest(self.digest, digest):
            raise refusal(*_MISMATCH)
        request = hashlib.sha256(f"{self._head}{digest}".encode()).hexdigest()
        text = f"{_ALGORITHM}\n{self._stamp}\n{self._scope}\n{request}"
        expected = hmac.digest(self._signing_key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), self._signature.encode()):
            raise refusal(*_MISMATCH)


@frozen(kw_only=True)
class _Said:
    """What a request says of its own signature, in its header or in its query."""

    credential: str
    headers: str
    signature: str
    stamp: str
    life: float | None = None


class SignatureCheck:
    """Tells whether a request was signed by somebody who may ask.

    Args:
        keys: Secret access keys by their access key ids. Without any, every signature passes unread; a request without
            one never does.
        clock: Gives the time in seconds since 1970.
    """

    def __init__(self, keys: Mapping[str, str] | None, *, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._clock = clock
        self._signing_key = lru_cache(_SIGNING_KEYS)(_signing_key)

    def claimed(self, headers: Sequence[tuple[str, str]], query: str) -> Claim | None:
        """Check all of a POST to ``/`` that can be checked before its body has come.

        Args:
            headers: Names in lower case, and values, as they came.
            query: What stands behind the ``?``, as it came.

        Returns:
            What the body has to bear out; ``None`` where nobody looks.

        Raises:
            RefusedError: It is unsigned, or signed by nobody known, not wholly, or at another time.
        """
        named = dict(headers)
        asked = _parameters(query)
        presigned = "X-Amz-Signature" in asked
        if not presigned and not named.get("authorization", "").startswith("AWS4-"):
            raise refusal(*_UNSIGNED)
        if self._keys is None:
            return None
        said = _presigned(asked) if presigned else _in_header(named)
        scope = _SCOPE.fullmatch(said.credential)
        if scope is None or _TIME.fullmatch(said.stamp) is None:
            raise _incomplete(_FORM)
        _check_scope(scope, said.stamp)
        secret = self._keys.get(scope["key"])
        # Temporary credentials are not given out here, so that no session token can be one of them.
        if secret is None or "x-amz-security-token" in named or "X-Amz-Security-Token" in asked:
            raise refusal(*_UNKNOWN_KEY)
        self._check_time(said)
        signed = frozenset(said.headers.split(";"))
        _check_coverage(headers, signed)
        digest = named.get("x-amz-content-sha256")
        # An UNSIGNED-PAYLOAD or a STREAMING one is among what is refused: neither has a digest of the body.
        if digest is not None and _DIGEST.fullmatch(digest) is None:
            raise refusal(*_MISMATCH)
        return Claim(
            key=scope["key"],
            digest=digest,
            signature=said.signature,
            head=_canonical_head(headers, signed, query),
            stamp=said.stamp,
            scope=f"{scope['date']}/{scope['region']}/{scope['service']}/{scope['end']}",
            signing_key=self._signing_key(secret, scope["date"], scope["region"], scope["service"]),
        )

    def _check_time(self, claim: _Said) -> None:
        try:
            signed = dt.datetime.fromisoformat(claim.stamp).timestamp()
        except ValueError:
            raise _incomplete(_FORM) from None
        now, margin = self._clock(), _MINUTES * 60
        if signed > now + margin:
            latest = f"{_written(now + margin)} ({_written(now)} + {_MINUTES} min.)"
            raise refusal(BAD_SIGNATURE, f"Signature not yet current: {claim.stamp} is still later than {latest}")
        if claim.life is not None:
            if now > signed + claim.life:
                end = _written(signed + claim.life)
                raise refusal(BAD_SIGNATURE, f"Signature expired: {end} is now earlier than {_written(now)}")
        elif signed < now - margin:
            earliest = f"{_written(now - margin)} ({_written(now)} - {_MINUTES} min.)"
            raise refusal(BAD_SIGNATURE, f"Signature expired: {claim.stamp} is now earlier than {earliest}")


def _check_coverage(headers: Sequence[tuple[str, str]], signed: Container[str]) -> None:
    """Refuse headers that say what is asked, of whom, when or by whom, and are not signed or not alone."""
    seen = set()
    for name, _ in headers:
        if not name.startswith("x-amz-") and name not in _ALONE:
            continue
        if name in seen:
            raise refusal(BAD_SIGNATURE, f"'{_header_name(name)}' must be there once.")
        seen.add(name)
        if name not in signed and name not in _NEVER_SIGNED:
            raise _not_covered(name)
    if _HOST not in signed:
        raise _not_covered(_HOST)


def _not_covered(name: str) -> RefusedError:
    shown = "'Host' or ':authority'" if name == _HOST else f"'{_header_name(name)}'"
    return refusal(BAD_SIGNATURE, f"{shown} must be a 'SignedHeader' in the AWS Authorization.")


def _header_name(name: str) -> str:
    return name.title()[:_LONGEST_NAME]


def _canonical_head(headers: Sequence[tuple[str, str]], signed: Container[str], query: str) -> str:
    """Return the canonical form of a POST to ``/`` over these headers, no more and no less, up to the body's digest."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        if name in signed:
            values.setdefault(name, []).append(" ".join(value.split()))
    names = sorted(values)
    lines = "".join(f"{name}:{','.join(values[name])}\n" for name in names)
    return f"POST\n/\n{_canonical_query(query)}\n{lines}\n{';'.join(names)}\n"


def _canonical_query(query: str) -> str:
    # As it came: clients sign it in the form in which they send it.
    parts = (part.partition("=") for part in query.split("&") if part and not part.startswith("X-Amz-Signature="))
    return "&".join(f"{name}={value}" for name, _, value in sorted(parts))


def _signing_key(secret: str, *scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (*scope, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters of a query, if it has a signature."""
    if "X-Amz-Signature" not in query:
        return {}
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS))
    except ValueError:
        raise refusal(*_LONG_QUERY) from None


def _in_header(named: Mapping[str, str]) -> _Said:
    algorithm, _, rest = named["authorization"].partition(" ")
    if algorithm != _ALGORITHM:
        raise _incomplete(_ALGORITHM)
    said = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in rest.split(","))}
    stamp = named.get("x-amz-date") or _from_date(named.get("date", ""))
    missing = [f"'{name}' parameter" for name in ("Credential", "Signature", "SignedHeaders") if not said.get(name)]
    missing += [] if stamp else ["existence of either a 'X-Amz-Date' or a 'Date' header"]
    if missing:
        raise _incomplete(*missing)
    return _Said(credential=said["Credential"], headers=said["SignedHeaders"], signature=said["Signature"], stamp=stamp)


def _presigned(asked: Mapping[str, str]) -> _Said:
    names = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    missing = [f"'X-Amz-{name}' query parameter" for name in names if not asked.get(f"X-Amz-{name}")]
    if missing:
        raise _incomplete(*missing)
    life = asked["X-Amz-Expires"]
    if asked["X-Amz-Algorithm"] != _ALGORITHM or re.fullmatch(r"[0-9]{1,6}", life) is None or int(life) > _LONGEST_LIFE:
        raise _incomplete(_ALGORITHM, f"an 'X-Amz-Expires' of at most {_LONGEST_LIFE}")
    return _Said(
        credential=asked["X-Amz-Credential"],
        headers=asked["X-Amz-SignedHeaders"],
        signature=asked["X-Amz-Signature"],
        stamp=asked["X-Amz-Date"],
        life=float(life),
    )


def _check_scope(scope: re.Match[str], stamp: str) -> None:
    """Check what the signature is for; any region will do."""
    if scope["service"] != "rekognition":
        raise refusal(BAD_SIGNATURE, "Credential should be scoped to correct service: 'rekognition'. ")
    if scope["end"] != "aws4_request":
        raise refusal(BAD_SIGNATURE, "Credential should be scoped with a valid terminator: 'aws4_request'. ")
    if scope["date"] != stamp[:8]:
        message = (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{scope['date']}' != '{stamp[:8]}', from '{stamp}'."
        )
        raise refusal(BAD_SIGNATURE, message)


def _incomplete(*what: str) -> RefusedError:
    return refusal("IncompleteSignatureException", " ".join(f"Authorization header requires {one}." for one in what))


def _from_date(date: str) -> str:
    """Return the time of a ``Date``, in whatever zone it is told; none, if it is no time or beyond all years."""
    try:
        moment = parsedate_to_datetime(date)
        # A zone of -0000 says that it is not known; UTC is the one that the header should have.
        moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
        return moment.strftime(SIGV4_TIMESTAMP)
    except (ValueError, OverflowError):
        return ""


def _written(seconds: float) -> str:
    # Some systems know no time before 1970.
    return f"{_EPOCH + dt.timedelta(seconds=seconds):{SIGV4_TIMESTAMP}}"
