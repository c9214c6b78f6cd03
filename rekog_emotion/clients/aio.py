"""Who answers in asyncio: our own client of aiobotocore, the caller's, or any blocking client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

from attrs import define, field

from rekog_emotion.clients.aio_fastpath import Acceleration
from rekog_emotion.clients.aws import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    check_found,
    check_session,
    configured,
    note_made,
    settings_of,
)
from rekog_emotion.clients.configuring import fault_of
from rekog_emotion.clients.names import configuration, name_of, object_of, resolve_client
from rekog_emotion.clients.protocols import AnyClient, AsyncRekognitionClient
from rekog_emotion.errors import needs

if TYPE_CHECKING:
    from aiobotocore.session import AioSession
    from botocore.config import Config
else:
    AioSession = Config = Any  # typing.get_type_hints() shall load neither

__all__ = ["aws_client", "close", "of_loop", "resolve"]

T = TypeVar("T")


def aws_client(
    *,
    session: AioSession | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
    config: Config | None = None,
    connect_timeout: float = CONNECT_TIMEOUT,
    read_timeout: float = READ_TIMEOUT,
) -> AbstractAsyncContextManager[AsyncRekognitionClient]:
    """Build an aiobotocore client for Rekognition that leaves retrying to this library.

    It is the client for as long as its block lasts: ``async with rekog.aio.aws_client() as client: ...``.

    Args:
        session: An aiobotocore session: assumed roles and anything else that it can do for credentials.
        region_name: Region; left out, the session's.
        profile_name: Profile of the AWS configuration files; not together with ``session``.
        endpoint_url: Address of another endpoint, for example a VPC's or a local server's.
        config: botocore's ``Config`` or aiobotocore's ``AioConfig``: proxies, FIPS endpoints, pool size. Its retries
            are replaced.
        connect_timeout: Seconds; ``config`` wins where it sets its own.
        read_timeout: Seconds; ``config`` wins where it sets its own.

    Returns:
        An asynchronous context manager that gives an aiobotocore client, usable like any other, and closes it.

    Raises:
        InvalidInputError: Both ``session`` and ``profile_name`` are given, or ``session`` or ``config`` is of another
            type.
        MissingExtraError: The ``aio`` extra is not installed.
        ConfigurationError: There are no credentials or no region, or the configuration is broken; raised when the block
            is entered.
    """
    _load()
    from aiobotocore.config import AioConfig  # noqa: PLC0415 -- see there
    from aiobotocore.session import AioSession  # noqa: PLC0415 -- likewise

    check_session(session, profile_name=profile_name, method="create_client", wanted="an aiobotocore session")
    settings = settings_of(AioConfig(connect_timeout=connect_timeout, read_timeout=read_timeout), config)
    return _Making(
        lambda: AioSession(profile=profile_name) if session is None else session,
        {"region_name": region_name, "endpoint_url": endpoint_url, "config": settings},
        is_own=session is None,
    )


def _load() -> None:
    """Load aiobotocore when it is needed: aiohttp takes a third of a second, which holds up no loop in a thread."""
    with needs("aio", 'AWS in asyncio (client="embedded" would stay offline)'):
        import aiobotocore.config  # noqa: PLC0415 -- when it is needed
        import aiobotocore.session  # noqa: F401, PLC0415 -- likewise


@define
class _Making:
    """A client of aiobotocore for as long as a block lasts.

    A class and no generator: the end of a loop closes all asynchronous generators at once, and one holds this.
    """

    _session_of: Callable[[], AioSession]
    _options: Mapping[str, Any]
    _is_own: bool = field(kw_only=True)
    _inner: AbstractAsyncContextManager[Any] | None = None

    async def __aenter__(self) -> AsyncRekognitionClient:
        with configured(None):
            session: Any = self._session_of()
        with configured(session):
            check_found(await session.get_credentials(), session)
            if self._is_own:  # another one may be in use in the loop
                await asyncio.to_thread(_read, session)
            inner = session.create_client("rekognition", **self._options)
            client = await inner.__aenter__()
        self._inner = inner
        if (fault := fault_of(client, session)) is not None:
            await self.__aexit__(None, None, None)
            raise fault
        note_made(client, session, self._options["config"])
        Acceleration(client)
        return cast("AsyncRekognitionClient", client)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._inner is not None:
            await self._inner.__aexit__(kind, error, traceback)


_Held: TypeAlias = tuple[AsyncRekognitionClient, AsyncGenerator[AsyncRekognitionClient, None]]


@define
class _OfLoop:
    """The clients by name of one event loop."""

    lock: asyncio.Lock = field(factory=asyncio.Lock)
    held: dict[object, _Held] = field(factory=dict)


# Clients pool connections, which belong to a loop: one a loop and configuration.
_LOOPS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _OfLoop]] = WeakKeyDictionary()


def of_loop(known: MutableMapping[asyncio.AbstractEventLoop, T], make: Callable[[], T]) -> T:
    """Return what belongs to the running loop, made when it is first asked for.

    Locks that were waited for hold their loop, so that no weak reference alone forgets it: what belongs to loops that
    are closed is forgotten here.
    """
    loop = asyncio.get_running_loop()
    if loop not in known:
        for one in [one for one in known if one.is_closed()]:
            del known[one]
        known[loop] = make()
    return known[loop]


def _read(session: Any) -> None:  # noqa: ANN401 -- aiobotocore's
    """Read botocore's files on addresses and on the service, a tenth of a second; the session keeps what they say."""
    loader = session.get_component("data_loader")
    loader.load_data("endpoints")
    loader.load_service_model("rekognition", "service-2", api_version=None)


async def _held() -> AsyncGenerator[AsyncRekognitionClient, None]:
    """Hold a client until it is closed: by `close()`, or by the loop, which closes all such generators at its end."""
    async with aws_client() as client:
        yield client


async def resolve(client: AnyClient | str | None) -> AnyClient:
    """Return the client that is meant, as :func:`rekog_emotion.clients.names.resolve_client` does.

    ``"aws"`` is one of aiobotocore, the same for all that ask in this loop; ``"embedded"`` is the engine of all loops
    and threads. What either needs is loaded in a thread.
    """
    name = name_of(client)
    if name == "embedded":
        return await asyncio.get_running_loop().run_in_executor(None, resolve_client, name)
    if name is None:
        given: AnyClient = object_of(client)
        return given
    loop = of_loop(_LOOPS, _OfLoop)
    key = configuration()
    async with loop.lock:
        if key not in loop.held:
            await asyncio.get_running_loop().run_in_executor(None, _load)
            holder = _held()
            loop.held[key] = await anext(holder), holder
        return loop.held[key][0]


async def close() -> None:
    """Close the clients by name of this event loop; the next call that needs one makes it anew.

    The end of the loop does the same: ``asyncio.run()`` and whatever else calls ``shutdown_asyncgens()``.
    """
    loop = _LOOPS.pop(asyncio.get_running_loop(), None)
    if loop is None:
        return
    async with loop.lock:
        for _, holder in loop.held.values():
            await holder.aclose()
        loop.held.clear()  # who waits for the lock makes one anew
