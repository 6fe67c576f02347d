"""The results as a document: what was measured, what was wanted, and whether it was reached.

It owns the bars. It reads figures and never takes any; only :func:`write` touches files.
"""

from __future__ import annotations

import json
import operator
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from .campaign import Samples, paired_ratio

Figures = Mapping[str, list[float]]
"""Of one row: by who was measured, one figure per round."""

COMPARE = {"≥": operator.ge, "≤": operator.le, "<": operator.lt}

TIMES = "\N{MULTIPLICATION SIGN}"

MEGABYTE = 1_000_000

NAPS_LIMIT = 80
"""Jobs a second when four at a time last 50 ms each and nothing is lost between them."""

HEADERS = (
    "what",
    "bar",
    "ours: median (min to max)",
    "peer, or what else it is compared with: median (min to max)",
    "ratio",
    "reached",
)
WIDTHS = "22 14 19 25 12 8"
"""In parts of the page."""

TITLE = "Benchmark results"

EXPLANATION = """\
What can be compared is measured in rounds, in which the queues take turns on the same machine and
the same PostgreSQL. A figure is the median of the rounds, followed by the least and the greatest. A
ratio is ours divided by the other's, round by round, and of these the median: what slows down both
in one round does not count. "floor" means that only the floor in brackets is reached."""


class Verdict(Enum):
    """Whether a bar is reached; the worst comes first."""

    NO = "no"
    NOT_MEASURED = "not measured"
    FLOOR = "floor"
    YES = "yes"
    SHOWN = ""
    """There is no bar; the figure speaks for itself."""


@dataclass(frozen=True)
class Unit:
    """How figures of a kind are shown.

    :param name: what follows the number
    :param scale: number shown for a figure of 1
    """

    name: str
    scale: float = 1.0

    def show(self, value: float | Fraction) -> str:
        """Return a figure with its unit."""
        return f"{self.number(value)} {self.name}".rstrip()

    def number(self, value: float | Fraction) -> str:
        """Return a figure without its unit."""
        return number(float(value) * self.scale)


RATE = Unit("jobs/s")
COMMITS = Unit("commits/s")
SECONDS = Unit("s")
MILLISECONDS = Unit("ms", 1000)
MEGABYTES = Unit("MB", 1 / MEGABYTE)
ROWS_OF_A_TABLE = Unit("rows")
TIMES_AS_LARGE = Unit(TIMES)
PER_MINUTE = Unit("per min")
SECONDS_PER_MINUTE = Unit("s per min")
PER_JOB = Unit("per job")


@dataclass(frozen=True)
class Party:
    """Who or what was measured: its name in the samples, and what a reader calls it."""

    who: str
    label: str


OURS = Party("ours", "ours")
PEER = Party("peer", "peer")
BARE = Party("bare", "bare loop")
ELSEWHERE = Party("elsewhere", "Procrastinate")
ALONE = Party("alone", "without the slow job")
EMPTY = Party("empty", "empty table")
UNDISTURBED = Party("empty", "without it")
FIRST = Party("first", "first tenth")
LAST = Party("last", "last tenth")
OURS_SMALL = Party("ours small", "ours with 1,000")
PEER_SMALL = Party("peer small", "peer with 1,000")


@dataclass(frozen=True)
class Bar:
    """What a figure is to reach: the median, or as said, the ratio or the difference to another.

    :param sign: a key of :data:`COMPARE`
    :param target: the bar itself
    :param floor: what is still accepted
    :param of: whose figures ours are divided by
    :param over: whose figures are taken from ours
    """

    sign: str
    target: float | Fraction
    floor: float | Fraction | None = None
    of: Party | None = None
    over: Party | None = None

    def text(self, unit: Unit) -> str:
        """Return the bar for a reader."""
        floor = "" if self.floor is None else f" (floor {self._show(self.floor, unit)})"
        if self.of:
            times = "" if self.target == 1 else f"{self._show(self.target, unit)} {TIMES} "
            return f"{self.sign} {times}{self.of.label}{floor}"
        over = f" more than {self.over.label}" if self.over else ""
        return f"{self.sign} {self._show(self.target, unit)}{over}{floor}"

    def _show(self, value: float | Fraction, unit: Unit) -> str:
        if not self.of:
            return unit.show(value)
        return str(value) if isinstance(value, Fraction) else number(value)

    def figure(self, who: str, figures: Figures) -> float | None:
        """Return what is held against the bar, unless it was not measured."""
        if self.of:
            return ratio(figures, who, self.of.who)
        if self.over:
            return growth(figures, who, self.over.who)
        return statistics.median(figures[who]) if who in figures else None

    def verdict(self, who: str, figures: Figures) -> Verdict:
        """Tell whether the bar is reached."""
        figure = self.figure(who, figures)
        if figure is None:
            return Verdict.NOT_MEASURED
        reaches = COMPARE[self.sign]
        if reaches(figure, self.target):
            return Verdict.YES
        if self.floor is not None and reaches(figure, self.floor):
            return Verdict.FLOOR
        return Verdict.NO


