"""A shortcut around botocore's generic walk over an answer, which takes three quarters of the time of a page of faces.

botocore's public event ``before-parse`` lets a handler decode the body itself. Ours takes the faces out of it as the
plain wire dicts that they are, so that a client with the shortcut stays an ordinary boto3 client, and leaves botocore
the small rest. Whatever it does not expect it leaves to botocore, which also takes over where a version of it has no
such event.

The generic walk has another fault: it takes anything for a list, so that ``{}``, ``""`` or ``false`` in the place of
faces are "no faces". In calls of ours they are left as they came, for our reader to refuse. So all of these take the
shortcut, also those by a client that the caller made, which is left as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import TracebackType
from typing import Any, Final, Self
from weakref import WeakKeyDictionary

from rekog_emotion import forks
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.videos import TimedFace
from rekog_emotion.wire.binding import UnusualError
from rekog_emotion.wire.compiled import Reader, compile_reader
from rekog_emotion.wire.service import DETECT_FACES, GET_FACE_DETECTION

__all__ = ["Acceleration", "accelerate", "accelerated"]

# The member that holds the faces, by operation.
_FACES: Final = {DETECT_FACES: "FaceDetails", GET_FACE_DETECTION: "Faces"}
_EVENTS: Final = tuple(f"before-parse.rekognition.{operation}" for operation in _FACES)
_OK: Final = 200
_MEMBERS: Final = 2  # of a face of a video: its time, and what it is like


def _strict_loads(body: bytes, hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:  # noqa: ANN401 -- any JSON
    # Decoded as botocore does: by itself json.loads() takes UTF-16, byte order marks and encoded surrogates, too.
    return json.loads(body.decode(), object_hook=hook)


@cache
def _timed_face() -> Reader:
    return compile_reader(TimedFace)


def _loads_faces(body: bytes) -> Any:  # noqa: ANN401 -- any JSON
    """Read JSON whose faces of a video are values as soon as they are there, so that few dicts are at a time.

    The dicts of a whole page make Python's garbage collector walk all that a program keeps.
    """
    read, count = _timed_face(), 0

    def hook(found: dict[str, Any]) -> Any:  # noqa: ANN401 -- the dict, or a value of it
        nonlocal count
        if len(found) == _MEMBERS and "Face" in found and "Timestamp" in found:
            try:
                face = read(found)
            except (UnusualError, KeyError, TypeError):  # left to whoever says what is wrong with it
                return found
            count += 1
            return face
        return found

    answer = _strict_loads(body, hook)
    faces = answer["Faces"]
    known = sum(face.__class__ is TimedFace for face in faces) if isinstance(faces, list) else 0
    # Else one lies where no face is known to be.
    return answer if known == count else _strict_loads(body)


def _faces_of(found: Any) -> Any:  # noqa: ANN401 -- a list, or what stands in its place
    """Return the faces of a page as values, each dict let go when it has been read."""
    if not isinstance(found, list):
        return found
    read, faces = _timed_face(), list[Any]()
    found.reverse()
    while found:
        face = found.pop()
        try:
            faces.append(read(face))
        except (UnusualError, KeyError, TypeError):  # likewise
            faces.append(face)
    return faces


def _loads() -> Callable[[bytes], Any]:
    try:
        import orjson  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError:
        return _strict_loads

    def loads(body: bytes) -> Any:  # noqa: ANN401 -- any JSON
        try:
            return orjson.loads(body)
        except ValueError:
            # The standard library reads NaN, numbers beyond a float's range and lone surrogates.
            return _strict_loads(body)

    return loads


# botocore's registers of handlers are not made for several threads at once.
_REGISTERS: Final = forks.Guard()

_OURS: Final = ContextVar("rekog_emotion_ours", default=False)
# By the register of a client's handlers, the shortcuts on it that last longer than a call.
_LASTING: Final[WeakKeyDictionary[Any, set[int]]] = WeakKeyDictionary()


def is_ours() -> bool:
    """Tell whether the call that this thread or task makes is the library's own."""
    return _OURS.get()


