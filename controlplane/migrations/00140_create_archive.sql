-- What remains of a journal whose partition was archived and dropped: of each run
-- how far its journal went and what it folded to, and of each partition what its
-- entries had billed. So usage can be checked after the entries are gone, and a
-- journal that is restored can be told to be the one that was.

-- +goose Up
CREATE TABLE sb.archived_run (
  org_id uuid NOT NULL,
  run_id uuid NOT NULL,
  seq bigint NOT NULL CHECK (seq > 0),
  -- engine.State.Digest after that entry, and the version of the digest.
  digest bytea NOT NULL CHECK (length(digest) = 32),
  digest_version integer NOT NULL,
  -- The folder of the archive that holds it.
  folder text NOT NULL,
  archived_at timestamptz NOT NULL,
  -- When the partition went. A journal that is restored comes back for a while.
  dropped_at timestamptz,
  restored_at timestamptz,
  PRIMARY KEY (org_id, run_id, seq)
);

CREATE TABLE sb.archived_usage (
  org_id uuid NOT NULL,
  -- The partition whose entries these were.
  part text NOT NULL,
  meter text NOT NULL,
  workspace_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  pipeline_id uuid NOT NULL,
  label_set_id bigint NOT NULL,
  hour timestamptz NOT NULL,
  quantity bigint NOT NULL,
  PRIMARY KEY (org_id, part, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour)
);

ALTER TABLE sb.archived_run ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.archived_run FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.archived_run TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.archived_run TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.archived_run FROM sb_api;

ALTER TABLE sb.archived_usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.archived_usage FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.archived_usage TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.archived_usage TO sb_engine USING (true) WITH CHECK (true);
REVOKE INSERT, UPDATE, DELETE ON sb.archived_usage FROM sb_api;

-- Drops the partition of a month that ended more than a month ago. Whether it may
-- go, its caller has to know: this function sees no rows. It is the one way by
-- which entries leave the journal.
-- +goose StatementBegin
CREATE FUNCTION sb.drop_journal_partition(part text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sb, pg_temp SET timezone = 'UTC' AS $$
BEGIN
  IF part !~ '^journal_[0-9]{6}$' THEN
    RAISE EXCEPTION '% is no partition of the journal', part;
  END IF;
  IF to_date(right(part, 6), 'YYYYMM') + interval '2 months' > now() THEN
    RAISE EXCEPTION '% is too young to be dropped', part;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('sb.make_journal_partition'));
  EXECUTE format('DROP TABLE sb.%I', part);
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION sb.drop_journal_partition(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sb.drop_journal_partition(text) TO sb_engine;

-- +goose Down
DROP FUNCTION sb.drop_journal_partition(text);
DROP TABLE sb.archived_usage;
DROP TABLE sb.archived_run;
