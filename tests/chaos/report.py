"""What a campaign found, as data and as a table; nothing else is known of it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .campaign import Result
from .faults import FAULTS
from .ledger import Wrong, count

DATA = "reliability_results.json"
TABLE = "reliability_results.rst"
DOCUMENT = "reliability.rst"
"""Files in ``docs``."""

BEGIN = ".. results: begin"
END = ".. results: end"
"""Comments of the document between which the table is written."""

COLUMNS = (Wrong.LOST, Wrong.TWICE, Wrong.OVERLAP, Wrong.STUCK)
"""What has a column of its own in the table."""

HEADERS = (
    "fault",
    "rounds",
    "jobs",
    *(wrong.value for wrong in COLUMNS),
    "else wrong",
    "again: median",
    "worst",
    "bar",
)

TITLE = "Results of the fault campaign"

EXPLANATION = """\
*Lost*: a job or an effect is missing. *Twice*: one is there that should not be. *Overlaps*: two
runs of a job, or two jobs of a sequential channel, at a time. *Stuck*: not ended in time. *Else
wrong*: a wrong final state or cause, a wrong order, or more runs than the tries of the job and the
fault explain. *Again*: seconds until the job that was hit has begun again, where one was meant;
else until an urgent job begins that was asked for after the fault. They are counted from the signal
or the cut; from when PostgreSQL or the server answers again where those were restarted; from the
end of what lasts for a while."""


@dataclass
class Row:
    """The figures of a fault.

    :param wrong: how often each kind of wrong was found
    :param again: seconds, one for each round in which somebody looked
    :param facts: seed, date, versions, machine and command
    """

    rounds: int
    jobs: int
    wrong: Mapping[str, int]
    again: list[float]
    skipped: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def other(self) -> int:
        """What has no column of its own."""
        return sum(self.wrong.values()) - sum(self.wrong[wrong.value] for wrong in COLUMNS)


def summed(result: Result, facts: Mapping[str, Any]) -> Row:
    """Return the figures of a result."""
    return Row(
        rounds=len(result.outcomes),
        jobs=sum(outcome.jobs for outcome in result.outcomes),
        wrong=count(result.findings),
        again=[round(seconds, 3) for seconds in result.again],
        skipped=result.skipped,
        facts=dict(facts),
    )


def read(docs: Path) -> dict[str, Row]:
    """Return the figures of earlier campaigns, by name of the fault."""
    path = docs / DATA
    stored = json.loads(path.read_text()) if path.exists() else {}
    return {name: Row(**row) for name, row in stored.items() if name in FAULTS}


def write(docs: Path, rows: Mapping[str, Row]) -> None:
    """Write data and table, and put the table into the document."""
    ordered = {name: rows[name] for name in FAULTS if name in rows}
    data = {name: asdict(row) for name, row in ordered.items()}
    (docs / DATA).write_text(json.dumps(data, indent=1) + "\n")
    text = table(ordered)
    (docs / TABLE).write_text(document(text, ordered))
    path = docs / DOCUMENT
    if path.exists():
        path.write_text(inserted(path.read_text(), text))


def inserted(text: str, between: str) -> str:
    """Return a document with its results replaced.

    :raises ValueError: when it has no place for them
    """
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no {BEGIN!r} and {END!r} to write between")
    return f"{before}{BEGIN}\n\n{between}\n{END}{after}"


def table(rows: Mapping[str, Row]) -> str:
    """Return the figures as a table, with what they were taken on."""
    lines = [HEADERS, *(_cells(name, row) for name, row in rows.items() if not row.skipped)]
    left_out = [
        f"Left out: {FAULTS[name].title} ({row.skipped}).\n"
        for name, row in rows.items()
        if row.skipped
    ]
    parts = [_grid(lines), EXPLANATION + "\n", *left_out, _facts(rows)]
    return "\n".join(parts)


def document(text: str, rows: Mapping[str, Row]) -> str:
    """Return the table as a document of its own, with the rounds that lie behind it."""
    line = "=" * len(TITLE)
    rounds = [
        f"- ``{name}``: {', '.join(f'{seconds:.2f}' for seconds in row.again) or 'none'}"
        for name, row in rows.items()
        if not row.skipped
    ]
    heading = "Seconds until jobs ran again, round by round"
    parts = [line, TITLE, line, "", text, heading, "=" * len(heading), "", *rounds]
    return "\n".join(parts) + "\n"


def _cells(name: str, row: Row) -> tuple[str, ...]:
    fault = FAULTS[name]
    median = f"{statistics.median(row.again):.2f} s" if row.again else "\N{EN DASH}"
    worst = f"{max(row.again):.2f} s" if row.again else "\N{EN DASH}"
    wrong = [row.wrong[wrong.value] for wrong in COLUMNS]
    figures = (row.rounds, row.jobs, *wrong, row.other)
    bar = "" if fault.bar is None else f"{fault.bar:.0f} s"
    return (fault.title, *map(str, figures), median, worst, bar)


def _grid(lines: list[tuple[str, ...]]) -> str:
    """Return lines as a table of reStructuredText, the first one as its header."""
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    rule = " ".join("=" * width for width in widths)
    texts = [
        " ".join(
            cell.ljust(width) if cell else "\\".ljust(width)
            for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([rule, texts[0], rule, *texts[1:], rule, ""])


def _facts(rows: Mapping[str, Row]) -> str:
    """Say what the figures were taken on; runs on different days have a line each."""
    names: dict[str, list[str]] = {}
    for name, row in rows.items():
        if not row.skipped:
            text = "; ".join(f"{key} {value}" for key, value in row.facts.items())
            names.setdefault(text, []).append(name)
    if len(names) == 1:
        return f"Measured with: {next(iter(names))}.\n"
    return "".join(f"Measured with: {text}: {_listed(known)}.\n\n" for text, known in names.items())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"``{name}``" for name in names)
