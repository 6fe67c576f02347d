"""The scheduler by example: one test per rule, with the cases that once were or could be wrong."""

import math

import pytest
from core import scheduler as scheduler_module
from core.channels import parse_channels
from core.leases import LEASE_JOBS, OVERDUE_SECONDS, JobRef
from core.scheduler import WINDOW, Scheduler

NOW = 100.0


def job(number, channel="root", priority=10, function="unknown"):
    return JobRef(priority, number, channel, function)


def quick(count, channel="root"):
    return [job(number, channel, function="quick") for number in range(1, count + 1)]


def scheduler_of(text, ready=(), held=None):
    """Return a scheduler that knows quick jobs and has read ``ready``."""
    scheduler = Scheduler(parse_channels(text))
    scheduler.durations.observe("quick", 0.0)
    scheduler.fill(ready, held or {})
    return scheduler


def decide(scheduler, now=NOW, slots=10):
    return list(scheduler.decide(now, slots))


def ids(leases):
    return [[job.id for job in lease.jobs] for lease in leases]


def close_all(scheduler):
    for number in list(scheduler.leases):
        scheduler.close(number)


def nodes(scheduler):
    """Return the number of channels in the tree, seen from its root."""
    return len(list(scheduler._channels["root"].subtree()))


# Order


def test_nothing_ready_opens_nothing():
    assert decide(scheduler_of("root:4")) == []


def test_lower_priority_numbers_first_then_older_jobs():
    scheduler = scheduler_of("root:4", [job(1), job(2, priority=5), job(3), job(4, priority=5)])
    assert ids(decide(scheduler)) == [[2], [4], [1], [3]]


def test_the_best_job_of_all_channels_is_first():
    ready = [job(1, "root.a"), job(2, "root.b", 5), job(3, "root.b.deep", 1), job(4)]
    assert ids(decide(scheduler_of("root:4,a:4,b:4", ready))) == [[3], [2], [1], [4]]


def test_a_full_channel_does_not_hold_up_others():
    scheduler = scheduler_of("root:4,a:1", [job(1, "root.a"), job(2, "root.a"), job(3, "root.b")])
    assert ids(decide(scheduler)) == [[1], [3]]


# Capacity


@pytest.mark.parametrize("capacity", [1, 2, 5])
def test_no_more_leases_than_capacity(capacity):
    assert len(decide(scheduler_of(f"root:{capacity}", [job(n) for n in range(9)]))) == capacity


def test_children_share_the_capacity_of_their_parent():
    ready = [job(n, f"root.a.{n % 3}") for n in range(9)]
    assert len(decide(scheduler_of("root:9,a:2,a.0:2,a.1:2,a.2:2", ready))) == 2


def test_a_place_is_free_again_once_and_only_once():
    scheduler = scheduler_of("root:1", [job(1), job(2), job(3)])
    (lease,) = decide(scheduler)
    for _time in range(3):
        scheduler.close(lease.number)
    assert ids(decide(scheduler)) == [[2]]


def test_a_lease_of_many_jobs_counts_as_one():
    scheduler = scheduler_of("root:1", quick(3))
    assert ids(decide(scheduler)) == [[1, 2, 3]]
    assert scheduler.is_full()


def test_a_channel_of_capacity_zero_opens_nothing():
    scheduler = scheduler_of("root:0", [job(1)])
    assert decide(scheduler) == []
    assert scheduler.is_full()


def test_no_more_leases_than_slots():
    ready = [job(n) for n in range(9)]
    assert decide(scheduler_of("root:9", ready), slots=0) == []
    assert len(decide(scheduler_of("root:9", ready), slots=2)) == 2


def test_the_tree_is_full_when_its_root_is_full_or_paused():
    scheduler = scheduler_of("root:1", [job(1)])
    assert not scheduler.is_full()
    decide(scheduler)
    assert scheduler.is_full()
    assert scheduler_of("root:4:paused").is_full()


# What a lease takes


def test_ready_jobs_are_shared_among_the_slots_that_can_run_them():
    scheduler = scheduler_of("root:8", quick(12))
    assert [len(lease) for lease in ids(decide(scheduler, slots=4))] == [3, 3, 3, 3]


def test_a_channel_with_little_room_is_shared_among_its_places():
    scheduler = scheduler_of("root:8,a:2", quick(12, "root.a"))
    assert [len(lease) for lease in ids(decide(scheduler, slots=8))] == [6, 6]


