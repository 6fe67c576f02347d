"""Many jobs of one function at once: one per record, or one per item of a list.

They are alike: what they share is worked out and sent once, and only what differs is written for
each. Where an identity key, a hook or another addon has its say in every single job, each is built
by itself as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from . import delay, tracing
from .fields import encode, encode_records
from .job import TEXT_LIMIT, Job, new_uuids
from .storage import enqueue

if TYPE_CHECKING:
    from .decorator import JobFunction, JobMethod

BATCH = 5_000
"""Jobs per statement: more save nothing, and cost memory here and in the server."""


def delay_each(method: JobMethod, args: tuple, kwargs: dict, options: dict) -> list[str]:
    """Delay a call of a method on each of its records.

    :param method: bound to the records
    :param options: of the queue, the same for all
    :return: uuids of the jobs, in the order of the records
    """
    records = method.__self__
    encode_records(records)  # Refuses what is not saved, as a single one would.

    def call_on(record: Any) -> delay.Delayable:
        return _call(record, getattr(record, method.__name__), args, kwargs, options)

    sample = _sample(call_on(records[:1])) if records else None
    if sample is None:
        return _delay_singly(call_on(record) for record in records)
    uuids = []
    for ids in _batches(records._ids):
        uuids += _store_alike(sample, len(ids), _columns_of_records(sample, ids))
    return uuids


def delay_many(
    function: JobFunction, env: Any, items: Iterable[Any], kwargs: dict, options: dict
) -> list[str]:
    """Delay a call of a module-level function for each item.

    :param env: environment in which the jobs are stored
    :param items: the arguments of each call: a tuple of them, or the only one
    :return: uuids of the jobs, in the order of the items
    """
    calls = [item if isinstance(item, tuple) else (item,) for item in items]

    def call_with(args: tuple) -> delay.Delayable:
        return _call(env["base"], function, args, kwargs, options)

    sample = _sample(call_with(calls[0])) if calls else None
    if sample is None:
        return _delay_singly(map(call_with, calls))
    uuids = []
    for some in _batches(calls):
        uuids += _store_alike(sample, len(some), _columns_of_arguments(sample, some))
    return uuids


def _call(records: Any, function: Any, args: tuple, kwargs: dict, options: dict) -> delay.Delayable:
    call: delay.Delayable = delay.Delayable(records, **options)._choose(function)(*args, **kwargs)
    return call


def _sample(call: delay.Delayable) -> Job | None:
    """Return the job of a call, if it stands for all others; ``None`` if each is to be built."""
    call._generated_job = False  # It is looked at, and not delayed itself.
    if delay.must_run_without_delay(call.recordset.env):
        return None
    job = call._build_job()
    return job if job.is_plain else None


def _delay_singly(calls: Iterable[delay.Delayable]) -> list[str]:
    """Build every job by itself; they are stored together all the same."""
    members = list(calls)
    if not members:
        return []
    env = members[0].recordset.env
    if delay.must_run_without_delay(env):
        delay.group(*members).delay()
        return [call._generated_job.uuid for call in members]
    for call in members:
        call._generated_job = False
    jobs = [call._build_job() for call in members]
    places = delay.store_jobs(env, jobs, apart=True)
    return [places[job].uuid for job in jobs]


def _batches(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))


def _store_alike(job: Job, number: int, varied: dict[str, list[str]]) -> list[str]:
    uuids = new_uuids(number)
    varied = {**varied, "uuid": uuids}
    types = job.env["queue.job"]._column_types()
    with tracing.storing([job], number):
        shared = job._store_values(create=True)
        kept = {name: value for name, value in shared.items() if name not in varied}
        enqueue.insert_alike(job.env.cr, kept, varied, types)
    return uuids


def _columns_of_records(job: Job, ids: Sequence[int]) -> dict[str, list[str]]:
    """Return what differs between the jobs of these records."""
    stored = encode_records(job.recordset)
    stored.pop("ids")
    rest = enqueue.as_json(stored)[1:]
    model, target = job.recordset._name, f"{job.recordset}"
    call = job.func_string[len(target) :]
    return {
        "records": [f'{{"ids": [{number}], {rest}' for number in ids],
        "func_string": [f"{model}({number},){call}"[:TEXT_LIMIT] for number in ids],
    }


def _columns_of_arguments(job: Job, calls: Sequence[tuple]) -> dict[str, list[str]]:
    """Return what differs between the jobs of these arguments."""
    named = [f"{name}={value!r}" for name, value in job.kwargs.items()]
    return {
        "args": [enqueue.as_json(encode(list(args), "args")) for args in calls],
        "func_string": [
            f"{job.method_name}({', '.join([*map(repr, args), *named])})"[:TEXT_LIMIT]
            for args in calls
        ],
    }
