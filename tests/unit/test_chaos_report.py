"""What a campaign found is summed up, kept beside earlier results, and put into the document."""

import pytest
from chaos import report
from chaos.campaign import Outcome, Result
from chaos.faults import FAULTS
from chaos.ledger import Run, Wrong
from chaos.run import SHORT, is_bad
from chaos.stage import read_runs

FACTS = {"seed": 1}


def result(name="worker-kill", findings=(), again=0.5, rounds=2):
    return Result(name, [Outcome(100, list(findings), again, 1.0)] * rounds)


def test_a_result_is_summed_up():
    row = report.summed(result(findings=[(Wrong.LOST, "x"), (Wrong.ORDER, "y")]), FACTS)
    assert (row.rounds, row.jobs, row.again) == (2, 200, [0.5, 0.5])
    assert row.wrong["lost"] == row.wrong["wrong order"] == row.other == 2


def test_what_breaks_a_promise_is_bad():
    assert not is_bad(result())
    assert is_bad(result(findings=[(Wrong.LOST, "x")]))
    bar = FAULTS["worker-kill-idle"].bar
    assert not is_bad(result("worker-kill-idle", again=bar))
    assert is_bad(result("worker-kill-idle", again=bar + 0.1))


def test_results_of_other_faults_stay(tmp_path):
    document = tmp_path / report.DOCUMENT
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write(tmp_path, {"cut-all": report.summed(result("cut-all"), FACTS)})
    rows = report.read(tmp_path)
    rows["worker-kill"] = report.summed(result(again=None), FACTS)
    rows["disk"] = report.summed(Result("disk", skipped="no right"), FACTS)
    report.write(tmp_path, rows)
    assert list(report.read(tmp_path)) == ["worker-kill", "cut-all", "disk"], "in a fixed order"
    text = document.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    for title in (FAULTS["worker-kill"].title, FAULTS["cut-all"].title):
        assert title in text
    assert f"Left out: {FAULTS['disk'].title} (no right)." in text
    assert "``cut-all``: 0.50, 0.50" in (tmp_path / report.TABLE).read_text()


def test_a_document_without_a_place_for_results_is_refused():
    with pytest.raises(ValueError, match="results: begin"):
        report.inserted("nothing", "table")


def test_the_short_form_is_a_part_of_the_campaign():
    assert set(SHORT) <= set(FAULTS)
    assert all(SHORT[name] <= FAULTS[name].rounds for name in SHORT)


def test_runs_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "uuid"
    path.write_text(
        "begin 1.0 10 1\nbegin 2.0 11 0\nend 3.0 11 0\nbegin 4.0 12 1\nend 5.0 12 1\nbegin 6"
    )
    assert read_runs(path) == [
        Run("uuid", 1.0, None),
        Run("uuid", 2.0, 3.0, alone=False),
        Run("uuid", 4.0, 5.0),
    ], "one was killed, and a line is not whole yet"