def test_the_last_jobs_are_shared_with_the_places_that_are_busy_yet():
    scheduler = scheduler_of("root:4", quick(4))
    decide(scheduler, slots=4)
    scheduler.add(quick(16)[4:])
    scheduler.close(1)
    assert [len(lease) for lease in ids(decide(scheduler, slots=1))] == [3]


def test_a_lease_is_full_while_more_jobs_come():
    scheduler = scheduler_of("root:4", [job(number) for number in (1, 2, 3, 4)])
    decide(scheduler, slots=4)
    scheduler.fill(quick(WINDOW), {})
    scheduler.close(1)
    assert [len(lease) for lease in ids(decide(scheduler, slots=1))] == [LEASE_JOBS]


def test_a_lease_takes_no_more_than_its_limit():
    assert len(decide(scheduler_of("root:1", quick(WINDOW)))[0].jobs) == LEASE_JOBS


@pytest.mark.parametrize("key", ["sequential", "throttle=1"])
@pytest.mark.parametrize("text", ["root:1:{key}", "root:4,a:1:{key}", "root:4,a:1:{key},a.b:1"])
def test_where_each_start_is_decided_a_lease_has_one_job(key, text):
    scheduler = scheduler_of(text.format(key=key), quick(5, "root.a.b"))
    assert ids(decide(scheduler)) == [[1]]


# Paused


def test_nothing_starts_in_a_paused_channel_nor_below_it():
    ready = [job(1, "root.a"), job(2, "root.a.b"), job(3, "root.a.b.new"), job(4)]
    scheduler = scheduler_of("root:9,a:9:paused,a.b:9", ready)
    assert ids(decide(scheduler)) == [[4]]
    assert scheduler.wake_up(NOW) == math.inf


# Throttle


def test_a_throttle_keeps_starts_apart():
    scheduler = scheduler_of("root:9,a:9:throttle=0.5", [job(n, "root.a") for n in range(3)])
    assert ids(decide(scheduler)) == [[0]]
    assert decide(scheduler, NOW + 0.25) == []
    assert ids(decide(scheduler, NOW + 0.5)) == [[1]]


def test_a_throttle_counts_what_starts_below_it():
    scheduler = scheduler_of("root:9,a:9:throttle=5", [job(1, "root.a.b"), job(2, "root.a.c")])
    assert ids(decide(scheduler)) == [[1]]


def test_a_throttle_counts_what_was_adopted():
    scheduler = scheduler_of("root:9,a:9:throttle=5", [job(2, "root.a")])
    scheduler.adopt(job(1, "root.a"), NOW)
    assert decide(scheduler, NOW + 4) == []
    assert ids(decide(scheduler, NOW + 5)) == [[2]]


def test_a_throttle_wakes_when_it_lets_a_job_start():
    scheduler = scheduler_of("root:9,a:9:throttle=5", [job(1, "root.a"), job(2, "root.a")])
    decide(scheduler)
    assert scheduler.wake_up(NOW) == NOW + 5


def test_the_longest_of_two_throttles_wakes():
    text = "root:9:throttle=1,a:9:throttle=5"
    scheduler = scheduler_of(text, [job(1, "root.a"), job(2, "root.a")])
    decide(scheduler)
    assert scheduler.wake_up(NOW) == NOW + 5


@pytest.mark.parametrize("text", ["root:9,a:1:throttle=5", "root:9,a:9:throttle=5:paused"])
def test_a_throttle_does_not_wake_for_what_could_not_start_then(text):
    scheduler = scheduler_of(text, [job(2, "root.a")])
    scheduler.adopt(job(1, "root.a"), NOW)
    assert scheduler.wake_up(NOW) == math.inf


def test_a_throttle_that_has_just_opened_does_not_wake_again():
    scheduler = scheduler_of("root:9,a:9:throttle=5", [job(1, "root.a"), job(2, "root.a")])
    decide(scheduler)
    assert scheduler.wake_up(NOW + 5) == math.inf


def test_a_throttle_does_not_wake_for_nothing():
    scheduler = scheduler_of("root:9,a:9:throttle=5", [job(1, "root.a")])
    decide(scheduler)
    assert scheduler.wake_up(NOW) == math.inf


# Sequential


def test_a_sequential_channel_runs_one_at_a_time_in_order():
    scheduler = scheduler_of("root:9,a:1:sequential", [job(2, "root.a"), job(1, "root.a")])
    assert ids(decide(scheduler)) == [[1]]
    close_all(scheduler)
    assert ids(decide(scheduler)) == [[2]]


