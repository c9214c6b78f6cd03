"""A local endpoint for the length of a block, with the environment that leads boto3 to it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from rekog_emotion.clients.protocols import RekognitionClient
from rekog_emotion.testing.faults import FaultPlan, Operation
from rekog_emotion.wire.service import OPERATIONS

if TYPE_CHECKING:
    from rekog_emotion.embedded import EmbeddedClient
    from rekog_emotion.server import Spool
    from rekog_emotion.testing.layer import Layer

__all__ = ["LocalEndpoint"]

HOST: Final = "127.0.0.1"
KEYS: Final = {"AKIDEXAMPLE": "not-a-secret"}
# What would lead boto3 elsewhere, or make it refuse the address of a local endpoint.
UNSET: Final = (
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "REKOG_EMOTION_CLIENT",
)


class LocalEndpoint:
    """Amazon Rekognition's protocol on a free port of this machine, for the length of a ``with`` block.

    In the block, the environment leads boto3, and any other SDK in a process that is started there, to this endpoint:
    the program under test needs no change. It answers by the embedded engine, or by any client, a
    :class:`FakeClient` for instance. Made for one process: the environment is the whole process's.

    An emotion is how a face looks, not what a person feels.

    Args:
        client: Who answers; left out, the embedded engine. An ``AssertionError`` of its, such as that of a
            :class:`FakeClient` without a script, is an answer that says so.
        faults: What goes wrong, and when; a new, empty plan if left out.
        media_root: For the embedded engine: objects in S3 are files of this folder, ``bucket/key``. Without it they are
            read from S3 as the environment says.
        keys: Secret access keys by their ids; requests have to be signed by one of them. Without it, any signature
            will do.
        region_name: The region of the environment.
        allow_origins: Pages of these origins, such as ``http://localhost:3000``, may ask from a browser.

    Attributes:
        faults: The plan of what goes wrong.
        url: The address, while the block lasts.
    """

    def __init__(
        self,
        client: RekognitionClient | None = None,
        *,
        faults: FaultPlan | None = None,
        media_root: str | os.PathLike[str] | None = None,
        keys: Mapping[str, str] | None = None,
        region_name: str = "us-east-1",
        allow_origins: Iterable[str] = (),
    ) -> None:
        self.faults = FaultPlan() if faults is None else faults
        self.url = ""
        self._client = client
        self._media_root = media_root
        self._keys = keys
        self._region_name = region_name
        self._allow_origins = tuple(allow_origins)
        self._layer: Layer | None = None
        self._stack = ExitStack()

    def count(self, operation: Operation | None = None) -> int:
        """Return how many requests came in, for an operation or in all, those that went wrong included."""
        asked = [] if self._layer is None else self._layer.operations
        return len(asked) if operation is None else asked.count(operation)

    @property
    def job_ids(self) -> tuple[str, ...]:
        """The video jobs that were started, each once, in order."""
        return () if self._layer is None else tuple(self._layer.job_ids)

    def __enter__(self) -> Self:
        from rekog_emotion.server import Spool, create_app, listen
        from rekog_emotion.testing.layer import Layer

        with ExitStack() as stack:
            listener = stack.enter_context(listen(HOST, 0, public=False))
            self.url = f"http://{HOST}:{listener.getsockname()[1]}"
            key, secret = next(iter((self._keys or KEYS).items()))
            stack.enter_context(_environment(self.url, self._region_name, key, secret))
            spool = stack.enter_context(closing(Spool()))
            client: RekognitionClient
            if self._client is None:
                client = stack.enter_context(closing(_embedded(self._media_root, spool)))
            else:
                client = _Telling(self._client)
            app = create_app(client, keys=self._keys, spool=spool, allow_origins=self._allow_origins)
            self._layer = Layer(app, self.faults)
            stack.enter_context(_serving(self._layer, listener))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class _Telling:
    """A client whose failed assertions are answers: whoever asked reads what a test forgot, such as a script."""

    def __init__(self, client: RekognitionClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the client has
        found = getattr(self._client, name)
        return partial(self._ask, found, OPERATIONS[name]) if name in OPERATIONS else found

    @staticmethod
    def _ask(method: Callable[..., Any], operation: str, **request: Any) -> Any:  # noqa: ANN401 -- as the client has it
        try:
            return method(**request)
        except AssertionError as error:
            from botocore.exceptions import ClientError

            said = {"Code": "AssertionError", "Message": str(error) or "a client of the test failed without a word"}
            # An answer with 500 would be asked for again. A plain dict, which botocore's types take for too little.
            response: Any = {"Error": said, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(response, operation) from error


def _embedded(media_root: str | os.PathLike[str] | None, spool: Spool) -> EmbeddedClient:
    from rekog_emotion.embedded import EmbeddedClient
    from rekog_emotion.server import MediaRoot, S3Objects

    return EmbeddedClient(resolver=S3Objects(spool) if media_root is None else MediaRoot(media_root))


@contextmanager
def _serving(layer: Layer, listener: Any) -> Iterator[None]:  # noqa: ANN401 -- a socket, which nothing else here needs
    from rekog_emotion.server.running import uvicorn_server

    server = uvicorn_server(layer, layer.protocol)
    thread = threading.Thread(target=server.run, args=([listener],), name="rekog-emotion-endpoint")
    thread.start()
    layer.ready.wait()
    try:
        yield
    finally:
        layer.end()
        server.should_exit = True
        thread.join()


@contextmanager
def _environment(url: str, region_name: str, key: str, secret: str) -> Iterator[None]:
    """Lead SDKs to an address, and put everything back at the end."""
    unproxied = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), HOST]))
    wanted: dict[str, str | None] = {
        **dict.fromkeys(UNSET),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": region_name,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_REKOGNITION": url,
        "AWS_REGION": region_name,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": unproxied,
        "no_proxy": unproxied,
    }
    before = {name: os.environ.get(name) for name in wanted}
    _set(wanted)
    session = _swap_default_session(None)
    try:
        yield
    finally:
        _swap_default_session(session)
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _swap_default_session(session: object) -> object:
    """Put a session in place of boto3's default one, which keeps the credentials that it once found."""
    boto3: Any = sys.modules.get("boto3")
    if boto3 is None:
        return None
    before, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, session
    return before
