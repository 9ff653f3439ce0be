-- What archived entries used counts once they are dropped; until then it is told
-- by the entries themselves. `part` is the folder, since a partition may be
-- archived more than once.

-- +goose Up
ALTER TABLE sb.archived_usage ADD COLUMN dropped_at timestamptz;

-- +goose Down
ALTER TABLE sb.archived_usage DROP COLUMN dropped_at;
