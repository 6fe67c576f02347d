# ruff: noqa: INP001 - Odoo reads these files by their place
"""Taking over the tables of the community's addon, before the columns of this one are made.

A database of this addon, whatever its version, passes through untouched. Everything runs in the
transaction of the upgrade: it happens as a whole or not at all. The table is written once, as a
whole; everything after that concerns the jobs that wait.
"""

import logging

from psycopg2.extras import Json

from odoo.tools import SQL
from odoo.tools.sql import column_exists, table_exists

_logger = logging.getLogger(__name__)

MOST_SECONDS = 366 * 86_400.0
"""The longest wait of a retry pattern that is accepted. Written here again, since what the code
says later must not change what this does."""

DROP_TRIGGERS = """
DROP TRIGGER IF EXISTS queue_job_notify ON queue_job;
DROP FUNCTION IF EXISTS queue_job_notify();
"""
# A notification for each row and each change, with the job's uuid in it. First of all, so that
# nothing below sends any.

INDEXES = """
SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
 WHERE indrelid = 'queue_job'::regclass AND NOT indisprimary
   AND (relname = 'queue_job_channel_date_done_date_created_index'
        OR relname = 'queue_job_identity_key_state_partial_index'
        OR (NOT indisunique AND indnkeyatts = 1 AND indpred IS NULL
            AND (SELECT attname FROM pg_attribute
                  WHERE attrelid = indrelid AND attnum = indkey[0])
                IN ('uuid', 'state', 'channel', 'company_id', 'graph_uuid')))
"""
# Those that hold all of history by columns that change with every step of a job. Odoo would keep
# them. What this addon needs it creates afterwards.

UNWRAP = r"""
CREATE FUNCTION pg_temp.unwrapped(value jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    inner_text text := value #>> '{}';
BEGIN
    IF jsonb_typeof(value) IS DISTINCT FROM 'string' THEN
        RETURN value;
    END IF;
    RETURN inner_text::jsonb;
EXCEPTION WHEN data_exception THEN
    -- A zero character, or half a surrogate pair: what a jsonb cannot hold.
    inner_text := regexp_replace(
        inner_text, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\ufffd', 'g');
    RETURN inner_text::jsonb;
END
$$
"""
# The community's addon stores the *text* of a JSON document as one JSON string.

KEEP_TEXTS = r"""
CREATE TEMPORARY TABLE queue_job_moving_text AS
SELECT id, args #>> '{}' AS args, kwargs #>> '{}' AS kwargs FROM queue_job
 WHERE state IN ('wait_dependencies', 'pending', 'enqueued', 'started', 'failed')
   AND (pg_temp.unwrapped(args)::text <> args #>> '{}'
        OR pg_temp.unwrapped(kwargs)::text <> kwargs #>> '{}')
"""
# A text keeps the order of the keys of a dict, and a float a float; a jsonb does not. Where both
# are written alike nothing is lost. Jobs that are done or cancelled are read and not run.

REWRITE = """
ALTER TABLE queue_job
    ALTER COLUMN records TYPE jsonb USING pg_temp.unwrapped(records),
    ALTER COLUMN args TYPE jsonb USING pg_temp.unwrapped(args),
    ALTER COLUMN kwargs TYPE jsonb USING pg_temp.unwrapped(kwargs),
    ALTER COLUMN exec_time TYPE numeric,
    ALTER COLUMN retry TYPE integer USING COALESCE(retry, 0),
    ALTER COLUMN max_retries TYPE integer USING COALESCE(max_retries, 0),
    ALTER COLUMN priority TYPE integer USING COALESCE(priority, 10),
    ALTER COLUMN channel TYPE varchar USING CASE
        WHEN channel = 'root' OR channel LIKE 'root.%' THEN channel
        WHEN channel > '' THEN 'root.' || channel
        ELSE 'root' END,
    ADD COLUMN attempt integer DEFAULT 0,
    ADD COLUMN lost integer DEFAULT 0,
    ADD COLUMN scheduled boolean DEFAULT false,
    ADD COLUMN identity_claim varchar;
ALTER TABLE queue_job
    ALTER COLUMN attempt DROP DEFAULT,
    ALTER COLUMN lost DROP DEFAULT,
    ALTER COLUMN scheduled DROP DEFAULT;
UPDATE queue_job_function
   SET retry_pattern = pg_temp.unwrapped(retry_pattern),
       related_action = pg_temp.unwrapped(related_action)
"""
# One pass over the table, and no dead rows left behind, for all that history needs. Odoo would
# change the type of exec_time in another. A channel may be written without its root there; a limit
# of tries that is missing is none.

READ_EDGES = """
CREATE TEMPORARY TABLE queue_job_moving_edge AS
WITH noted AS (
    SELECT id, state, dependencies::jsonb AS links FROM queue_job
     WHERE dependencies LIKE '%"depends_on": ["%'
), named AS (
    SELECT id, state, parent FROM noted,
           jsonb_array_elements_text(noted.links -> 'depends_on') AS parent
)
SELECT parent.id AS parent_id, named.id AS child_id, parent.state <> 'done' AS open
  FROM named JOIN queue_job AS parent ON parent.uuid = named.parent
 WHERE parent.id <> named.id
"""
# By the numbers of the jobs, since a uuid need not be unique. A parent that is gone was done or
# cancelled, and nothing waits for it.

RENAME_DUPLICATES = """
UPDATE queue_job SET uuid = gen_random_uuid()::text
 WHERE id IN (
    SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY uuid ORDER BY id) AS place
                      FROM queue_job) AS numbered
     WHERE place > 1)
RETURNING id, uuid
"""