@dataclass(frozen=True)
class Row:
    """One line of the table.

    :param key: its name in the samples
    :param title: what it is about
    :param unit: of its figures
    :param bars: all of which are to be reached; none for what is only shown
    :param others: who is compared by a ratio
    :param beside: who is shown without a ratio
    :param main: whose figures are held against the bars
    """

    key: str
    title: str
    unit: Unit
    bars: tuple[Bar, ...] = ()
    others: tuple[Party, ...] = (PEER,)
    beside: tuple[Party, ...] = ()
    main: Party = OURS

    def bar(self) -> str:
        """Return what is to be reached, for a reader."""
        return " and ".join(bar.text(self.unit) for bar in self.bars) or "bounded"

    def verdict(self, figures: Figures) -> Verdict:
        """Tell whether all bars are reached: the worst of the verdicts."""
        if not figures:
            return Verdict.NOT_MEASURED
        verdicts = {bar.verdict(self.main.who, figures) for bar in self.bars}
        return next((verdict for verdict in Verdict if verdict in verdicts), Verdict.SHOWN)

    def cells(self, figures: Figures) -> list[str]:
        """Return the texts of the line, in the order of :data:`HEADERS`."""
        others = [self._figures(party, figures) for party in (*self.others, *self.beside)]
        return [
            self.title,
            self.bar(),
            _lines([self._figures(self.main, figures)]),
            _lines(others),
            _lines([*self._ratios(figures), *self._growths(figures)]),
            self.verdict(figures).value,
        ]

    def _figures(self, party: Party, figures: Figures) -> str:
        values = figures.get(party.who)
        return _labelled(party, summary(values, self.unit)) if values else ""

    def _ratios(self, figures: Figures) -> list[str]:
        found = [(party, ratio(figures, self.main.who, party.who)) for party in self.others]
        return [_labelled(party, number(value)) for party, value in found if value is not None]

    def _growths(self, figures: Figures) -> list[str]:
        found = [bar.figure(self.main.who, figures) for bar in self.bars if bar.over]
        return [f"difference: {self.unit.show(value)}" for value in found if value is not None]


ROWS = (
    Row(
        "noop",
        "Jobs that do nothing",
        RATE,
        (Bar("≥", 10, of=PEER), Bar("≥", 0.60, of=BARE)),
        (PEER, BARE, ELSEWHERE),
    ),
    Row(
        "write",
        "Jobs that write one value",
        RATE,
        (Bar("≥", 8, floor=6, of=PEER),),
        (PEER, BARE),
    ),
    Row(
        "naps",
        f"Jobs of 50 ms, four at a time, of which {NAPS_LIMIT} a second are possible",
        RATE,
        (Bar("≥", 0.95 * NAPS_LIMIT),),
    ),
    Row(
        "latency_median",
        "From commit to start on an idle server, median",
        MILLISECONDS,
        (Bar("≤", Fraction(1, 3), floor=Fraction(1, 2), of=PEER),),
    ),
    Row(
        "latency_99",
        "From commit to start on an idle server, 99 of 100",
        MILLISECONDS,
        (Bar("≤", Fraction(1, 2), of=PEER),),
    ),
    Row(
        "mixed",
        "Jobs that do nothing, beside one of the same function that lasts 5 s",
        RATE,
        (Bar("≥", 0.95, of=ALONE),),
        (PEER, ALONE),
    ),
    Row(
        "urgent_median",
        "From commit to start of an urgent job on a busy server, median",
        MILLISECONDS,
        (Bar("≤", 1, of=PEER),),
    ),
    Row(
        "urgent_worst",
        "From commit to start of an urgent job on a busy server, worst",
        MILLISECONDS,
        (Bar("≤", 1, of=PEER),),
    ),
    Row(
        "store",
        "Jobs delayed one by one in a transaction",
        RATE,
        (Bar("≥", 5, of=PEER),),
        (PEER, ELSEWHERE),
    ),
    Row(
        "bulk",
        "Jobs stored the quickest way",
        RATE,
        (Bar("≥", 40, of=PEER), Bar("≥", 20_000)),
        (PEER, ELSEWHERE),
    ),
    Row(
        "sessions",
        "32 sessions that each delay a job and commit",
        COMMITS,
        (Bar("≥", 2, of=PEER),),
    ),
    Row(
        "first_dispatch",
        "Until the first job starts with a million waiting",
        SECONDS,
        (Bar("≤", 1),),
    ),
    Row(
        "runner_memory",
        "Memory of the jobrunner with a million waiting",
        MEGABYTES,
        (Bar("≤", 20 * MEGABYTE, over=OURS_SMALL),),
        beside=(OURS_SMALL, PEER_SMALL),
    ),
    Row(
        "full_table",
        "Jobs that do nothing, with a million waiting and a million done",
        RATE,
        (Bar("≥", 0.90, of=EMPTY),),
        (PEER, EMPTY),
    ),
    Row(
        "soak",
        "The last tenth of 300,000 jobs that do nothing",
        RATE,
        (Bar("≥", 0.90, of=FIRST),),
        (FIRST,),
        main=LAST,
    ),
    Row("soak_dead_rows", "Most dead rows seen meanwhile", ROWS_OF_A_TABLE),
    Row("soak_size", "Size of the table afterwards, to one freshly packed", TIMES_AS_LARGE),
    Row(
        "snapshot",
        "Jobs that do nothing, under a foreign open transaction",
        RATE,
        (Bar("≥", 0.50, of=UNDISTURBED),),
        (PEER, UNDISTURBED),
    ),
    Row("idle_statements", "Statements while nothing happens", PER_MINUTE, (Bar("<", 2),)),
    Row(
        "idle_cpu",
        "Processor time while nothing happens",
        SECONDS_PER_MINUTE,
        (Bar("<", 0.05),),
    ),
    Row("statements", "Statements for a job that does nothing", PER_JOB, (Bar("≤", 5),)),
    Row("commits", "Commits for a job that does nothing", PER_JOB, (Bar("≤", 2),)),
)


