-- Who may vote on an open approval, as its task says, so that a list of them can
-- tell without reading plans.

-- +goose Up
ALTER TABLE sb.approval
  ADD COLUMN voters text[] NOT NULL DEFAULT '{}',
  ADD COLUMN not_requester boolean NOT NULL DEFAULT false,
  -- Who opened the run's generation, if it is not the first.
  ADD COLUMN retried_by text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE sb.approval DROP COLUMN voters, DROP COLUMN not_requester, DROP COLUMN retried_by;
