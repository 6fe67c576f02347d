"""``with_delay``, ``delayable``, ``chain`` and ``group``: the community addon's way to write jobs.

A node of a graph is one call (:class:`Delayable`), several in a row (:class:`DelayableChain`) or
several beside each other (:class:`DelayableGroup`). Nodes know the calls that come after them; what
is reachable from a node is its graph, which :meth:`Node.delay` stores.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from odoo import api, models

from .core.graph import Graph
from .decorator import OPTIONS
from .direct import must_run_without_delay
from .job import Job
from .store import store_jobs

_logger = logging.getLogger(__name__)


def chain(*delayables: Node) -> DelayableChain:
    """Return a node that runs the given ones in a row."""
    return DelayableChain(*delayables)


def group(*delayables: Node) -> DelayableGroup:
    """Return a node that runs the given ones beside each other."""
    return DelayableGroup(*delayables)


def calls_after(first: Iterable[Delayable]) -> list[Delayable]:
    """Return these calls and all that come after them, each once."""
    found = dict.fromkeys(first)
    ahead = list(found)
    for call in ahead:  # Grows while it is walked through.
        new = [child for child in call._children if child not in found]
        found.update(dict.fromkeys(new))
        ahead.extend(new)
    return ahead


class Node:
    """Calls that can be delayed together, and the calls that come after them."""

    def _head(self) -> list[Delayable]:
        """Return the calls that come first."""
        raise NotImplementedError

    def _tail(self) -> list[Delayable]:
        """Return the calls that come last."""
        raise NotImplementedError

    def on_done(self, *delayables: Node) -> Any:
        """Let others run when this one is done; return this one."""
        for last in self._tail():
            for following in delayables:
                last._children.update(dict.fromkeys(following._head()))
        return self

    def delay(self) -> None:
        """Store the jobs of this node, and of all that comes after it.

        :raises CycleError: when a job would wait for itself
        """
        self._graph.delay()

    @property
    def _graph(self) -> DelayableGraph:
        """The calls of this node and after it, with their order."""
        graph = DelayableGraph()
        for call in calls_after(self._head()):
            graph.add_vertex(call)
            for child in call._children:
                graph.add_edge(call, child)
        return graph


class Delayable(Node):
    """One call of a method of records, to be delayed.

    :param recordset: the records
    :param priority: lower first
    :param eta: not before: seconds, timedelta or datetime
    :param max_retries: tries allowed; 0 is no limit
    :param description: for the screen
    :param channel: full name
    :param identity_key: text, or a function of the job that returns it
    :param timeout: seconds that it may take
    :param on_parent_stop: ``cancel`` or ``wait``, when a job that it waits for is stopped
    """

    _properties = OPTIONS

    def __init__(
        self,
        recordset: models.BaseModel,
        priority: int | None = None,
        eta: Any = None,
        max_retries: int | None = None,
        description: str | None = None,
        channel: str | None = None,
        identity_key: Any = None,
        timeout: float | None = None,
        on_parent_stop: str | None = None,
    ) -> None:
        self.recordset = recordset
        self.priority = priority
        self.eta = eta
        self.max_retries = max_retries
        self.description = description
        self.channel = channel
        self.identity_key = identity_key
        self.timeout = timeout
        self.on_parent_stop = on_parent_stop
        self._children: dict[Delayable, None] = {}
        self._job_method: Any = None
        self._job_args: tuple = ()
        self._job_kwargs: dict = {}
        self._generated_job: Any = None

    def __getattr__(self, name: str) -> Callable:
        if name.startswith("__") or "recordset" not in self.__dict__:
            raise AttributeError(name)
        if name in self.recordset._fields:
            raise AttributeError(f"only methods can be delayed, {name!r} is a field")
        return self._choose(getattr(self.recordset, name))

    def __repr__(self) -> str:
        name = getattr(self._job_method, "__name__", "")
        return f"Delayable({self.recordset}.{name}(*{self._job_args}, **{self._job_kwargs}))"

    def __del__(self) -> None:
        if self.__dict__.get("_job_method") and self._generated_job is None:
            _logger.warning("Delayable %s was prepared but never delayed", self)

    def set(self, *args: dict, **kwargs: Any) -> Delayable:
        """Change options; return this one.

        :param args: the options as a dict, instead of keyword arguments
        :raises ValueError: for what is no option
        """
        for name, value in {**(args[0] if args else {}), **kwargs}.items():
            if name not in self._properties:
                raise ValueError(f"No property {name}")
            setattr(self, name, value)
        return self

    def split(self, size: int, chain: bool = False) -> Node:
        """Return a node with one call per so many of the records.

        :param size: records per call
        :param chain: in a row instead of beside each other
        :raises ValueError: when the method was not chosen yet, or the size is below 1
        """
        if not self._job_method:
            raise ValueError("choose the method before splitting its records")
        if size < 1:
            raise ValueError(f"cannot split into calls of {size} records")
        ids = self.recordset._ids
        slices = [ids[start : start + size] for start in range(0, len(ids), size)]
        total = len(slices)
        calls = [self._part(part, number, total) for number, part in enumerate(slices, 1)]
        # This one was a plan; its parts are what is delayed.
        self._generated_job = False
        return DelayableChain(*calls) if chain else DelayableGroup(*calls)

    def _part(self, ids: tuple, number: int, total: int) -> Delayable:
        options = {name: getattr(self, name) for name in self._properties}
        part = Delayable(self.recordset.browse(ids), **options)
        part._choose(getattr(part.recordset, self._job_method.__name__))(
            *self._job_args, **self._job_kwargs
        )
        description = self.description or part._build_job().description
        return part.set(description=f"{description} (split {number}/{total})")

    def _choose(self, method: Any) -> Callable:
        """Return what takes the arguments of the call."""
        if not callable(method):
            raise AttributeError(f"only methods can be delayed, {method!r} is not callable")

        def take(*args: Any, **kwargs: Any) -> Delayable:
            self._job_method, self._job_args, self._job_kwargs = method, args, kwargs
            return self

        return take

    def delay(self) -> None:
        """Store the jobs of this call, and of all that comes after it.

        :raises CycleError: when a job would wait for itself
        """
        if self._children or must_run_without_delay(self.recordset.env):
            super().delay()
            return
        # Most calls are alone, and need no graph.
        self._generated_job = False
        job = self._build_job()
        self._generated_job = store_jobs(self.recordset.env, [job])[job]

    def _head(self) -> list[Delayable]:
        return [self]

    def _tail(self) -> list[Delayable]:
        return [self]

    def _build_job(self) -> Any:
        """Return a new job for the call.

        :raises ValueError: when no method was chosen
        """
        if not self._job_method:
            raise ValueError(f"{self}: the method to be delayed was not chosen")
        options = {name: getattr(self, name) for name in self._properties}
        return Job(
            self._job_method,
            args=self._job_args,
            kwargs=self._job_kwargs,
            env=self.recordset.env,
            **options,
        )


class DelayableChain(Node):
    """Calls in a row.

    :param delayables: nodes, the first one first
    """

    def __init__(self, *delayables: Node) -> None:
        self._delayables = list(delayables)
        for node, following in zip(self._delayables, self._delayables[1:], strict=False):
            node.on_done(following)

    def _head(self) -> list[Delayable]:
        return self._delayables[0]._head() if self._delayables else []

    def _tail(self) -> list[Delayable]:
        return self._delayables[-1]._tail() if self._delayables else []

    def __repr__(self) -> str:
        return f"DelayableChain({self._delayables})"


class DelayableGroup(Node):
    """Calls beside each other.

    :param delayables: nodes
    """

    def __init__(self, *delayables: Node) -> None:
        self._delayables = list(delayables)

    def _head(self) -> list[Delayable]:
        return [call for node in self._delayables for call in node._head()]

    def _tail(self) -> list[Delayable]:
        return [call for node in self._delayables for call in node._tail()]

    def __repr__(self) -> str:
        return f"DelayableGroup({self._delayables})"


class DelayableGraph(Graph[Delayable]):
    """Calls, and which waits for which."""

    def delay(self) -> None:
        """Store the jobs of the calls, or run them at once where that is asked for.

        :raises CycleError: when a job would wait for itself
        """
        for call in self.vertices():
            # Whatever comes of it, it was asked to be delayed.
            call._generated_job = False
        calls = list(self.topological_sort())
        if not calls:
            return
        if self._has_to_execute_directly(calls):
            self._execute_graph_direct(calls)
            return
        for call in calls:
            call._generated_job = call._build_job()
        edges = [(parent._generated_job, child._generated_job) for parent, child in self.edges()]
        stored = store_jobs(calls[0].recordset.env, [c._generated_job for c in calls], edges)
        for call in calls:
            call._generated_job = stored[call._generated_job]

    def _has_to_execute_directly(self, calls: Iterable[Delayable]) -> bool:
        """Tell whether any of the calls must not be delayed; then none is."""
        envs = {call.recordset.env for call in calls}
        return any(must_run_without_delay(env) for env in envs)

    def _execute_graph_direct(self, calls: Iterable[Delayable]) -> None:
        """Run the calls one after the other, in the caller's transaction."""
        for call in calls:
            call._generated_job = call._build_job()
            call._generated_job.perform()

    @staticmethod
    def _ensure_same_graph_uuid(jobs: Iterable[Job]) -> str | None:
        """Return the uuid of the graph that the jobs are of, a new one if they are of none.

        :raises ValueError: when there is no job, a single one with a graph, or several graphs
        """
        jobs = list(jobs)
        known = {job.graph_uuid for job in jobs if job.graph_uuid}
        if not jobs:
            raise ValueError("Expecting jobs")
        if len(jobs) == 1:
            if known:
                raise ValueError(f"Job {jobs[0]} is a single job, it should not have a graph uuid")
            return None
        if len(known) > 1:
            raise ValueError(f"Jobs cannot have dependencies between several graphs: {known}")
        uuid = known.pop() if known else jobs[0].uuid
        for job in jobs:
            job.graph_uuid = uuid
        return uuid


class DelayableRecordset:
    """Records whose method calls become jobs at once.

    :param recordset: the records
    :param options: options of the queue by their place, see :class:`Delayable`
    :param named: options of the queue by their name
    """

    __slots__ = ("delayable",)

    def __init__(self, recordset: models.BaseModel, *options: Any, **named: Any) -> None:
        self.delayable = Delayable(recordset, *options, **named)

    @property
    def recordset(self) -> models.BaseModel:
        """The records."""
        return self.delayable.recordset

    def __getattr__(self, name: str) -> Callable:
        choose = getattr(self.delayable, name)

        def delay(*args: Any, **kwargs: Any) -> Any:
            call = choose(*args, **kwargs)
            call.delay()
            return call._generated_job

        return delay

    def __repr__(self) -> str:
        return f"DelayableRecordset({self.recordset})"


def delay_call(env: api.Environment, func: Any, args: tuple, kwargs: dict, options: dict) -> Job:
    """Delay one call, however it was written; return its job.

    :param func: bound method of records, or a module-level job function
    :param options: options of the queue, see :class:`Delayable`
    """
    records = getattr(func, "__self__", None)
    call = Delayable(env["base"] if records is None else records, **options)
    call._choose(func)(*args, **kwargs).delay()
    return call._generated_job
