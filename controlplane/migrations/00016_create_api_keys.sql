-- The API keys of service accounts (sbk_). A key has a role, in one workspace or
-- in the organization, or single permissions.

-- +goose Up
CREATE TABLE sb.api_key (
  org_id uuid NOT NULL REFERENCES sb.organization (org_id),
  id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  hash bytea NOT NULL CHECK (length(hash) = 32),
  last4 text NOT NULL CHECK (length(last4) = 4),
  -- NULL: the whole organization.
  workspace_id uuid,
  org_role text CHECK (org_role IN ('owner', 'admin', 'billing', 'member')),
  workspace_role text CHECK (workspace_role IN ('admin', 'developer', 'operator', 'viewer')),
  permissions text[] NOT NULL DEFAULT '{}',
  created_by uuid,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- Written at most once a minute.
  last_used_at timestamptz,
  last_used_ip text NOT NULL DEFAULT '',
  revoked_at timestamptz,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, workspace_id) REFERENCES sb.workspace (org_id, id) ON DELETE CASCADE,
  CHECK (org_role IS NULL OR workspace_id IS NULL),
  CHECK (workspace_role IS NULL OR workspace_id IS NOT NULL)
);
-- Found by the login path, before an organization is known.
CREATE INDEX api_key_by_hash ON sb.api_key (hash);

GRANT SELECT, UPDATE (last_used_at, last_used_ip) ON sb.api_key TO sb_auth;

ALTER TABLE sb.api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.api_key FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.api_key TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.api_key TO sb_engine USING (true) WITH CHECK (true);
CREATE POLICY login ON sb.api_key TO sb_auth USING (true) WITH CHECK (true);

-- +goose Down
DROP TABLE sb.api_key;
