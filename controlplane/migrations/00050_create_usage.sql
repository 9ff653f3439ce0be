-- Usage: what was metered, append-only, one row per key and batch. The event
-- itself is the journal's ending entry; this is its sum.

-- +goose Up
CREATE TABLE sb.usage (
  org_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  meter text NOT NULL CHECK (meter IN ('runs', 'task_attempts', 'task_ms', 'gpu_ms')),
  workspace_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  pipeline_id uuid NOT NULL,
  label_set_id bigint NOT NULL,
  -- The hour, UTC, in which the attempt ended or the run started.
  hour timestamptz NOT NULL,
  quantity bigint NOT NULL,
  kind text NOT NULL DEFAULT 'metered' CHECK (kind IN ('metered', 'correction')),
  -- The row that a correction takes back.
  reverses bigint,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, id)
);
CREATE INDEX usage_by_hour ON sb.usage (org_id, hour);

ALTER TABLE sb.usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.usage FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.usage TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.usage TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.usage FROM sb_api;
-- Append-only, also for us: a correction is a row of its own.
REVOKE UPDATE, DELETE ON sb.usage FROM sb_engine;

-- +goose Down
DROP TABLE sb.usage;
