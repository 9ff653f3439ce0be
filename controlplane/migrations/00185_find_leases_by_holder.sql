-- A session takes from one pool only, and so do its leases: one index finds them
-- by either. Each lease is written into one index less.

-- +goose Up
CREATE INDEX lease_by_holder ON sb.lease (org_id, pool_id, session_id);
DROP INDEX sb.lease_by_session;
DROP INDEX sb.lease_by_pool;

-- +goose Down
CREATE INDEX lease_by_pool ON sb.lease (org_id, pool_id);
CREATE INDEX lease_by_session ON sb.lease (org_id, session_id);
DROP INDEX sb.lease_by_holder;
