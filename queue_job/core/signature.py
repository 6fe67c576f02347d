"""How the jobrunner proves to a worker that a lease comes from it.

Both know the database's own secret. The time in the signature bounds how long a request that was
overheard stays good; that a replay runs nothing twice is the fence's part.
"""

from __future__ import annotations

import hashlib
import hmac

HEADER = "X-Queue-Job-Signature"

VALID_SECONDS = 300
"""Age up to which a signature is accepted, either way: more than the clocks of two servers differ,
less than anybody needs to make use of an old log."""

STAMP_LIMIT = 20
"""Digits of a time."""


def sign(secret: str, database: str, body: bytes, now: float) -> str:
    """Return the signature of a request.

    :param secret: the database's own secret
    :param database: name of the database, so that a copy with the same secret is not meant
    :param now: seconds since 1970
    """
    stamp = str(int(now))
    return f"{stamp}.{_digest(secret, database, body, stamp)}"


def is_valid(signature: str, secret: str, database: str, body: bytes, now: float) -> bool:
    """Tell whether a signature was made with the secret, for this request, lately."""
    stamp, _dot, digest = signature.partition(".")
    if not secret or len(stamp) > STAMP_LIMIT or not (stamp.isascii() and stamp.isdecimal()):
        return False
    expected = _digest(secret, database, body, stamp)
    fits = hmac.compare_digest(expected.encode(), digest.encode(errors="replace"))
    return fits and abs(now - int(stamp)) <= VALID_SECONDS


def _digest(secret: str, database: str, body: bytes, stamp: str) -> str:
    message = b"\n".join((stamp.encode(), database.encode(errors="surrogatepass"), body))
    return hmac.new(secret.encode(errors="surrogatepass"), message, hashlib.sha256).hexdigest()