def test_nothing_passes_a_job_that_waits_for_its_retry():
    text, ready = "root:9,a:1:sequential", [job(2, "root.a"), job(9, "root.b")]
    assert ids(decide(scheduler_of(text, ready, {"root.a": (10, 1)}))) == [[9]]


def test_a_job_before_the_one_that_waits_for_its_retry_starts():
    ready, held = [job(1, "root.a"), job(3, "root.a")], {"root.a": (10, 2)}
    scheduler = scheduler_of("root:9,a:1:sequential", ready, held)
    assert ids(decide(scheduler)) == [[1]]
    close_all(scheduler)
    assert decide(scheduler) == []


def test_a_retry_waits_for_nobody_where_order_is_not_strict():
    assert ids(decide(scheduler_of("root:9", [job(2)], {"root": (10, 1)}))) == [[2]]


@pytest.mark.parametrize("below", ["root.a", "root.a.b", "root.a.new", "root.a.b.new"])
def test_strict_order_holds_across_all_channels_below(below):
    text, held = "root:9,a:1:sequential,a.b:1", {below: (10, 1)}
    for channel in ("root.a", "root.a.b", "root.a.other"):
        assert decide(scheduler_of(text, [job(2, channel)], held)) == []


def test_a_retry_above_a_sequential_channel_holds_nothing_back():
    scheduler = scheduler_of("root:9,a:1:sequential", [job(2, "root.a")], {"root": (10, 1)})
    assert ids(decide(scheduler)) == [[2]]


def test_nothing_passes_a_job_whose_own_channel_is_closed():
    text = "root:9,a:1:sequential,a.b:1:throttle=5,a.c:1"
    scheduler = scheduler_of(text, [job(1, "root.a.b"), job(2, "root.a.b"), job(3, "root.a.c")])
    assert ids(decide(scheduler)) == [[1]]
    close_all(scheduler)
    assert decide(scheduler) == []
    assert scheduler.wake_up(NOW) == NOW + 5
    assert ids(decide(scheduler, NOW + 5)) == [[2]]


def test_nothing_passes_a_job_that_the_table_did_not_give():
    scheduler = scheduler_of("root:9,a:1:sequential", [job(n, "root.a") for n in (1, 2, 3)])
    (lease,) = decide(scheduler)
    assert scheduler.confirm(lease, {}) is None
    assert decide(scheduler) == []
    scheduler.fill([job(n, "root.a") for n in (1, 2, 3)], {})
    assert ids(decide(scheduler)) == [[1]]


def test_the_first_of_those_that_hold_back_counts():
    scheduler = scheduler_of("root:9,a:1:sequential", [job(2, "root.a")], {"root.a": (10, 1)})
    scheduler.recall(scheduler.adopt(job(3, "root.a"), NOW), [3], NOW)
    assert decide(scheduler) == []


# Unknown channels


def test_a_job_of_an_unknown_channel_runs_below_its_nearest_known_one():
    ready = [job(n, f"root.a.new{n}.deep") for n in range(3)] + [job(9, "root.new")]
    assert ids(decide(scheduler_of("root:9,a:1", ready))) == [[0], [9]]


@pytest.mark.parametrize("name", ["elsewhere", "", "root.x.y.z", "rooted.a"])
def test_any_stored_name_is_run_below_root(name):
    scheduler = scheduler_of("root:1", [job(1, name), job(2, name)])
    assert ids(decide(scheduler)) == [[1]]
    close_all(scheduler)
    assert ids(decide(scheduler)) == [[2]]


def test_a_refill_does_not_lose_the_leases_of_unknown_channels():
    scheduler = scheduler_of("root:9,a:1", [job(1, "root.a.new")])
    (lease,) = decide(scheduler)
    scheduler.fill([job(2, "root.a.new"), job(3, "root.a")], {})
    assert decide(scheduler) == []
    scheduler.close(lease.number)
    assert ids(decide(scheduler)) == [[2]]


def test_a_lease_may_end_after_a_refill_that_no_longer_names_its_channel():
    scheduler = scheduler_of("root:1", [job(1, "root.new")])
    (lease,) = decide(scheduler)
    scheduler.fill([], {})
    scheduler.fill([], {})
    scheduler.close(lease.number)
    scheduler.fill([job(2, "root.new")], {})
    assert ids(decide(scheduler)) == [[2]]


