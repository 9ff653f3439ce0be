-- How long attempts took that succeeded, of tasks that are limited by that
-- (`timeouts: {run: auto(…)}`). A memory beside the journal: without it such
-- tasks have no limit until there are enough again.

-- +goose Up
CREATE TABLE sb.run_time (
  org_id uuid NOT NULL,
  pipeline_id uuid NOT NULL,
  -- The task of the plan, and what it asked of an agent.
  task text NOT NULL,
  class_id bigint NOT NULL,
  -- Milliseconds, oldest first.
  took bigint[] NOT NULL CHECK (cardinality(took) BETWEEN 1 AND 15),
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, pipeline_id, task, class_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

ALTER TABLE sb.run_time ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.run_time FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.run_time TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.run_time TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.run_time FROM sb_api;

-- +goose Down
DROP TABLE sb.run_time;
