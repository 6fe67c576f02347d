"""``@job``: what makes a model method or a function one that can be delayed.

Works on both::

    @job(default_channel="root.export", retry_pattern={1: 10, 5: 60})
    def export_order(session, order_id): ...


    class SaleOrder(models.Model):
        _inherit = "sale.order"

        @job(backoff=Backoff(first=10, most=3600))
        def export(self): ...

A plain call runs at once, as it did without the decorator.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import partial, update_wrapper
from typing import Any

from .core.backoff import Backoff, RetryPatternError, check_policy
from .core.channels import ROOT, full_name
from .core.memory import check_memory
from .core.retry import check_retry_on
from .core.stop import check_timeout
from .session import ConnectorSession, as_env

LATER_OPTIONS = ("timeout", "on_parent_stop")
"""Options that came after the community's: a job with a parameter of that name goes on getting it,
and who does not give one is not shown any."""

OPTIONS = (
    *("priority", "eta", "max_retries", "description", "channel", "identity_key"),
    *LATER_OPTIONS,
)
"""Keyword arguments of ``delay`` that are for the queue; all others are for the job."""


class JobRegistry(Set):
    """The module-level job functions: a set of them, each found by its name as well.

    :param functions: what is in it from the beginning
    """

    def __init__(self, functions: Iterable[JobFunction] = ()) -> None:
        self._by_name: dict[str, JobFunction] = {}
        for function in functions:
            self.add(function)

    def add(self, function: JobFunction) -> None:
        """Add a function; one of the same name gives way."""
        self._by_name[function.job_function_name] = function

    def get(self, name: str) -> JobFunction | None:
        """Return the function with a name, ``module.function``, or ``None``."""
        return self._by_name.get(name)

    def __getitem__(self, name: str) -> JobFunction:
        return self._by_name[name]

    def __contains__(self, function: object) -> bool:
        return function in self._by_name.values()

    def __iter__(self) -> Iterator[JobFunction]:
        return iter(list(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)


JOB_REGISTRY = JobRegistry()
"""The only functions that a stored job can call."""

JOB_METHODS: set[str] = set()
"""Names of the methods that are declared as jobs on any model."""


def job(
    func: Callable | None = None,
    default_channel: str = ROOT,
    retry_pattern: Mapping[int, Any] | None = None,
    identity_scope: str = "waiting",
    timeout: float | None = None,
    retry_on: tuple[type[Exception], ...] = (),
    memory: float | None = None,
    mask: Iterable[str] = (),
    backoff: Backoff | Mapping[str, float] | None = None,
) -> Any:
    """Declare a model method or a module-level function as a job.

    :param func: the method or function, when used without parentheses
    :param default_channel: full name of the channel its jobs run in, unless told otherwise
    :param retry_pattern: seconds to wait by number of the try, ``{1: 10, 5: 60, 10: 600}``; bounds
        ``(least, most)`` instead of seconds are drawn from
    :param identity_scope: how long an identity key keeps others with the same key out: ``waiting``
        for as long as the job waits, ``running`` until it has ended
    :param timeout: seconds that a job may take before it is stopped; none when not given
    :param retry_on: exceptions after which a job is tried again, as after a ``RetryableError``;
        ``JobTimeLimitError`` is that of the time limit, ``JobMemoryLimitError`` of the other
    :param memory: MB that a job may add to what its worker takes before it is stopped
    :param mask: names of arguments, and of keys in them, that no screen shows, beside those that
        say by themselves that they are secret, such as ``password`` and ``api_token``
    :param backoff: instead of a pattern, waits that grow from try to try:
        ``Backoff(first=10, factor=2, most=3600, jitter=0.2)``
    :raises ChannelError: when the channel's name cannot be understood
    :raises RetryPatternError: when the pattern or backoff cannot be understood, or both are given
    :raises TypeError: when ``retry_on`` has something that is no class of exceptions
    """
    policy = {
        "default_channel": full_name(default_channel),
        **_waits(retry_pattern, backoff),
        "identity_scope": identity_scope,
        "timeout": check_timeout(timeout),
        "retry_on": check_retry_on(retry_on),
        "memory": check_memory(memory),
        "mask": tuple(mask),
    }
    if func is None:
        return lambda func: JobFunction(func, **policy)
    return JobFunction(func, **policy)


def _waits(pattern: Any, backoff: Any) -> dict[str, Any]:
    """Return the pattern and the backoff of a declaration, of which there is one at most."""
    if pattern and backoff is not None:
        raise RetryPatternError("retry pattern: backoff says the same: give one of the two")
    policy = check_policy(pattern) if backoff is None else Backoff.read(backoff)
    if isinstance(policy, Backoff):
        return {"retry_pattern": {}, "backoff": policy}
    return {"retry_pattern": policy, "backoff": None}


def related_action(
    action: str | Callable | None = None, **kwargs: Any
) -> Callable[[Callable], Callable]:
    """Say what *Related Record* opens for jobs of a method or function.

    :param action: name of a method of ``queue.job``, or a function of session and job that returns
        an action; ``None`` for no action at all
    :param kwargs: further arguments of it
    :return: a decorator, to be written above or below ``@job``
    """

    def declare(func: Callable) -> Callable:
        func.related_action = partial(action, **kwargs) if callable(action) else action
        func.kwargs = kwargs
        return func

    return declare


def declared(owner: type, name: str) -> JobFunction | None:
    """Return the declaration of a method, if a class or one it inherits from has one."""
    for cls in owner.__mro__:
        if isinstance(cls.__dict__.get(name), JobFunction):
            return cls.__dict__[name]
    return None


class JobFunction:
    """A callable with ``delay``; on a model it binds to records as a method does.

    :param func: what was decorated
    :param default_channel: full name
    :param retry_pattern: seconds or bounds by number of the try
    :param identity_scope: how long an identity key keeps the same job out
    :param timeout: seconds that a job may take
    :param retry_on: exceptions after which a job is tried again
    :param memory: MB that a job may take
    :param mask: names of arguments that no screen shows
    :param backoff: waits that grow, instead of a pattern
    """

    POLICY = (
        *("default_channel", "retry_pattern", "identity_scope", "timeout", "retry_on", "memory"),
        *("mask", "backoff"),
    )
    """What is declared beside the callable itself."""

    def __init__(
        self,
        func: Callable,
        default_channel: str,
        retry_pattern: Mapping,
        identity_scope: str = "waiting",
        timeout: float | None = None,
        retry_on: tuple[type[Exception], ...] = (),
        memory: float | None = None,
        mask: tuple[str, ...] = (),
        backoff: Backoff | None = None,
    ) -> None:
        update_wrapper(self, func)
        self.func = func
        self.default_channel = default_channel
        self.retry_pattern = retry_pattern
        self.identity_scope = identity_scope
        self.timeout = timeout
        self.retry_on = retry_on
        self.memory = memory
        self.mask = mask
        self.backoff = backoff
        if "." not in func.__qualname__:
            JOB_REGISTRY.add(self)

    def __set_name__(self, owner: type, name: str) -> None:
        JOB_METHODS.add(name)

    def __get__(self, records: Any, owner: type | None = None) -> Any:
        return self if records is None else JobMethod(self, records)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)

    @property
    def job_function_name(self) -> str:
        """Name under which jobs of a module-level function are stored."""
        return f"{self.func.__module__}.{self.func.__name__}"

    def delay(self, session_or_env: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the function in the background.

        :param session_or_env: where the job is stored, and what it gets as its first argument
        :param args: arguments of the function
        :param kwargs: its keyword arguments, and the options of the queue: ``priority`` (lower
            first, 10), ``eta`` (seconds, timedelta or datetime), ``max_retries`` (5; 0 is no
            limit), ``description``, ``channel``, ``identity_key``; and, if the function has no
            parameter of that name, ``timeout`` (seconds that it may take) and ``on_parent_stop``
            (``"cancel"`` or ``"wait"``, when a job that it waits for is stopped)
        :return: the stored :class:`~.job.Job`
        :raises ArgumentError: naming the argument that a job cannot carry
        """
        options = take_options(kwargs, self.func)
        return as_env(session_or_env)["queue.job"]._delay(self, args, kwargs, options)

    def delay_many(self, session_or_env: Any, items: Iterable[Any], **kwargs: Any) -> list[str]:
        """Run the function in the background for each item, a job each.

        They are stored together, some twenty times faster than one after the other.

        :param session_or_env: as in :meth:`delay`
        :param items: the arguments of each call: a tuple of them, or the only one
        :param kwargs: keyword arguments of the function, and the options of :meth:`delay`; the same
            for all
        :return: the uuids of the jobs, in the order of the items
        :raises TypeError: for a method, which has records instead of items
        :raises ArgumentError: naming the argument that a job cannot carry
        """
        if self not in JOB_REGISTRY:
            raise TypeError(f"{self.__name__} is a method: delay it by delay_each on records")
        options = take_options(kwargs, self.func)
        return as_env(session_or_env)["queue.job"]._delay_many(self, items, kwargs, options)

    def run(self, env: Any, args: tuple, kwargs: dict) -> Any:
        """Call a module-level function as a job: with a session, if it declares one."""
        first = next(iter(inspect.signature(self.func).parameters), None)
        context = ConnectorSession.from_env(env) if first == "session" else env
        return self.func(context, *args, **kwargs)


