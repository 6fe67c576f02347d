"""Arguments of a job as a field: JSON in the database, Python values in memory."""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Iterator
from typing import Any

from lxml import etree
from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.tools import SQL, lazy, sql

from .core import codec
from .core.quoting import shortened, shown

RECORDS = "odoo_recordset"
ELEMENT = "etree_element"
MEMBER = "enum_member"

ENUM_MODULES = "odoo.addons."
"""Where an enumeration must be defined for its members to be carried: stored text must not choose
among all the classes of the process."""

XML_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)
"""Reads what a job carries and nothing that it refers to."""


def encode(value: Any, path: str = "value", *, ordered: bool = True) -> Any:
    """Return a value in JSON terms.

    :param value: plain values, records, XML elements, members of enumerations, in any nesting
    :param path: how messages name the value
    :param ordered: whether the order of the keys counts, if the value itself is a dict
    :raises ArgumentError: with the path of what a job cannot carry
    """
    return codec.encode(value, path, lambda part: _encode_odoo(part, path), ordered)


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
        "context": encode(records._job_prepare_context_before_enqueue(), "context", ordered=False),
    }


def decode_records(value: dict[str, Any], env: api.Environment) -> models.BaseModel:
    """Return stored records, in their own user, rights and context.

    :raises KeyError: when the model is not there any more
    :raises DamagedError: when this is not how records are stored
    """
    if not isinstance(value, dict):
        raise codec.DamagedError(f"{shown(value)} stands where records should be stored")
    parts = {
        "model": value.get("model"),
        "ids": value.get("ids"),
        "uid": value.get("uid") or env.uid,
        "su": value.get("su") or False,
        "context": decode(value.get("context") or {}, env),
    }
    _check_parts(parts)
    context = parts["context"]
    if env.context.get("job_uuid"):
        context["job_uuid"] = env.context["job_uuid"]
    own = api.Environment(env.cr, parts["uid"], context, parts["su"])
    return own[parts["model"]].browse(parts["ids"])


def _check_parts(parts: dict[str, Any]) -> None:
    """See that stored records are what they should be: who they run as above all."""
    ids, uid, context = parts["ids"], parts["uid"], parts["context"]
    sound = {
        "model": isinstance(parts["model"], str),
        "ids": isinstance(ids, list) and all(type(number) is int for number in ids),
        "uid": type(uid) is int and uid > 0,
        "su": isinstance(parts["su"], bool),
        "context": isinstance(context, dict) and all(isinstance(key, str) for key in context),
    }
    for name, is_sound in sound.items():
        if not is_sound:
            text = f"stored records have {shown(parts[name])} as their {name}"
            raise codec.DamagedError(text)


def decode_call(args: Any, kwargs: Any, env: api.Environment) -> tuple[tuple, dict[str, Any]]:
    """Return the stored arguments of a call.

    :param args: parsed JSON; ``None`` for none
    :param kwargs: the same, by name
    :raises ArgumentError: when they were written by code that is not here
    :raises DamagedError: when this is not how arguments are stored
    """
    positional = decode([] if args is None else args, env)
    named = decode({} if kwargs is None else kwargs, env)
    if not isinstance(positional, (list, tuple)):
        raise codec.DamagedError(f"args are {shown(args)}, which is no list")
    if not isinstance(named, dict) or not all(isinstance(name, str) for name in named):
        raise codec.DamagedError(f"kwargs are {shown(kwargs)}, which are no names and values")
    return tuple(positional), named


def parse(text: str | None) -> Any:
    """Return a JSON column that was read as text.

    :raises DamagedError: when Python cannot read what PostgreSQL could store
    """
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise codec.DamagedError(
            f"stored JSON {shown(text)} cannot be read: {shortened(str(error))}"
        ) from error


def _encode_odoo(value: Any, path: str) -> Any:
    if isinstance(value, models.BaseModel):
        return encode_records(value)
    if isinstance(value, etree._Element):
        text = etree.tostring(value, encoding="unicode")
        return {codec.TAG: ELEMENT, "value": text}
    if isinstance(value, lazy):
        return encode(value._value, path)
    if isinstance(value, enum.Enum):
        return _encode_member(value, path)
    return codec.UNKNOWN


def _encode_member(member: enum.Enum, path: str) -> dict[str, Any]:
    """Return a member of an enumeration by its name; flags, which may be several, by their value.

    :raises ArgumentError: when the enumeration could not be found again
    """
    kind = type(member)
    if _enumeration(kind.__module__, kind.__qualname__) is not kind:
        raise codec.ArgumentError(
            f"{path} has {member!r} of type {kind.__name__}, which is not at the top level of a "
            "module of an addon: pass its value"
        )
    key = member.value if isinstance(member, enum.Flag) else member.name
    return {
        codec.TAG: MEMBER,
        "module": kind.__module__,
        "class": kind.__qualname__,
        "member": key,
    }


