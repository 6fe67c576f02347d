"""The check of the fault campaign finds what it is there to find: it is handed bad ledgers."""

from dataclasses import replace

import pytest
from chaos.ledger import Account, Batch, Excuse, Row, Run, Wrong, check, count
from chaos.load import EXPECTED, USUAL, Kind, draw, jobs_of


def row(kind, number, **values):
    """Return a job that ended as it should."""
    expected = EXPECTED[kind]
    tries = expected.tries
    given = {"state": expected.state, "tries": tries, **values}
    if expected.state == "failed":
        given = {"error": "x.FailedJobError", "message": "as it was asked to", **given}
    return Row(f"u{number}", number, "r/load", kind, **given)


def good():
    """Return an account of a round in which nothing went wrong."""
    rows = [
        row(Kind.NOTHING, 1),
        row(Kind.WRITE_ONE, 2),
        row(Kind.FAILING, 3),
        row(Kind.RETRYING, 4),
        row(Kind.STRICT, 5, tries=2),
        row(Kind.STRICT, 6, tries=1),
        row(Kind.MIDWAY, 7),
        row(Kind.CANCELLED, 8),
        row(Kind.GRAPH, 9),
        row(Kind.GRAPH, 10, parents=("u9",)),
    ]
    effects = [("u2", "write_one"), ("u4", "retrying"), ("u5", "strict"), ("u6", "strict")]
    effects += [("u7", "midway"), ("u7", "end"), ("u9", "graph"), ("u10", "graph")]
    runs = [Run("u1", 1, 2), Run("u2", 1, 2), Run("u3", 1, 2), Run("u7", 1, 2)]
    runs += [Run("u4", 1, 2), Run("u4", 3, 4), Run("u4", 5, 6)]
    runs += [Run("u5", 1, 2), Run("u5", 3, 4), Run("u6", 5, 6)]
    runs += [Run("u9", 1, 2), Run("u10", 2, 3)]
    jobs = {kind: sum(known.kind is kind for known in rows) for kind in Kind}
    batch = Batch("r/load", {kind: number for kind, number in jobs.items() if number})
    return Account([batch], rows, effects, runs)


def with_row(account, uuid, **values):
    """Return an account in which a job is another."""
    rows = [replace(known, **values) if known.uuid == uuid else known for known in account.rows]
    return replace(account, rows=rows)


def without(account, uuid):
    """Return an account in which a job is not stored."""
    return replace(account, rows=[known for known in account.rows if known.uuid != uuid])


def with_runs(account, *runs):
    return replace(account, runs=[*account.runs, *runs])


def found(account):
    return {wrong for wrong, _text in check(account)}


def test_nothing_is_found_where_nothing_is_wrong():
    assert check(good()) == []
    assert set(count([]).values()) == {0}


