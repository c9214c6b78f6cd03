"""The steps that decisions are made of: a flow yields them, a driver performs them.

A flow is a generator. It yields one step after another, and is sent the answer to each or thrown the error that became
of it; what it returns is its result. Of time and of cancelling it knows by answers alone, and cleaning up is a step,
too. ``rekog_emotion.blocking.driver`` performs steps in threads, ``rekog_emotion.aio.driver`` in asyncio tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, Final, Generic, TypeAlias, TypeVar

from attrs import field, frozen

from rekog_emotion.values.progress import Progress, ProgressEvent
from rekog_emotion.values.s3 import S3Object

__all__ = [
    "GLANCE",
    "Await",
    "Begin",
    "Call",
    "Cancelled",
    "Course",
    "Discard",
    "Facts",
    "Flow",
    "Give",
    "LateError",
    "List",
    "Listen",
    "Now",
    "Open",
    "Opening",
    "Remove",
    "Resolve",
    "Shared",
    "Sleep",
    "Stage",
    "Step",
    "Take",
    "Tell",
    "Turn",
    "Work",
]

T = TypeVar("T")

GLANCE: Final = 0.05
"""Seconds after which whoever waits for something that cannot wake them looks again."""

_REAL: Final = 1 / 60


@frozen(kw_only=True)
class Facts:
    """What a flow is told of the client.

    Attributes:
        retries: It makes a single attempt a call: to try again is left to the flow.
        can: What it can do beyond boto3's three methods, as it says itself.
        engine: Who answers, where an answer does not say so itself.
    """

    retries: bool = False
    can: frozenset[str] = frozenset()
    engine: str = ""

    @property
    def files(self) -> bool:
        """It takes local files by itself, and works by itself: no service is behind it."""
        return "files" in self.can

    @property
    def local(self) -> bool:
        """It works in this process: its calls reach no service, and nobody charges for them."""
        return self.files or self.pixels

    @property
    def ends(self) -> bool:
        """It tells when its jobs end."""
        return "ends" in self.can

    @property
    def pixels(self) -> bool:
        """It takes a stream's pictures as they are."""
        return "pixels" in self.can


# --- calls ---


@frozen
class Call:
    """Make one call; answered with its mapping.

    Attributes:
        method: A method of boto3's client.
        parameters: The service's own.
        job_id: The job that it is about, for errors.
        within: Seconds after which nobody waits for it any longer, or when the caller cancels: `LateError` is thrown.
            Left out, it ends by itself.
        queue: The mailbox whose queue it is for; left out, it is for Rekognition.
    """

    method: str
    parameters: Mapping[str, Any] = field(repr=False)
    job_id: str | None = None
    within: float | None = None
    queue: Any = None


class LateError(Exception):
    """A call was not back in time; what becomes of it nobody knows.

    Args:
        left: What is left of it on our side, in words; empty for nothing.
    """

    def __init__(self, left: str = "") -> None:
        super().__init__(left)
        self.left = left


@frozen
class Turn:
    """Count a call within the budget that all callers of the client share; answered with the seconds that it waits.

    Attributes:
        waits: It can wait for its turn; what cannot is counted alone.
    """

    waits: bool = True


@frozen
class Shared:
    """Use what all callers of the client share, one at a time; answered with what the function returns.

    Attributes:
        function: Takes the seconds on the clock, and needs no time.
    """

    function: Callable[[float], Any] = field(repr=False)


@frozen
class Begin:
    """Begin a flow of its own, and go on; answered with a handle. It is cancelled when this flow ends.

    Attributes:
        flow: Makes the flow: again where a fork has lost it.
    """

    flow: Callable[[], Flow[Any]] = field(repr=False)


@frozen
class Take:
    """Wait for what was begun; answered with its result, or thrown its error."""

    handle: Any


@frozen
class Work:
    """Use the processor, or read a local file; answered with what the function returns.

    Attributes:
        function: Takes no arguments.
        short: It takes some milliseconds at most, so that nobody minds to wait for it.
        whole: It is done to its end, whatever cancels meanwhile.
    """

    function: Callable[[], Any] = field(repr=False)
    short: bool = False
    whole: bool = field(default=False, repr=False)


# --- time ---


@frozen
class Now:
    """Answered with the seconds on a clock that never goes back."""


@frozen
class Sleep:
    """Answered when the time is over, or at once when the caller cancels."""

    seconds: float


