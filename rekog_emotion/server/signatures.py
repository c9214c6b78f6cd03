"""Signature Version 4, checked with botocore's own signer over the headers that are signed."""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import parse_qsl

from attrs import frozen
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from rekog_emotion.server.protocol import BAD_SIGNATURE, RefusedError, refusal

__all__ = ["SignatureCheck"]

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_MINUTES: Final = 5  # by which the two clocks may differ
_FORM: Final = (
    "a Credential of the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request and a time of the form YYYYMMDDThhmmssZ"
)
_LONGEST_LIFE: Final = 7 * 24 * 60 * 60  # seconds, of a presigned request
_SCOPE: Final = re.compile(r"(?P<key>.+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/(?P<end>[^/]+)")
_TIME: Final = re.compile(r"\d{8}T\d{6}Z")

# The texts are the service's, or those of other services that share its front end.
_UNSIGNED: Final = ("MissingAuthenticationTokenException", "Missing Authentication Token")
_UNKNOWN_KEY: Final = ("UnrecognizedClientException", "The security token included in the request is invalid.")
_MISMATCH: Final = (
    BAD_SIGNATURE,
    (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    ),
)
_HOST_UNSIGNED: Final = (
    BAD_SIGNATURE,
    "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
)


@frozen(kw_only=True)
class _Claim:
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

    def check(self, headers: Sequence[tuple[str, str]], query: str, body: bytes) -> None:
        """Check a POST to ``/``.

        Args:
            headers: Names in lower case, and values, as they came.
            query: What stands behind the ``?``, as it came.
            body: All of it.

        Raises:
            RefusedError: It is unsigned, or signed wrongly or at another time.
        """
        named = dict(headers)
        asked = dict(parse_qsl(query, keep_blank_values=True))
        presigned = "X-Amz-Signature" in asked
        if not presigned and not named.get("authorization", "").startswith("AWS4-"):
            raise refusal(*_UNSIGNED)
        if self._keys is None:
            return
        claim = _presigned(asked) if presigned else _in_header(named)
        scope = _SCOPE.fullmatch(claim.credential)
        if scope is None or _TIME.fullmatch(claim.stamp) is None:
            raise _incomplete(_FORM)
        _check_scope(scope, claim.stamp)
        secret = self._keys.get(scope["key"])
        # Temporary credentials are not given out here, so that no session token can be one of them.
        if secret is None or "x-amz-security-token" in named or "X-Amz-Security-Token" in asked:
            raise refusal(*_UNKNOWN_KEY)
        self._check_time(claim)
        signed = claim.headers.split(";")
        if "host" not in signed:
            raise refusal(*_HOST_UNSIGNED)
        digest = hashlib.sha256(body).hexdigest()
        if named.get("x-amz-content-sha256", digest) != digest:
            raise refusal(*_MISMATCH)
        covered = [(name, value) for name, value in headers if name in signed]
        signer = SigV4Auth(Credentials(scope["key"], secret), scope["service"], scope["region"])
        expected = _signature(signer, covered, _without_signature(query), digest, claim.stamp)
        if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
            raise refusal(*_MISMATCH)

    def _check_time(self, claim: _Claim) -> None:
        try:
            signed = calendar.timegm(time.strptime(claim.stamp, SIGV4_TIMESTAMP))
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


def _signature(signer: SigV4Auth, headers: Sequence[tuple[str, str]], query: str, digest: str, stamp: str) -> str:
    """Return the signature of a POST to ``/`` over these headers, no more and no less."""
    request = AWSRequest("POST", f"http://host/?{query}")
    request.context["timestamp"] = stamp
    for name, value in headers:
        request.headers[name] = value
    # botocore's own canonical_request() would leave some headers out, and add the host.
    canonical = "\n".join(
        (
            "POST",
            "/",
            signer.canonical_query_string(request),
            f"{signer.canonical_headers(request.headers)}\n",
            signer.signed_headers(request.headers),
            digest,
        )
    )
    return str(signer.signature(signer.string_to_sign(request, canonical), request))


def _in_header(named: Mapping[str, str]) -> _Claim:
    algorithm, _, rest = named["authorization"].partition(" ")
    if algorithm != _ALGORITHM:
        raise _incomplete(_ALGORITHM)
    said = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in rest.split(","))}
    stamp = named.get("x-amz-date") or _from_date(named.get("date", ""))
    missing = [f"'{name}' parameter" for name in ("Credential", "Signature", "SignedHeaders") if not said.get(name)]
    missing += [] if stamp else ["existence of either a 'X-Amz-Date' or a 'Date' header"]
    if missing:
        raise _incomplete(*missing)
    return _Claim(
        credential=said["Credential"], headers=said["SignedHeaders"], signature=said["Signature"], stamp=stamp
    )


def _presigned(asked: Mapping[str, str]) -> _Claim:
    names = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    missing = [f"'X-Amz-{name}' query parameter" for name in names if not asked.get(f"X-Amz-{name}")]
    if missing:
        raise _incomplete(*missing)
    life = asked["X-Amz-Expires"]
    if asked["X-Amz-Algorithm"] != _ALGORITHM or re.fullmatch(r"[0-9]{1,6}", life) is None or int(life) > _LONGEST_LIFE:
        raise _incomplete(_ALGORITHM, f"an 'X-Amz-Expires' of at most {_LONGEST_LIFE}")
    return _Claim(
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
    try:
        return parsedate_to_datetime(date).strftime(SIGV4_TIMESTAMP)
    except ValueError:
        return ""


def _without_signature(query: str) -> str:
    return "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))


def _written(seconds: float) -> str:
    return time.strftime(SIGV4_TIMESTAMP, time.gmtime(seconds))
