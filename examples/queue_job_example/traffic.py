"""What the demonstration has to do in each of its rounds, and what it did the day before.

Pure decisions: :mod:`.models.traffic` carries them out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from odoo.addons.queue_job.core.metrics import Metrics
from odoo.addons.queue_job.core.report import Outcome

DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Round:
    """How many jobs of each kind are delayed at once.

    :param statements: to be fetched, beside each other
    :param exports: to the shop, one after the other
    :param orders: to be imported from the shop
    :param mails: that are sent later
    :param graph: banks of a day that is closed when all their statements are there; 0 for none
    :param report: whether a long report begins
    :param cancelled: mails that are given up
    """

    statements: int = 0
    exports: int = 0
    orders: int = 0
    mails: int = 0
    graph: int = 0
    report: bool = False
    cancelled: int = 0


def plan_round(number: int) -> Round:
    """Return what a round does: a little each time, and more now and then.

    :param number: of the round, from 0; the first one has something of everything
    """
    return Round(
        statements=40 if number % 12 == 0 else 3,
        exports=3 if number % 8 == 0 else number % 2,
        orders=1,
        mails=6 if number == 0 else int(number % 4 == 0),
        graph=8 + number % 16 if number % 12 == 0 else 0,
        report=number % 12 == 0,
        cancelled=int(number % 20 == 0),
    )


@dataclass(frozen=True)
class Habit:
    """How a function behaved on the day before.

    :param rate: starts in a minute, when there is most to do
    :param run: median, in seconds
    :param wait: median, in seconds
    :param failed: share of its runs
    :param postponed: share of its runs
    """

    channel: str
    function: str
    rate: float
    run: float
    wait: float
    failed: float = 0.0
    postponed: float = 0.0


IMPORT = "<queue_job_example.bank_import>.import_line"

HABITS = (
    Habit("root.csv", IMPORT, 400, 0.012, 20),
    Habit("root.statement", "<queue_job_example.bank>.fetch_statement", 60, 0.8, 0.9, 0.0002),
    Habit("root.shop", "<queue_job_example.bank>.export_to_shop", 20, 0.05, 3, 0.0, 0.3),
    Habit("root.mail", "<queue_job_example.bank>.send_statement", 12, 0.2, 0.1),
    Habit("root", "<queue_job_example.day>.close", 1, 1.2, 0.5),
    Habit("root.report", "<queue_job_example.day>.report", 0.5, 40, 8),
)

SPREAD = 0.7
"""Of the logarithm of a duration."""

TROUBLE = range(100, 125)
"""Minutes ago in which things went wrong: ten times the failures, longer waits."""

IMPORT_EVERY, IMPORT_MINUTES = 180, 6
"""Minutes: from one import to the next, and how long one takes."""


def past_day(now: int) -> Metrics:
    """Return figures of the day before.

    :param now: minute since the epoch; nothing is of this minute or later
    """
    draw, metrics = Random(now // DAY_MINUTES), Metrics()
    for ago in range(DAY_MINUTES, 0, -1):
        for habit in HABITS:
            _observe_minute(metrics, draw, habit, now, ago)
    return metrics


@dataclass(frozen=True)
class Depth:
    """What waited and ran in a minute.

    :param waiting: most at a time
    :param running: most at a time
    :param oldest: seconds that the oldest one had waited
    """

    waiting: int
    running: int
    oldest: float


def past_depths(now: int) -> dict[int, Depth]:
    """Return what waited and ran in the minutes of the day before.

    :param now: minute since the epoch
    """
    draw = Random(now // DAY_MINUTES)
    return {now - ago: _depth(draw, ago) for ago in range(DAY_MINUTES, 0, -1)}


def _depth(draw: Random, ago: int) -> Depth:
    busy = 0.55 + 0.45 * math.cos(2 * math.pi * ago / DAY_MINUTES)
    waiting = int(40 * busy * draw.uniform(0.4, 1.2) * (3 if ago in TROUBLE else 1))
    return Depth(waiting, min(3, 1 + waiting // 8), 0.9 * waiting * draw.uniform(0.5, 1.0))


def _observe_minute(metrics: Metrics, draw: Random, habit: Habit, now: int, ago: int) -> None:
    expected = habit.rate * _activity(habit, ago)
    factor = 10 if ago in TROUBLE else 1
    for _number in range(int(expected * draw.uniform(0.6, 1.4) + draw.random())):
        metrics.observe(
            (now - ago, habit.channel, habit.function),
            _outcome(draw.random(), habit, factor),
            seconds=habit.run * draw.lognormvariate(0, SPREAD),
            wait=factor * habit.wait * draw.lognormvariate(0, SPREAD),
        )


def _activity(habit: Habit, ago: int) -> float:
    """Return how much of its rate a function had so many minutes ago: least half a day ago."""
    if habit.function == IMPORT:
        return float((ago + IMPORT_EVERY // 2) % IMPORT_EVERY < IMPORT_MINUTES)
    return 0.55 + 0.45 * math.cos(2 * math.pi * ago / DAY_MINUTES)


def _outcome(chance: float, habit: Habit, factor: int) -> Outcome:
    if chance < factor * habit.failed:
        return Outcome.FAILED
    if chance < factor * habit.failed + habit.postponed:
        return Outcome.POSTPONED
    return Outcome.DONE