@frozen
class Await:
    """Wait for the end of a job, so many seconds at most.

    Answered with whether the end was heard, at once where it is not in this process that the job ends; and when the
    caller cancels.

    Attributes:
        job_id: The job.
        seconds: At most.
        advanced: Returns what is to be told of how far the work is, by the share that is done and the seconds left;
            asked now and then, where the client knows.
    """

    job_id: str
    seconds: float
    advanced: Callable[[float, float | None], Progress | None] = field(default=lambda *_: None, repr=False, eq=False)

    @property
    def real_seconds(self) -> float:
        """The part of the wait that is real, whatever the clock: one of tests would run away from work that is."""
        return self.seconds * _REAL

    def rest(self, waited: float) -> float:
        """Return the seconds that are left on the clock after those that have passed there."""
        return max(self.seconds - waited, 0.0)

    def told(self, known: tuple[float, float | None] | None) -> Progress | None:
        """Return what is to be told, if anything, when the client has been asked how far the work is."""
        return None if known is None else self.advanced(*known)


@frozen
class Cancelled:
    """Answered with whether the caller has cancelled."""


# --- messages ---


@frozen
class Open:
    """Have the client of a queue; answered with the mailbox of the queue, which somebody keeps until it is used."""

    channel: Any


@frozen
class Listen:
    """Perform a flow while nobody else listens at a queue; answered with its result, ``None`` where somebody does."""

    mailbox: Any
    flow: Callable[[], Flow[float]] = field(repr=False)


# --- uploads ---


@frozen
class Stage:
    """Put a local file where the client can read it; answered with the :class:`S3Object`."""

    path: Path

    def told(self, done: int, total: int) -> Progress:
        """Return what is to be told meanwhile, of the bytes that are done and of all."""
        return Progress(event=ProgressEvent.UPLOADING, bytes_done=done, bytes_total=total)


@frozen
class Discard:
    """Take away what `Stage` has put somewhere; a second time does nothing."""

    upload: S3Object


@frozen
class Remove:
    """Take away an upload of which only the name is known; one that is not there is none."""

    upload: S3Object


@frozen
class List:
    """List a page of the objects in a bucket; answered with the mapping of ListObjectsV2.

    Attributes:
        bucket: Name of the bucket.
        prefix: What the keys begin with.
        after: What the page before has for its ``NextContinuationToken``; ``None`` for the first one.
    """

    bucket: str
    prefix: str
    after: str | None = None


# --- the caller ---


@frozen
class Tell:
    """Report to the caller, and to the log."""

    progress: Progress


@frozen
class Give:
    """Hand a value to whoever iterates; answered when the next one is wanted."""

    value: Any = field(repr=False)


Step: TypeAlias = (
    Call
    | Turn
    | Shared
    | Begin
    | Take
    | Work
    | Now
    | Sleep
    | Await
    | Cancelled
    | Open
    | Listen
    | Stage
    | Discard
    | Remove
    | List
    | Tell
    | Give
)
Flow: TypeAlias = Generator[Step, Any, T]


@frozen
class Resolve:
    """Have the client that is meant; answered with it, and with what it can do beyond boto3's three methods."""

    client: Any


Opening: TypeAlias = Generator[Resolve | Work, Any, T]
"""What comes before there is a client to perform a flow with: yields what it needs, and returns what there is then."""


class Course(Generic[T]):
    """A flow on its way: goes through its steps, and takes the answer to each before the next.

    Neither answers nor errors are kept: whoever reads an answer is the only one who holds it.

    Args:
        flow: The flow, which has not begun.

    Attributes:
        result: What it has returned.
    """

    result: T

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self._answer: Any = None
        self._error: BaseException | None = None

    def __iter__(self) -> Course[T]:
        return self

    def __next__(self) -> Step:
        answer, error = self._answer, self._error
        self._answer = self._error = None
        try:
            return self._flow.send(answer) if error is None else self._flow.throw(error)
        except StopIteration as end:
            self.result = end.value
            raise
        finally:
            del answer, error

    def answer(self, answer: Any) -> None:  # noqa: ANN401 -- each step has its own
        """Take the answer to the last step."""
        self._answer = answer

    def fail(self, error: BaseException) -> None:
        """Take the error that became of the last step."""
        self._error = error

    def taken(self) -> T:
        """Return what the flow has returned, and keep it no longer: an error in it knows the frames that know this."""
        result = [self.result]
        del self.result
        return result.pop()

    def close(self) -> None:
        """End the flow where it is; a closed flow performs no step any more."""
        self._flow.close()
