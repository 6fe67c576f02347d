"""The first thing that keeps a job from starting is named, from the outside in."""

from dataclasses import replace

import pytest
from core.channels import parse_channels
from core.explain import JobFacts, QueueFacts, Reason, explain, gist_of
from core.hold import Hold
from core.states import JobState

QUEUE = QueueFacts(channels=parse_channels("root:4,a:2,a.b:1"), runners=1, leads=True, slots=4)
JOB = JobFacts(JobState.PENDING, "root.a.b")


def reason(job=JOB, queue=QUEUE):
    return explain(job, queue).reason


def configured(text, **facts):
    return replace(QUEUE, channels=parse_channels(text), **facts)


def test_a_countdown_is_news_when_it_has_come_to_half():
    texts = [
        gist_of(f"It is tried again in {seconds} s, after 3 tries.") for seconds in (60, 33, 31)
    ]
    assert texts[0] == texts[1] != texts[2]
    durations = ("9 min\xa033 s", "8 min\xa01 s", "7 min\xa059 s")
    texts = [gist_of(f"It starts in {duration}.") for duration in durations]
    assert texts[0] == texts[1] != texts[2]
    uuids = ("0000-1", "2f1b3a4c-0000-4000-8000-123456789012")
    assert all(
        gist_of(f"job {uuid} is before it.") == f"job {uuid} is before it." for uuid in uuids
    )


def test_a_job_that_nothing_keeps_is_about_to_start():
    found = explain(replace(JOB, ahead=3), QUEUE)
    assert (found.reason, found.number, found.channel) == (Reason.TURN, 3, "root.a.b")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (JobState.STARTED, Reason.RUNS),
        (JobState.DONE, Reason.ENDED),
        (JobState.CANCELLED, Reason.ENDED),
        (JobState.FAILED, Reason.ENDED),
        (JobState.WAIT_DEPENDENCIES, Reason.PARENTS),
        (JobState.ENQUEUED, Reason.ENQUEUED),
    ],
)
def test_the_state_says_it(state, expected):
    assert reason(replace(JOB, state=state)) is expected


def test_no_runner_comes_before_everything_else():
    queue = QueueFacts(hold=Hold.COPIED)
    assert reason(replace(JOB, seconds=9), queue) is Reason.NO_RUNNER


def test_a_held_database_is_named_with_what_holds_it():
    found = explain(JOB, replace(QUEUE, hold=Hold.MODULES))
    assert (found.reason, found.hold) == (Reason.HELD, Hold.MODULES)


def test_a_runner_without_lead_and_servers_without_workers():
    assert reason(queue=replace(QUEUE, leads=False)) is Reason.NO_LEADER
    assert reason(queue=replace(QUEUE, slots=0)) is Reason.NO_SERVER


def test_an_eta_is_a_retry_after_the_first_try():
    assert reason(replace(JOB, seconds=5)) is Reason.ETA
    found = explain(replace(JOB, seconds=5, retries=2), QUEUE)
    assert (found.reason, found.number, found.limit) == (Reason.RETRY, 5, 2)
    assert reason(replace(JOB, seconds=-1)) is Reason.TURN


def test_a_pause_is_found_above_the_channel():
    found = explain(JOB, configured("root:4,a:2:paused,a.b:1"))
    assert (found.reason, found.channel) == (Reason.PAUSED, "root.a")


def test_what_runs_below_a_channel_fills_it():
    queue = replace(QUEUE, running={"root.a.x": 1, "root.a": 1, "root.ab": 1})
    found = explain(JOB, queue)
    assert (found.reason, found.channel, found.number, found.limit) == (Reason.FULL, "root.a", 2, 2)


def test_strict_order_names_the_job_before():
    found = explain(replace(JOB, before="uuid"), configured("root:4,a.b:1:sequential"))
    assert (found.reason, found.other) == (Reason.SEQUENTIAL, "uuid")
    assert reason(replace(JOB, before="uuid")) is Reason.TURN


def test_fewer_workers_than_capacity():
    found = explain(JOB, configured("root:9", slots=2, running={"root": 2}))
    assert (found.reason, found.number, found.limit) == (Reason.NO_WORKER, 2, 2)


def test_a_throttle_is_said_when_nothing_else_is():
    found = explain(JOB, configured("root:4,a.b:1:throttle=30"))
    assert (found.reason, found.number) == (Reason.THROTTLED, 30)


def test_a_channel_that_is_not_configured_has_no_limit_of_its_own():
    assert reason(replace(JOB, channel="root.other")) is Reason.TURN
