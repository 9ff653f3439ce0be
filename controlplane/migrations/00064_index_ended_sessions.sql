-- The reaper looks for sessions that have ended each second; there are few, among
-- those of all agents.

-- +goose Up
CREATE INDEX session_ended ON sb.session (org_id, id) WHERE ended;

-- +goose Down
DROP INDEX sb.session_ended;
