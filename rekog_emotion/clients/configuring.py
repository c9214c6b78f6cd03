"""What is wrong with the configuration of AWS, in words that say how to mend it: which file, or which variable."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from rekog_emotion.errors import ConfigurationError
from rekog_emotion.redaction import remember, withhold
from rekog_emotion.text import quoted, shown

if TYPE_CHECKING:
    from boto3.session import Session

__all__ = ["check_credentials", "check_settings", "configuration_error", "fault_of", "no_credentials"]

_STAY_OFFLINE: Final = 'or stay offline with client="embedded"'
_MEND_CREDENTIALS: Final = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE or "
    f"run 'aws configure', {_STAY_OFFLINE}"
)
_NO_REGION: Final = (
    "no AWS region is set: set AWS_DEFAULT_REGION, give the profile a region or pass aws_client(region_name=...), "
    f"{_STAY_OFFLINE}"
)
_FILES: Final = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
_PROXIES: Final = ("http_proxy", "https_proxy")
_BUNDLES: Final = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")

# What botocore's providers of credentials go by: variables that are set, else options of a profile, or a file.
_PROVIDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "assume-role": ("role_arn",),
    "assume-role-with-web-identity": ("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file"),
    "config-file": ("AWS_CONFIG_FILE",),
    "container-role": ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    "custom-process": ("credential_process",),
    "login": ("login_session",),
    "shared-credentials-file": ("AWS_SHARED_CREDENTIALS_FILE",),
    "sso": ("sso_session", "sso_start_url"),
}


def no_credentials() -> ConfigurationError:
    """Return the error of a machine that has no credentials, or has them in a file that cannot be read."""
    return _error(f"no AWS credentials were found{_unreadable()}: {_MEND_CREDENTIALS}")


def configuration_error(
    error: Exception, session: Session | None = None, *, provider: str | None = None
) -> ConfigurationError:
    """Return the error that says how to mend what botocore found wrong with the configuration.

    Args:
        error: What botocore raised, or what its providers of credentials did; credentials are taken out of it.
        session: Whose configuration it is, where that is known: its files are looked through.
        provider: Which of botocore's providers gives the credentials, where that is known.
    """
    from botocore.exceptions import NoCredentialsError, NoRegionError  # noqa: PLC0415 -- botocore is loaded by now

    where = _where(error, session, provider)
    withhold(error)
    if isinstance(error, NoRegionError):
        return _error(_NO_REGION)
    if isinstance(error, NoCredentialsError):
        return no_credentials()
    reason = f"{_reason(error)}{_unreadable()}"
    return _unusable(reason, where)


def _error(message: str) -> ConfigurationError:
    error = ConfigurationError(message)
    for variable in _FILES:
        path = _path_of(variable)
        if variable in os.environ and not os.path.lexists(path):
            error.add_note(f"{variable} names {shown(path)}, which does not exist.")
    return error


def _unusable(reason: str, where: str = "") -> ConfigurationError:
    where = "" if not where or where in reason else f" ({where})"
    return _error(f"the AWS configuration cannot be used: {reason}{where}; mend it, {_STAY_OFFLINE}")


def _reason(error: Exception) -> str:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- likewise

    text = quoted(error).rstrip(".")
    if isinstance(error, OSError) and error.filename is not None:
        return f"{shown(os.fsdecode(error.filename))}: {error.strerror}"
    if isinstance(error, (BotoCoreError, ClientError, ValueError)) and text:
        return text
    return f"botocore stumbled over it with {': '.join(filter(None, (type(error).__name__, text)))}"


def _path_of(variable: str) -> str:
    path = os.environ.get(variable) or _FILES[variable]
    return os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111 -- as botocore does it


def _unreadable() -> str:
    """Say of the files that are there and cannot be read, since botocore says nothing."""
    found = [
        f"{shown(path)} {problem}"
        for path in map(_path_of, _FILES)
        if (problem := _problem(path)) and os.path.lexists(path)
    ]
    return f", and {' and '.join(found)}" if found else ""


def _problem(path: str) -> str | None:
    """Return what is wrong with a file, ``None`` where it can be read."""
    if not os.path.exists(path):  # noqa: PTH110 -- a text, as it is configured
        return "does not exist"
    if os.path.isdir(path):  # noqa: PTH112 -- likewise
        return "is a directory"
    return None if os.access(path, os.R_OK) else "may not be read by this user"


# Which file or variable


def _where(error: Exception, session: Session | None, provider: str | None = None) -> str:
    """Return the variables, or the options of files, that have what an error is about; empty where none is found."""
    filename = error.filename if isinstance(error, OSError) else None
    text = os.fsdecode(filename) if isinstance(filename, str | bytes) else str(error)
    variables = {name: os.environ[name] for name in os.environ if name.startswith("AWS_") or _is_of_http(name)}
    if names := _names(text, {name: value for name, value in variables.items() if name not in _FILES}):
        return " and ".join(names)
    profile, options = _options_of(session)
    if names := _names(text, options):
        return " and ".join(_named(name, profile) for name in names)
    goes_by = _PROVIDERS.get(_provider(error) or provider or "", ())
    if found := [_shown_file(name) for name in goes_by if name in variables or name in _FILES]:
        return found[0]
    named = [_named(name, profile) for name in goes_by]
    return next((name for name in named if " in " in name), "".join(named[:1]))


def _shown_file(variable: str) -> str:
    return shown(_path_of(variable)) if variable in _FILES else variable


def _named(option: str, profile: str) -> str:
    """Return what an option of a profile is called, and in which files it stands."""
    paths = [path for path in map(_path_of, _FILES) if re.search(rf"(?m)^\s*{re.escape(option)}\s*=", _text_of(path))]
    of = f" of the profile {profile!r}" if profile else ""
    return f"{option}{of}{f' in {shown(paths[0])}' if paths else ''}"


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _is_of_http(name: str) -> bool:
    return name.lower() in _PROXIES or name in _BUNDLES


def _names(text: str, settings: Mapping[str, object]) -> list[str]:
    """Return the settings whose value is quoted in a text, or of which it is a part, as a file is of a command."""
    values = {name: value.strip() for name, value in sorted(settings.items()) if isinstance(value, str)}
    return [
        name
        for name, value in values.items()
        if value and value.lower() not in {"true", "false"}
        if re.search(rf"(?<![\w./:-]){re.escape(value)}(?![\w/:-])", text)
        or (Path(text).is_absolute() and text in value)
    ]


def _options_of(session: Session | None) -> tuple[str, Mapping[str, object]]:
    core: Any = getattr(session, "_session", session)  # what boto3 wraps; aiobotocore's sessions are it themselves
    try:
        return str(core.profile or "default"), dict(core.get_scoped_config())
    except Exception:  # noqa: BLE001 -- there is no such session, or the files themselves are broken
        return "", {}


def _provider(error: Exception) -> str | None:
    """Return which of botocore's providers an error comes from, by what it says or by the call that raised it."""
    from botocore.credentials import CredentialProvider  # noqa: PLC0415 -- botocore is loaded by now

    said = getattr(error, "kwargs", {}).get("provider")
    if isinstance(said, str):
        return said
    found = (frame.f_locals.get("self") for frame, _ in walk_tb(error.__traceback__))
    return next((str(one.METHOD) for one in found if isinstance(one, CredentialProvider)), None)


