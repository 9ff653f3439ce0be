-- A user is a person with one login, whatever organizations they belong to: a
-- global table. It is called users because user is a reserved word. A row is
-- made only when the address has been verified, so nobody can take an address
-- hostage by signing up with it.
--
-- Only the login path (sb_auth) reads and writes it. Members of an organization
-- see each other's names: that policy comes with the table of memberships.

-- +goose Up
CREATE TABLE sb.users (
  id uuid PRIMARY KEY,
  email text NOT NULL CHECK (length(email) <= 254),
  -- The address in lower case: two spellings are one mailbox.
  email_key text NOT NULL UNIQUE CHECK (email_key = lower(email_key)),
  name text NOT NULL CHECK (length(name) <= 100),
  -- argon2id in PHC format; NULL for those who only sign in elsewhere.
  password_hash text,
  verified_at timestamptz NOT NULL,
  password_changed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);

REVOKE ALL ON sb.users FROM sb_api, sb_engine;
GRANT SELECT (id, email, email_key, name, created_at) ON sb.users TO sb_api, sb_engine;
GRANT SELECT, INSERT, UPDATE ON sb.users TO sb_auth;

ALTER TABLE sb.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.users FORCE ROW LEVEL SECURITY;
CREATE POLICY login ON sb.users TO sb_auth USING (true) WITH CHECK (true);
CREATE POLICY system ON sb.users TO sb_engine USING (true) WITH CHECK (true);

-- +goose Down
DROP TABLE sb.users;
