-- An invitation is bound to an address and opens once. One waits per address
-- and organization: inviting again revokes the older one.

-- +goose Up
CREATE TABLE sb.invitation (
  org_id uuid NOT NULL REFERENCES sb.organization (org_id),
  id uuid NOT NULL,
  token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
  email text NOT NULL CHECK (length(email) <= 254),
  email_key text NOT NULL CHECK (email_key = lower(email_key)),
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'member')),
  workspace_id uuid,
  workspace_role text CHECK (workspace_role IN ('admin', 'developer', 'operator', 'viewer')),
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'accepted', 'revoked')),
  invited_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  decided_at timestamptz,
  accepted_by uuid,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, workspace_id) REFERENCES sb.workspace (org_id, id) ON DELETE CASCADE,
  CHECK ((workspace_id IS NULL) = (workspace_role IS NULL)),
  CHECK ((state = 'pending') = (decided_at IS NULL)),
  CHECK ((state = 'accepted') = (accepted_by IS NOT NULL))
);
CREATE UNIQUE INDEX invitation_pending ON sb.invitation (org_id, email_key) WHERE state = 'pending';
-- Both are asked by the login path, before an organization is known.
CREATE INDEX invitation_by_token ON sb.invitation (token_hash);
CREATE INDEX invitation_by_email ON sb.invitation (email_key) WHERE state = 'pending';

GRANT SELECT ON sb.invitation TO sb_auth;

ALTER TABLE sb.invitation ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.invitation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.invitation TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.invitation TO sb_engine USING (true) WITH CHECK (true);
CREATE POLICY login ON sb.invitation FOR SELECT TO sb_auth USING (true);

-- +goose Down
DROP TABLE sb.invitation;
