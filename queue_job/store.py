"""Storing jobs and graphs of jobs, with a number of statements that does not depend on theirs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from odoo import api

from .job import DONE, PENDING, WAIT_DEPENDENCIES, Job
from .storage import dependency, enqueue

if TYPE_CHECKING:
    Edges = Sequence[tuple[Job, Job]]


def store_jobs(
    env: api.Environment, jobs: Sequence[Job], edges: Edges = (), *, apart: bool = False
) -> dict[Job, Job]:
    """Store jobs, in the caller's transaction.

    A job whose identity key waits already is not stored: the one that waits takes its place, among
    the edges as well. When that is so for every job of a graph that has a key, none is
    stored.

    :param jobs: new jobs
    :param edges: parent and child, the child waiting for the parent
    :param apart: the jobs are no graph, and each is stored or not by itself
    :return: by each job, the one that is stored
    """
    places = _waiting(env, jobs)
    keyed = [job for job in jobs if job.identity_key]
    if not apart and keyed and all(job in places for job in keyed):
        return {job: places.get(job, job) for job in jobs}
    new = [job for job in jobs if job not in places]
    links = [(places.get(parent, parent), child) for parent, child in edges if child not in places]
    _prepare(new, links)
    numbers = env["queue.job"]._insert(new)
    if links:
        _link(env, numbers, links)
    return {job: places.get(job, job) for job in jobs}


def _waiting(env: api.Environment, jobs: Sequence[Job]) -> dict[Job, Job]:
    """Return, by each job whose identity is taken, the job that has it."""
    first: dict[str, Job] = {}
    for job in jobs:
        if job.identity_key:
            first.setdefault(job.identity_key, job)
    if not first:
        return {}
    # What was cancelled or done in this transaction is not in the way of a new job.
    env["queue.job"].flush_model(["state", "identity_key", "identity_claim"])
    found = enqueue.find_identities(env.cr, first)
    loaded = {job.uuid: job for job in Job.load_many(env, found.values())} if found else {}
    first.update((key, loaded[number]) for key, number in found.items())
    keyed = (job for job in jobs if job.identity_key)
    return {job: first[job.identity_key] for job in keyed if first[job.identity_key] is not job}


def _prepare(jobs: Sequence[Job], links: Edges) -> None:
    """Give the jobs of a graph its uuid, and let those wait that have a parent to wait for."""
    graph_uuid = str(uuid.uuid4()) if links else None
    waiting = {child for parent, child in links if parent.state != DONE}
    for job in jobs:
        job.graph_uuid = job.graph_uuid or graph_uuid
        job.state = WAIT_DEPENDENCIES if job in waiting else PENDING


def _link(env: api.Environment, numbers: dict[str, int], links: Edges) -> None:
    """Store the edges; a parent that waited before the graph is looked up."""
    older = [parent.uuid for parent, _child in links if parent.uuid not in numbers]
    known = dict(numbers)
    if older:
        records = Job.db_records_from_uuids(env, older)
        known.update((record.uuid, record.id) for record in records)
    dependency.connect(
        env.cr,
        [(known[parent.uuid], known[child.uuid], parent.state != DONE) for parent, child in links],
    )
    if older:
        # It may be done before this is committed, and whoever releases its children knows of none.
        dependency.ask_for_sweep(env.cr)
