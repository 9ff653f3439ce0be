-- A sign-in in a browser. The cookie holds 256 random bits, the table their
-- SHA-256. A session ends by deleting its row, so the next request with its
-- cookie finds nothing.

-- +goose Up
CREATE TABLE sb.login_session (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES sb.users (id) ON DELETE CASCADE,
  token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  created_at timestamptz NOT NULL,
  -- Written at most once a minute; the idle limit counts from here.
  seen_at timestamptz NOT NULL,
  -- The absolute limit.
  expires_at timestamptz NOT NULL,
  -- When the password was last given, for what asks for it again.
  authenticated_at timestamptz NOT NULL,
  ip text NOT NULL DEFAULT '',
  user_agent text NOT NULL DEFAULT ''
);
CREATE INDEX login_session_by_user ON sb.login_session (user_id);
CREATE INDEX login_session_by_expiry ON sb.login_session (expires_at);

REVOKE ALL ON sb.login_session FROM sb_api, sb_engine;
-- The engine removes what has expired.
GRANT SELECT (id, seen_at, expires_at), DELETE ON sb.login_session TO sb_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON sb.login_session TO sb_auth;

-- +goose Down
DROP TABLE sb.login_session;
