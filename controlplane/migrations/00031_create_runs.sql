-- Runs, and what makes starting one idempotent. The row of a run is a fold of
-- its journal, kept for lists; `seq` says how far.

-- +goose Up
-- Label sets are interned: runs and usage carry the id.
CREATE TABLE sb.label_set (
  org_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  digest bytea NOT NULL CHECK (length(digest) = 32),
  labels jsonb NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, digest)
);
-- A label is found here, not in jsonb: its operators are not leakproof.
CREATE TABLE sb.label_pair (
  org_id uuid NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  label_set_id bigint NOT NULL,
  PRIMARY KEY (org_id, key, value, label_set_id)
);

CREATE TABLE sb.run (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  pipeline_id uuid NOT NULL,
  digest bytea NOT NULL CHECK (length(digest) = 32),
  number bigint NOT NULL,
  cause text NOT NULL CHECK (cause IN ('user', 'key', 'schedule', 'trigger', 'backfill', 'parent', 'system')),
  actor text NOT NULL DEFAULT '',
  -- The params as given, an encoded list of values; opaque here.
  params bytea NOT NULL,
  label_set_id bigint NOT NULL,
  priority integer NOT NULL DEFAULT 0,
  state text NOT NULL CHECK (state IN ('pending', 'running', 'paused', 'canceling', 'finalizing', 'succeeded', 'failed', 'canceled', 'dropped')),
  reason text NOT NULL DEFAULT '',
  outcome text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'succeeded', 'failed', 'canceled', 'dropped')),
  seq bigint NOT NULL,
  generation integer NOT NULL DEFAULT 1,
  tasks_total integer NOT NULL,
  tasks_done integer NOT NULL DEFAULT 0,
  tasks_failed integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  deadline timestamptz,
  PRIMARY KEY (org_id, id),
  CHECK ((state IN ('succeeded', 'failed', 'canceled', 'dropped')) = (finished_at IS NOT NULL))
) WITH (fillfactor = 70);
-- Ids are UUIDv7: newest first is id descending. No index holds a column that
-- changes while a run runs, so its updates stay HOT until the end.
CREATE INDEX run_newest ON sb.run (org_id, workspace_id, id DESC);
CREATE UNIQUE INDEX run_number ON sb.run (org_id, pipeline_id, number);
CREATE INDEX run_open ON sb.run (org_id, workspace_id, id DESC) WHERE finished_at IS NULL;
CREATE INDEX run_outcome ON sb.run (org_id, workspace_id, outcome, id DESC) WHERE finished_at IS NOT NULL;
CREATE INDEX run_by_pipeline ON sb.run (org_id, pipeline_id, id DESC);
CREATE INDEX run_pipeline_outcome ON sb.run (org_id, pipeline_id, outcome, id DESC) WHERE finished_at IS NOT NULL;
CREATE INDEX run_label_set ON sb.run (org_id, label_set_id, id DESC);

-- An idempotency key, kept for 30 days.
CREATE TABLE sb.start_key (
  org_id uuid NOT NULL,
  pipeline_id uuid NOT NULL,
  key text NOT NULL,
  run_id uuid NOT NULL,
  -- sha256 of what was asked, to refuse the same key with other content.
  fingerprint bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, pipeline_id, key)
);
CREATE INDEX start_key_expiry ON sb.start_key (expires_at);

ALTER TABLE sb.label_set ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.label_set FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.label_set TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.label_set TO sb_engine USING (true) WITH CHECK (true);

ALTER TABLE sb.label_pair ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.label_pair FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.label_pair TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.label_pair TO sb_engine USING (true) WITH CHECK (true);

ALTER TABLE sb.run ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.run FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.run TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.run TO sb_engine USING (true) WITH CHECK (true);
-- Only the group commit writes runs.
REVOKE INSERT, UPDATE, DELETE ON sb.run FROM sb_api;

ALTER TABLE sb.start_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.start_key FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.start_key TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.start_key TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.start_key FROM sb_api;

-- +goose Down
DROP TABLE sb.start_key;
DROP TABLE sb.run;
DROP TABLE sb.label_pair;
DROP TABLE sb.label_set;