class JobMethod:
    """A job declared on a model, bound to records.

    :param function: the declaration
    :param records: recordset to run on
    """

    def __init__(self, function: JobFunction, records: Any) -> None:
        self.__func__ = function
        self.__self__ = records
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__func__.func(self.__self__, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<bound job {self.__self__}.{self.__name__}>"

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, JobMethod) and self.__func__ is other.__func__
        return same and self.__self__ == other.__self__

    def __hash__(self) -> int:
        return hash((self.__func__, self.__self__))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__func__, name)

    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """Run the method on these records in the background; see :meth:`JobFunction.delay`."""
        options = take_options(kwargs, self.__func__.func)
        return self.__self__.env["queue.job"]._delay(self, args, kwargs, options)

    def delay_each(self, *args: Any, **kwargs: Any) -> list[str]:
        """Run the method on each of these records in the background, a job each.

        They are stored together, some twenty times faster than one after the other.

        :param args: arguments of the method, the same for all
        :param kwargs: its keyword arguments, and the options of :meth:`JobFunction.delay`
        :return: the uuids of the jobs, in the order of the records
        :raises ArgumentError: naming the argument that a job cannot carry
        """
        options = take_options(kwargs, self.__func__.func)
        return self.__self__.env["queue.job"]._delay_each(self, args, kwargs, options)


