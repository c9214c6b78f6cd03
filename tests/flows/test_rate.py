import heapq
import random
from datetime import timedelta

import pytest

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.flows.rate import Pace, Turn, calls_a_second, pace_in_use, pace_of, quota_in


class Bucket:
    """A service that lets calls through while there are tokens."""

    def __init__(self, quota, burst):
        self.quota, self.burst, self.tokens, self.at = quota, burst, float(burst), 0.0

    def lets(self, now):
        """Tell whether a call is let through."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.quota(now))
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Counter:
    """A service that counts calls over the last second."""

    def __init__(self, quota):
        self.quota, self.calls = quota, []

    def lets(self, now):
        """Tell whether a call is let through."""
        self.calls = [at for at in self.calls if at > now - 1]
        if len(self.calls) >= self.quota(now):
            return False
        self.calls.append(now)
        return True


def simulate(service, pace, *, seconds, workers=16, latency=0.12, jitter=0.003):
    """Have workers call a service at a pace; return times of calls with whether they were let through."""
    chance = random.Random(7)  # noqa: S311 -- no secret
    events = [(0.0, number, "wants", None) for number in range(workers)]
    calls, number = [], workers
    while events:
        now, _, what, turn = heapq.heappop(events)
        if now > seconds:
            break
        number += 1
        if what == "wants":
            turn = pace.turn(now)
            event = (now + turn.wait + chance.expovariate(1 / jitter), number, "calls", turn)
        elif what == "calls" and turn.epoch != pace.epoch:
            event = (now, number, "wants", None)
        elif what == "calls":
            lets = service.lets(now)
            calls.append((now, lets))
            event = (now + latency * (1.0 if lets else 0.2), number, "wants" if lets else "throttled", turn)
        else:
            pace.throttled(turn, now)
            event = (now + chance.uniform(0, 1), number, "wants", None)
        heapq.heappush(events, event)
    return calls


def rates(calls, begin, end):
    """Return how many calls a second were let through in a span of time, and the share that was not."""
    between = [lets for at, lets in calls if begin <= at < end]
    return sum(between) / (end - begin), 1 - sum(between) / len(between)


def half_way(now):
    """Cut the quota after half a minute."""
    return 50 if now < 30 else 20


SERVICES = [lambda quota: Bucket(quota, 2), lambda quota: Bucket(quota, 10), lambda quota: Bucket(quota, 50), Counter]
each_service = pytest.mark.parametrize("service", SERVICES, ids=["burst of 2", "burst of 10", "burst of 50", "counter"])
each_number = pytest.mark.parametrize("workers", [8, 16, 64])


@each_service
@each_number
def test_uses_the_quota_that_it_was_told(service, workers):
    """At least 95 % of it, with at most 1 % throttled calls."""
    pace = Pace()
    pace.limit(50)

    rate, throttled = rates(simulate(service(lambda _: 50), pace, seconds=60, workers=workers), 0, 60)

    assert rate >= 0.95 * 50
    assert throttled <= 0.01


def test_uses_the_quota_of_a_service_that_lets_hardly_a_call_be_late():
    """Two at once at most, on a machine that makes calls up to a turn too late."""
    pace = Pace()
    pace.limit(20)

    rate, throttled = rates(simulate(Bucket(lambda _: 20, 2), pace, seconds=300, jitter=0.01), 0, 300)

    assert rate >= 0.95 * 20
    assert throttled <= 0.01


def test_one_call_that_is_throttled_says_nothing_of_a_quota_that_was_told():
    """It was late, and the one after it too near. Two within two seconds cut it, and then each one does."""
    pace, told = Pace(), []
    pace.limit(50)

    for now in (0.0, 2.1, 4.0, 5.1):
        pace.throttled(Turn(0.0, pace.epoch), now)
        told.append(pace.rate)

    assert told == [49.0, 49.0, 24.5, 12.25]


@each_service
@each_number
def test_finds_a_quota_again(service, workers):
    """That was cut half-way: ten seconds later most of it is used, and few calls are throttled."""
    pace = Pace()
    pace.limit(50)

    calls = simulate(service(half_way), pace, seconds=90, workers=workers)

    rate, throttled = rates(calls, 40, 90)
    assert 0.8 * 20 <= rate <= 21
    assert throttled <= 0.02
    assert rates(calls, 35, 40)[0] >= 0.75 * 20


@each_service
def test_finds_a_quota_that_nobody_told(service):
    """From the default one of small regions to a larger one, in a minute and a half."""
    pace = Pace()
    pace.expect(5)

    rate, throttled = rates(simulate(service(lambda _: 50), pace, seconds=150), 90, 150)

    assert rate >= 0.8 * 50
    assert throttled <= 0.01


@each_service
def test_leaves_a_quota_alone_that_is_not_passed(service):
    """What is told is the most, whatever the service would let through."""
    pace = Pace()
    pace.limit(50)

    rate, throttled = rates(simulate(service(lambda _: 500), pace, seconds=60, workers=64), 0, 60)

    assert rate <= 50
    assert throttled == 0


def test_has_no_limit_until_calls_are_throttled():
    """Then it is half of what was made, and all turns that were taken before are void."""
    pace = Pace()
    turns = [pace.turn(at / 100) for at in range(100)]

    for turn in turns[50:55]:
        pace.throttled(turn, 1.0)

    assert {turn.wait for turn in turns} == {0.0}
    assert pace.rate == 50
    assert pace.turn(1.0) == Turn(pytest.approx(1 / 50), 1)


def test_one_call_that_is_throttled_makes_no_limit():
    """Where there is none; one in a hundred neither."""
    pace = Pace()
    for call in range(1000):
        turn = pace.turn(call / 100)
        if call % 100 == 99:
            pace.throttled(turn, call / 100)

    assert pace.rate is None


def test_halves_once():
    """For all calls whose turns were taken before, and for all of the next second."""
    pace = Pace(40)
    before, late = pace.turn(0.0), pace.turn(0.0)

    pace.throttled(before, 1.0)
    after = pace.turn(1.5)
    pace.throttled(late, 1.6)
    pace.throttled(after, 1.9)
    once = pace.rate
    pace.throttled(pace.turn(2.1), 2.1)

    assert once == 20
    assert pace.rate == pytest.approx(10, rel=0.3)


def test_turns_follow_each_other_evenly():
    """None is made up for but the last."""
    pace = Pace(10, most=10)

    waits = [pace.turn(now).wait for now in (0.0, 0.0, 0.0, 5.0, 5.0, 5.0)]

    assert waits == pytest.approx([0.0, 0.1, 0.2, 0.0, 0.0, 0.1])


def test_does_not_grow_where_nobody_waits():
    """Callers that are slower than the rate say nothing about the quota."""
    pace = Pace(10)
    for second in range(100):
        pace.turn(float(second))

    assert pace.rate == 10


def test_is_never_slower_than_a_call_in_five_seconds():
    """However often calls are throttled."""
    pace = Pace(1)
    for second in range(0, 100, 2):
        pace.throttled(pace.turn(float(second)), float(second))

    assert pace.rate >= 0.2


def test_one_of_a_client():
    """All callers of a client have one; what is told again changes nothing, something else does."""

    class Client:
        """Can be referenced weakly."""

    client = Client()
    pace_of(client).limit(50)
    for turn in [pace_of(client).turn(0.0) for _ in range(2)]:
        pace_of(client).throttled(turn, 0.0)
    pace_of(client).limit(50)

    assert pace_of(client).rate == 24.5
    assert pace_of(Client()).rate is None
    assert pace_of((1, 2)).rate is None
    pace_of(client).limit(10)
    assert pace_of(client).rate == 9.8


@pytest.mark.parametrize(("rate", "expected"), [(None, None), (5, 5.0), (0.5, 0.5)])
def test_a_rate(rate, expected):
    """Is calls a second."""
    assert calls_a_second(rate) == expected


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 10**400, True, "5", timedelta(seconds=1)])
def test_no_rate(rate):
    """Is refused."""
    with pytest.raises(InvalidInputError) as caught:
        calls_a_second(rate)

    assert str(caught.value) == (
        f"rate={rate!r} is no rate: pass calls a second, your quota for instance, or leave it out"
    )


@pytest.mark.parametrize(("region", "quota"), [("us-east-1", 50), ("eu-central-1", 5), ("mars-north-1", 5)])
def test_default_quotas(region, quota):
    """AWS gives more where more is called."""
    assert quota_in(region) == quota


def rushed(pace, *seconds):
    """Take three turns at each of some seconds, so that somebody waits; return the rate at each."""
    found = []
    for now in seconds:
        pace.turn(now)
        found.append(pace.rate)
        for _ in range(2):
            pace.turn(now)
    return found


@pytest.mark.parametrize(
    ("seconds", "most", "found"),
    [
        ([0.0, 1.0], None, [10, 10.5]),
        ([0.0, 0.5], None, [10, 10.25]),
        ([0.0, 10.0], None, [10, 10.5]),
        ([0.0, 0.0], None, [10, 10]),
        ([1.0, 0.0], None, [10, 10]),
        ([0.0, 1.0], 10.2, [10, 10.2]),
        ([0.0, 1.0], 20.0, [10, 10.5]),
    ],
    ids=["a second", "half of one", "ten", "none", "back", "the most", "not the most"],
)
def test_grows_where_somebody_waits(seconds, most, found):
    """A twentieth a second, of a second at most, until calls are throttled."""
    assert rushed(Pace(10, most=most), *seconds) == pytest.approx(found)


def test_grows_once_for_those_who_waited():
    """Turns that come later, and wait for nothing, say nothing more."""
    pace = Pace(10)
    rushed(pace, 0.0)

    rates = []
    for now in (10.0, 20.0, 30.0):
        pace.turn(now)
        rates.append(pace.rate)

    assert rates == pytest.approx([10.5, 10.5, 10.5])


def test_grows_quickly_to_nearly_where_it_was_throttled():
    """Slowly from there on, and by and by less slowly."""
    pace = Pace(40)
    pace.throttled(pace.turn(0.0), 0.0)

    found = rushed(pace, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0)

    assert found == pytest.approx([20, 29, 38, 38.22, 38.46, 38.72])


def test_what_was_told_is_kept_to_at_once():
    """And what was found out before is forgotten; what is likely counts where nothing is known."""
    pace = Pace()
    before = pace.is_in_use
    pace.expect(5)
    expected = pace.rate
    pace.expect(100)

    assert (before, pace.is_in_use, expected, pace.rate) == (False, True, 4.9, 4.9)
    pace.throttled(pace.turn(0.0), 0.0)
    pace.limit(50)
    assert rushed(pace, 1.0, 2.0) == [49, 49]


@pytest.mark.parametrize(
    ("now", "old", "rate"),
    [(1.0, False, 10), (0.99, False, 20), (1.0, True, 20)],
    ids=["a second later", "too soon", "an old turn"],
)
def test_when_it_is_cut_again(now, old, rate):
    """Not for a turn from before the cut, nor within a second."""
    pace = Pace(40)
    first = pace.turn(0.0)
    pace.throttled(first, 0.0)
    later = pace.turn(now)

    pace.throttled(first if old else later, now)

    assert (pace.rate, pace.epoch) == (rate, 2 if rate == 10 else 1)


def test_a_cut_is_a_pause():
    """As long as one call takes at the new rate, which is never slower than one in five seconds."""
    pace = Pace(0.3)
    pace.throttled(pace.turn(0.0), 0.0)

    assert (pace.rate, pace.turn(0.0)) == (0.2, Turn(5.0, 1))


@pytest.mark.parametrize(
    ("calls", "refused", "rate"),
    [
        (60, [0.0, 0.0], None),
        (61, [0.0, 0.0, 0.0], None),
        (60, [0.0, 0.0, 0.0], 30),
        (60, [0.0, 0.0, 2.0], 15),
        (60, [0.0, 0.0, 2.1], None),
        (0, [0.0, 0.0, 0.0], 0.2),
    ],
    ids=["two", "few of many", "three", "within two seconds", "later", "nothing is known"],
)
def test_how_many_tell_of_a_rate(calls, refused, rate):
    """Three within two seconds that are a twentieth; then it is half of what was sent in a second."""
    pace = Pace()
    for _ in range(calls):
        pace.turn(0.0)

    for now in refused:
        pace.throttled(Turn(0.0, 0), now)

    assert pace.rate == rate


@pytest.mark.parametrize("begin", [0.0, 1000.0])
def test_the_rate_is_measured_over_the_time_that_calls_took(begin):
    """Whenever the clock began: thirty calls in two seconds are fifteen a second, of which half is kept to."""
    pace = Pace()
    turns = [pace.turn(begin + k / 15) for k in range(30)]

    for turn in turns:
        pace.throttled(turn, begin + 2.0)

    assert pace.rate == pytest.approx(7.5)


def test_the_pace_of_a_client_in_use():
    """Is that of a batch; who calls one by one has none."""

    class Client:
        """Can be referenced weakly."""

    client = Client()

    assert pace_in_use(client) is None
    pace_of(client).expect(5)
    assert pace_in_use(client) is pace_of(client)
