"""The field that holds arguments, and the JSON that it holds."""

import datetime as dt
import json

from lxml import etree

from odoo import fields, models

from odoo.addons.queue_job.fields import JobDecoder, JobEncoder, JobSerialized

from .common import NamesCase


class TestSerialized(NamesCase):
    def wire(self, *args):
        return self.stored(self.record.with_delay().do(*args))._stored("args")

    def test_the_field_is_json_under_its_own_type(self):
        self.assertTrue(issubclass(JobSerialized, fields.Json))
        self.assertEqual(JobSerialized.type, "job_serialized")
        self.assertEqual(JobSerialized._column_type, ("jsonb", "jsonb"))
        ttype = self.env["ir.model.fields"]._fields["ttype"]
        self.assertIn("job_serialized", dict(ttype._description_selection(self.env)))
        row = self.env["ir.model.fields"]._get("queue.job", "args")
        self.assertEqual(row.ttype, "job_serialized")

    def test_base_types(self):
        job = self.env["queue.job"]
        for name, kind in (("records", models.BaseModel), ("args", tuple), ("kwargs", dict)):
            self.assertIs(job._fields[name].base_type, kind)
        field = JobSerialized("Bad", base_type=int)
        with self.assertRaisesRegex(ValueError, "not a supported base type"):
            field._setup_attrs__(type(job), "bad")

    def test_records_on_the_wire(self):
        (wire,) = self.wire(self.clerk.with_context(lang="en_US", other=1))
        self.assertEqual(
            wire,
            {
                "_type": "odoo_recordset",
                "model": "res.users",
                "ids": self.clerk.ids,
                "uid": self.env.uid,
                "su": self.env.su,
                "context": {"lang": "en_US"},
            },
        )

    def test_dates_and_xml_on_the_wire(self):
        self.assertEqual(
            self.wire(dt.datetime(2030, 1, 2, 3), dt.date(2030, 1, 2), etree.fromstring("<a/>")),
            [
                {"_type": "datetime_isoformat", "value": "2030-01-02T03:00:00"},
                {"_type": "date_isoformat", "value": "2030-01-02"},
                {"_type": "etree_element", "value": "<a/>"},
            ],
        )

    def test_what_the_community_stored_is_read(self):
        job = self.record.with_delay().do()
        stored = [
            {"_type": "odoo_recordset", "model": "res.users", "ids": self.clerk.ids},
            {"_type": "date_isoformat", "value": "2030-01-02"},
            {"plain": [1]},
        ]
        record = self.put(job, args=json.dumps(stored))
        self.assertEqual(record.args, (self.clerk, dt.date(2030, 1, 2), {"plain": [1]}))

    def test_encoder_and_decoder(self):
        value = {"b": [self.clerk, (1, 2)], "a": dt.date(2030, 1, 2), "n": 1e16}
        text = json.dumps(value, cls=JobEncoder)
        self.assertEqual(json.loads(text, cls=JobDecoder, env=self.env), value)
        self.assertEqual(json.loads(JobEncoder().encode(self.record))["_type"], "odoo_recordset")