# Figures


def ratio(figures: Figures, one: str, other: str) -> float | None:
    """Return the median of the ratios round by round, unless there is none."""
    if one not in figures or other not in figures or 0 in figures[other]:
        return None
    return paired_ratio(figures[one], figures[other])


def growth(figures: Figures, one: str, other: str) -> float | None:
    """Return the median of the differences round by round, unless there is none."""
    if one not in figures or other not in figures:
        return None
    pairs = zip(figures[one], figures[other], strict=False)
    return statistics.median(a - b for a, b in pairs)


def number(value: float) -> str:
    """Return a number for people: three digits that tell something, thousands set apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def summary(values: Sequence[float], unit: Unit) -> str:
    """Return the median, and in brackets the least and the greatest when they are others."""
    median = unit.show(statistics.median(values))
    if len(values) == 1:
        return median
    return f"{median} ({unit.number(min(values))} to {unit.number(max(values))})"


# The document


def document(content: Mapping[str, Any]) -> str:
    """Return the results as RST.

    :param content: of the file that a campaign writes
    """
    parts = [
        f"{'=' * len(TITLE)}\n{TITLE}\n{'=' * len(TITLE)}",
        _heading("How it was measured"),
        EXPLANATION,
        *_facts(content["facts"]),
        _heading("What was measured"),
        _table(content["samples"]),
    ]
    return "\n\n".join(parts) + "\n"


def _heading(text: str) -> str:
    return f"{text}\n{'=' * len(text)}"


def _facts(facts: Mapping[str, Any]) -> list[str]:
    """Return the facts as a list of fields, and the command as it was typed."""
    fields = [
        f":{_escaped(name).replace(':', '')}: {_escaped(_plain(value))}"
        for name, value in facts.items()
        if name != "command"
    ]
    command = [f"The command::\n\n    {_plain(facts['command'])}"] if "command" in facts else []
    return [*(["\n".join(fields)] if fields else []), *command]


def _plain(value: Any) -> str:
    """Return a fact in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return " ".join(str(value).split())


def _escaped(text: str) -> str:
    """Return a text in which nothing is taken for markup."""
    escaped = "".join(f"\\{letter}" if letter in "\\*`_|" else letter for letter in text)
    # What begins like an item of a list would become one.
    plain = not escaped or escaped[0].isalnum() or escaped[0] == "\\"
    return escaped if plain else f"\\{escaped}"


def _table(samples: Samples) -> str:
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {WIDTHS}", ""]
    lines += _table_row(HEADERS)
    for row in ROWS:
        figures = {who: values for who, values in samples.get(row.key, {}).items() if values}
        lines += _table_row(row.cells(figures))
    return "\n".join(lines)


def _table_row(cells: Sequence[str]) -> list[str]:
    """Return the lines of a row; a cell may have more than one."""
    lines = [f"     - {cell}".replace("\n", "\n       ").rstrip() for cell in cells]
    lines[0] = lines[0].replace("  -", "* -", 1)
    return lines


def _lines(texts: Sequence[str]) -> str:
    """Return a cell in which each text has a line of its own."""
    present = [text for text in texts if text]
    return "\n".join(f"| {text}" for text in present)


def _labelled(party: Party, text: str) -> str:
    """Say whose figure it is, where the head of the column does not."""
    return text if party in (OURS, PEER) else f"{party.label}: {text}"


def write(path: Path) -> Path:
    """Write the document beside the results; return its file."""
    result = path.with_suffix(".rst")
    result.write_text(document(json.loads(path.read_text())))
    return result
