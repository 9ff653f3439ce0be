-- What one run's command asks of another: written by the batch that decides it,
-- carried out by a command of a later one, which deletes the row. And the lines
-- in which runs of one pipeline wait for each other.

-- +goose Up
CREATE TABLE sb.wake (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  -- Not before: a run that is to start later waits here.
  at timestamptz NOT NULL,
  kind text NOT NULL CHECK (kind IN ('arrive', 'admit', 'drop', 'cancel', 'release', 'resume', 'child', 'child_ended')),
  -- The run that is changed; of `release` the one that ended, if one did.
  run_id uuid,
  pipeline_id uuid NOT NULL,
  -- The line that is served (release).
  key text,
  -- The parent's task, and the child (child, child_ended).
  task integer NOT NULL DEFAULT -1,
  attempt integer NOT NULL DEFAULT 0,
  child_id uuid,
  force boolean NOT NULL DEFAULT false,
  reason text NOT NULL DEFAULT '',
  PRIMARY KEY (org_id, id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX wake_due ON sb.wake (at);

-- A line is a concurrency key of a pipeline. Its row is what is locked; the
-- counts are those of the rows of admission.
CREATE TABLE sb.line (
  org_id uuid NOT NULL,
  pipeline_id uuid NOT NULL,
  key text NOT NULL,
  next_ticket bigint NOT NULL DEFAULT 1,
  held integer NOT NULL DEFAULT 0 CHECK (held >= 0),
  waiting integer NOT NULL DEFAULT 0 CHECK (waiting >= 0),
  PRIMARY KEY (org_id, pipeline_id, key)
) WITH (fillfactor = 50);

-- Where a run stands that is in a line, or waits for its pipeline to go on.
CREATE TABLE sb.admission (
  org_id uuid NOT NULL,
  run_id uuid NOT NULL,
  pipeline_id uuid NOT NULL,
  key text,
  -- In a line: the order of arrival, the place that it holds and how many
  -- places its version knows.
  ticket bigint NOT NULL DEFAULT 0,
  slot integer,
  slots integer NOT NULL DEFAULT 0,
  -- It failed and holds the others up (strict).
  blocking boolean NOT NULL DEFAULT false,
  -- A newer run takes its place: it is being canceled.
  superseded boolean NOT NULL DEFAULT false,
  -- It may start but for its pipeline, which is paused.
  paused boolean NOT NULL DEFAULT false,
  PRIMARY KEY (org_id, run_id),
  CHECK (slot BETWEEN 1 AND slots),
  CHECK (key IS NOT NULL OR (slot IS NULL AND paused)),
  CHECK (slot IS NOT NULL OR NOT (blocking OR superseded))
) WITH (fillfactor = 50);
-- No two runs hold one place: never more of them run than there are places.
CREATE UNIQUE INDEX admission_slot ON sb.admission (org_id, pipeline_id, key, slot) WHERE slot IS NOT NULL;
CREATE INDEX admission_waiting ON sb.admission (org_id, pipeline_id, key, ticket) WHERE slot IS NULL AND key IS NOT NULL;
CREATE INDEX admission_paused ON sb.admission (org_id, pipeline_id, run_id) WHERE paused;

ALTER TABLE sb.run
  ADD COLUMN concurrency_key text,
  ADD COLUMN start_at timestamptz;

ALTER TABLE sb.wake ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.wake FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.wake TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid) AND kind = 'resume');
CREATE POLICY system ON sb.wake TO sb_engine USING (true) WITH CHECK (true);
-- Who resumes a pipeline wakes what waits for it, and nothing else.
REVOKE UPDATE, DELETE ON sb.wake FROM sb_api;

ALTER TABLE sb.line ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.line FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.line TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.line TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.line FROM sb_api;

ALTER TABLE sb.admission ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.admission FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.admission TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.admission TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.admission FROM sb_api;

-- +goose Down
ALTER TABLE sb.run DROP COLUMN concurrency_key, DROP COLUMN start_at;
DROP TABLE sb.admission;
DROP TABLE sb.line;
DROP TABLE sb.wake;
