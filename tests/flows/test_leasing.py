import heapq
import random
from itertools import pairwise

import pytest

from rekog_emotion.flows.leasing import HEARTBEAT, LeaseRequest, Lessee, Lessor
from tests.flows.test_rate import Bucket, Counter

QUOTA = 20
RATE = 19.6  # of a quota of 20, a little is left


class Cluster:
    """Processes that call a service, each in several threads, with a lessor that may be lost.

    Args:
        service: Lets calls through or does not.
        processes: How many there are.
        outages: From when to when there is no lessor.
        threads: That call, in each process.
        leaves: When a process ends, by its number.
        joins: When a process begins, by its number.
        late: Seconds by which a call follows its turn, on the average.
    """

    def __init__(self, service, processes=3, *, outages=(), threads=8, leaves=(), joins=(), quota=QUOTA, late=0.003):
        self.service, self.outages, self.late = service, outages, late
        self.leaves, self.joins = dict(leaves), dict(joins)
        self.lessees = [Lessee(str(number), quota=quota) for number in range(processes)]
        self.threads, self.chance = threads, random.Random(7)  # noqa: S311 -- no secret
        self.lessor, self.born = Lessor("0"), 0
        self.calls, self.events, self.number, self.busy = [], [], 0, set()

    def at(self, now, what, *arguments):
        """Let something happen."""
        self.number += 1
        heapq.heappush(self.events, (now, self.number, what, arguments))

    def run(self, seconds, latency=0.12):
        """Return times of calls, with whether they were let through."""
        for number, lessee in enumerate(self.lessees):
            begin = self.joins.get(number, 0.0)
            self.at(begin, self.beats, lessee)
            for _ in range(self.threads):
                self.at(begin, self.wants, lessee, latency)
        while self.events:
            now, _, what, arguments = heapq.heappop(self.events)
            if now > seconds:
                break
            if now < self.leaves.get(int(arguments[0]._name), seconds):
                what(now, *arguments)
        return self.calls

    def wants(self, now, lessee, latency):
        """Take a turn, and fetch some where there is none."""
        turn = lessee.turn(now)
        late = self.chance.expovariate(1 / self.late)
        self.at(now + turn.wait + late, self.has, lessee, latency, turn)
        if lessee.is_waited_for:
            self.fetch(now, lessee)

    def has(self, now, lessee, latency, turn):
        """Call, unless the turn is void."""
        if turn.epoch != lessee.epoch:
            self.wants(now, lessee, latency)
            return
        lets = self.service.lets(now)
        self.calls.append((now, lets))
        if lets:
            self.at(now + latency, self.wants, lessee, latency)
        else:
            lessee.throttled(turn, now)
            self.at(now + self.chance.uniform(0, 1), self.wants, lessee, latency)

    def beats(self, now, lessee):
        """Ask the lessor once in a while."""
        self.fetch(now, lessee)
        self.at(now + HEARTBEAT, self.beats, lessee)

    def fetch(self, now, lessee):
        """Ask the lessor, one request at a time."""
        if lessee in self.busy:
            return
        self.busy.add(lessee)
        if any(begin <= now < end for begin, end in self.outages):
            self.at(now + 0.1, self.misses, lessee)
        else:
            self.at(now + self.chance.uniform(0.0005, 0.003), self.answers, lessee, lessee.request())

    def answers(self, now, lessee, request):
        """Let the lessor answer, which may be another one than before."""
        born = sum(end <= now for _, end in self.outages)
        if born != self.born:
            self.lessor, self.born = Lessor(str(born)), born
        lease = self.lessor.lease(request, now + 1000 * born)  # another machine has another clock
        self.at(now + self.chance.uniform(0.0005, 0.003), self.gets, lessee, request, lease)

    def gets(self, now, lessee, request, lease):
        """Take what the lessor gave."""
        self.busy.discard(lessee)
        lessee.granted(request, lease, now)

    def misses(self, now, lessee):
        """Learn that there is no lessor."""
        self.busy.discard(lessee)
        lessee.lost(now)


def through(calls, begin, end):
    """Return how many calls a second were let through in a span of time, and the share that was not."""
    between = [lets for at, lets in calls if begin <= at < end]
    return sum(between) / (end - begin), 1 - sum(between) / len(between)


def most(calls, window):
    """Return how many calls a second there were at most, over any window."""
    times = [at for at, _ in calls]
    return max(sum(begin <= at < begin + window for at in times) for begin in times) / window


def longest(calls, begin, end):
    """Return the longest time without a call."""
    times = [begin, *(at for at, _ in calls if begin <= at < end), end]
    return max(later - sooner for sooner, later in pairwise(times))


def fixed(now):
    """Let the quota be what it is."""
    del now
    return QUOTA


@pytest.mark.parametrize("processes", [1, 3, 40])
@pytest.mark.parametrize("service", [lambda: Bucket(fixed, 2), lambda: Counter(fixed)], ids=["bucket", "counter"])
def test_all_processes_together_use_the_quota(service, processes):
    """However many there are, they make 95 % of the calls that are allowed, and hardly one that is not."""
    calls = Cluster(service(), processes).run(60)

    rate, refused = through(calls, 2, 60)
    assert rate >= 0.95 * QUOTA
    assert refused <= 0.02


