-- An attempt of a gang is leased by several members at once.

-- +goose Up
ALTER TABLE sb.lease
  ADD COLUMN rank integer NOT NULL DEFAULT 0,
  -- How many members the attempt has; NULL where it is no gang's.
  ADD COLUMN gang integer CHECK (gang > 0),
  -- Where the agent of member 0 is found by the others.
  ADD COLUMN rendezvous text,
  DROP CONSTRAINT lease_org_id_run_id_task_key,
  ADD UNIQUE (org_id, run_id, task, rank),
  ADD CHECK (gang IS NOT NULL OR rank = 0);

-- By which host or IP other agents reach this one.
ALTER TABLE sb.session
  ADD COLUMN address text NOT NULL DEFAULT '' CHECK (length(address) <= 255);

-- +goose Down
ALTER TABLE sb.session DROP COLUMN address;
DELETE FROM sb.lease WHERE rank > 0;
ALTER TABLE sb.lease DROP CONSTRAINT lease_org_id_run_id_task_rank_key;
ALTER TABLE sb.lease
  DROP COLUMN rendezvous, DROP COLUMN gang, DROP COLUMN rank,
  ADD UNIQUE (org_id, run_id, task);
