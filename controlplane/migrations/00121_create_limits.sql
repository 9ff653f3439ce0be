-- Named limits of a workspace: semaphores, rates, or both.

-- +goose Up
CREATE TABLE sb.named_limit (
  org_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  -- How many units may be held at once; NULL: any number.
  max_units bigint CHECK (max_units >= 0),
  -- How many units may be taken in how long; NULL: no rate.
  rate_units bigint CHECK (rate_units > 0),
  rate_ms bigint CHECK (rate_ms > 0),
  -- The bucket: how full it was, and when.
  tokens double precision NOT NULL DEFAULT 0,
  filled_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, workspace_id, name),
  FOREIGN KEY (org_id, workspace_id) REFERENCES sb.workspace (org_id, id),
  CHECK (max_units IS NOT NULL OR rate_units IS NOT NULL),
  CHECK ((rate_units IS NULL) = (rate_ms IS NULL))
) WITH (fillfactor = 50);

-- What an attempt holds: made with its lease, gone with the entry that ends it.
CREATE TABLE sb.limit_hold (
  org_id uuid NOT NULL,
  run_id uuid NOT NULL,
  task integer NOT NULL,
  workspace_id uuid NOT NULL,
  name text NOT NULL,
  units integer NOT NULL CHECK (units > 0),
  PRIMARY KEY (org_id, run_id, task, name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX limit_hold_by_name ON sb.limit_hold (org_id, workspace_id, name);

ALTER TABLE sb.named_limit ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.named_limit FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.named_limit TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.named_limit TO sb_engine USING (true) WITH CHECK (true);

ALTER TABLE sb.limit_hold ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.limit_hold FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.limit_hold TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.limit_hold TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.limit_hold FROM sb_api;

-- +goose Down
DROP TABLE sb.limit_hold;
DROP TABLE sb.named_limit;