def _decode_element(text: Any) -> etree._Element:
    if not isinstance(text, str):
        raise codec.DamagedError(f"{shown(text)} stands where an XML element should be")
    try:
        return etree.fromstring(text, XML_PARSER)
    except (ValueError, etree.LxmlError) as error:
        raise codec.DamagedError(f"{shown(text)} is no XML: {shortened(str(error))}") from error


def _decode_member(value: dict[str, Any]) -> enum.Enum:
    module, name, key = value.get("module"), value.get("class"), value.get("member")
    if not isinstance(module, str) or not isinstance(name, str):
        raise codec.DamagedError(f"{shown(value)} names no enumeration")
    kind = _enumeration(module, name)
    if kind is None:
        raise codec.ArgumentError(f"there is no enumeration {shortened(f'{module}.{name}')}")
    try:
        return kind(key) if issubclass(kind, enum.Flag) else kind[key]
    except (LookupError, TypeError, ValueError) as error:
        text = f"there is no {shown(key)} in {module}.{name}"
        raise codec.ArgumentError(text) from error


def _enumeration(module: str, name: str) -> type[enum.Enum] | None:
    """Return an enumeration of a module of an addon that is loaded; nothing is imported for it."""
    if not module.startswith(ENUM_MODULES) or module not in sys.modules:
        return None
    found: Any = sys.modules[module]
    for part in name.split("."):
        # Looked up, not asked for: what a class computes for whoever asks is not run.
        found = getattr(found, "__dict__", {}).get(part)
    if not isinstance(found, type) or not issubclass(found, enum.Enum):
        return None
    return found if (found.__module__, found.__qualname__) == (module, name) else None


def _decode_odoo(value: dict[str, Any], env: api.Environment) -> Any:
    if value[codec.TAG] == RECORDS:
        return decode_records(value, env)
    if value[codec.TAG] == ELEMENT:
        return _decode_element(value.get("value"))
    if value[codec.TAG] == MEMBER:
        return _decode_member(value)
    return codec.UNKNOWN


class JobEncoder(json.JSONEncoder):
    """Writes what a job can carry, for ``json.dumps(value, cls=JobEncoder)``."""

    def iterencode(self, value: Any, *args: Any, **kwargs: Any) -> Iterator[str]:
        """Yield the text of a value in pieces; a tuple in it stays one."""
        return super().iterencode(encode(value), *args, **kwargs)

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


class PlainBoolean(fields.Boolean):
    """A flag that is always set, and that conditions name as the partial indexes do.

    Odoo writes ``IS TRUE``, of which PostgreSQL does not conclude that an index of the rows where
    it is true has them all.
    """

    def _condition_to_sql(self, field_expr, operator, value, model, alias, query):
        wanted = {bool(flag) for flag in value} if operator in ("in", "not in") else set()
        if len(wanted) != 1:
            return super()._condition_to_sql(field_expr, operator, value, model, alias, query)
        flag = model._field_to_sql(alias, field_expr, query)
        return flag if (operator == "in") == (True in wanted) else SQL("NOT %s", flag)


class UncheckedMany2one(fields.Many2one):
    """A reference that the database does not check at each insert.

    Three foreign keys are half of what it costs PostgreSQL to store a job, and each lets all
    transactions that delay something lock the same row of a user and a company. Whoever deletes
    what is referred to is asked instead, see ``queue.job.referred``.
    """

    def update_db_foreign_key(self, model, column):
        """Have none, and remove the one that an earlier version or the community's addon made."""
        cr, target = model.env.cr, model.env[self.comodel_name]._table
        for ondelete in ("restrict", "set null"):
            for name in sql.get_foreign_keys(cr, model._table, self.name, target, "id", ondelete):
                sql.drop_constraint(cr, model._table, name)


class JobSerialized(fields.Json):
    """Values of one kind that a job carries.

    :param base_type: ``dict``, ``list``, ``tuple`` or ``models.BaseModel``
    """

    type = "job_serialized"
    _column_type = ("jsonb", "jsonb")
    # Apart from all other columns: they may be long, and one that was changed by hand may be such
    # that it cannot be read.
    prefetch = "job_serialized"
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
        plain = list(value) if isinstance(value, tuple) else value
        return encode(plain, self.name, ordered=False)

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
