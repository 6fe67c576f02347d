"""Identity keys: how to tell that the same job waits already.

The key is a hash of text that depends on nothing but the call: not on the order of a dict or set,
nor on where an object lies in memory, nor on user, rights and language of records. For arguments
without any of these it is the key that the community's addon makes of the call.
"""

from __future__ import annotations

import enum
import hashlib
import json
from typing import TYPE_CHECKING, Any

from odoo import models
from odoo.tools import lazy

from .core import codec
from .fields import encode

if TYPE_CHECKING:
    from .job import Job

OPEN_AND_CLOSE = {list: "[]", set: "{}", frozenset: "{}"}
"""What the text of a collection begins and ends with."""


def identity_exact_hasher(job: Job, *, user: bool = False, company: bool = False) -> hashlib._Hash:
    """Return a hash of the call: model, method, ids and arguments, for others to add to.

    :param job: the call
    :param user: tell the jobs of different users apart
    :param company: tell the jobs of different companies apart
    """
    hasher = hashlib.sha1(usedforsecurity=False)
    for part in (
        job.model_name or "",
        job.method_name,
        str(sorted(job.recordset.ids)),
        _text(job.args),
        _text(sorted(job.kwargs.items())),
    ):
        hasher.update(part.encode())
    if user:
        hasher.update(f"user={job.user_id}".encode())
    if company:
        hasher.update(f"company={job.company_id}".encode())
    return hasher


def identity_exact(job: Job, *, user: bool = False, company: bool = False) -> str:
    """Return the identity key of jobs that make the very same call.

    Whoever delays them, and for whichever company, unless asked for with ``functools.partial``::

        record.with_delay(identity_key=partial(identity_exact, company=True)).export()

    :param job: the call
    :param user: tell the jobs of different users apart
    :param company: tell the jobs of different companies apart
    """
    return identity_exact_hasher(job, user=user, company=company).hexdigest()


def _text(value: Any) -> str:
    """Return text that is the same for equal values, in this process and in any other."""
    if isinstance(value, lazy):
        return _text(value._value)
    if isinstance(value, dict):
        pairs = sorted(f"{_text(key)}: {_text(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if type(value) is tuple:
        return f"({', '.join(map(_text, value))}{',' * (len(value) == 1)})"
    if type(value) in OPEN_AND_CLOSE:
        items = [_text(item) for item in value]
        opening, closing = OPEN_AND_CLOSE[type(value)]
        parts = items if type(value) is list else sorted(items)
        return f"{opening}{', '.join(parts)}{closing}"
    if isinstance(value, (str, int, float, bytes, enum.Enum, models.BaseModel)) or value is None:
        return repr(value)
    if type(value) in codec.ENCODERS:
        return repr(value)
    return json.dumps(encode(value))
