-- How often a sign-in, a sign-up or a mail was tried, by address and account.
-- In the database, not in each replica's memory: with n replicas behind a proxy
-- an attacker would have n times the tries, and a restart would forget them.
-- Unlogged: after a crash it is empty, which costs a few extra tries, and a
-- flood of them writes no WAL.

-- +goose Up
CREATE UNLOGGED TABLE sb.throttle (
  -- SHA-256 of what is counted, so that no address stands here in the clear.
  key bytea PRIMARY KEY CHECK (length(key) = 32),
  failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
  tried_at timestamptz NOT NULL,
  -- When it last went well: this address is known for this account.
  succeeded_at timestamptz
);
CREATE INDEX throttle_by_time ON sb.throttle (tried_at);

REVOKE ALL ON sb.throttle FROM sb_api, sb_engine;
GRANT SELECT (key, tried_at), DELETE ON sb.throttle TO sb_engine;
GRANT SELECT, INSERT, UPDATE ON sb.throttle TO sb_auth;

-- +goose Down
DROP TABLE sb.throttle;