# What botocore finds out late, or never


def check_settings(session: Session | None = None) -> None:
    """Refuse what botocore would take for another value than was meant, without a word.

    Raises:
        ConfigurationError: A switch is neither on nor off, a number is none, a file is a directory, or an address
            cannot be read.
    """
    _, options = _options_of(session)
    for option, variable, right, what in (
        ("use_fips_endpoint", "AWS_USE_FIPS_ENDPOINT", "true|false", "true or false"),
        ("use_dualstack_endpoint", "AWS_USE_DUALSTACK_ENDPOINT", "true|false", "true or false"),
        ("max_attempts", "AWS_MAX_ATTEMPTS", "[1-9][0-9]*", "a number from 1 on"),
    ):
        for name, value in ((variable, os.environ.get(variable)), (option, options.get(option))):
            if isinstance(value, str) and value.strip() and not re.fullmatch(right, value.strip(), re.IGNORECASE):
                reason = f"{name}={shown(value)!r} is not {what}"
                raise _unusable(reason)
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        path = os.environ.get(variable)
        if path and Path(path).expanduser().is_dir():  # which botocore passes over
            reason = f"{variable}={shown(path)!r} is a directory, and should be a file"
            raise _unusable(reason)
    for variable in ("AWS_ENDPOINT_URL_REKOGNITION", "AWS_ENDPOINT_URL"):
        try:
            urlsplit(os.environ.get(variable, ""))
        except ValueError as error:  # of which botocore says no more than that
            reason = f"{variable} has an invalid endpoint: {error}"
            raise _unusable(reason) from error


def fault_of(client: object, session: Session | None = None) -> ConfigurationError | None:
    """Return what is wrong with the endpoint, the proxy or the certificates of a boto3 client: no call can be made."""
    reason = next(_faults_of(client), None)
    return None if reason is None else _unusable(quoted(reason), _where(ValueError(reason), session))


def _faults_of(client: object) -> Iterator[str]:
    http: Any = getattr(getattr(client, "_endpoint", None), "http_session", None)
    endpoint = str(getattr(getattr(client, "meta", None), "endpoint_url", ""))
    if endpoint and not _is_address(endpoint):
        yield f"Invalid endpoint: {endpoint}"
    proxy_of = getattr(getattr(http, "_proxy_config", None), "proxy_url_for", None)
    proxy = proxy_of(endpoint) if callable(proxy_of) and endpoint else None
    if isinstance(proxy, str) and not _is_address(proxy):
        given = next((value for value in map(os.environ.get, _proxy_variables()) if value and value in proxy), proxy)
        yield f"Invalid proxy: {given}"
    bundle = getattr(http, "_verify", None)
    if isinstance(bundle, str) and (problem := _problem(bundle) or _no_certificates(bundle)):
        yield f"the CA bundle {bundle} {problem}"
    certificate, key = getattr(http, "_cert_file", None), getattr(http, "_key_file", None)
    if isinstance(certificate, str):
        problem = _problem(certificate) or (isinstance(key, str) and _problem(key)) or _no_pair(certificate, key)
        if problem:
            yield f"the client certificate {certificate} {problem}"


