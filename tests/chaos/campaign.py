"""Rounds of faults under load: the same ones for the same seed, and an end whatever happens."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dev.odoo import Odoo
from dev.template import Templates
from dev.terminal import say

from .faults import FAULTS, Fault, Struck
from .ledger import Account, Batch, Finding, Run, Wrong, check, count
from .load import DURING, Kind, draw
from .stage import POLL, Feeder, Impatience, Stage, wait_for

MOMENT_SECONDS = 1.2
"""A fault strikes within so many seconds after the first job has begun."""

SLOW_SECONDS = (1.0, 2.0)
"""How long a slow job lasts; the only one of an idle server lasts the longer of the two."""

FEEDING_SECONDS = 0.3
FEEDINGS = 20
"""Pause between two batches that are asked for while a fault lasts, and most of them."""

WARM_UPS = 6
"""Batches before the first round."""

LOG_TAIL = 4000
"""Characters of the server's log that are shown when something is wrong."""


@dataclass(frozen=True)
class Outcome:
    """What came of a round.

    :param jobs: that were stored
    :param findings: all that is wrong
    :param again: seconds until jobs ran again; none where nobody looked
    :param seconds: that the round took
    """

    jobs: int
    findings: Sequence[Finding]
    again: float | None
    seconds: float


@dataclass
class Result:
    """What came of all rounds of a fault.

    :param skipped: why there were none
    """

    name: str
    outcomes: list[Outcome] = field(default_factory=list)
    skipped: str = ""

    @property
    def findings(self) -> list[Finding]:
        """All that is wrong."""
        return [finding for outcome in self.outcomes for finding in outcome.findings]

    @property
    def again(self) -> list[float]:
        """Seconds until jobs ran again, of every round in which somebody looked."""
        return [outcome.again for outcome in self.outcomes if outcome.again is not None]

    @property
    def is_slow(self) -> bool:
        """Tell whether jobs ran again later than was promised."""
        bar = FAULTS[self.name].bar
        return bar is not None and max(self.again, default=0.0) > bar


@dataclass(frozen=True)
class Campaign:
    """All that the rounds have in common.

    :param odoo: the Odoo to start
    :param templates: of the cluster that databases are made from
    :param folder: for clusters and logs
    :param seed: decides about everything that is left to chance
    """

    odoo: Odoo
    templates: Templates
    folder: Path
    seed: int

    def run(self, rounds: Mapping[str, int]) -> Iterator[Result]:
        """Yield the result of each fault.

        :param rounds: by name of the fault
        """
        for name, number in rounds.items():
            reason = FAULTS[name].missing()
            if reason:
                say(f"{name}: left out, {reason}")
                yield Result(name, skipped=reason)
            else:
                yield self._run_fault(name, number)

    def _run_fault(self, name: str, rounds: int) -> Result:
        """Run the rounds of a fault; after one that found something wrong on a new stage."""
        result = Result(name)
        while len(result.outcomes) < rounds:
            with self._stage(name, len(result.outcomes)) as stage:
                _warm_up(stage)
                while len(result.outcomes) < rounds:
                    outcome = self._run_round(stage, name, len(result.outcomes), rounds)
                    result.outcomes.append(outcome)
                    if outcome.findings:
                        _show(stage, outcome)
                        break
        return result

    @contextmanager
    def _stage(self, name: str, number: int) -> Iterator[Stage]:
        fault = FAULTS[name]
        folder = self.folder / f"{name}-{number}"
        stage = fault.stage(self.odoo, self.templates, folder, fault.setting)
        try:
            with stage:
                yield stage
        finally:
            stage.remove()

    def _run_round(self, stage: Stage, name: str, number: int, rounds: int) -> Outcome:
        began = time.monotonic()
        rng = random.Random(f"{self.seed} {name} {number}")
        outcome = Round(stage, FAULTS[name], rng, f"{name}-{number}").run()
        wrong = ", ".join(f"{n} {what}" for what, n in count(outcome.findings).items() if n)
        again = "" if outcome.again is None else f", again after {outcome.again:.2f} s"
        say(
            f"{name} {number + 1}/{rounds}: {outcome.jobs} jobs, {wrong or 'nothing wrong'}{again} "
            f"({time.monotonic() - began:.1f} s)"
        )
        return outcome


