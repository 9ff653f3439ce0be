-- What an attempt is billed for of GPU time stands in its entry, as its time
-- does: which task of the plan it was does not follow from the row alone.

-- +goose Up
-- NULL: it was written by a release that did not know the column, and what is there
-- does not tell which task it was (a run that went on where another had ended), or
-- it came back from an archive of that time. Entries that are there get 0 without
-- being written anew; later ones have no default.
ALTER TABLE sb.journal ADD COLUMN billed_gpu_ms bigint DEFAULT 0;
ALTER TABLE sb.journal ALTER COLUMN billed_gpu_ms DROP DEFAULT;

-- The journal is append-only, but for this one step. A task is found in the plan
-- by its path without the numbers of items and passes; one that a step added, by
-- the entry that added it. Versions that ask for no GPU are not looked at.
GRANT UPDATE (billed_gpu_ms) ON sb.journal TO sb_engine;
SET LOCAL ROLE sb_engine;
WITH task AS MATERIALIZED (
  SELECT v.org_id, v.pipeline_id, v.digest, t.n - 1 AS place, t.task ->> 'name' AS name,
    coalesce((t.task -> 'resources' ->> 'gpus')::bigint, 0) AS gpus
  FROM sb.version v
  CROSS JOIN LATERAL jsonb_array_elements(convert_from(v.plan, 'UTF8')::jsonb -> 'tasks') WITH ORDINALITY AS t (task, n)
  WHERE position('"gpus":'::bytea IN v.plan) > 0
), billed AS (
  SELECT j.org_id, j.run_id, j.seq, j.billed_ms * coalesce(named.gpus, added.gpus) AS gpu_ms
  FROM (SELECT DISTINCT org_id, pipeline_id, digest FROM task) v
  JOIN sb.run r ON r.org_id = v.org_id AND r.pipeline_id = v.pipeline_id AND r.digest = v.digest
  JOIN sb.journal j ON j.org_id = r.org_id AND j.run_id = r.id
  LEFT JOIN task named ON named.org_id = v.org_id AND named.pipeline_id = v.pipeline_id AND named.digest = v.digest
    AND named.name = regexp_replace(j.path, '\[[0-9]+\]', '', 'g')
  LEFT JOIN LATERAL (
    SELECT t.gpus
    FROM sb.journal a
    CROSS JOIN LATERAL jsonb_array_elements(convert_from(a.detail, 'UTF8')::jsonb -> 'members') AS m (member)
    JOIN task t ON t.org_id = v.org_id AND t.pipeline_id = v.pipeline_id AND t.digest = v.digest
      AND t.place = (m.member ->> 'node')::bigint
    WHERE a.org_id = j.org_id
      AND a.run_id = j.run_id
      AND a.kind = 'attempt_ended'
      AND a.path || '/' || (m.member ->> 'id') = j.path
    ORDER BY a.seq DESC
    LIMIT 1
  ) added ON named.name IS NULL
  WHERE j.kind = 'attempt_ended'
    AND j.started IS NOT NULL
    AND j.outcome IN ('succeeded', 'failed', 'timed_out', 'canceled', 'preempted', 'skipped', 'suspended')
    AND j.billed_ms > 0
)
UPDATE sb.journal j
SET billed_gpu_ms = b.gpu_ms
FROM billed b
WHERE j.org_id = b.org_id
  AND j.run_id = b.run_id
  AND j.seq = b.seq
  AND b.gpu_ms IS DISTINCT FROM 0;
SET LOCAL ROLE sb_owner;
REVOKE UPDATE (billed_gpu_ms) ON sb.journal FROM sb_engine;

-- +goose Down
ALTER TABLE sb.journal DROP COLUMN billed_gpu_ms;