def test_unknown_channels_are_forgotten_when_nothing_is_left_of_them():
    scheduler = scheduler_of("root:9")
    for number in range(20):
        scheduler.fill([job(number, f"root.new{number}")], {f"root.held{number}": (1, 1)})
        decide(scheduler)
        close_all(scheduler)
    scheduler.fill([], {})
    assert nodes(scheduler) == 1


# Refills


def test_a_refill_replaces_what_was_read_before():
    scheduler = scheduler_of("root:9", [job(1), job(2)], {"root.a": (1, 1)})
    scheduler.fill([job(3)], {})
    assert ids(decide(scheduler)) == [[3]]


def test_a_refill_passes_over_the_jobs_of_open_leases():
    scheduler = scheduler_of("root:9", [job(1)])
    decide(scheduler)
    scheduler.fill([job(1), job(2)], {})
    assert ids(decide(scheduler)) == [[2]]


def test_a_job_that_was_recalled_is_ready_again_after_a_refill():
    scheduler = scheduler_of("root:2", quick(4))
    first, second = decide(scheduler)
    scheduler.recall(first, [2], NOW)
    scheduler.close(second.number)
    scheduler.fill(quick(4), {})
    assert ids(decide(scheduler)) == [[2, 3]]


def test_a_refill_while_leases_are_being_decided_is_heeded():
    scheduler = scheduler_of("root:9", [job(1), job(2)])
    decided = scheduler.decide(NOW, 9)
    assert next(decided).jobs[0].id == 1
    scheduler.fill([job(7)], {})
    assert ids(decided) == [[7]]


def test_the_runner_is_hungry_when_half_of_a_truncated_window_is_used():
    scheduler = scheduler_of("root:1", quick(WINDOW))
    used = 0
    while not scheduler.is_hungry():
        (lease,) = decide(scheduler)
        scheduler.close(lease.number)
        used += len(lease.jobs)
    assert WINDOW // 2 <= used < WINDOW // 2 + LEASE_JOBS


def test_a_window_that_took_all_there_was_never_makes_hungry():
    scheduler = scheduler_of("root:1", quick(WINDOW - 1))
    while decide(scheduler):
        close_all(scheduler)
    assert not scheduler.is_hungry()
    assert not scheduler.has_ready()


def test_jobs_passed_over_do_not_make_a_truncated_window_look_complete(monkeypatch):
    monkeypatch.setattr(scheduler_module, "WINDOW", 4)
    scheduler = scheduler_of("root:2", [job(1)])
    decide(scheduler)
    scheduler.fill([job(n) for n in (1, 2, 3, 4)], {})
    while decide(scheduler, slots=1):
        scheduler.close(max(scheduler.leases))
    assert scheduler.is_hungry()


def test_hunger_ends_with_the_refill():
    scheduler = scheduler_of("root:9", quick(WINDOW))
    decide(scheduler)
    assert scheduler.is_hungry()
    scheduler.fill([], {})
    assert not scheduler.is_hungry()


@pytest.mark.parametrize("told", [lambda s, ready: s.fill(ready, {}), Scheduler.add])
def test_a_job_that_is_ready_again_in_its_lease_makes_hungry_when_that_ends(told):
    scheduler = scheduler_of("root:1", quick(2))
    (lease,) = decide(scheduler)
    assert len(lease.jobs) == 2
    told(scheduler, [job(1)])
    assert not scheduler.is_hungry(), "it is in a lease"
    assert not scheduler.has_ready()
    scheduler.close(lease.number)
    assert scheduler.is_hungry()
    scheduler.fill([job(1)], {})
    assert not scheduler.is_hungry()
    assert ids(decide(scheduler)) == [[1]]


def test_each_channel_has_a_window_of_its_own(monkeypatch):
    monkeypatch.setattr(scheduler_module, "WINDOW", 4)
    ready = [job(n, f"root.{n % 2}") for n in range(6)]
    scheduler = scheduler_of("root:9", ready)
    decide(scheduler)
    assert not scheduler.is_hungry()


# Adoption


def test_what_runs_already_counts_even_beyond_the_capacity():
    scheduler = scheduler_of("root:9,a:1", [job(9, "root.a")])
    adopted = [scheduler.adopt(job(n, "root.a"), NOW) for n in range(3)]
    for lease in adopted:
        assert decide(scheduler) == []
        scheduler.close(lease.number)
    assert ids(decide(scheduler)) == [[9]]


