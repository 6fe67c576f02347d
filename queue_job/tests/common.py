"""Helpers for the tests of addons that delay jobs, all under one name.

* :func:`trap_jobs` keeps jobs out of the database, tells what was delayed, and runs it when asked;
* :class:`JobMixin` and :class:`JobCounter` look at jobs that were stored;
* :func:`retry_plan` tells when a job comes back;
* :func:`load_doctests` lets Odoo run the doctests of a module.
"""

from .calls import JobCall
from .doctests import OdooDocTestCase, load_doctests
from .mocked import mock_with_delay
from .retry_plan import retry_plan
from .stored import JobCounter, JobMixin
from .trap import JobsTrap, trap_jobs

__all__ = [
    "JobCall",
    "JobCounter",
    "JobMixin",
    "JobsTrap",
    "OdooDocTestCase",
    "load_doctests",
    "mock_with_delay",
    "retry_plan",
    "trap_jobs",
]
