"""What the dashboard makes of figures: series without gaps, percentiles of sums, alerts."""

from dataclasses import replace

import pytest
from core.alerts import (
    FAILURES_LEAST,
    LONG_SECONDS,
    STUCK_SECONDS,
    TARGET_SECONDS,
    AlertKind,
    Facts,
    alerts,
    long_running,
)
from core.channels import parse_channels
from core.metrics import BUCKETS, bucket_of, percentile
from core.present import (
    Recent,
    RunningNow,
    Waiting,
    channels_now,
    per_minute,
)
from core.series import (
    KEYS_SHOWN,
    MINUTE,
    SPANS,
    Bucket,
    Part,
    Range,
    by_key,
    complete,
    merged,
    next_sample,
    percentiles,
    with_the_present,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_700_000_030.0
HOUR = SPANS[Range.HOUR]


def counts(*durations):
    found = [0] * BUCKETS
    for seconds in durations:
        found[bucket_of(seconds)] += 1
    return found


# Series


@given(st.sampled_from(Range), st.floats(1.6e9, 2e9))
def test_buckets_begin_at_fixed_times_and_the_last_one_holds_this_moment(name, now):
    span = SPANS[name]
    buckets = span.buckets(now)
    assert len(buckets) == span.seconds // span.size
    assert all(at % span.size == 0 for at in buckets)
    assert buckets[-1] <= now < buckets[-1] + span.size
    assert buckets[0] == span.since(now)


def test_a_minute_in_which_nothing_ended_is_one_of_zeros():
    at = HOUR.last(NOW)
    found = complete(NOW, HOUR, [Bucket(at - 120, done=3), Bucket(at, failed=1)])
    assert [(bucket.done, bucket.failed) for bucket in found[-3:]] == [(3, 0), (0, 0), (0, 1)]
    assert sum(bucket.done for bucket in found) == 3
    assert found[0].waiting is None, "nobody looked: how many waited is not known"


@given(st.floats(1.6e9, 2e9), st.floats(-0.9, 50))
def test_no_minute_is_passed_over(now, late):
    """However late it is looked at in one minute, and a little early: the next is the next."""
    then = now + next_sample(now) + late
    if late <= 0:
        assert then // MINUTE == now // MINUTE + 1
    else:
        assert then // MINUTE >= now // MINUTE + 1


def test_what_is_older_than_the_range_is_left_out():
    old = Bucket(HOUR.since(NOW) - 60, done=9)
    assert sum(bucket.done for bucket in complete(NOW, HOUR, [old])) == 0


def test_the_last_bucket_knows_the_present():
    found = complete(NOW, HOUR, [Bucket(HOUR.last(NOW), done=2, waiting=5, oldest=1.0)])
    found = with_the_present(found, Bucket(0, waiting=3, running=2, oldest=70.0))
    last = found[-1]
    assert (last.done, last.waiting, last.running, last.oldest) == (2, 5, 2, 70.0)
    assert found[-2].waiting is None


def test_percentiles_of_a_sum_are_those_of_all_its_parts():
    parts = [counts(0.1, 0.2), counts(), counts(5, 5, 5)]
    assert percentiles(parts)["p50"][1] is None
    whole = counts(0.1, 0.2, 5, 5, 5)
    assert merged(parts) == whole
    assert percentiles([merged(parts)])["p99"] == [percentile(whole, 0.99)]


def test_sums_of_old_rows_without_buckets_are_taken_as_they_are():
    assert merged([(), (1, 2), (3,)]) == [4, 2]
    assert merged([]) == []


@pytest.mark.parametrize(("second", "expected"), [(0, 60.0), (30, 45.0), (59, 30.5)])
def test_the_rate_slides_from_minute_to_minute(second, expected):
    recent = Recent(done_before=60, done_now=second * 30 // 59 if second == 59 else second // 2)
    now = 1_700_000_040 // 60 * 60 + second
    assert per_minute(now, recent) == pytest.approx(expected, abs=1)


def test_the_largest_keys_have_a_series_each_and_the_others_one():
    at = HOUR.last(NOW)
    parts = [Part(at, f"function_{number}", number + 1) for number in range(KEYS_SHOWN + 3)]
    series = dict(by_key(NOW, HOUR, parts, "ended"))
    assert len(series) == KEYS_SHOWN + 1
    assert next(iter(series)) == f"function_{KEYS_SHOWN + 2}"
    assert series[""][-1] == 1 + 2 + 3
    assert series[""][-2] == 0
    assert sum(line[-1] for line in series.values()) == sum(part.ended for part in parts)


def test_of_what_waited_a_gap_is_not_zero():
    at = HOUR.last(NOW)
    parts = [Part(at, "root.a", 1, 4), Part(at, "root.b", 0, 2), Part(at - 60, "root.b", 3, None)]
    series = dict(by_key(NOW, HOUR, parts, "waiting"))
    assert series["root.a"][-2:] == [None, 4]
    assert by_key(NOW, HOUR, [], "waiting") == []


# Channels


def now_of(text, waiting=(), running=()):
    found = channels_now(parse_channels(text), dict(waiting), dict(running))
    return {channel.name: channel for channel in found}


def test_each_channel_shows_the_sum_below_it():
    found = now_of(
        "root:4,root.a:2,root.b:1:paused",
        {"root.a.x": Waiting(3, 50.0), "root.b": Waiting(2, 90.0)},
        {"root.a": 1, "root.a.x": 1},
    )
    assert list(found) == ["root", "root.a", "root.a.x", "root.b"]
    root, a = found["root"], found["root.a"]
    assert (root.waiting, root.running, root.oldest) == (5, 2, 90.0)
    assert (a.waiting, a.running, a.own.number, a.is_full) == (3, 2, 0, True)
    assert found["root.b"].paused
    assert not root.paused


# Alerts


def facts(text="root:4", waiting=(), running=(), retrying=(), **values):
    channels = tuple(channels_now(parse_channels(text), dict(waiting), dict(running), retrying))
    return Facts(
        **{"stopped": False, "channels": channels, "slots": 4, "recent": Recent()} | values
    )


def kinds(found):
    return [(alert.kind, alert.subject) for alert in alerts(found)]


STUCK = {"root.a": Waiting(7, STUCK_SECONDS + 1)}


def test_there_is_nothing_to_say_of_a_good_queue():
    assert kinds(facts()) == []
    assert kinds(facts(waiting={"root.a": Waiting(10_000, 20.0)}, running={"root.a": 2})) == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("root:4,root.a:2:paused", {}),
        ("root:4:paused", {}),
        ("root:4,root.a:1:throttle=600", {}),
        ("root:1", {"running": {"root.b": 1}}),
        ("root:9", {"running": {"root.b": 4}}),
        ("root:4", {"running": {"root.a": 1}}),
        ("root:4", {"running": {"root.a.below": 1}}),
        ("root:4", {"waiting": {"root.a": Waiting(7, STUCK_SECONDS - 1)}}),
        ("root:4", {"stopped": True}),
        ("root:4,root.a:1:sequential", {"retrying": ["root.a"]}),
        ("root:1:sequential", {"retrying": ["root.b.below"]}),
    ],
    ids=[
        *("paused", "paused above", "throttled", "full above", "no worker", "runs", "runs below"),
        *("not for long", "all is stopped", "strict order", "strict order above"),
    ],
)
def test_a_channel_that_something_keeps_back_is_not_stuck(text, values):
    assert kinds(facts(text, **{"waiting": STUCK, **values})) == []


