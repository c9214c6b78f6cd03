"""What threads and tasks share when they use the same client: one budget and one mailbox."""

import asyncio
import json
import threading

import pytest

from rekog_emotion import SnsSqs
from rekog_emotion.aio.driver import Driver as Tasks
from rekog_emotion.blocking.driver import Driver as Threads
from rekog_emotion.clients.sharing import SHARED
from rekog_emotion.flows.budget import BURST, RATE
from rekog_emotion.flows.job import Job
from rekog_emotion.flows.messages import mailbox_at
from rekog_emotion.flows.steps import Listen, Shared, Turn
from rekog_emotion.testing import VirtualClock
from tests.scripted import ScriptedClient, page
from tests.worlds import NAMES

CHANNEL = {"topic_arn": "arn:aws:sns:t", "role_arn": "arn:aws:iam::r", "queue_url": "https://q"}


def perform(world, flow, client, clock):
    """Return what a flow does in one of the worlds."""
    if world == "tasks":
        return asyncio.run(Tasks(client=client, clock=clock.in_tasks).run(flow))
    return Threads(client=client, clock=clock).run(flow)


def test_one_budget():
    """After a burst each look waits for those of the other world, too."""
    client, clock = ScriptedClient(), VirtualClock()

    def look():
        return (yield Turn())

    worlds = [NAMES[number % 2] for number in range(int(BURST) + 4)]
    waits = [perform(world, look(), client, clock) for world in worlds]

    assert waits == [0.0] * int(BURST) + [pytest.approx(number / RATE) for number in (1, 2, 3, 4)]


class Seen:
    """What is shared: it sees whether anybody else could use it now."""

    def __init__(self):
        self.locked = []

    def __call__(self, *_, **__):
        """See."""
        self.locked.append(SHARED.lock.locked())
        return 0.0

    turn = listen = __call__

    def leave(self):
        """Say nothing."""


@pytest.mark.parametrize("world", NAMES)
def test_what_is_shared_is_used_by_one_at_a_time(monkeypatch, world):
    """In either world the lock is held."""
    seen = Seen()
    for place in ("blocking", "aio"):
        monkeypatch.setattr(f"rekog_emotion.{place}.driver.budget_of", lambda _: seen)

    def flow():
        yield Shared(seen)
        yield Turn()
        return (yield Listen(seen, flow))

    assert perform(world, flow(), ScriptedClient(), VirtualClock()) is None  # somebody else listens
    assert seen.locked == [True] * 3


class Queue:
    """A client of SQS that has the messages of two jobs, once somebody waits for the second one."""

    def __init__(self):
        self.calls, self.asked, self.go = 0, threading.Event(), threading.Event()

    def receive_message(self, **_):
        """Give both at once."""
        self.calls += 1
        self.asked.set()
        self.go.wait(60)
        bodies = [json.dumps({"JobId": f"j-{number}", "Status": "SUCCEEDED"}) for number in range(2)]
        return {"Messages": [{"Body": body, "ReceiptHandle": "r"} for body in bodies]}

    def delete_message(self, **_):
        """Delete it."""

    change_message_visibility = delete_message


def test_one_mailbox(monkeypatch):
    """Who waits in a task takes what a thread has heard."""
    queue = Queue()
    channel, client = SnsSqs(**CHANNEL, sqs_client=queue), ScriptedClient(page(0))
    mailbox, driver, found = mailbox_at(channel, client), Threads(client=client), []
    expect = mailbox.expect

    def expecting(job_id):
        expect(job_id)
        if job_id == "j-1":
            queue.go.set()

    def job(number):
        return Job(job_id=f"j-{number}", facts=driver.facts, notify=channel, fresh=True).result(60.0)

    async def waiting():
        await asyncio.to_thread(queue.asked.wait, 60)
        return await Tasks(client=client).run(job(1))

    monkeypatch.setattr(mailbox, "expect", expecting)
    thread = threading.Thread(target=lambda: found.append(driver.run(job(0))))
    thread.start()
    found.append(asyncio.run(waiting()))
    thread.join()

    assert [len(one.faces) for one in found] == [1, 1]
    assert queue.calls == 1
