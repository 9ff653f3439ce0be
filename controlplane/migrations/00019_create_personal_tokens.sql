-- A person's tokens for the command line (sbu_): what its person may do, it may,
-- in all their organizations. Each request looks the membership up, so a token
-- reaches nothing of an organization that its person has left. Like a login
-- session it is global, belongs to the login path, and ends by deleting its row.

-- +goose Up
CREATE TABLE sb.personal_token (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES sb.users (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  last4 text NOT NULL CHECK (length(last4) = 4),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- Written at most once a minute.
  seen_at timestamptz NOT NULL,
  ip text NOT NULL DEFAULT ''
);
CREATE INDEX personal_token_by_user ON sb.personal_token (user_id);
CREATE INDEX personal_token_by_expiry ON sb.personal_token (expires_at);

REVOKE ALL ON sb.personal_token FROM sb_api, sb_engine;
GRANT SELECT (id, expires_at), DELETE ON sb.personal_token TO sb_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON sb.personal_token TO sb_auth;

-- +goose Down
DROP TABLE sb.personal_token;
