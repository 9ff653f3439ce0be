-- The approvals that are open, for those who look across pipelines for what
-- waits for them. A row comes and goes with its task's hold, in the transaction
-- of the entries that say so; who voted how stands in the journal.

-- +goose Up
CREATE TABLE sb.approval (
  org_id uuid NOT NULL,
  run_id uuid NOT NULL,
  task integer NOT NULL,
  workspace_id uuid NOT NULL,
  path text NOT NULL,
  since timestamptz NOT NULL,
  -- When it is in vain; null: never.
  until timestamptz,
  required integer NOT NULL CHECK (required > 0),
  approved integer NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, run_id, task)
);
CREATE INDEX approval_oldest ON sb.approval (org_id, workspace_id, since, run_id, task);

ALTER TABLE sb.approval ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.approval FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.approval TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.approval TO sb_engine USING (true) WITH CHECK (true);
-- Only the group commit writes it.
REVOKE INSERT, UPDATE, DELETE ON sb.approval FROM sb_api;

-- What kinds of timers there are is the engine's to say.
ALTER TABLE sb.timer DROP CONSTRAINT timer_kind_check;
ALTER TABLE sb.timer ADD CONSTRAINT timer_kind_check CHECK (kind ~ '^[a-z_]{1,32}$');

-- +goose Down
DELETE FROM sb.timer WHERE kind = 'hold';
ALTER TABLE sb.timer DROP CONSTRAINT timer_kind_check;
ALTER TABLE sb.timer ADD CONSTRAINT timer_kind_check CHECK (kind IN ('retry', 'queue', 'deadline', 'exit_deadline'));
DROP TABLE sb.approval;
