"""Identity keys."""

import datetime as dt
import hashlib
import subprocess
import sys
from functools import partial

from lxml import etree

from odoo.addons.queue_job import identity_exact
from odoo.addons.queue_job.job import Job, identity_exact_hasher

from .common import NamesCase


class TestIdentity(NamesCase):
    def key(self, *args, records=None, **kwargs):
        records = self.record if records is None else records
        return identity_exact(Job(records.do, args=args, kwargs=kwargs))

    def test_the_same_call_has_the_same_key(self):
        self.assertEqual(self.key(1, two=2), self.key(1, two=2))
        self.assertEqual(len(self.key()), 40)

    def test_other_calls_have_other_keys(self):
        other = self.record.copy()
        keys = [
            self.key(1),
            self.key(2),
            self.key("1"),
            self.key((1,)),
            self.key([1]),
            self.key(two=1),
            self.key(1, records=other),
            self.key(1, records=self.record + other),
            identity_exact(Job(self.record.undocumented, args=(1,))),
        ]
        self.assertEqual(len(set(keys)), len(keys))

    def test_for_plain_arguments_it_is_the_community_s(self):
        text = (
            f"test.queue.job.namesdo[{self.record.id}]"
            "(1, 'a', [2.5, None])[('b', True), ('c', {})]"
        )
        self.assertEqual(
            self.key(1, "a", [2.5, None], c={}, b=True), hashlib.sha1(text.encode()).hexdigest()
        )

    def test_the_order_of_ids_does_not_count(self):
        both = self.record + self.record.copy()
        self.assertEqual(self.key(records=both), self.key(records=both[::-1]))

    def test_the_order_of_a_dict_or_set_does_not_count(self):
        self.assertEqual(self.key({"b": 1, "aa": 2}), self.key({"aa": 2, "b": 1}))
        self.assertEqual(self.key([{"b": {"d": 1, "c": 2}}]), self.key([{"b": {"c": 2, "d": 1}}]))
        self.assertEqual(self.key({"x", "y", "z"}), self.key({"z", "y", "x"}))
        self.assertEqual(self.key(b=1, a=2), self.key(a=2, b=1))

    def test_the_key_of_a_set_is_the_same_in_every_process(self):
        program = (
            "from odoo.addons.queue_job.identity import _text;"
            "print(_text(({'some', 'words', 'in', 'a', 'set'},)))"
        )
        texts = {
            subprocess.run(
                [sys.executable, "-c", f"import odoo;{path_of_addons()};{program}"],
                env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
                capture_output=True,
                check=True,
                text=True,
            ).stdout
            for seed in ("1", "2")
        }
        self.assertEqual(len(texts), 1)

    def test_where_an_object_lies_does_not_count(self):
        first, second = etree.fromstring("<a b='c'/>"), etree.fromstring("<a b='c'/>")
        self.assertNotEqual(repr(first), repr(second))
        self.assertEqual(self.key(first), self.key(second))
        self.assertEqual(self.key(dt.date(2030, 1, 1)), self.key(dt.date(2030, 1, 1)))

    def test_records_count_by_model_and_ids(self):
        partner = self.env["res.partner"].create({"name": "A partner"})
        for other in (partner.with_context(lang="fr_FR"), partner.with_user(self.clerk)):
            self.assertEqual(self.key(partner), self.key(other))
        self.assertNotEqual(self.key(partner), self.key(self.record))

    def test_users_and_companies_count_when_asked(self):
        other = self.env["res.company"].create({"name": "Other"})
        ours = Job(self.record.do)
        theirs = Job(self.record.with_user(self.clerk).do)
        there = Job(self.record.with_company(other).do)
        for job in (theirs, there):
            self.assertEqual(identity_exact(ours), identity_exact(job))
        self.assertNotEqual(identity_exact(ours, user=True), identity_exact(theirs, user=True))
        self.assertEqual(identity_exact(ours, company=True), identity_exact(theirs, company=True))
        self.assertNotEqual(identity_exact(ours, company=True), identity_exact(there, company=True))
        self.assertNotEqual(identity_exact(ours, user=True), identity_exact(ours, company=True))

    def test_partial_is_a_key_of_its_own(self):
        key = partial(identity_exact, user=True)
        first = self.record.with_delay(identity_key=key).do()
        self.assertEqual(self.record.with_delay(identity_key=key).do(), first)
        other = self.record.with_user(self.clerk).with_delay(identity_key=key).do()
        self.assertNotEqual(other, first)

    def test_hasher_is_for_others_to_add_to(self):
        def with_colour(job):
            hasher = identity_exact_hasher(job)
            hasher.update(b"red")
            return hasher.hexdigest()

        job = self.record.with_delay(identity_key=with_colour).do()
        self.assertEqual(job.identity_key, with_colour(Job(self.record.do)))
        self.assertNotEqual(job.identity_key, identity_exact(job))


def path_of_addons():
    """Return a statement that lets another process find the addons of this one."""
    from odoo import addons

    return f"import odoo.addons;odoo.addons.__path__[:] = {list(addons.__path__)!r}"
