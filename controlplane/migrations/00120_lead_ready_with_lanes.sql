-- Fairness within a pool: lanes, their virtual times, and an index of the queue
-- that leads to the head of each lane and class.

-- +goose Up
-- What a pool's lanes are: the workspace, so that there is one, or the values
-- of a label. `laned` stays once it was set: tasks may still stand in old lanes.
ALTER TABLE sb.pool
  ADD COLUMN fairness text NOT NULL DEFAULT 'workspace' CHECK (fairness = 'workspace' OR fairness ~ '^label:.{1,63}$'),
  ADD COLUMN laned boolean NOT NULL DEFAULT false,
  ADD COLUMN weights jsonb NOT NULL DEFAULT '{}',
  -- How long a task that does not fit waits until room is kept free for it;
  -- 0: for ever.
  ADD COLUMN reserve_after_ms bigint NOT NULL DEFAULT 60000 CHECK (reserve_after_ms >= 0),
  ADD CONSTRAINT pool_laned CHECK (laned OR fairness = 'workspace');

-- A queue is what stands in one pool with one priority, lane and class: its head
-- is found without reading what stands before or behind it. The priority is
-- negated so that all columns are read in one direction.
DROP INDEX sb.ready_head;
CREATE INDEX ready_head ON sb.ready (org_id, pool_id, (-priority), lane, class_id, since, run_id, task);

-- The virtual time of a lane: the slot-seconds that it was given, by its weight.
-- The row with the nil lane is the clock of its pool and priority. A lane behind
-- the clock stands there; its row is worth nothing.
CREATE TABLE sb.lane (
  org_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  priority integer NOT NULL,
  lane uuid NOT NULL,
  -- The label's value, for people.
  key text NOT NULL DEFAULT '',
  vtime double precision NOT NULL,
  -- What it was charged in all.
  charged double precision NOT NULL,
  PRIMARY KEY (org_id, pool_id, priority, lane)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

ALTER TABLE sb.lane ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.lane FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.lane TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.lane TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.lane FROM sb_api;

-- What its lane was charged for a lease, and by the second: settled when it
-- ends.
ALTER TABLE sb.lease
  ADD COLUMN priority integer NOT NULL DEFAULT 0,
  ADD COLUMN lane uuid,
  ADD COLUMN charge double precision NOT NULL DEFAULT 0,
  ADD COLUMN rate double precision NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE sb.lease DROP COLUMN rate, DROP COLUMN charge, DROP COLUMN lane, DROP COLUMN priority;
DROP TABLE sb.lane;
DROP INDEX sb.ready_head;
CREATE INDEX ready_head ON sb.ready (org_id, pool_id, priority DESC, since, run_id, task);
ALTER TABLE sb.pool DROP CONSTRAINT pool_laned, DROP COLUMN reserve_after_ms, DROP COLUMN weights, DROP COLUMN laned, DROP COLUMN fairness;