def test_the_leases_of_an_earlier_leader_keep_their_places_and_numbers():
    before = scheduler_of("root:4,a:2", quick(2, "root.a"))
    (first, second) = decide(before)
    after = Scheduler(parse_channels("root:4,a:2"), last=second.number)
    after.inherit([first, second])
    after.fill([job(9, "root.a"), job(1, "root.a")], {})
    assert decide(after) == []
    after.close(first.number)
    (third,) = decide(after)
    assert ids([third]) == [[9]]
    assert third.number > second.number


def test_a_throttle_counts_what_an_earlier_leader_started():
    text = "root:9,a:9:throttle=5"
    leases = decide(scheduler_of(text, [job(1, "root.a")]))
    after = Scheduler(parse_channels(text), last=1)
    after.inherit(leases)
    after.fill([job(2, "root.a")], {})
    assert decide(after, NOW + 4) == []
    assert after.wake_up(NOW + 4) == NOW + 5
    assert ids(decide(after, NOW + 5)) == [[2]]


@pytest.mark.parametrize(("throttle", "wait"), [("", 0), (":throttle=2", 2), (":throttle=9", 9)])
def test_a_throttle_that_is_changed_is_in_force_at_once(throttle, wait):
    before = scheduler_of("root:9,a:9:throttle=5", [job(1, "root.a")])
    decide(before)
    close_all(before)
    after = before.reconfigured(parse_channels(f"root:9,a:9{throttle}"))
    after.fill([job(2, "root.a")], {})
    if wait:
        assert decide(after, NOW + wait - 0.1) == []
    assert ids(decide(after, NOW + wait)) == [[2]]


def test_adoption_beyond_the_root_does_not_divide_by_its_room():
    scheduler = scheduler_of("root:1,a:1", quick(3, "root.a"))
    for number in range(7, 10):
        scheduler.adopt(job(number), NOW)
    assert decide(scheduler) == []
    assert scheduler.is_full()


def test_a_job_adopted_in_an_unknown_channel_counts_above_it():
    scheduler = scheduler_of("root:9,a:1", [job(2, "root.a")])
    lease = scheduler.adopt(job(1, "root.a.new"), NOW)
    scheduler.fill([job(2, "root.a")], {})
    assert decide(scheduler) == []
    scheduler.close(lease.number)
    assert ids(decide(scheduler)) == [[2]]


def test_what_was_adopted_is_not_recalled():
    scheduler = scheduler_of("root:9")
    assert scheduler.adopt(job(1), NOW).overdue == math.inf
    assert scheduler.wake_up(NOW) == math.inf


# Confirmation and recall


def test_a_lease_keeps_what_the_table_gave_with_its_attempts():
    scheduler = scheduler_of("root:1", quick(3))
    (lease,) = decide(scheduler)
    kept = scheduler.confirm(lease, {3: 7, 1: 5, 99: 1})
    assert [(job.id, job.attempt) for job in kept.jobs] == [(1, 5), (3, 7)]
    assert scheduler.leases == {lease.number: kept}


@pytest.mark.parametrize("attempts", [{}, {99: 1}])
def test_a_lease_of_which_the_table_gave_nothing_is_closed(attempts):
    scheduler = scheduler_of("root:1", [job(1), job(2)])
    (lease,) = decide(scheduler)
    assert scheduler.confirm(lease, attempts) is None
    assert ids(decide(scheduler)) == [[2]]


def test_recalled_jobs_leave_the_lease_and_it_stays_open():
    scheduler = scheduler_of("root:1", quick(3))
    (lease,) = decide(scheduler)
    left = scheduler.recall(lease, [2, 3], NOW)
    assert ids([left]) == [[1]]
    assert scheduler.is_full()


def test_a_lease_that_is_recalled_whole_is_closed():
    scheduler = scheduler_of("root:1", quick(3))
    (lease,) = decide(scheduler)
    assert scheduler.recall(lease, [1, 2, 3], NOW) is None
    assert scheduler.leases == {}
    assert not scheduler.is_full()


@pytest.mark.parametrize("end", ["confirm", "recall"])
def test_a_lease_that_has_ended_does_not_come_back(end):
    scheduler = scheduler_of("root:1", quick(3))
    (lease,) = decide(scheduler)
    scheduler.close(lease.number)
    if end == "confirm":
        late = scheduler.confirm(lease, {1: 1})
    else:
        late = scheduler.recall(lease, [2], NOW)
    assert late is None
    assert scheduler.leases == {}
    scheduler.close(lease.number)
    scheduler.fill([job(8), job(9)], {})
    assert ids(decide(scheduler)) == [[8]]


