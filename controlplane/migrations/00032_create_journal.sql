-- The journal: the append-only log of every run and the only truth about it.
-- Partitioned by range of run_id, which as a UUIDv7 carries its time, so that a
-- run lies in one partition and (run, seq) stays unique.

-- +goose Up
CREATE TABLE sb.journal (
  org_id uuid NOT NULL,
  run_id uuid NOT NULL,
  seq bigint NOT NULL CHECK (seq > 0),
  v smallint NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  -- The task's index in the plan, -1 for entries about the run.
  task integer NOT NULL DEFAULT -1,
  path text NOT NULL DEFAULT '',
  attempt integer NOT NULL DEFAULT 0,
  generation integer NOT NULL DEFAULT 1,
  lease bigint NOT NULL DEFAULT 0,
  agent_id uuid,
  granted timestamptz,
  started timestamptz,
  finished timestamptz,
  outcome text NOT NULL DEFAULT '',
  cause text NOT NULL DEFAULT '',
  exit_code integer NOT NULL DEFAULT 0,
  -- The task's state after this entry, and when it may be tried again.
  next text NOT NULL DEFAULT '',
  retry_at timestamptz,
  reason text NOT NULL DEFAULT '',
  actor text NOT NULL DEFAULT '',
  -- What was metered, in milliseconds.
  billed_ms bigint NOT NULL DEFAULT 0,
  -- Outputs and sealed error text, encoded; the fold never reads them.
  body bytea,
  detail bytea,
  PRIMARY KEY (org_id, run_id, seq)
) PARTITION BY RANGE (run_id);
ALTER TABLE sb.journal ALTER COLUMN body SET STORAGE EXTERNAL;

ALTER TABLE sb.journal ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.journal FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.journal TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.journal TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.journal FROM sb_api;
-- Append-only, also for us.
REVOKE UPDATE, DELETE ON sb.journal FROM sb_engine;

-- Makes the partition of the month that holds `at`, if it is not there yet. The
-- first 48 bits of a UUIDv7 are its Unix time in milliseconds.
-- +goose StatementBegin
CREATE FUNCTION sb.make_journal_partition(at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sb, pg_temp AS $$
DECLARE
  first timestamptz := date_trunc('month', at, 'UTC');
  part text := 'journal_' || to_char(first AT TIME ZONE 'UTC', 'YYYYMM');
  low uuid := lpad(to_hex((extract(epoch FROM first) * 1000)::bigint), 12, '0') || repeat('0', 20);
  high uuid := lpad(to_hex((extract(epoch FROM first + interval '1 month') * 1000)::bigint), 12, '0') || repeat('0', 20);
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('sb.make_journal_partition'));
  IF to_regclass('sb.' || part) IS NULL THEN
    EXECUTE format('CREATE TABLE sb.%I PARTITION OF sb.journal FOR VALUES FROM (%L) TO (%L)', part, low, high);
    EXECUTE format('ALTER TABLE sb.%I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('ALTER TABLE sb.%I FORCE ROW LEVEL SECURITY', part);
    EXECUTE format('CREATE POLICY tenant ON sb.%I TO sb_api USING (org_id = (SELECT current_setting(''app.org_id'')::uuid)) WITH CHECK (org_id = (SELECT current_setting(''app.org_id'')::uuid))', part);
    EXECUTE format('CREATE POLICY system ON sb.%I TO sb_engine USING (true) WITH CHECK (true)', part);
    -- Reached through the parent only.
    EXECUTE format('REVOKE ALL ON sb.%I FROM sb_api, sb_engine, sb_auth', part);
  END IF;
  RETURN part;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION sb.make_journal_partition(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sb.make_journal_partition(timestamptz) TO sb_engine;
SELECT sb.make_journal_partition(now() + make_interval(months => m)) FROM generate_series(-1, 2) AS m;

-- +goose Down
DROP TABLE sb.journal;
DROP FUNCTION sb.make_journal_partition(timestamptz);
