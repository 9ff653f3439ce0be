-- Requests that nobody took are swept by their expiry, of all organizations at
-- once.

-- +goose Up
CREATE INDEX data_request_expiry ON sb.data_request (expires_at);

-- +goose Down
DROP INDEX sb.data_request_expiry;
