"""UUIDs of jobs, which sort by the time at which they were made.

Version 7 of RFC 9562. Rows that are stored together lie together in the index of UUIDs, and the
four versions that a job's row goes through find the same page of it in memory; with random ones
each is another page, to be read and to be logged whole after every checkpoint.
"""

from __future__ import annotations

RANDOM_BYTES = 10
"""What each takes of chance, beside the milliseconds: 74 of these 80 bits are kept."""


def time_ordered(milliseconds: int, chance: bytes) -> list[str]:
    """Return UUIDs of one moment.

    :param milliseconds: since 1970
    :param chance: random bytes, :data:`RANDOM_BYTES` for each UUID
    :return: in the usual text form
    """
    time = f"{milliseconds & 0xFFFF_FFFF_FFFF:012x}"
    head, digits = f"{time[:8]}-{time[8:]}-7", chance.hex()
    return [
        f"{head}{digits[at : at + 3]}-{'89ab'[int(digits[at + 3], 16) & 3]}"
        f"{digits[at + 4 : at + 7]}-{digits[at + 8 : at + 20]}"
        for at in range(0, len(digits), 2 * RANDOM_BYTES)
    ]
