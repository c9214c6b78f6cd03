"""How video jobs came out, until their store has taken that: its disk may be full for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from attrs import define

from rekog_emotion.embedded.store import JobRecord, Store
from rekog_emotion.logs import logger

__all__ = ["Outcomes"]

_LONGEST_PAUSE: Final = 256.0  # seconds
_LOG: Final = logger(__name__)


@define(eq=False)
class _Kept:
    """An outcome that the store could not take.

    Attributes:
        job: The job as it ended.
        pause: Seconds from the last attempt to the next.
        due: When that is.
    """

    job: JobRecord
    pause: float
    due: float


class Outcomes:
    """Puts the outcomes of jobs into a store.

    What the store cannot take is kept in memory, so that the job is not run again, and offered to the store again when
    any job is asked for, after intervals that grow from a second to some minutes. Until the store has it, nobody is
    told: whoever kills the process meanwhile has the job run anew, and it may end otherwise.

    Args:
        store: Keeps the jobs.
        clock: Gives the time in seconds.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def put(self, job: JobRecord) -> None:
        """Take the outcome of a job; never raises what the store does."""
        with self._lock:
            self._kept[job.job_id] = _Kept(job, pause=0.5, due=0.0)
            self._offer(self._kept[job.job_id])

    def offer(self, job_id: str) -> bool:
        """Offer the store what is due, and tell whether the outcome of a job was kept until now."""
        if not self._kept:
            return False
        with self._lock:
            known = job_id in self._kept
            for kept in list(self._kept.values()):
                # A clock that was set back must not put it off by as much.
                if not 0 < kept.due - self._clock() <= _LONGEST_PAUSE:
                    self._offer(kept)
            return known

    def close(self) -> None:
        """Offer all that is left to the store, once; what it cannot take is lost, and run anew by the next process."""
        with self._lock:
            for kept in list(self._kept.values()):
                self._offer(kept)

    def _offer(self, kept: _Kept) -> None:
        job = kept.job
        try:
            self._store.put(job)
            if job.status == "FAILED":  # after the outcome, which takes less room, and lets others make some
                self._store.drop_faces(job.job_id)
        except Exception as error:  # noqa: BLE001 -- whatever a store may raise must not end the thread of the job
            kept.pause = min(2 * kept.pause, _LONGEST_PAUSE)
            kept.due = self._clock() + kept.pause
            why = f"{type(error).__name__}: {error}"
            _LOG.warning("the outcome of video job %s could not be stored, and is tried again: %s", job.job_id, why)
        else:
            del self._kept[job.job_id]