class Acceleration:
    """The shortcut on a client, until it is closed; also a context manager that closes it at its end.

    Several on one client do no more than one, and last until the last one is closed.
    """

    # What is for calls of ours alone is counted by botocore, so that however many are under way it is there once.
    _counted = False

    def __init__(self, client: Any) -> None:  # noqa: ANN401 -- boto3's clients have no importable type
        self._events = client.meta.events
        self._loads = _loads()
        with _REGISTERS.lock:
            for event, handler in self._handlers():
                self._events.register(event, handler, **self._identity(event))
            if not self._counted:
                _LASTING.setdefault(self._events, set()).add(id(self))

    def close(self) -> None:
        """Take the shortcut away; a second time does nothing."""
        with _REGISTERS.lock:
            _LASTING.get(self._events, set()).discard(id(self))
            for event, handler in self._handlers():
                self._events.unregister(event, handler, **self._identity(event))

    def _handlers(self) -> list[tuple[str, Callable[..., Any]]]:
        return [(event, self._take_faces) for event in _EVENTS]

    def _identity(self, event: str) -> dict[str, Any]:
        return {"unique_id": f"rekog-emotion-{event}", "unique_id_uses_count": True} if self._counted else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _take_faces(self, **event: Any) -> Any:  # noqa: ANN401 -- whatever botocore gives
        if self._is_meant():
            self._take(event, ours=is_ours())

    def _is_meant(self) -> bool:
        """Tell whether it is for the call that this thread or task makes."""
        return is_ours() or not self._counted

    def _take(self, event: dict[str, Any], *, ours: bool) -> None:
        """Read the faces of an answer.

        Args:
            event: What botocore gives.
            ours: The call is one of ours.
        """
        try:
            response, taken = event["response_dict"], event["customized_response_dict"]
            if response["status_code"] != _OK:
                return
            member = _FACES[event["operation_model"].name]
            early = ours and member == "Faces"
            loads = _loads_faces if early and self._loads is _strict_loads else self._loads
            answer = loads(response["body"])
            if early and loads is self._loads:
                answer[member] = _faces_of(answer[member])
            if isinstance(answer[member], list) or (ours and answer[member] is not None):
                taken[member] = answer.pop(member)
                response["body"] = json.dumps(answer).encode()
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            # No faces, no JSON, or another botocore: its own road reads the answer, or says what is wrong with it.
            return


def accelerate(client: Any) -> Acceleration:  # noqa: ANN401 -- boto3's clients have no importable type
    """Make a boto3 client of yours read faces in about a third of the time, until the acceleration is closed.

    Clients made by :func:`aws_client` have it already, and the verbs of this library have it with every boto3 client;
    this is for calls of your own. The client stays an ordinary one: its answers are the same plain dicts, value for
    value, but for unknown and null members, which botocore drops and which are kept now. With the ``fast`` extra, whole
    numbers beyond 64 bits, which no member of the service has, become floats.

    Args:
        client: ``boto3.client("rekognition")``.

    Returns:
        What takes it away again; call its ``close()``, or use it in a ``with`` statement.

    Raises:
        InvalidInputError: This is no boto3 client of Rekognition.
    """
    service = _service_of(client)
    if service != "rekognition":
        what = type(client).__name__ if service is None else f"a client of {service}"
        msg = f'accelerate() got {what}, which is no Rekognition client: pass boto3.client("rekognition")'
        raise InvalidInputError(msg)
    return Acceleration(client)


class _Ours(Acceleration):
    """The shortcut for one call of ours."""

    _counted = True


@contextmanager
def accelerated(client: Any, shortcut: type[Acceleration] = _Ours) -> Iterator[None]:  # noqa: ANN401 -- likewise
    """Let the calls of this thread or task take the shortcut while the block lasts, where the client is one of boto3's.

    Args:
        client: Any client.
        shortcut: What reads the answers where none that lasts does.
    """
    if _service_of(client) != "rekognition":
        yield
        return
    # Where it has one that lasts, a call needs none of its own: to register and take it away costs .08 ms.
    own = None if _LASTING.get(client.meta.events) else shortcut(client)
    before = _OURS.set(True)
    try:
        yield
    finally:
        _OURS.reset(before)
        if own is not None:
            own.close()


def _service_of(client: object) -> Any:  # noqa: ANN401 -- whatever an object of the caller's has there
    return getattr(getattr(getattr(client, "meta", None), "service_model", None), "service_name", None)
