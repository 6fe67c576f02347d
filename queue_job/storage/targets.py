"""Finding the jobs of a record, however many jobs there are.

What a job runs on is in its JSON. An index of that would cost every job four entries, so only jobs
of models whose records show theirs are in it: they are marked when they are stored. Others are
looked for among the newest, the running and the failed ones.

The index knows no order: of a record with very many jobs any of them are read, so many at the most,
and those of the record among the newest of all jobs.
"""

from __future__ import annotations

import json
from typing import Any

FOUND_LIMIT = 1_000
"""Newest jobs of a record that are found; that there are more is all that anybody wants to know."""

NEWEST = 2_000
"""Newest jobs that are looked through for those that are not marked; failed ones as well."""

MARKED = 5_000
"""Marked jobs with the number of a record that are read; from here on, it has very many."""

RECENT = 50_000
"""Newest jobs that are looked through for those of such a record."""

FIND = """
WITH marked AS MATERIALIZED (
    SELECT id, model_name, user_id FROM queue_job
     WHERE linked AND records -> 'ids' @> %(number)s::jsonb LIMIT %(marked)s
), recent AS MATERIALIZED (
    SELECT id, model_name, user_id FROM (
        SELECT id, model_name, user_id, records FROM queue_job
         WHERE (SELECT count(*) FROM marked) >= %(marked)s
         ORDER BY id DESC LIMIT %(recent)s) AS newest
     WHERE model_name = %(model)s AND records -> 'ids' @> %(number)s::jsonb
       AND (%(user)s IS NULL OR user_id = %(user)s)
     ORDER BY id DESC LIMIT %(limit)s
), others AS MATERIALIZED (
    (SELECT id, model_name, user_id, records FROM queue_job ORDER BY id DESC LIMIT %(newest)s)
    UNION ALL
    (SELECT id, model_name, user_id, records FROM queue_job
      WHERE state IN ('enqueued', 'started') LIMIT %(newest)s)
    UNION ALL
    (SELECT id, model_name, user_id, records FROM queue_job
      WHERE state = 'failed' ORDER BY id DESC LIMIT %(newest)s)
)
SELECT id FROM (
    SELECT id, model_name, user_id FROM marked
    UNION
    SELECT id, model_name, user_id FROM recent
    UNION
    SELECT id, model_name, user_id FROM others
     WHERE records -> 'ids' @> %(number)s::jsonb) AS found
 WHERE model_name = %(model)s AND (%(user)s IS NULL OR user_id = %(user)s)
 ORDER BY id DESC LIMIT %(limit)s
"""
# Each part is planned by itself: with the limit in sight, PostgreSQL would walk through the whole
# table from its end, in the hope of many jobs of the record.


def find(cr: Any, model: str, number: int, user: int | None) -> list[int]:
    """Return the ids of the newest jobs of a record, :data:`FOUND_LIMIT` at the most.

    :param model: name of the model
    :param number: id of the record
    :param user: whose jobs alone are wanted; everybody's when not given
    """
    parameters = {
        "model": model,
        "number": json.dumps([number]),
        "user": user,
        "marked": MARKED,
        "recent": RECENT,
        "newest": NEWEST,
        "limit": FOUND_LIMIT,
    }
    cr.execute(FIND, parameters)
    return [row[0] for row in cr.fetchall()]
