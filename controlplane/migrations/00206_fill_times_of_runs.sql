-- What 00176 was to tell runs of before it: row-level security is forced on the
-- owner too, who saw none of them.

-- +goose Up
SET LOCAL ROLE sb_engine;
UPDATE sb.run r
SET nominal = f.nominal, interval_start = f.interval_start
FROM sb.schedule_fire f
WHERE f.org_id = r.org_id
  AND f.run_id = r.id
  AND r.nominal IS NULL;
SET LOCAL ROLE sb_owner;

-- +goose Down
SELECT;