def test_a_number_never_names_two_leases():
    scheduler = scheduler_of("root:1", [job(n) for n in range(5)])
    numbers = []
    while leases := decide(scheduler):
        numbers += [lease.number for lease in leases]
        close_all(scheduler)
    assert len(numbers) == len(set(numbers)) == 5


# Overdue


def test_an_overdue_lease_is_told_from_its_time_on():
    scheduler = scheduler_of("root:1", quick(3))
    (lease,) = decide(scheduler)
    assert scheduler.wake_up(NOW) == lease.overdue == NOW + OVERDUE_SECONDS
    assert scheduler.overdue(math.nextafter(lease.overdue, 0)) == []
    assert scheduler.overdue(lease.overdue) == [lease]


def test_a_recall_puts_the_demand_off_even_when_it_took_nothing():
    scheduler = scheduler_of("root:1", quick(3))
    (lease,) = decide(scheduler)
    left = scheduler.recall(lease, [], NOW + 99)
    assert left.jobs == lease.jobs
    assert scheduler.overdue(NOW + 197) == []
    assert scheduler.wake_up(NOW + 99) == NOW + 198


def test_the_first_of_what_is_due_wakes():
    urgent = [job(7, "root.a", 1), job(8, "root.a", 1)]
    scheduler = scheduler_of("root:9,a:9:throttle=5", [*urgent, *quick(3)])
    assert ids(decide(scheduler, slots=2)) == [[7], [1, 2, 3]]
    assert scheduler.wake_up(NOW) == NOW + OVERDUE_SECONDS
    for lease in scheduler.overdue(NOW + OVERDUE_SECONDS):
        scheduler.recall(lease, [2, 3], NOW + OVERDUE_SECONDS)
    assert scheduler.wake_up(NOW) == NOW + 5


# Giving way


def busy(text="root:1", count=20):
    """Return a scheduler with one lease of ordinary jobs that fills all there is."""
    scheduler = scheduler_of(text, quick(count))
    decide(scheduler, slots=1)
    return scheduler


def urgent(number=1000, channel="root", priority=1):
    return job(number, channel, priority)


def test_a_lease_gives_way_to_an_urgent_job():
    scheduler = busy()
    scheduler.add([urgent()])
    assert scheduler.giving_way(NOW) is scheduler.leases[1]


@pytest.mark.parametrize("priority", [10, 11])
def test_no_lease_gives_way_to_a_job_that_is_not_more_urgent(priority):
    scheduler = busy()
    scheduler.add([urgent(priority=priority)])
    assert scheduler.giving_way(NOW) is None


def test_a_lease_that_was_recalled_already_is_left_alone():
    scheduler = busy()
    scheduler.recall(scheduler.leases[1], [20], NOW)
    scheduler.add([urgent()])
    assert scheduler.giving_way(NOW) is None


def test_a_lease_of_one_job_has_nothing_to_give():
    scheduler = busy(count=1)
    scheduler.add([urgent()])
    assert scheduler.giving_way(NOW) is None


def test_no_lease_gives_way_where_that_would_not_help():
    scheduler = scheduler_of("root:3,a:1,b:1", [*quick(20, "root.a"), job(50, "root.b")])
    decide(scheduler)
    scheduler.add([urgent(channel="root.b")])
    assert scheduler.giving_way(NOW) is None


def test_nothing_gives_way_to_a_channel_that_is_paused():
    scheduler = busy("root:1,a:1:paused")
    scheduler.add([urgent(channel="root.a")])
    assert scheduler.giving_way(NOW) is None


def test_what_was_taken_back_comes_after_what_it_gave_way_to():
    scheduler = busy()
    scheduler.add([urgent()])
    lease = scheduler.giving_way(NOW)
    scheduler.recall(lease, [job.id for job in lease.jobs[1:]], NOW)
    scheduler.add(lease.jobs[1:])
    scheduler.close(lease.number)
    assert ids(decide(scheduler, slots=1)) == [[1000]]
    close_all(scheduler)
    assert ids(decide(scheduler, slots=1)) == [list(range(2, 21))]


def test_a_job_that_is_known_is_not_added_twice():
    scheduler = scheduler_of("root:1", [job(1), job(2)])
    decide(scheduler)
    scheduler.add([job(1), job(2), job(3), job(3)])
    assert [job.id for job in scheduler.ready()] == [2, 3]


def test_a_lease_holds_jobs_of_one_priority():
    ready = [JobRef(1, 9, "root", "quick"), *quick(3)]
    assert ids(decide(scheduler_of("root:1", ready), slots=1)) == [[9]]
