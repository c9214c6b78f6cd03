"""The Ray that is there, or one on this machine."""

from __future__ import annotations

import json
import logging
import os
import pickle
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from rekog_emotion.clients.names import name_of, resolve_client
from rekog_emotion.clients.protocols import ClientName, RekognitionClient, capabilities
from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.logs import logger
from rekog_emotion.wire.service import OPERATIONS

with needs("ray", "Ray Data"):
    import ray
    from ray._private import services
    from ray.data import ActorPoolStrategy

__all__ = [
    "AnyClient",
    "check_client",
    "check_pool",
    "cpus",
    "made",
    "pool_of",
    "ready",
    "several_calls",
    "works_by_itself",
]

_log: Final = logger("rekog_emotion")

AnyClient: TypeAlias = RekognitionClient | ClientName | Callable[[], RekognitionClient] | None

_MOST: Final = 0.9  # of a CPU an actor
_PATIENCE: Final = 3.0  # seconds for a cluster to answer; Ray itself tries for minutes
_STATISTICS: Final = "RAY_USAGE_STATS_ENABLED"
_STATISTICS_FILE: Final = "RAY_USAGE_STATS_CONFIG_PATH"


def ready() -> None:
    """Connect to the Ray that is there, unless that is done; where there is none, start one on this machine."""
    if ray.is_initialized():
        return
    quiet = {"log_to_driver": False, "logging_level": logging.WARNING}
    if "RAY_ADDRESS" in os.environ:
        ray.init(**quiet)
        return
    if _is_there():
        try:
            ray.init(address="auto", **quiet)
        except ConnectionError:  # it has just ended
            pass
        else:
            return
    with _no_statistics():
        ray.init(address="local", include_dashboard=False, **quiet)


def _is_there() -> bool:
    """Tell whether a Ray answers where Ray itself would look for one: one that was killed leaves its address behind."""
    try:
        address = services.get_ray_address_from_environment("auto", None)
    except ConnectionError:
        return False
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
    except (OSError, ValueError) as error:
        _log.warning("the Ray at %s does not answer (%s): one is started on this machine", address, error)
        return False
    return True


@contextmanager
def _no_statistics() -> Iterator[None]:
    """Keep Ray's statistics of its use to this machine, unless the user has said something about them."""
    if _STATISTICS in os.environ or _has_said():
        yield
        return
    os.environ[_STATISTICS] = "0"
    try:
        yield
    finally:
        del os.environ[_STATISTICS]


def _has_said() -> bool:
    """Tell whether Ray's own file, which ``ray enable-usage-stats`` writes, says whether they are wanted."""
    path = Path(os.environ.get(_STATISTICS_FILE) or Path.home() / ".ray" / "config.json")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and "usage_stats" in said


def cpus() -> int:
    """Return how many CPUs the cluster has now."""
    return int(ray.cluster_resources().get("CPU", 0))


def _for_actors() -> float:
    """Return how many CPUs actors may take together, so that one is left for others though the largest node be lost."""
    each: list[float] = [node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]]
    lost = max(each) if len(each) > 1 else 0.0
    return max(sum(each) - lost - 1, 0.0)


def check_pool(concurrency: int | tuple[int, int] | None, num_cpus: float | None) -> None:
    """Check what a caller says of actors, before there is a cluster.

    Args:
        concurrency: Actors, or the fewest and the most of them.
        num_cpus: What each takes of a CPU.

    Raises:
        InvalidInputError: It is no number of actors, or no part of a CPU.
    """
    fewest, most = _fewest_and_most(concurrency, 1)
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in (fewest, most)) or not 1 <= fewest <= most:
        msg = f"concurrency={concurrency!r} is no number of actors: pass 1 or more, or a pair such as (2, 16)"
        raise InvalidInputError(msg)
    if num_cpus is None:
        return
    if isinstance(num_cpus, bool) or not isinstance(num_cpus, (int, float)) or not 0 <= num_cpus < float("inf"):
        msg = f"num_cpus={num_cpus!r} is no part of a CPU: pass for instance 0.5, or leave it out"
        raise InvalidInputError(msg)


def _fewest_and_most(concurrency: int | tuple[int, int] | None, default: int) -> tuple[int, int]:
    if concurrency is None:
        return max(1, default), max(1, default)
    if isinstance(concurrency, tuple) and len(concurrency) == len(("fewest", "most")):
        return concurrency
    return cast("tuple[int, int]", (concurrency, concurrency))


def pool_of(
    concurrency: int | tuple[int, int] | None, num_cpus: float | None, *, default: int
) -> tuple[ActorPoolStrategy, float]:
    """Return how many actors there are, and what each takes of a CPU.

    One CPU is left for what reads and writes, also where a machine is lost and its actors begin anew on the others:
    with all of them taken by actors, nothing would ever read what they wait for.

    Args:
        concurrency: As `check_pool` has checked it.
        num_cpus: Likewise.
        default: Actors, where the caller says nothing.
    """
    fewest, most = _fewest_and_most(concurrency, default)
    if num_cpus is None:
        num_cpus = min(_MOST, _for_actors() / fewest)
    return ActorPoolStrategy(min_size=fewest, max_size=most), num_cpus


def several_calls(at_once: int) -> tuple[ActorPoolStrategy, dict[str, int]]:
    """Return how one actor makes several calls at once, and what else has to be said for that.

    Args:
        at_once: Calls.
    """
    if "max_concurrent_calls_per_actor" in signature(ActorPoolStrategy).parameters:
        return ActorPoolStrategy(
            size=1, max_tasks_in_flight_per_actor=at_once, max_concurrent_calls_per_actor=at_once
        ), {}
    return ActorPoolStrategy(size=1, max_tasks_in_flight_per_actor=at_once), {"max_concurrency": at_once}


def check_client(client: AnyClient) -> AnyClient:
    """Return a client as it is sent to other processes: a name, an object, or what makes one.

    What has a name is made here, too: else what is wrong with it would be told by each process, in its traceback. What
    makes one is not asked here, as it may need what other machines alone have.

    Raises:
        InvalidInputError: It is none of these, or cannot be sent.
        ConfigurationError: The environment variable names no client, or AWS is not configured.
        MissingExtraError: The client needs an extra that is not installed.
    """
    if not _is_factory(client):
        given = cast("RekognitionClient | ClientName | None", client)
        resolve_client(given)
        if (name := name_of(given)) is not None:
            return cast("ClientName", name)
    try:
        ray.cloudpickle.dumps(client)
    except (TypeError, pickle.PicklingError, AttributeError) as error:
        name = getattr(client, "__name__", type(client).__name__)
        msg = (
            f"client= got {name}, which cannot be sent to other processes ({error}): "
            "pass a name, or a function that makes one in each of them, client=lambda: aws_client(...)"
        )
        raise InvalidInputError(msg) from error
    return client


def _is_factory(client: object) -> bool:
    return callable(client) and (
        isinstance(client, type) or not any(callable(getattr(client, name, None)) for name in OPERATIONS)
    )


def made(client: AnyClient) -> RekognitionClient:
    """Return the client of this process."""
    if _is_factory(client):
        client = cast("Callable[[], RekognitionClient]", client)()
    return resolve_client(cast("RekognitionClient | ClientName | None", client))


def works_by_itself(client: AnyClient) -> bool:
    """Tell whether the work is done where the client is, and needs a CPU for each picture; of a function, ``False``."""
    return client == "embedded" or "files" in capabilities(cast("Any", client))
