"""The path from which addons import :func:`must_run_without_delay`."""

from .direct import must_run_without_delay

__all__ = ["must_run_without_delay"]