def take_options(kwargs: dict, func: Callable) -> dict:
    """Remove the options of the queue from the keyword arguments of a call and return them.

    :param kwargs: of ``delay``
    :param func: what will be called
    """
    own = inspect.signature(func).parameters if any(map(kwargs.__contains__, LATER_OPTIONS)) else ()
    names = (
        name for name in OPTIONS if name in kwargs and not (name in LATER_OPTIONS and name in own)
    )
    return {name: kwargs.pop(name) for name in list(names)}


def redeclare(model_class: type, name: str) -> None:
    """Make a method a job again that another addon has overridden without the decorator.

    :param model_class: class of the model in a registry
    :param name: name of the method
    """
    declaration = declared(model_class, name)
    if declaration is None or isinstance(inspect.getattr_static(model_class, name), JobFunction):
        return

    def call(self, *args, **kwargs):
        return getattr(super(model_class, self), name)(*args, **kwargs)

    update_wrapper(call, inspect.getattr_static(model_class, name))
    policy = {part: getattr(declaration, part) for part in JobFunction.POLICY}
    again = JobFunction(call, **policy)
    for attribute in ("related_action", "kwargs"):
        if hasattr(declaration, attribute):
            setattr(again, attribute, getattr(declaration, attribute))
    setattr(model_class, name, again)