@dataclass(frozen=True)
class Round:
    """One fault under load, and the account of all that was asked for.

    :param rng: all the chance there is
    :param tag: what the jobs of the round are called
    """

    stage: Stage
    fault: Fault
    rng: random.Random
    tag: str

    def run(self) -> Outcome:
        """Ask for jobs, strike, wait for everything to end, and check."""
        began = time.monotonic()
        self.stage.forget()
        try:
            batches, again = self._disturb()
            self._wait_for_the_end([batch.name for batch in batches])
        except Impatience as problem:
            # Whatever was waited for, it is stuck; the next round begins on a new stage.
            return Outcome(0, [(Wrong.STUCK, str(problem))], None, time.monotonic() - began)
        findings = check(self._account(batches))
        jobs = sum(sum(batch.jobs.values()) for batch in batches)
        return Outcome(jobs, findings, again, time.monotonic() - began)

    def _disturb(self) -> tuple[list[Batch], float | None]:
        """Strike amid the load; return what was asked for, and when jobs ran again."""
        batches = [self._ask_for_load()]
        wait_for(lambda: any(self.stage.witness.iterdir()), "a job begins")
        # The moment of the fault is left to chance; nothing is waited for.
        time.sleep(self.rng.uniform(0, MOMENT_SECONDS) if not self._is_idle else 0.1)
        feeder = Feeder(self._feed, self.tag, FEEDING_SECONDS, 0 if self._is_idle else FEEDINGS)
        with feeder:
            struck = self.fault.strike(self.stage, self.rng, self.tag)
            probe = self._probe()
            again = self._see_again(struck, probe)
        return [*batches, *feeder.batches, *probe], again

    @property
    def _is_idle(self) -> bool:
        return sum(self.fault.mix.values()) == 1

    def _ask_for_load(self) -> Batch:
        least, most = SLOW_SECONDS
        seconds = most if self._is_idle else self.rng.uniform(least, most)
        return self.stage.ask(f"{self.tag}/load", draw(self.fault.mix, self.rng), seconds)

    def _feed(self, name: str) -> Batch:
        # Its own chance: how often it is asked depends on how long the fault lasts.
        return self.stage.ask(name, draw(DURING, random.Random(f"{self.tag} {name}")))

    def _probe(self) -> list[Batch]:
        """Ask for an urgent job until that is acknowledged; return all that was asked for."""
        batches: list[Batch] = []

        def asked() -> bool:
            batches.append(self.stage.ask(f"{self.tag}/probe{len(batches)}", [Kind.PROBE]))
            return batches[-1].known

        wait_for(asked, "a job can be delayed")
        return batches

    def _see_again(self, struck: Struck, probe: list[Batch]) -> float | None:
        """Return the seconds until the job that was hit, or else the urgent one, has begun."""
        uuid = struck.hit or self._uuid_of(probe[-1])

        def begun() -> list[Run]:
            return [run for run in self.stage.runs_of(uuid) if run.began > struck.since]

        try:
            runs = wait_for(begun, f"{uuid} begins", self.fault.patience)
        except Impatience:
            # The check will find it stuck, if it is.
            return None
        return float(runs[0].began - struck.since)

    def _uuid_of(self, batch: Batch) -> str:
        query = "SELECT uuid FROM queue_job WHERE name = %s"
        return str(wait_for(lambda: self.stage.sql(query, [batch.name]), "the probe")[0][0])

    def _wait_for_the_end(self, names: list[str]) -> None:
        """Wait until every job has ended; the check finds those that have not."""
        deadline = time.monotonic() + self.fault.patience
        self.stage.insist("cancel", [names])
        while time.monotonic() < deadline:
            if self.fault.requeue:
                self.stage.insist("requeue_failed", [names, self.fault.requeue])
            try:
                wait_for(lambda: self.stage.open_jobs(self.tag) == 0, "the end", 2.0)
            except Impatience:
                continue
            if not self.fault.requeue or not self._failed_by_fault():
                return
            time.sleep(POLL)

    def _failed_by_fault(self) -> bool:
        return any(self.fault.requeue in row.error for row in self.stage.rows(self.tag))

    def _account(self, batches: Sequence[Batch]) -> Account:
        stage = self.stage
        rows = wait_for(partial(stage.rows, self.tag), "the jobs are read")
        return Account(batches, rows, stage.effects(self.tag), stage.runs(), self.fault.excuse)


def _warm_up(stage: Stage) -> None:
    """Let every worker run something: what its first request costs is no fault's doing."""
    for number in range(WARM_UPS):
        stage.ask(f"warm/{number}", draw(DURING, random.Random(number)))
    wait_for(lambda: stage.open_jobs("warm") == 0, "the server is warm")


def _show(stage: Stage, outcome: Outcome) -> None:
    """Print what was wrong, with the end of the server's log."""
    for wrong, text in outcome.findings:
        say(f"  {wrong.value}: {text}")
    say(f"--- {stage.server.log}\n{stage.server.log_text()[-LOG_TAIL:]}")
