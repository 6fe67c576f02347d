"""The self-test finds what is wrong, and nothing where nothing is."""

from dataclasses import replace

import pytest
from core.diagnosis import STALE_SECONDS, Facts, NodeFacts, Problem, diagnose
from core.hold import Hold

NODE = NodeFacts("web1", "http://web1:8069", slots=4, silent=10, leads=True, version="1")
FACTS = Facts(loaded=True, nodes=(NODE,), capacity=3, limit=120, longest=2)


def problems(**facts):
    return [finding.problem for finding in diagnose(replace(FACTS, **facts))]


def with_node(**facts):
    return {"nodes": (replace(NODE, **facts),)}


def test_nothing_is_wrong_with_a_good_installation():
    assert problems() == []


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"nodes": (), "loaded": False}, [Problem.NO_RUNNER, Problem.NOT_LOADED]),
        ({"nodes": (), "turned_off": True}, [Problem.NO_RUNNER, Problem.TURNED_OFF]),
        ({"hold": Hold.COPIED}, [Problem.HELD]),
        (with_node(leads=False), [Problem.NO_LEADER]),
        (with_node(silent=STALE_SECONDS + 1), [Problem.STALE_RUNNER]),
        (with_node(problem="refused"), [Problem.UNREACHABLE]),
        ({"settings_error": "capacity 'x'"}, [Problem.BAD_SETTINGS]),
        ({"unknown": (("chanels", "channels"),)}, [Problem.UNKNOWN_SETTING]),
        ({"capacity": 1}, [Problem.ONE_AT_A_TIME]),
        ({"capacity": 9}, [Problem.MORE_THAN_WORKERS]),
        ({"longest": 100}, [Problem.TIME_LIMIT]),
        ({"nodes": (NODE, replace(NODE, version="2", leads=False))}, [Problem.VERSIONS]),
    ],
)
def test_what_is_wrong_is_found(facts, expected):
    assert problems(**facts) == expected


def test_a_server_without_runner_is_no_fault_where_another_has_one():
    assert problems(loaded=False, turned_off=True) == []


def test_one_job_at_a_time_is_meant_with_few_workers():
    assert problems(capacity=1, **with_node(slots=2)) == []


def test_no_limit_of_time_is_no_warning():
    assert problems(limit=0, longest=9_999) == []


def test_what_stops_everything_comes_first():
    found = diagnose(replace(FACTS, capacity=9, hold=Hold.MODULES))
    assert [finding.stops for finding in found] == [True, False]


def test_findings_carry_what_the_message_needs():
    facts = replace(FACTS, **with_node(problem="refused", url="http://x:1"))
    (finding,) = diagnose(facts)
    assert (finding.subject, finding.hint) == ("http://x:1", "refused")
