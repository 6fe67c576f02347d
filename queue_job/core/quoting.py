"""How a message repeats what somebody wrote: enough to find it, however long it is."""

from __future__ import annotations

SHOWN = 500
"""Characters of a value that a message repeats: more than anybody writes who means it."""


def shown(value: object, most: int = SHOWN) -> str:
    """Return a value as text, its beginning when it is long.

    :param value: anything
    :param most: characters
    """
    if isinstance(value, (str, bytes)) and len(value) > most:
        return f"{value[:most]!r}…"
    try:
        return shortened(repr(value), most + 2)
    except (RecursionError, ValueError):
        # Nested too deeply, or a number of more digits than Python writes.
        return f"a {type(value).__name__}"


def storable(text: str) -> str:
    """Return a text without what PostgreSQL cannot store."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def shortened(text: str, most: int = SHOWN) -> str:
    """Return a text, its beginning when it is long."""
    return text if len(text) <= most else f"{text[:most]}…"