MOVE_WAITING = """
UPDATE queue_job
   SET state = CASE WHEN state IN ('enqueued', 'started') THEN 'pending' ELSE state END,
       date_enqueued = NULL, date_started = NULL,
       scheduled = COALESCE(eta > now() AT TIME ZONE 'UTC', false),
       attempt = GREATEST(retry, 0),
       identity_claim = CASE WHEN id IN (
            SELECT min(id) FROM queue_job
             WHERE state IN ('wait_dependencies', 'pending', 'enqueued', 'started')
               AND identity_key > ''
             GROUP BY identity_key)
        THEN identity_key END
 WHERE state IN ('enqueued', 'started')
    OR (state IN ('wait_dependencies', 'pending')
        AND (eta IS NOT NULL OR identity_key > '' OR retry > 0
             OR date_enqueued IS NOT NULL OR date_started IS NOT NULL))
RETURNING id
"""
# What a worker had runs again: the worker is gone. The oldest job of an identity claims it; the
# others, which could only come to be while that one ran, run as well. One that was tried before
# counts as given to a worker as often, which is what holds its sequential channel.

DROP_LOCKS = "DROP TABLE IF EXISTS queue_job_lock"
# A row for each job that was ever started, to be locked while it runs.

LIMIT_RETENTION = """
UPDATE queue_job_channel SET removal_interval = LEAST(GREATEST(removal_interval, 0), 36500)
 WHERE removal_interval NOT BETWEEN 0 AND 36500
"""

FIND_DUPLICATE_FUNCTIONS = """
SELECT id, kept FROM (
    SELECT id, name, min(id) OVER (PARTITION BY name) AS kept FROM queue_job_function) AS named
 WHERE name IS NOT NULL AND id <> kept
 ORDER BY id
"""
# The first is the one whose settings counted.

FIND_REFERENCES = """
SELECT relname, attname
  FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
  JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
 WHERE contype = 'f' AND confrelid = 'queue_job_function'::regclass
"""

MOVE_XML_IDS = """
UPDATE ir_model_data SET res_id = %s WHERE model = 'queue.job.function' AND res_id = %s
"""


def migrate(cr, _version):
    """Give every row of the community's addon what this one needs."""
    if not table_exists(cr, "queue_job") or column_exists(cr, "queue_job", "attempt"):
        return
    cr.execute(DROP_TRIGGERS)
    _drop_indexes(cr)
    cr.execute(UNWRAP)
    cr.execute(KEEP_TEXTS)
    cr.execute(REWRITE)
    if column_exists(cr, "queue_job", "dependencies"):
        cr.execute(READ_EDGES)
    _log(cr, RENAME_DUPLICATES, "%s job(s) had the uuid of another and got one of their own: %s")
    _log(cr, MOVE_WAITING, "%s unfinished job(s) taken over")
    cr.execute(DROP_LOCKS)
    _merge_functions(cr)
    _repair_patterns(cr)
    cr.execute(LIMIT_RETENTION)


def _drop_indexes(cr):
    cr.execute(INDEXES)
    for (name,) in cr.fetchall():
        cr.execute(SQL("DROP INDEX %s", SQL.identifier(name)))


def _log(cr, statement, message):
    """Run a statement and tell how many rows it changed, the first of them by name if asked."""
    cr.execute(statement)
    changed = cr.fetchall()
    if changed:
        names = (changed[:20],) if message.count("%s") > 1 else ()
        _logger.info(message, len(changed), *names)


def _merge_functions(cr):
    """Keep one record of each job function, and let everything point to it."""
    cr.execute(FIND_DUPLICATE_FUNCTIONS)
    pairs = cr.fetchall()
    if not pairs:
        return
    cr.execute(FIND_REFERENCES)
    references = cr.fetchall()
    for number, kept in pairs:
        for table, column in references:
            cr.execute(
                SQL(
                    "UPDATE %(table)s SET %(column)s = %(kept)s WHERE %(column)s = %(number)s",
                    table=SQL.identifier(table),
                    column=SQL.identifier(column),
                    kept=kept,
                    number=number,
                )
            )
        cr.execute(MOVE_XML_IDS, (kept, number))
        cr.execute("DELETE FROM queue_job_function WHERE id = %s", (number,))
    _logger.info("job functions that were there twice, and the record kept: %s", pairs)


def _repair_patterns(cr):
    """Write retry patterns so that they say what they said, in terms that are accepted here."""
    cr.execute(
        "SELECT id, name, retry_pattern FROM queue_job_function "
        "WHERE jsonb_typeof(retry_pattern) = 'object'"
    )
    for number, name, pattern in cr.fetchall():
        repaired = _repaired(pattern)
        if repaired != pattern:
            _logger.info("retry pattern of %s: %s is written %s", name, pattern, repaired)
            cr.execute(
                "UPDATE queue_job_function SET retry_pattern = %s WHERE id = %s",
                (Json(repaired), number),
            )


def _repaired(pattern):
    """Return a pattern with tries from 1 on, where 0 stood for the first as well."""
    early = [key for key in pattern if int(key) < 1]
    later = {key: value for key, value in pattern.items() if int(key) >= 1}
    if early:
        later.setdefault("1", pattern[max(early, key=int)])
    return {key: _bounded(value) for key, value in later.items()}


def _bounded(seconds):
    """Return seconds, or two bounds, in order and within what is accepted."""
    if isinstance(seconds, list):
        return sorted(_bounded(part) for part in seconds)
    inside = min(max(float(seconds), 0.0), MOST_SECONDS)
    return seconds if inside == float(seconds) else inside
