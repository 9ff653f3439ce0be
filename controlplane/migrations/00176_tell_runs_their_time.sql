-- What a scheduled run is about stands with the run: its steps are told, from
-- the first one on, and for as long as it is retried.

-- +goose Up
ALTER TABLE sb.run
  ADD COLUMN nominal timestamptz,
  ADD COLUMN interval_start timestamptz,
  ADD CONSTRAINT run_interval CHECK ((nominal IS NULL) = (interval_start IS NULL));
UPDATE sb.run r
SET nominal = f.nominal, interval_start = f.interval_start
FROM sb.schedule_fire f
WHERE f.org_id = r.org_id
  AND f.run_id = r.id;

-- +goose Down
ALTER TABLE sb.run
  DROP COLUMN nominal,
  DROP COLUMN interval_start;
