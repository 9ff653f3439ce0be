-- What nobody has taken yet (ready), what somebody has (lease), and what comes
-- due (timer). Small hot tables without foreign keys: `doctor` checks them.

-- +goose Up
-- Raises an error where a statement touched another number of rows than its
-- transaction had locked.
-- +goose StatementBegin
CREATE FUNCTION sb.expect_rows(what text, got bigint, want bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF got <> want THEN
    RAISE EXCEPTION '%: % rows instead of %', what, got, want;
  END IF;
END $$;
-- +goose StatementEnd

-- A requirement class is what a task asks of an agent: labels, resources,
-- whether it must hold the sealing key. Interned, so that a claim compares ids.
CREATE TABLE sb.requirement_class (
  org_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  digest bytea NOT NULL CHECK (length(digest) = 32),
  spec jsonb NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, digest)
);

CREATE TABLE sb.ready (
  org_id uuid NOT NULL,
  run_id uuid NOT NULL,
  task integer NOT NULL,
  attempt integer NOT NULL,
  path text NOT NULL,
  pool_id uuid NOT NULL,
  class_id bigint NOT NULL,
  priority integer NOT NULL,
  -- The lane that fairness counts by; the workspace for now.
  lane uuid NOT NULL,
  since timestamptz NOT NULL,
  -- The agent that lost or rejected the last attempt: prefer another.
  avoid_agent uuid,
  avoid_until timestamptz,
  PRIMARY KEY (org_id, run_id, task)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX ready_head ON sb.ready (org_id, pool_id, priority DESC, since, run_id, task);

-- Lease ids are handed to replicas in blocks; gaps mean nothing.
CREATE SEQUENCE sb.lease_id INCREMENT BY 1000;
GRANT USAGE ON SEQUENCE sb.lease_id TO sb_engine;

CREATE TABLE sb.lease (
  org_id uuid NOT NULL,
  -- The fence: unique over all organizations and all time.
  id bigint NOT NULL,
  session_id uuid NOT NULL,
  agent_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  run_id uuid NOT NULL,
  task integer NOT NULL,
  attempt integer NOT NULL,
  path text NOT NULL,
  class_id bigint NOT NULL,
  slots integer NOT NULL,
  ready_at timestamptz NOT NULL,
  granted_at timestamptz NOT NULL,
  -- Told by heartbeats, not decided by the engine.
  phase text NOT NULL DEFAULT 'leased' CHECK (phase IN ('leased', 'starting', 'running')),
  started_at timestamptz,
  stop text NOT NULL DEFAULT '' CHECK (stop IN ('', 'stop', 'kill')),
  stop_grace_ms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, run_id, task)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX lease_by_session ON sb.lease (org_id, session_id);
CREATE INDEX lease_by_pool ON sb.lease (org_id, pool_id);

CREATE TABLE sb.timer (
  org_id uuid NOT NULL,
  run_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('retry', 'queue', 'deadline', 'exit_deadline')),
  task integer NOT NULL DEFAULT -1,
  attempt integer NOT NULL DEFAULT 0,
  at timestamptz NOT NULL,
  avoid_agent uuid,
  PRIMARY KEY (org_id, run_id, kind, task)
) WITH (fillfactor = 70);
CREATE INDEX timer_due ON sb.timer (at);

ALTER TABLE sb.requirement_class ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.requirement_class FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.requirement_class TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.requirement_class TO sb_engine USING (true) WITH CHECK (true);

ALTER TABLE sb.ready ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.ready FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.ready TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.ready TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.ready FROM sb_api;

ALTER TABLE sb.lease ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.lease FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.lease TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.lease TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.lease FROM sb_api;

ALTER TABLE sb.timer ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.timer FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.timer TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.timer TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.timer FROM sb_api;

-- +goose Down
DROP TABLE sb.timer;
DROP TABLE sb.lease;
DROP SEQUENCE sb.lease_id;
DROP TABLE sb.ready;
DROP TABLE sb.requirement_class;
DROP FUNCTION sb.expect_rows(text, bigint, bigint);
