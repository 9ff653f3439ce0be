-- What a mail's link stands for, once. A sign-up waits here, name and password
-- included, and becomes a user only when the link of that very sign-up is
-- opened: whoever signs up with somebody else's address leaves no account.

-- +goose Up
CREATE TABLE sb.email_token (
  hash bytea PRIMARY KEY CHECK (length(hash) = 32),
  purpose text NOT NULL CHECK (purpose IN ('verify', 'reset')),
  email text NOT NULL CHECK (length(email) <= 254),
  email_key text NOT NULL CHECK (email_key = lower(email_key)),
  -- Of a sign-up that waits.
  name text NOT NULL DEFAULT '' CHECK (length(name) <= 100),
  password_hash text,
  -- Of a user who asked for a new password.
  user_id uuid REFERENCES sb.users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  CHECK ((purpose = 'verify') = (password_hash IS NOT NULL)),
  CHECK ((purpose = 'reset') = (user_id IS NOT NULL))
);
CREATE INDEX email_token_by_email ON sb.email_token (email_key, created_at);
CREATE INDEX email_token_by_expiry ON sb.email_token (expires_at);

REVOKE ALL ON sb.email_token FROM sb_api, sb_engine;
GRANT SELECT (hash, expires_at), DELETE ON sb.email_token TO sb_engine;
GRANT SELECT, INSERT, UPDATE ON sb.email_token TO sb_auth;

-- +goose Down
DROP TABLE sb.email_token;
