-- What the community's queue_job needs before it can be put back over a database of this addon.
-- Run it once, with every Odoo server of the database stopped; docs/moving.rst has all the steps.
--
--     psql --single-transaction -v ON_ERROR_STOP=1 -f queue_job/migrations/leaving.sql DATABASE

-- Its rules for notifications come with its own hook.
DROP TRIGGER IF EXISTS queue_job_schedule ON queue_job;
DROP TRIGGER IF EXISTS queue_job_notify ON queue_job;
DROP TRIGGER IF EXISTS queue_job_notify_ready ON queue_job;
DROP FUNCTION IF EXISTS queue_job_schedule();
DROP FUNCTION IF EXISTS queue_job_notify();

DROP TABLE IF EXISTS queue_job_total, queue_job_stop;

DROP INDEX IF EXISTS queue_job_ready_index, queue_job_scheduled_index, queue_job_retrying_index,
    queue_job_running_index, queue_job_finished_index, queue_job_failed_index,
    queue_job_failure_index, queue_job_waiting_index, queue_job_identity_claim_index,
    queue_job_identity_key_state_partial_index, queue_job_linked_index;

-- Its roles are of other names: Odoo removes ours, but neither their rules nor the groups that rules name.
WITH ours AS (
    DELETE FROM ir_model_data
     WHERE module = 'queue_job' AND model = 'ir.rule' AND name <> 'queue_job_comp_rule'
 RETURNING res_id
)
DELETE FROM ir_rule USING ours WHERE ir_rule.id = ours.res_id;

-- No worker has a job any more.
UPDATE queue_job SET state = 'pending', date_enqueued = NULL, date_started = NULL
 WHERE state IN ('enqueued', 'started');

-- A job belongs to the graph of those that wait for it.
UPDATE queue_job AS parent SET graph_uuid = child.graph_uuid
  FROM queue_job_dependency JOIN queue_job AS child ON child.id = child_id
 WHERE parent.id = parent_id AND parent.graph_uuid IS NULL;

-- A job may wait for one of another graph, which there is no way to say there: they become one.
WITH RECURSIVE linked AS (
    SELECT parent.graph_uuid AS one, child.graph_uuid AS other
      FROM queue_job_dependency
      JOIN queue_job AS parent ON parent.id = parent_id
      JOIN queue_job AS child ON child.id = child_id
     WHERE parent.graph_uuid <> child.graph_uuid
), both_ways AS (
    SELECT one, other FROM linked UNION SELECT other, one FROM linked
), reached AS (
    SELECT one, other FROM both_ways
    UNION
    SELECT reached.one, both_ways.other FROM reached JOIN both_ways ON both_ways.one = reached.other
)
UPDATE queue_job SET graph_uuid = least
  FROM (SELECT one, min(other) AS least FROM reached GROUP BY one) AS joined
 WHERE graph_uuid = one AND graph_uuid <> least;

-- Dependencies are JSON in a text column there.
ALTER TABLE queue_job ADD COLUMN IF NOT EXISTS dependencies text;
UPDATE queue_job SET dependencies = links.value
  FROM (SELECT id, jsonb_build_object(
                    'depends_on', COALESCE(jsonb_agg(uuid) FILTER (WHERE above), '[]'),
                    'reverse_depends_on', COALESCE(jsonb_agg(uuid) FILTER (WHERE NOT above), '[]')
               )::text AS value
          FROM (SELECT child_id AS id, uuid, true AS above
                  FROM queue_job_dependency JOIN queue_job ON queue_job.id = parent_id
                 UNION ALL
                SELECT parent_id, uuid, false
                  FROM queue_job_dependency JOIN queue_job ON queue_job.id = child_id) AS ends
         GROUP BY id) AS links
 WHERE queue_job.id = links.id;

-- It stores tuples as lists, and dicts without the order of their keys.
CREATE FUNCTION pg_temp.plain(value jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    IF jsonb_typeof(value) = 'array' THEN
        RETURN (SELECT COALESCE(jsonb_agg(pg_temp.plain(item) ORDER BY place), '[]')
                  FROM jsonb_array_elements(value) WITH ORDINALITY AS items (item, place));
    ELSIF jsonb_typeof(value) <> 'object' THEN
        RETURN value;
    ELSIF value ->> '_type' = 'tuple' THEN
        RETURN pg_temp.plain(value -> 'value');
    ELSIF value ->> '_type' = 'float' THEN
        RETURN to_jsonb((value ->> 'value')::numeric);
    ELSIF value ->> '_type' = 'dict' THEN
        RETURN (SELECT COALESCE(jsonb_object_agg(item ->> 0, pg_temp.plain(item -> 1)), '{}')
                  FROM jsonb_array_elements(value -> 'value') AS items (item));
    END IF;
    RETURN (SELECT COALESCE(jsonb_object_agg(key, pg_temp.plain(item)), '{}')
              FROM jsonb_each(value) AS items (key, item));
END
$$;
UPDATE queue_job SET args = pg_temp.plain(args), kwargs = pg_temp.plain(kwargs)
 WHERE args @? '$.**._type ? (@ == "tuple" || @ == "float" || @ == "dict")'
    OR kwargs @? '$.**._type ? (@ == "tuple" || @ == "float" || @ == "dict")';

-- What it cannot run must not go round and round there, and must not be run with other arguments.
UPDATE queue_job
   SET state = 'failed', exc_name = 'NotReadableJobError',
       exc_message = 'The community''s queue_job cannot read this job: ' || CASE
            WHEN model_name IS NULL THEN 'it calls a function of a module, not a method of a model'
            ELSE 'it has an argument of a type that cannot be stored there' END
 WHERE state IN ('wait_dependencies', 'pending')
   AND (model_name IS NULL
        OR args @? '$.**._type ? (@ != "odoo_recordset" && @ != "datetime_isoformat"
            && @ != "date_isoformat" && @ != "etree_element")'
        OR kwargs @? '$.**._type ? (@ != "odoo_recordset" && @ != "datetime_isoformat"
            && @ != "date_isoformat" && @ != "etree_element")');

-- Waits that grow are a table of the first ten there.
UPDATE queue_job_function SET retry_pattern = (
    SELECT jsonb_object_agg(try, GREATEST(1, round(LEAST(
               COALESCE((backoff -> 'first')::numeric, 10)
                   * power(COALESCE((backoff -> 'factor')::numeric, 2), try - 1),
               COALESCE((backoff -> 'most')::numeric, 3600)))))
      FROM generate_series(1, 10) AS try)
  FROM (SELECT id, retry_pattern -> 'backoff' AS backoff FROM queue_job_function) AS growing
 WHERE growing.id = queue_job_function.id AND jsonb_typeof(growing.backoff) = 'object';

-- Every function has a channel and a method there.
UPDATE queue_job SET job_function_id = NULL
 WHERE job_function_id IN (SELECT id FROM queue_job_function WHERE model_id IS NULL);
DELETE FROM queue_job_function WHERE model_id IS NULL;
UPDATE queue_job_function SET channel_id = queue_job_channel.id
  FROM queue_job_channel
 WHERE channel_id IS NULL AND queue_job_channel.complete_name = 'root';
