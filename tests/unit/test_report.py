"""What runner and worker tell each other about a lease."""

import json

import pytest
from core.report import Outcome, Report, read_lease, read_reports, write_lease, write_reports
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.integers(0, 2**31 - 1)
SECONDS = st.floats(0, 1e6)
REPORTS = st.builds(Report, NUMBERS, st.sampled_from(Outcome), SECONDS, wait=st.none() | SECONDS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=100))
def test_a_lease_is_read_as_it_was_written(jobs):
    assert read_lease(write_lease(jobs)) == jobs


@given(st.lists(REPORTS))
def test_reports_are_read_as_they_were_written_to_the_microsecond(reports):
    read = read_reports(json.loads(json.dumps(write_reports(reports))))
    assert [(item.id, item.outcome) for item in read] == [(one.id, one.outcome) for one in reports]
    for one, other in zip(read, reports, strict=True):
        assert one.seconds == pytest.approx(other.seconds, abs=1e-6)
        assert one.wait == (
            other.wait if other.wait is None else pytest.approx(other.wait, abs=1e-6)
        )


def test_the_stored_form():
    assert json.loads(write_lease([(7, 1), (9, 2)])) == {"jobs": [[7, 1], [9, 2]]}
    answer = {"jobs": [[7, "postponed", 0.25]]}
    assert write_reports([Report(7, Outcome.POSTPONED, 0.25)]) == answer
    assert read_reports(answer) == [Report(7, Outcome.POSTPONED, 0.25)]
    answer = {"jobs": [[7, "done", 0.25, 1.5]]}
    assert write_reports([Report(7, Outcome.DONE, 0.25, 1.5)]) == answer
    assert read_reports(answer) == [Report(7, Outcome.DONE, 0.25, 1.5)]


def test_memory_stands_beside_the_jobs_so_that_an_earlier_version_passes_it_over():
    reports = [Report(7, Outcome.DONE, 0.25, memory=12), Report(9, Outcome.TAKEN, 0.0)]
    answer = write_reports(reports)
    assert answer == {"jobs": [[7, "done", 0.25], [9, "taken", 0.0]], "memory": [12, None]}
    assert read_reports(answer) == reports


@pytest.mark.parametrize("memory", [None, 12, [], [1, 2], ["12"], [-1], [True], [1e3], [2**60]])
def test_memory_that_cannot_be_read_is_not_known(memory):
    answer = {"jobs": [[7, "done", 0.25]], "memory": memory}
    assert read_reports(answer) == [Report(7, Outcome.DONE, 0.25)]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\xff", b"{", b"null", b"[]", b"{}", b'{"jobs": {}}', b'{"jobs": "12"}'),
        *(b'{"jobs": [1]}', b'{"jobs": [[1]]}', b'{"jobs": [[1, 2, 3]]}', b'{"jobs": [[1, "2"]]}'),
        *(b'{"jobs": [[1.0, 2]]}', b'{"jobs": [[true, 2]]}', b'{"jobs": [[null, 2]]}'),
    ],
)
def test_what_is_no_lease_is_refused(body):
    with pytest.raises((TypeError, ValueError)):
        read_lease(body)


@pytest.mark.parametrize(
    "answer",
    [
        *(None, [], {}, {"jobs": None}, {"jobs": [[1, "gone", 0]]}, {"jobs": [[1, [], 0]]}),
        *({"jobs": [["1", "done", 0]]}, {"jobs": [[1, "done", None]]}, {"jobs": [[1, "done"]]}),
        *({"jobs": [[1, "done", 0, 0, 0]]}, {"jobs": [[1, "done", 0, "soon"]]}),
    ],
)
def test_what_is_no_answer_is_refused(answer):
    with pytest.raises((TypeError, ValueError)):
        read_reports(answer)


@given(JSON | st.fixed_dictionaries({"jobs": st.lists(JSON, max_size=3)}))
def test_any_other_text_is_either_understood_or_refused(value):
    for read, text in [(read_lease, json.dumps(value).encode()), (read_reports, value)]:
        try:
            jobs = read(text)
        except (TypeError, ValueError):
            continue
        assert isinstance(jobs, list)
