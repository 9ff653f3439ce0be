-- Schedules, and every time that one fired: a fire is named by its nominal time,
-- so that however many replicas tick there is one run for it.

-- +goose Up
CREATE TABLE sb.schedule (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  pipeline_id uuid NOT NULL,
  -- Those of a pipeline's file are called <pipeline>.<name>, others have no dot.
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_.-]{0,127}$'),
  source text NOT NULL CHECK (source IN ('file', 'api')),
  -- What was asked for, canonical JSON.
  spec text NOT NULL,
  paused boolean NOT NULL DEFAULT false,
  pause_note text NOT NULL DEFAULT '',
  paused_by text NOT NULL DEFAULT '',
  paused_at timestamptz,
  -- Fires up to here are in schedule_fire, or are not made up for.
  cursor timestamptz NOT NULL,
  -- When the ticker must look at it again; NULL: no more.
  next_at timestamptz,
  -- How many fires were to start a run, against max_runs.
  fired bigint NOT NULL DEFAULT 0,
  created_by text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- Its fires stay: they say what the runs were for.
  deleted_at timestamptz,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, pipeline_id) REFERENCES sb.pipeline (org_id, id),
  CHECK (paused = (paused_at IS NOT NULL))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX schedule_name ON sb.schedule (org_id, workspace_id, name) WHERE deleted_at IS NULL;
CREATE INDEX schedule_by_pipeline ON sb.schedule (org_id, pipeline_id) WHERE deleted_at IS NULL;
CREATE INDEX schedule_next ON sb.schedule (next_at, org_id, id) WHERE next_at IS NOT NULL;

CREATE TABLE sb.schedule_fire (
  org_id uuid NOT NULL,
  schedule_id uuid NOT NULL,
  nominal timestamptz NOT NULL,
  interval_start timestamptz NOT NULL,
  interval_end timestamptz NOT NULL,
  -- waiting for the run before; starting: decided, and started again after any
  -- crash until it is; dropped by its overlap; refused, with the reason.
  state text NOT NULL CHECK (state IN ('waiting', 'starting', 'started', 'dropped', 'refused')),
  reason text NOT NULL DEFAULT '',
  run_id uuid,
  created_at timestamptz NOT NULL,
  -- When there was nothing more to do: the run had ended, or never was.
  ended_at timestamptz,
  PRIMARY KEY (org_id, schedule_id, nominal),
  CHECK ((state = 'started') = (run_id IS NOT NULL)),
  CHECK (state NOT IN ('dropped', 'refused') OR ended_at IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX schedule_fire_open ON sb.schedule_fire (org_id, schedule_id, nominal) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX schedule_fire_run ON sb.schedule_fire (org_id, run_id) WHERE run_id IS NOT NULL;

ALTER TABLE sb.schedule ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.schedule FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.schedule TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.schedule TO sb_engine USING (true) WITH CHECK (true);
REVOKE DELETE ON sb.schedule FROM sb_api;

ALTER TABLE sb.schedule_fire ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.schedule_fire FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.schedule_fire TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.schedule_fire TO sb_engine USING (true) WITH CHECK (true);
-- Only the ticker fires.
REVOKE INSERT, UPDATE, DELETE ON sb.schedule_fire FROM sb_api;

-- +goose Down
DROP TABLE sb.schedule_fire;
DROP TABLE sb.schedule;
