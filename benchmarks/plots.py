"""The results as pictures. Run by an interpreter with matplotlib: ``plots.py RESULTS.json``.

It needs nothing else of this checkout. The same results make the same files, byte for byte.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl  # type: ignore[import-not-found]
from matplotlib.figure import Figure  # type: ignore[import-not-found]
from matplotlib.patches import Patch  # type: ignore[import-not-found]
from matplotlib.ticker import LogLocator, NullLocator  # type: ignore[import-not-found]

NAMES = {
    "ours": "this queue_job",
    "peer": "community queue_job",
    "bare": "bare loop",
    "elsewhere": "Procrastinate",
}
"""In the order in which they are drawn."""

COLOURS = {"ours": "#0072b2", "peer": "#767676", "bare": "#c4c4c4", "elsewhere": "#d9b382"}
"""One strong colour; the others differ in lightness as well, for those who see no hues."""

INK = "#333333"
FAINT = "#e4e4e4"

THROUGHPUT = {
    "noop": "do nothing",
    "write": "write one value",
    "store": "store one by one",
    "bulk": "store in bulk",
}
BACKLOG = {
    "first_dispatch": ("Until the first job starts", "s", 1.0),
    "runner_memory": ("Memory of the jobrunner", "MB", 1e-6),
}
"""Title, unit, and number shown for a figure of 1."""

DISTRIBUTIONS = {"latency": "idle server", "urgent": "urgent job, busy server"}

WIDTH = 8.0
"""Inches, as wide as a page shows them."""

BAR = 0.8
"""Height of a bar, in parts of its place."""

WINDOWS = 60
"""Points of a rate over time: enough to see it sink, few enough to hide single looks."""

DIVISIONS = (1, 2, 5)
"""Of a power of ten, at which times are written: they spread over few powers."""

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "queue_job",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}

Figures = Mapping[str, Sequence[float]]


def throughput(content: Mapping[str, Any]) -> Figure | None:
    """Draw how many jobs a second are run and stored, as groups of bars."""
    groups = {key: _known(content["samples"].get(key, {})) for key in THROUGHPUT}
    groups = {key: group for key, group in groups.items() if group}
    if not groups:
        return None
    number = sum(len(group) + 1 for group in groups.values())
    figure = Figure(figsize=(WIDTH, 0.26 * number + 0.9), layout="constrained")
    axes = figure.add_subplot()
    top = 0.0
    middles = []
    for group in groups.values():
        _bars(axes, group, top)
        middles.append(top + (len(group) - 1) / 2)
        top += len(group) + 1
    axes.set_yticks(middles, [THROUGHPUT[key] for key in groups])
    axes.set_ylim(top - 1.4, -0.6)
    _logarithmic(axes)
    axes.set_xlim(*_decades(groups.values()))
    axes.set_xlabel("jobs per second, logarithmic; median, least and greatest")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    _legend(figure, {who for group in groups.values() for who in group})
    return figure


def _bars(axes: Any, group: Figures, top: float) -> None:
    """Draw the bars of a group, one below the other."""
    for place, (who, values) in enumerate(group.items()):
        median = statistics.median(values)
        axes.barh(top + place, median, height=BAR, color=COLOURS[who])
        if len(values) > 1:
            ends = [[median - min(values)], [max(values) - median]]
            axes.errorbar(median, top + place, xerr=ends, color=INK, linewidth=1, capsize=2)
        axes.annotate(
            _number(median),
            (max(values), top + place),
            xytext=(5, 0),
            textcoords="offset points",
            verticalalignment="center",
        )


def _decades(groups: Any) -> tuple[float, float]:
    """Return powers of ten around all figures, with room for the text at the longest bar."""
    values = [value for group in groups for values in group.values() for value in values]
    return 10 ** math.floor(math.log10(min(values) / 2)), max(values) * 3


def latency(content: Mapping[str, Any]) -> Figure | None:
    """Draw which part of the jobs starts within a time."""
    series = content["series"]
    panels = {key: _known(series[key]) for key in DISTRIBUTIONS if _known(series.get(key, {}))}
    if not panels:
        return None
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    row = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (key, curves) in zip(row, panels.items(), strict=True):
        for who in reversed(curves):
            _distribution(axes, who, curves[who])
        axes.set_title(DISTRIBUTIONS[key])
        _logarithmic(axes, DIVISIONS)
        axes.set_xlabel("ms from commit to start, logarithmic")
        axes.set_ylim(0, 102)
        axes.set_yticks(range(0, 101, 25))
        axes.grid()
    row[0].set_ylabel("% of the jobs have started")
    _legend(figure, {who for curves in panels.values() for who in curves})
    return figure


def _distribution(axes: Any, who: str, seconds: Sequence[float]) -> None:
    """Draw a curve that rises by the same at every value."""
    times = sorted(1000 * value for value in seconds)
    parts = [100 * place / len(times) for place in range(len(times) + 1)]
    axes.step([times[0], *times], parts, where="post", color=COLOURS[who], linewidth=2)


def soak(content: Mapping[str, Any]) -> Figure | None:
    """Draw how many jobs a second are run as time goes by."""
    rates = _rates(content["series"].get("soak", []))
    if not rates:
        return None
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([time for time, _rate in rates], [rate for _time, rate in rates], COLOURS["ours"])
    axes.lines[0].set_linewidth(2)
    axes.set_ylim(0, 1.15 * max(rate for _time, rate in rates))
    axes.set_xlim(left=0)
    axes.yaxis.set_major_formatter(_tick)
    axes.set_ylabel("jobs per second")
    axes.set_xlabel("minutes")
    axes.grid(axis="y")
    return figure


def _rates(counts: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Return minutes, and the jobs per second around them."""
    step = max(1, len(counts) // WINDOWS)
    chosen = counts[::step]
    return [
        ((before + after) / 2 / 60, (done - was) / (after - before))
        for (before, was), (after, done) in pairwise(chosen)
        if after > before
    ]


def backlog(content: Mapping[str, Any]) -> Figure | None:
    """Draw what a million waiting jobs cost."""
    rows = {key: _known(content["samples"].get(key, {})) for key in BACKLOG}
    rows = {key: row for key, row in rows.items() if row}
    if not rows:
        return None
    figure = Figure(figsize=(WIDTH, 1.9), layout="constrained")
    panels = figure.subplots(1, len(rows), squeeze=False)[0]
    for axes, (key, row) in zip(panels, rows.items(), strict=True):
        title, unit, scale = BACKLOG[key]
        shown = {who: [scale * value for value in values] for who, values in row.items()}
        _bars(axes, shown, 0)
        axes.set_title(f"{title}, {unit}")
        axes.set_yticks(range(len(row)), [NAMES[who] for who in row])
        axes.set_ylim(len(row) - 0.4, -0.6)
        axes.set_xlim(0, 1.3 * max(max(values) for values in shown.values()))
        axes.xaxis.set_major_formatter(_tick)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
    figure.supxlabel("with a million jobs waiting; median, least and greatest", fontsize=10)
    return figure


# What the pictures share


def _known(figures: Figures) -> dict[str, Sequence[float]]:
    """Return whoever has a name, in the order of the names."""
    return {who: figures[who] for who in NAMES if figures.get(who)}


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _tick(value: float, _place: int | None) -> str:
    return _number(value)


def _logarithmic(axes: Any, divisions: tuple[int, ...] = (1,)) -> None:
    """Scale by powers of ten, with plain numbers at their divisions."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=divisions))
    axes.xaxis.set_major_formatter(_tick)
    axes.xaxis.set_minor_locator(NullLocator())


def _legend(figure: Figure, present: set[str]) -> None:
    """Name the colours above the picture."""
    shown = [who for who in NAMES if who in present]
    patches = [Patch(color=COLOURS[who], label=NAMES[who]) for who in shown]
    figure.legend(handles=patches, loc="outside upper left", ncols=len(shown), handlelength=1)


PICTURES = {"throughput": throughput, "latency": latency, "soak": soak, "backlog": backlog}


def draw(path: Path) -> list[Path]:
    """Draw all that there are figures for, beside the results; return the files."""
    content = json.loads(path.read_text())
    files = []
    with mpl.rc_context(STYLE):
        for name, picture in PICTURES.items():
            figure = picture(content)
            if figure is not None:
                files.append(path.with_name(f"{path.stem}-{name}.svg"))
                figure.savefig(files[-1], metadata={"Date": None})
    return files


if __name__ == "__main__":
    for file in draw(Path(sys.argv[1])):
        sys.stdout.write(f"{file}\n")
