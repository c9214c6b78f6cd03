"""Fixtures for pytest, which finds this module by itself. Nothing heavy is loaded before a fixture is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rekog_emotion.testing import FakeClient, LocalEndpoint, VirtualClock

__all__ = ["rekog_clock", "rekog_endpoint", "rekog_fake"]


@pytest.fixture
def rekog_clock() -> Iterator[VirtualClock]:
    """Let rekog_emotion wait, poll and retry by a virtual clock, in threads and in tasks: nothing takes time."""
    from rekog_emotion.testing import virtual_time

    with virtual_time() as clock:
        yield clock


@pytest.fixture
def rekog_fake(rekog_clock: VirtualClock) -> FakeClient:
    """Give a FakeClient for client=, under the virtual clock of rekog_clock."""
    from rekog_emotion.testing import FakeClient

    return FakeClient(clock=rekog_clock)


@pytest.fixture
def rekog_endpoint(rekog_fake: FakeClient) -> Iterator[LocalEndpoint]:
    """Lead boto3 to a LocalEndpoint that answers by the FakeClient of rekog_fake."""
    from rekog_emotion.testing import LocalEndpoint

    with LocalEndpoint(rekog_fake) as endpoint:
        yield endpoint
