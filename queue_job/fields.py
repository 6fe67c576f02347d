"""Arguments of a job as a field: JSON in the database, Python values in memory."""

from __future__ import annotations

import json
from typing import Any

from lxml import etree
from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.tools import lazy

from .core import codec

RECORDS = "odoo_recordset"
ELEMENT = "etree_element"

XML_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)
"""Reads what a job carries and nothing that it refers to."""


def encode(value: Any, path: str = "value") -> Any:
    """Return a value in JSON terms.

    :param value: plain values, records, XML elements, in any nesting
    :param path: how messages name the value
    :raises ArgumentError: with the path of what a job cannot carry
    """
    return codec.encode(value, path, lambda part: _encode_odoo(part, path))


def decode(value: Any, env: api.Environment) -> Any:
    """Return the value that was encoded, its records in the cursor of ``env``.

    :raises ArgumentError: when the stored value was written by code that is not here
    """
    return codec.decode(value, lambda part: _decode_odoo(part, env))


def encode_records(records: models.BaseModel) -> dict[str, Any]:
    """Return records with the user, rights and context in which they are to be read."""
    new = [record for record in records._ids if not isinstance(record, int)]
    if new:
        raise codec.ArgumentError(f"{records} is not saved: a job can carry saved records only")
    return {
        codec.TAG: RECORDS,
        "model": records._name,
        "ids": list(records._ids),
        "uid": records.env.uid,
        "su": records.env.su,
        "context": encode(records._job_prepare_context_before_enqueue(), "context"),
    }


def decode_records(value: dict[str, Any], env: api.Environment) -> models.BaseModel:
    """Return stored records, in their own user, rights and context.

    :raises KeyError: when the model is not there any more
    """
    context = decode(value.get("context") or {}, env)
    if env.context.get("job_uuid"):
        context["job_uuid"] = env.context["job_uuid"]
    uid = value.get("uid") or env.uid
    own = api.Environment(env.cr, uid, context, value.get("su") or False)
    return own[value["model"]].browse(value["ids"])


def _encode_odoo(value: Any, path: str) -> Any:
    if isinstance(value, models.BaseModel):
        return encode_records(value)
    if isinstance(value, etree._Element):
        text = etree.tostring(value, encoding="unicode")
        return {codec.TAG: ELEMENT, "value": text}
    if isinstance(value, lazy):
        return encode(value._value, path)
    return codec.UNKNOWN


def _decode_odoo(value: dict[str, Any], env: api.Environment) -> Any:
    if value[codec.TAG] == RECORDS:
        return decode_records(value, env)
    if value[codec.TAG] == ELEMENT:
        return etree.fromstring(value["value"], XML_PARSER)
    return codec.UNKNOWN


class JobEncoder(json.JSONEncoder):
    """Writes what a job can carry, for ``json.dumps(value, cls=JobEncoder)``."""

    def default(self, value: Any) -> Any:
        """Return the JSON terms of a value that JSON does not know."""
        return encode(value)


class JobDecoder(json.JSONDecoder):
    """Reads what :class:`JobEncoder` wrote, for ``json.loads(text, cls=JobDecoder, env=env)``."""

    def __init__(self, *args, env: api.Environment, **kwargs) -> None:
        self._env = env
        super().__init__(*args, **kwargs)

    def decode(self, text: str, *args) -> Any:
        """Return the values of a JSON text."""
        return decode(super().decode(text, *args), self._env)


class JobSerialized(fields.Json):
    """Values of one kind that a job carries.

    :param base_type: ``dict``, ``list``, ``tuple`` or ``models.BaseModel``
    """

    type = "job_serialized"
    _column_type = ("jsonb", "jsonb")
    base_type: type = None
    _empty = {dict: dict, list: list, tuple: tuple, models.BaseModel: lambda: None}

    def _setup_attrs__(self, model_class, name):
        super()._setup_attrs__(model_class, name)
        if self.base_type not in self._empty:
            raise ValueError(f"{self.base_type} is not a supported base type of {self}")

    def convert_to_column(self, value, record, values=None, validate=True):
        """Return the value for the database."""
        return Json(self.convert_to_cache(value, record) if validate else value)

    def convert_to_cache(self, value, record, validate=True):
        """Keep JSON terms in the cache: records in it would belong to one cursor."""
        if isinstance(value, models.BaseModel):
            return encode_records(value)
        if not value or (self.base_type is models.BaseModel and codec.TAG in value):
            return value or None
        return encode(list(value) if isinstance(value, tuple) else value, self.name)

    def convert_to_record(self, value, record):
        """Return Python values."""
        if not value:
            return self._empty[self.base_type]()
        decoded = decode(value, record.env)
        if self.base_type in (tuple, list):
            return self.base_type(decoded)
        if not isinstance(decoded, self.base_type):
            # A stored recordset in the place of plain values would lend its user's rights.
            raise codec.ArgumentError(f"{self.name} of {record} is not of {self.base_type}")
        return decoded

    def convert_to_read(self, value, record, use_display_name=True):
        """Return JSON terms for the web client."""
        return self.convert_to_cache(value, record)