def test_a_channel_in_which_nothing_runs_is_stuck():
    (alert,) = alerts(facts(waiting=STUCK, running={"root.b": 1}))
    assert (alert.kind, alert.subject, alert.number) == (AlertKind.STUCK, "root.a", 7)


@pytest.mark.parametrize(
    ("text", "retrying"),
    [("root:4,root.a:1", ["root.a"]), ("root:4,root.a:1:sequential", ["root.b"])],
    ids=["no strict order", "of another channel"],
)
def test_a_job_that_waits_for_its_retry_excuses_no_other_channel(text, retrying):
    assert kinds(facts(text, STUCK, retrying=retrying)) == [(AlertKind.STUCK, "root.a")]


def test_a_job_that_waits_for_too_long_is_told_with_its_channel():
    waiting = {
        "root.a": Waiting(1, TARGET_SECONDS + 100),
        "root.b": Waiting(1, TARGET_SECONDS + 1),
        "root.c": Waiting(1, TARGET_SECONDS + 900),
    }
    running = {"root.a": 1, "root.b": 1}
    found = facts("root:9,root.c:1:paused", waiting, running)
    (alert,) = alerts(found)
    assert (alert.kind, alert.subject) == (AlertKind.OLDEST, "root.a")
    assert (alert.number, alert.limit) == (TARGET_SECONDS + 100, TARGET_SECONDS)
    assert kinds(replace(found, target=TARGET_SECONDS + 101)) == []


@pytest.mark.parametrize(
    ("lately", "before", "told"),
    [
        ((FAILURES_LEAST, 10), (10, 1_000), True),
        ((FAILURES_LEAST - 1, 4), (0, 1_000), False),
        ((FAILURES_LEAST, 10), (300, 1_000), False),
        ((FAILURES_LEAST, 1_000), (0, 1_000), False),
        ((FAILURES_LEAST, 10), (0, 0), True),
    ],
    ids=["more than usual", "too few", "usual", "one in two hundred", "no day before"],
)
def test_failures_are_told_when_they_are_many_times_the_usual(lately, before, told):
    recent = Recent(
        failed_day=lately[0] + before[0],
        ended_day=lately[1] + before[1],
        failed_lately=lately[0],
        ended_lately=lately[1],
    )
    assert (AlertKind.FAILURES in {alert.kind for alert in alerts(facts(recent=recent))}) is told


def test_a_job_hangs_when_it_runs_much_longer_than_nearly_all_of_its_kind():
    jobs = [
        RunningNow(1, "quick", LONG_SECONDS + 1),
        RunningNow(2, "quick", LONG_SECONDS - 1),
        RunningNow(3, "slow", LONG_SECONDS + 1),
        RunningNow(4, "new", 100 * LONG_SECONDS),
    ]
    runs = {"quick": counts(*[1.0] * 100), "slow": counts(*[30.0] * 100)}
    found = long_running(jobs, runs)
    assert [job.id for job in found] == [1], "of a function that never ran nothing is usual"
    (alert,) = alerts(facts(long=found))
    assert (alert.kind, alert.subject, alert.ids) == (AlertKind.LONG, "quick", (1,))