def _proxy_variables() -> tuple[str, ...]:
    return (*_PROXIES, *(name.upper() for name in _PROXIES))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        return right and url.count("://") == 1  # botocore puts http:// before what is not of HTTP
    except ValueError:  # of the port
        return False


def _no_certificates(path: str) -> str | None:
    import ssl  # noqa: PLC0415 -- botocore has loaded it, and who asks nobody on AWS needs none

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except (OSError, ValueError):
        return "has no certificates in PEM form"
    return None


def _no_pair(certificate: str, key: object) -> str | None:
    import ssl  # noqa: PLC0415 -- botocore has loaded it, and who asks nobody on AWS needs none

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
            certificate, key if isinstance(key, str) else None, password=""
        )
    except (OSError, ValueError):
        return "has no certificate and key in PEM form that belong together"
    return None


# Credentials that no request can carry

_WANTED: Final = re.compile(r"[!-~]+")
_PARTS: Final = ("access key id", "secret access key", "session token")
_ENVIRONMENT: Final = (
    ("AWS_ACCESS_KEY_ID",),
    ("AWS_SECRET_ACCESS_KEY",),
    ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
)
_OPTIONS: Final = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


def check_credentials(credentials: Any, *, session: Session | None = None, renew: bool = True) -> None:  # noqa: ANN401 -- botocore's
    """Have credentials renew themselves if they are about to expire, and refuse those that no request can carry.

    Args:
        credentials: botocore's; their values are hidden in messages from now on.
        session: Whose they are, where that is known.
        renew: Ask them, as signing does; without it those that have not been fetched yet are passed over, and so are
            aiobotocore's, which can only be asked in a task.

    Raises:
        ConfigurationError: They cannot be had, or have a sign that is in no credential.
        Exception: They cannot be had for a passing reason.
    """
    from inspect import iscoroutinefunction  # noqa: PLC0415 -- botocore has loaded it

    remember(credentials)
    values: tuple[Any, ...]
    renews = hasattr(credentials, "refresh_needed")
    if (not renew and renews) or iscoroutinefunction(credentials.get_frozen_credentials):
        prefix = "_" if renews else ""
        values = tuple(getattr(credentials, f"{prefix}{name}", None) for name in ("access_key", "secret_key", "token"))
    else:
        try:
            values = tuple(credentials.get_frozen_credentials())[: len(_PARTS)]
        except Exception as error:
            if _may_pass(error):
                raise
            raise configuration_error(error, session, provider=getattr(credentials, "method", None)) from error
    for i, value in enumerate(values):
        if value and not (isinstance(value, str) and _WANTED.fullmatch(value)):
            reason = f"{_name_of(credentials, i, value, session)} has {_flaw(value)}, as no credential does"
            raise _unusable(reason)


def _may_pass(error: Exception) -> bool:
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004, PLC0415 -- botocore's

    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = str(error.response.get("Error", {}).get("Code", ""))
        return status >= 500 or status == 429 or "Throttl" in code  # noqa: PLR2004 -- of HTTP
    return isinstance(error, (ConnectionError, HTTPClientError))


def _name_of(credentials: Any, part: int, value: object, session: Session | None) -> str:  # noqa: ANN401 -- botocore's
    method = str(getattr(credentials, "method", ""))
    if method == "env":
        return next((name for name in _ENVIRONMENT[part] if os.environ.get(name) == value), _ENVIRONMENT[part][0])
    profile, _ = _options_of(session)
    of = f" of the profile {profile!r}" if profile else ""
    for known, variable in (
        ("shared-credentials-file", "AWS_SHARED_CREDENTIALS_FILE"),
        ("config-file", "AWS_CONFIG_FILE"),
    ):
        if method == known:
            return f"{_OPTIONS[part]}{of} in {shown(_path_of(variable))}"
    if method == "explicit":
        return f"the {_OPTIONS[part]} of the session"
    if method in _PROVIDERS:
        return f"the {_PARTS[part]} of {_named(_PROVIDERS[method][-1], profile)}"
    return f"the {_PARTS[part]}"


def _flaw(value: object) -> str:
    if not isinstance(value, str):
        return f"the type {type(value).__name__}"
    where = (
        "at its end" if not _WANTED.fullmatch(value[-1]) else "in it" if _WANTED.fullmatch(value[0]) else "before it"
    )
    sign = next(sign for sign in (value[-1], *value) if not _WANTED.fullmatch(sign))
    if sign in "\r\n":
        return f"a line break {where}"
    if sign.isspace():
        return f"white space {where}"
    return "a sign that is no ASCII" if ord(sign) > 127 else f"a control character {where}"  # noqa: PLR2004 -- likewise
