"""Doctests as tests of Odoo, which selects tests by their tags and their sequence."""

from __future__ import annotations

import doctest
import logging
import unittest
from collections.abc import Callable
from types import ModuleType
from typing import Any

from odoo.tests.case import TestCase

_logger = logging.getLogger(__name__)

TAGS = {"standard", "at_install", "queue_job", "doctest"}


class OdooDocTestCase(doctest.DocTestCase, TestCase):
    """One doctest, made of the one that :mod:`doctest` has found.

    :param doctest: the found one, whose examples these are
    :param optionflags: what counts as a difference
    :param setUp: called before
    :param tearDown: called after
    :param checker: compares
    :param seq: place among the doctests of its module
    """

    def __init__(
        self,
        doctest: Any,
        optionflags: int = 0,
        setUp: Callable | None = None,
        tearDown: Callable | None = None,
        checker: doctest.OutputChecker | None = None,
        seq: int = 0,
    ) -> None:
        super().__init__(doctest._dt_test, optionflags, setUp, tearDown, checker)
        self.test_sequence = seq

    def setUp(self) -> None:
        """Name the doctest in the log: the name of its method is the same for all."""
        super().setUp()
        _logger.info("Running tests for %s", self._dt_test.name)


def load_doctests(module: ModuleType) -> Callable:
    """Return a ``load_tests`` that adds the doctests of a module to those of a test module::

        load_tests = load_doctests(my_module)

    :param module: where the doctests are
    :return: what the loader of :mod:`unittest` calls by this name
    """

    def load_tests(
        _loader: unittest.TestLoader, tests: unittest.TestSuite, _pattern: str | None
    ) -> unittest.TestSuite:
        for number, found in enumerate(doctest.DocTestSuite(module)):
            test = OdooDocTestCase(found, seq=number)
            test.test_tags = set(TAGS)
            tests.addTest(test)
        return tests

    return load_tests
