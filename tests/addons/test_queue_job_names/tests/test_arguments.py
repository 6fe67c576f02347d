"""What goes into a job comes out of it as it went, through the database."""

import collections
import datetime as dt
import decimal
import enum
import json
import math
import socket
import uuid

from lxml import etree

from odoo.tools import lazy

from odoo.addons.queue_job.core.codec import ArgumentError
from odoo.addons.queue_job.job import Job
from odoo.addons.test_queue_job_names.functions import Access, Direction

from .common import NamesCase


class Local(enum.Enum):
    """In a module of an addon, but looked for by its name at the time of need."""

    ONE = 1


class TestArguments(NamesCase):
    def there_and_back(self, *args, **kwargs):
        job = self.record.with_delay().do(*args, **kwargs)
        self.env.invalidate_all()
        loaded = Job.load(self.env, job.uuid)
        return loaded.kwargs if kwargs else loaded.args

    def one(self, value):
        (back,) = self.there_and_back(value)
        return back

    def test_plain_values(self):
        for value in (
            None,
            True,
            0,
            -7,
            2**80,
            1.5,
            "text",
            "🙂",
            [1, [2]],
            (1, (2,)),
            {"a": {"b": 1}},
            {1: "one", (2, 3): "more"},
            {1, 2},
            frozenset({1}),
            b"\x00\xff",
            dt.date(2030, 1, 2),
            dt.datetime(2030, 1, 2, 3, 4, 5, 6),
            dt.time(1, 2, 3),
            dt.timedelta(days=1, microseconds=2),
            decimal.Decimal("1.10"),
            uuid.UUID(int=7),
        ):
            with self.subTest(value=value):
                back = self.one(value)
                self.assertEqual((type(back), back), (type(value), value))

    def test_a_float_stays_a_float(self):
        for value in (1e15, 1e16, -1e16, 1.0, 1e300, 1.5e300, 5e-324, 1e-7, 1.7976931348623157e308):
            with self.subTest(value=value):
                back = self.one(value)
                self.assertEqual((type(back), back), (float, value))
        self.assertEqual(math.copysign(1, self.one(-0.0)), -1)
        self.assertEqual(self.there_and_back(amount=1e16), {"amount": 1e16})

    def test_what_is_no_number_is_refused(self):
        for value in (math.nan, math.inf, -math.inf):
            with self.assertRaises(ArgumentError):
                self.record.with_delay().do(value)

    def test_a_dict_keeps_its_order(self):
        for value in (
            {"b": 1, "a": 2},
            {"long": 1, "b": 2, "a": {"z": 1, "y": [{"d": 1, "c": 2}]}},
            {"é": 1, "zz": 2, "z": 3},
        ):
            with self.subTest(value=value):
                self.assertEqual(repr(self.one(value)), repr(value))
        self.assertEqual(list(self.there_and_back(values={"b": 1, "a": 2})["values"]), ["b", "a"])

    def test_a_dict_is_shown_as_one(self):
        record = self.stored(self.record.with_delay().do({"b": 1, "a": 2}))
        self.assertIn('"b": 1,\n      "a": 2', record.arguments)
        self.assertNotIn("_type", record.arguments)

    def test_kinds_of_dict_go_as_a_dict(self):
        self.assertEqual(self.one(collections.OrderedDict(b=1, a=2)), {"b": 1, "a": 2})

    def test_members_of_enumerations(self):
        self.assertIs(self.one(Direction.IN), Direction.IN)
        self.assertIs(self.one([Direction.OUT])[0], Direction.OUT)
        self.assertEqual(self.one(Access.READ | Access.WRITE), Access.READ | Access.WRITE)
        self.assertIs(self.one(Local.ONE), Local.ONE)
        self.assertEqual(self.one({Direction.IN: 1}), {Direction.IN: 1})

    def test_enumerations_from_elsewhere_are_refused(self):
        class Hidden(enum.Enum):
            ONE = 1

        made = enum.Enum("Made", "ONE")
        for member in (Hidden.ONE, made.ONE, socket.AddressFamily.AF_INET):
            with self.subTest(member=member), self.assertRaises(ArgumentError):
                self.record.with_delay().do(member)

    def test_a_stored_enumeration_chooses_among_those_of_addons_only(self):
        job = self.record.with_delay().do(Direction.IN)
        here = Direction.__module__
        for module, name in (
            ("socket", "AddressFamily"),
            (here, "enum.Enum"),
            (here, "plain"),
            (here, "Gone"),
            (f"{here}.gone", "Direction"),
        ):
            stored = {"_type": "enum_member", "module": module, "class": name, "member": "IN"}
            self.put(job, args=json.dumps([stored]))
            with self.subTest(module=module, name=name), self.assertRaises(ArgumentError):
                Job.load(self.env, job.uuid)

    def test_records_of_several_models(self):
        partner = self.env["res.partner"].create({"name": "A partner"})
        users = self.env.user + self.clerk
        nothing = self.env["res.country"]
        back = self.there_and_back(partner, [users], {"none": nothing, "self": self.record})
        self.assertEqual(back[0], partner)
        self.assertEqual(back[1], [users])
        self.assertEqual(back[2], {"none": nothing, "self": self.record})
        self.assertEqual(back[2]["none"]._name, "res.country")

    def test_records_keep_order_user_and_rights(self):
        records = (self.clerk + self.env.user).with_user(self.clerk)
        back, raised = self.there_and_back(records, self.record.sudo())
        self.assertEqual(back.ids, (self.clerk + self.env.user).ids)
        self.assertEqual((back.env.uid, back.env.su), (self.clerk.id, False))
        self.assertTrue(raised.env.su)

    def test_xml_and_lazy_values(self):
        element = self.one(etree.fromstring("<a b='c'><d/></a>"))
        self.assertEqual(etree.tostring(element), b'<a b="c"><d/></a>')
        self.assertEqual(self.one(lazy(lambda: [1, 2])), [1, 2])

    def test_what_cannot_go_is_named_by_its_place(self):
        with self.assertRaisesRegex(ArgumentError, r"args\[1\]\['lines'\]\[1\]"):
            self.record.with_delay().do(0, {"lines": [1, object()]})
