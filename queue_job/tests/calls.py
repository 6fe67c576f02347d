"""Calls that were delayed, as tests compare them and read them in messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

PROPERTIES = ("priority", "max_retries", "eta", "description", "channel", "identity_key")
"""Options of the queue, in the order in which messages name them."""


def is_same_method(one: Any, other: Any) -> bool:
    """Tell whether two bound methods, or two job functions, stand for the same call.

    Methods are the same when they have the same name and are bound to the same records, in
    whatever environment; a method that was replaced by a mock in between is still the same.
    """
    records = getattr(one, "__self__", None)
    others = getattr(other, "__self__", None)
    if records is None or others is None:
        return one is other
    return bool(records == others) and one.__name__ == other.__name__


class JobCall(NamedTuple):
    """A call as it was delayed, before the queue made anything of it.

    :param method: bound method of records, or a module-level job function
    :param args: its positional arguments
    :param kwargs: its keyword arguments
    :param properties: the options of the queue, each as it was given
    """

    method: Callable
    args: tuple
    kwargs: dict
    properties: dict

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JobCall):
            return NotImplemented
        return is_same_method(self.method, other.method) and self[1:] == other[1:]

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        values = [repr(value) for value in self.args]
        values += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        options = ", ".join(f"{name}={value}" for name, value in self.properties.items())
        return f"{self._target()}({', '.join(values)}) with properties ({options})"

    def _target(self) -> str:
        records = getattr(self.method, "__self__", None)
        owner = self.method.__module__ if records is None else f"<{records}>"
        return f"{owner}.{self.method.__name__}"

    def only(self, names: Iterable[str]) -> JobCall:
        """Return the call with no other properties than these."""
        kept = {name: value for name, value in self.properties.items() if name in names}
        return self._replace(properties=kept)

    def told(self, names: Iterable[str] = ()) -> JobCall:
        """Return the call with the properties that were given, and with these in any case."""
        given = {name for name, value in self.properties.items() if value is not None}
        return self.only(given.union(names))


def listed(calls: Iterable[JobCall], names: Iterable[str] = ()) -> str:
    """Return calls as text, one per line.

    :param calls: the calls
    :param names: properties to be named although they were not given
    """
    lines = [f" * {call.told(names)!r}" for call in calls]
    return "\n".join(lines) or " (none)"
