"""One rate for the cluster: a named actor leases turns, and a thread a process fetches them.

What is decided, also where the actor is lost, stands in :mod:`rekog_emotion.flows.leasing`; here it is carried about.
"""

from __future__ import annotations

import threading
import time
import weakref
from typing import Any, Final
from uuid import uuid4

from rekog_emotion.clients.names import engine_name
from rekog_emotion.clients.protocols import RekognitionClient, aws_region
from rekog_emotion.errors import needs
from rekog_emotion.flows.leasing import HEARTBEAT, Lease, LeaseRequest, Lessee, Lessor
from rekog_emotion.flows.rate import Turn, quota_in
from rekog_emotion.logs import logger

with needs("ray", "Ray Data"):
    import ray
    from ray.exceptions import GetTimeoutError, RayError

__all__ = ["NAMESPACE", "ClusterPace", "RateLimiter", "limiter_name"]

_log: Final = logger("rekog_emotion")

NAMESPACE: Final = "rekog_emotion"
"""Of the named actors in Ray."""

_PATIENCE: Final = 0.5  # seconds for an answer; then each goes by its share
_COMING: Final = 30.0  # seconds for an actor that is being made


class RateLimiter:
    """What the named actor does: it leases turns of one rate."""

    def __init__(self) -> None:
        self._lessor = Lessor(uuid4().hex)

    def lease(self, request: LeaseRequest) -> Lease:
        """Return what a process may do."""
        return self._lessor.lease(request, time.monotonic())


def limiter_name(client: RekognitionClient) -> str:
    """Return what the actor is called that has the rate of a client: there is one an endpoint."""
    endpoint = str(getattr(getattr(client, "meta", None), "endpoint_url", "")) or engine_name(client)
    return f"rate:{endpoint}"


class ClusterPace(Lessee):
    """The pace of the calls of a process, as the actor leases it.

    Args:
        client: Who is asked.
        quota: Calls a second of the whole cluster, as the caller says.
    """

    def __init__(self, client: RekognitionClient, quota: float | None) -> None:
        region = aws_region(client)
        super().__init__(uuid4().hex, quota=quota, likely=None if region is None else quota_in(region))
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        threading.Thread(
            target=_fetch,
            args=(weakref.ref(self), self._wanted, limiter_name(client)),
            name="rekog-emotion-rate",
            daemon=True,
        ).start()

    def turn(self, now: float) -> Turn:
        """Take the next turn, and ask for some where there is none."""
        with self._lock:
            turn = super().turn(now)
            if self.is_waited_for:
                self._wanted.set()
            return turn

    def throttled(self, turn: Turn, now: float) -> None:
        """Tell the actor of a call that was throttled."""
        with self._lock:
            super().throttled(turn, now)
            self._wanted.set()

    def request(self) -> LeaseRequest:
        """Return what is asked of the actor now."""
        with self._lock:
            return super().request()

    def granted(self, request: LeaseRequest, lease: Lease, now: float) -> None:
        """Take what the actor gave."""
        with self._lock:
            super().granted(request, lease, now)

    def lost(self, now: float) -> None:
        """Go on without the actor."""
        with self._lock:
            super().lost(now)


def _fetch(of: weakref.ref[ClusterPace], wanted: threading.Event, name: str) -> None:
    """Fetch turns for as long as somebody has the pace."""
    limiter: Any = None
    answer: Any = None  # that is waited for
    request = LeaseRequest(lessee="", turns=0)
    since = time.monotonic()  # there was one
    while True:
        wanted.wait(HEARTBEAT)
        wanted.clear()
        pace = of()
        if pace is None or not ray.is_initialized():
            return
        try:
            if answer is None:
                request = pace.request()
                limiter = limiter or _limiter(name)  # it lives for as long as who made it has it
                answer = limiter.lease.remote(request)
            lease = ray.get(answer, timeout=_PATIENCE)
        except (RayError, ValueError) as error:  # ValueError: another process' actor has just gone
            now = time.monotonic()
            if not isinstance(error, GetTimeoutError):
                limiter = answer = None
            if now > since + _COMING:
                _log.warning("the actor that leases turns of one rate to all processes does not answer: %s", error)
                since = now
            pace.lost(now)
        else:
            answer, since = None, time.monotonic()
            pace.granted(request, lease, since)
        del pace


def _limiter(name: str) -> Any:  # noqa: ANN401 -- Ray's handles have no importable type
    """Return the actor that has the rate, which is made where there is none."""
    options = {"name": name, "namespace": NAMESPACE, "get_if_exists": True, "num_cpus": 0, "max_restarts": -1}
    return ray.remote(RateLimiter).options(**options).remote()
