"""What the list of jobs looks for, in ways that do not read a million finished jobs.

Jobs are numbered as they are stored: what is recent has the highest ids, and the list shows it
first. A condition says so to PostgreSQL by a bound on the id, which its statistics do not tell.
These are conditions of a statement that Odoo makes, on a table that it names; values are bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SLACK_SECONDS = 300
"""A job is numbered when it is stored, and dated when it is asked for: in between is the rest of a
transaction."""

LIVE = """
(%(job)s.state = 'pending' AND NOT %(job)s.scheduled
 OR %(job)s.state = 'pending' AND %(job)s.scheduled
 OR %(job)s.state IN ('enqueued', 'started')
 OR %(job)s.state = 'wait_dependencies'
 OR %(job)s.state = 'failed')
"""
# Not "state IN (...)": each part is the condition of a partial index.

BELOW = "starts_with(%(job)s.channel, %(above)s)"

CALLED_WITH = """
%(job)s.id = ANY (ARRAY(
    SELECT id FROM queue_job
     WHERE id > (SELECT max(id) - 50000 FROM queue_job)
       AND (args @? %(positional)s::jsonpath OR kwargs @? %(named)s::jsonpath)
    UNION ALL
    SELECT id FROM (
        SELECT id, args, kwargs FROM queue_job
         WHERE state = 'failed' ORDER BY id DESC LIMIT 50000) AS failed
     WHERE args @? %(positional)s::jsonpath OR kwargs @? %(named)s::jsonpath))
"""
# The newest 50,000, and as many that failed: an index of what jobs are called with would cost every
# job more than all the partial ones together; this costs who searches some 50 ms. An array is made
# first: with a limit in sight, PostgreSQL would walk through the whole table in the hope of many.

RUNS_ON = """
%(job)s.id = ANY (ARRAY(
    SELECT id FROM queue_job
     WHERE id > (SELECT max(id) - 50000 FROM queue_job) AND records -> 'ids' @> %(ids)s::jsonb
    UNION ALL
    SELECT id FROM (
        SELECT id, records FROM queue_job
         WHERE state = 'failed' ORDER BY id DESC LIMIT 50000) AS failed
     WHERE records -> 'ids' @> %(ids)s::jsonb
    UNION ALL
    (SELECT id FROM queue_job WHERE linked AND records -> 'ids' @> %(ids)s::jsonb LIMIT 50000)))
"""
# The last by an index, see targets: any of them, when a record has more than that.

NEWEST_LIVE = """
WITH RECURSIVE ready AS (
    (SELECT channel, priority, id FROM queue_job
      WHERE state = 'pending' AND NOT scheduled
      ORDER BY channel DESC, priority DESC, id DESC LIMIT 1)
    UNION ALL
    SELECT below.channel, below.priority, below.id
      FROM ready CROSS JOIN LATERAL (
        SELECT channel, priority, id FROM queue_job
         WHERE state = 'pending' AND NOT scheduled
           AND (channel, priority) < (ready.channel, ready.priority)
         ORDER BY channel DESC, priority DESC, id DESC LIMIT 1) AS below
), later AS (
    SELECT id FROM queue_job WHERE state = 'pending' AND scheduled LIMIT %(most)s + 1
)
SELECT CASE WHEN (SELECT count(*) FROM later) > %(most)s
              OR (SELECT count(*) FROM (SELECT FROM ready LIMIT %(most)s + 1) AS steps) > %(most)s
            THEN NULL
            ELSE COALESCE(GREATEST(
                (SELECT max(id) FROM ready),
                (SELECT max(id) FROM later),
                (SELECT max(id) FROM queue_job WHERE state IN ('enqueued', 'started')),
                (SELECT max(id) FROM queue_job WHERE state = 'wait_dependencies'),
                (SELECT max(id) FROM queue_job WHERE state = 'failed')), 0) END
"""
# Steps from one channel and priority to the next in the index of ready jobs: as many rows as there
# are of those. Jobs of the future have no such order: when they are many, there is no bound.

NEWEST_LIVE_MOST = 2_000
"""Jobs of the future, and steps, that are read for the bound."""

FIRST_SINCE = """
WITH RECURSIVE bisect AS (
    SELECT min(id)::bigint AS low, max(id)::bigint + 1 AS high FROM queue_job
    UNION ALL
    SELECT CASE WHEN is_older THEN found + 1 ELSE low END,
           CASE WHEN is_older THEN high ELSE middle END
      FROM bisect
     CROSS JOIN LATERAL (SELECT (low + high) / 2 AS middle) AS half
      LEFT JOIN LATERAL (
            SELECT id AS found,
                   date_created < %(since)s - %(slack)s * interval '1 second' AS is_older
              FROM queue_job WHERE id >= middle AND id < high ORDER BY id LIMIT 1) AS job ON true
     WHERE low < high
)
SELECT low FROM bisect WHERE low >= high
"""
# Some twenty look-ups by the primary key. No index on the date: every job would pay for it.

RECORDS = """
SELECT id, records ->> 'model', (records -> 'ids' ->> 0)::bigint,
       jsonb_array_length(records -> 'ids')
  FROM queue_job
 WHERE id = ANY(%s) AND jsonb_typeof(records -> 'ids') = 'array'
   AND records -> 'ids' ->> 0 ~ '^[0-9]{1,18}$'
"""
# Rows may have been changed by hand.


def newest_live(cr: Any) -> int | None:
    """Return the highest id of the jobs that wait, run or have failed; 0 for none.

    :return: ``None`` when it would take too long to tell
    """
    cr.execute(NEWEST_LIVE, {"most": NEWEST_LIVE_MOST})
    found = cr.fetchone()[0]
    return None if found is None else int(found)


def first_since(cr: Any, since: Any) -> int:
    """Return an id before which no job is as young as that.

    :param since: date and time in UTC, without a zone
    """
    cr.execute(FIRST_SINCE, {"since": since, "slack": SLACK_SECONDS})
    row = cr.fetchone()
    return int(row[0] or 0) if row else 0


def read_records(cr: Any, jobs: Sequence[int]) -> list[tuple[int, str, int, int]]:
    """Return of each job its id, the model it runs on, the first record and how many there are."""
    cr.execute(RECORDS, (list(jobs),))
    return list(cr.fetchall())
