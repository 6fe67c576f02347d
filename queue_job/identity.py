"""Identity keys: how to tell that the same job waits already."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from .fields import encode

if TYPE_CHECKING:
    from .job import Job


def identity_exact_hasher(job: Job) -> hashlib._Hash:
    """Return a hash of the call: model, method, ids and arguments, for others to add to."""
    call = {
        "model": job.model_name,
        "method": job.method_name,
        "ids": sorted(job.recordset.ids),
        "args": encode(list(job.args), "args"),
        "kwargs": encode(job.kwargs, "kwargs"),
    }
    return hashlib.sha1(json.dumps(call, sort_keys=True).encode(), usedforsecurity=False)


def identity_exact(job: Job) -> str:
    """Return the identity key of jobs that make the very same call."""
    return identity_exact_hasher(job).hexdigest()