BAD = {
    "a job that is not stored": (
        Wrong.LOST,
        lambda a: replace(without(a, "u1"), runs=[run for run in a.runs if run.uuid != "u1"]),
    ),
    "an effect that is missing": (Wrong.LOST, lambda a: replace(a, effects=a.effects[1:])),
    "an effect that is there twice": (
        Wrong.TWICE,
        lambda a: replace(a, effects=[*a.effects, ("u2", "write_one")]),
    ),
    "a line midway that is there twice": (
        Wrong.TWICE,
        lambda a: replace(a, effects=[*a.effects, ("u7", "midway")]),
    ),
    "an effect of a failed job": (
        Wrong.TWICE,
        lambda a: replace(a, effects=[*a.effects, ("u3", "failing")]),
    ),
    "an effect of a cancelled job": (
        Wrong.TWICE,
        lambda a: replace(a, effects=[*a.effects, ("u8", "cancelled")]),
    ),
    "an effect of nobody": (
        Wrong.TWICE,
        lambda a: replace(a, effects=[*a.effects, ("u99", "midway")]),
    ),
    "a job that is stored twice": (
        Wrong.TWICE,
        lambda a: with_runs(
            replace(a, rows=[*a.rows, replace(a.rows[0], uuid="u11", number=11)]), Run("u11", 1, 2)
        ),
    ),
    "a job that nobody asked for": (
        Wrong.TWICE,
        lambda a: with_runs(
            replace(a, rows=[*a.rows, replace(a.rows[0], uuid="u11", batch="r/other")]),
            Run("u11", 1, 2),
        ),
    ),
    "a run that finds the lock taken": (
        Wrong.OVERLAP,
        lambda a: replace(a, runs=[Run("u1", 1, 2, alone=False), *a.runs[1:]]),
    ),
    "a run that begins before another ends": (
        Wrong.OVERLAP,
        lambda a: with_runs(replace(a, excuse=Excuse(1)), Run("u1", 1.5, 2.5)),
    ),
    "a job that waits": (Wrong.STUCK, lambda a: with_row(a, "u1", state="pending")),
    "a job that runs": (Wrong.STUCK, lambda a: with_row(a, "u1", state="started")),
    "a job that waits for others": (
        Wrong.STUCK,
        lambda a: with_row(a, "u1", state="wait_dependencies"),
    ),
    "a job that failed": (Wrong.STATE, lambda a: with_row(a, "u1", state="failed")),
    "a job that should have failed": (Wrong.STATE, lambda a: with_row(a, "u3", state="done")),
    "a job that failed by something else": (
        Wrong.STATE,
        lambda a: with_row(a, "u3", error="JobFoundDead"),
    ),
    "a job that failed without saying why": (Wrong.STATE, lambda a: with_row(a, "u3", message="")),
    "a cancelled job that was run": (Wrong.STATE, lambda a: with_row(a, "u8", state="done")),
    "a child before its parent": (
        Wrong.ORDER,
        lambda a: replace(a, runs=[*a.runs[:-1], Run("u10", 1.5, 3)]),
    ),
    "a child of a parent that never ended": (
        Wrong.ORDER,
        lambda a: replace(a, runs=[*a.runs[:-2], Run("u9", 1, None), a.runs[-1]]),
    ),
    "a child before the last run of its parent": (
        Wrong.ORDER,
        lambda a: with_runs(replace(a, excuse=Excuse(1)), Run("u9", 4, 5)),
    ),
    "a job that passes another where order is strict": (
        Wrong.ORDER,
        lambda a: replace(
            a, runs=[Run("u6", 2.5, 2.8) if run.uuid == "u6" else run for run in a.runs]
        ),
    ),
    "a run that nothing explains": (Wrong.RUNS, lambda a: with_runs(a, Run("u1", 3, 4))),
    "more runs of a job than the fault explains": (
        Wrong.RUNS,
        lambda a: with_runs(replace(a, excuse=Excuse(5)), Run("u1", 3, 4), Run("u1", 5, 6)),
    ),
    "more runs in all than the fault explains": (
        Wrong.RUNS,
        lambda a: with_runs(replace(a, excuse=Excuse(1)), Run("u1", 3, 4), Run("u2", 3, 4)),
    ),
    "a cancelled job that began": (Wrong.RUNS, lambda a: with_runs(a, Run("u8", 3, 4))),
    "a job that is done and never ran": (
        Wrong.RUNS,
        lambda a: replace(a, runs=a.runs[1:]),
    ),
    "a try that was counted although its worker died": (
        Wrong.RUNS,
        lambda a: with_row(a, "u1", tries=2),
    ),
    "a run of no job": (Wrong.TWICE, lambda a: with_runs(a, Run("u99", 3, 4))),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_found(name):
    wrong, spoil = BAD[name]
    assert wrong in found(spoil(good()))


def test_what_a_fault_explains_is_not_wrong():
    account = with_runs(replace(good(), excuse=Excuse(1)), Run("u1", 3, 4))
    assert check(account) == []
    many = with_runs(replace(good(), excuse=Excuse(None)), Run("u1", 3, 4), Run("u2", 3, 4))
    assert check(many) == []


def test_a_killed_run_has_no_end_and_is_no_overlap():
    account = replace(good(), excuse=Excuse(1))
    runs = [Run("u1", 0.5, None), *account.runs]
    assert check(replace(account, runs=runs)) == []


def test_a_transaction_without_an_answer_is_there_as_a_whole_or_not_at_all():
    account = good()
    batch = replace(account.batches[0], known=False)
    assert check(replace(account, batches=[batch])) == []
    assert check(replace(account, batches=[batch], rows=[], effects=[], runs=[])) == []
    acknowledged = replace(account, rows=[], effects=[], runs=[])
    assert found(acknowledged) == {Wrong.LOST}
    partly = replace(without(account, "u1"), batches=[batch], runs=account.runs[1:])
    assert found(partly) == {Wrong.LOST}


def test_what_a_mix_stores():
    import random

    kinds = draw(USUAL, random.Random(1))
    assert kinds == draw(USUAL, random.Random(1)) != draw(USUAL, random.Random(2))
    assert jobs_of(kinds) == {**USUAL, Kind.GRAPH: 4 * USUAL[Kind.GRAPH]}