@pytest.mark.parametrize("processes", [1, 3, 40])
def test_processes_whose_calls_are_late_use_the_quota(processes):
    """Of a service that takes two calls at once at most, from machines that have more to do."""
    calls = Cluster(Bucket(fixed, 2), processes, late=0.01).run(300)

    rate, refused = through(calls, 2, 300)
    assert rate >= 0.95 * QUOTA
    assert refused <= 0.02


@pytest.mark.parametrize("outage", [(20.3, 20.6), (20.3, 22.3), (20.3, 50.0)], ids=["short", "usual", "long"])
def test_a_lost_lessor_slows_nothing_down(outage):
    """Each process goes on by its share, in its turn, and by the next lessor when there is one."""
    calls = Cluster(Counter(lambda _: 10_000), outages=[outage]).run(60)

    assert through(calls, 2, 60)[0] >= 0.95 * QUOTA
    assert longest(calls, 20, 60) <= 0.5
    assert min(through(calls, second, second + 1)[0] for second in range(20, 58)) >= 0.8 * QUOTA
    assert most(calls, 5) <= 1.02 * QUOTA


def test_lessors_that_are_lost_again_and_again():
    """Twenty of them, one after the other, and the quota is kept and used all the same."""
    calls = Cluster(Counter(lambda _: 10_000), outages=[(10 + 5 * i, 11.3 + 5 * i) for i in range(20)]).run(120)

    assert through(calls, 2, 120)[0] >= 0.95 * QUOTA
    assert most(calls, 10) <= 1.02 * QUOTA


def test_one_that_comes_while_there_is_no_lessor():
    """It waits for the next one, since all of the rate is given out."""
    cluster = Cluster(Counter(lambda _: 10_000), 3, outages=[(10, 20)], joins={2: 12.0})

    calls = cluster.run(40)

    assert most(calls, 5) <= 1.02 * QUOTA
    assert through(calls, 22, 40)[0] >= 0.95 * QUOTA


def test_one_that_goes_leaves_its_part_to_the_others():
    """Within a second or so."""
    calls = Cluster(Counter(lambda _: 10_000), 3, leaves={2: 20.0}, outages=[(25, 27)]).run(40)

    assert through(calls, 21, 40)[0] >= 0.95 * QUOTA
    assert most(calls, 5) <= 1.02 * QUOTA


def test_shares_are_never_more_than_the_rate():
    """Those of before are told first of who has come, whoever asks when."""
    lessor, shares, now = Lessor("x"), {}, 0.0
    chance = random.Random(3)  # noqa: S311 -- no secret
    for step in range(3000):
        now += chance.uniform(0, 0.005)  # each asks far more often than once a second
        name = str(chance.randrange(1 + step // 200))
        shares[name] = lessor.lease(LeaseRequest(lessee=name, turns=1, quota=QUOTA), now).share
        assert sum(shares.values()) <= RATE + 1e-9
    assert sum(shares.values()) > 0.9 * RATE


def test_throttling_slows_all_of_them():
    """A quota that nobody knows is found, as by one process, and what is refused by one is learned by all."""
    calls = Cluster(Bucket(fixed, 2), 3, quota=None).run(90)

    rate, refused = through(calls, 30, 90)
    assert rate >= 0.7 * QUOTA
    assert refused <= 0.01


def test_without_any_limit_nobody_waits():
    """Where no quota is known, calls follow each other as they come."""
    lessee, lessor = Lessee("a"), Lessor("x")
    lessee.turn(0.0)
    request = lessee.request()

    lease = lessor.lease(request, 0.0)
    lessee.granted(request, lease, 0.001)

    assert (lease.waits, lease.share, lease.rate) == ((0.0,), None, None)
    assert lessee.turn(0.001).wait == 0.0
    lessee.lost(1.0)
    assert [lessee.turn(1.0).wait for _ in range(5)] == [0.0] * 5


def test_a_lessee_is_a_pace_that_nobody_else_sets():
    """What a verb of one process would set is the lessor's business."""
    lessee = Lessee("a", quota=5)

    lessee.limit(100)
    lessee.expect(100)

    assert lessee.is_in_use
    assert lessee.rate is None
    assert lessee.request() == LeaseRequest(lessee="a", turns=0, quota=5)


def test_a_lessee_that_never_had_a_lease_waits_for_one():
    """Nobody knows what it may do."""
    lessee = Lessee("a", quota=5)

    lessee.lost(0.0)

    assert lessee.turn(0.0).epoch != lessee.epoch
    assert lessee.request().share is None


def test_a_new_lessor_leaves_each_its_share_until_all_have_come():
    """For a second, there may be others who go by theirs."""
    lessor, alone = Lessor("y"), LeaseRequest(lessee="a", turns=0, quota=QUOTA, share=5.0, rate=RATE)

    shares = [lessor.lease(alone, now).share for now in (7.0, 7.99, 8.0)]

    assert shares == [5.0, 5.0, pytest.approx(RATE)]


def test_what_a_lessee_has_to_ask_or_to_tell():
    """Nothing, until somebody waits for a turn, or was throttled."""
    lessee, lessor = Lessee("a", quota=QUOTA), Lessor("x")
    asked = [lessee.is_waited_for]
    lessee.turn(0.0)
    asked.append(lessee.is_waited_for)
    request = lessee.request()
    lessee.granted(request, lessor.lease(request, 0.0), 0.0)
    asked.append(lessee.is_waited_for)
    lessee.throttled(lessee.turn(0.0), 0.0)

    assert [*asked, lessee.is_waited_for] == [False, True, False, True]
