-- Who belongs to an organization, and what they are in each of its workspaces.
-- user_id refers to no table: a foreign key would tell one tenant which users
-- exist. Grants hang on the membership and die with it.

-- +goose Up
CREATE TABLE sb.membership (
  org_id uuid NOT NULL REFERENCES sb.organization (org_id),
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'member')),
  invited_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, user_id)
);
CREATE INDEX membership_by_user ON sb.membership (user_id);

CREATE TABLE sb.workspace_grant (
  org_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'developer', 'operator', 'viewer')),
  -- Opens logs and values to a viewer; the other roles open them anyway.
  data_read boolean NOT NULL DEFAULT false,
  granted_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, workspace_id, user_id),
  FOREIGN KEY (org_id, workspace_id) REFERENCES sb.workspace (org_id, id) ON DELETE CASCADE,
  FOREIGN KEY (org_id, user_id) REFERENCES sb.membership (org_id, user_id) ON DELETE CASCADE
);
CREATE INDEX workspace_grant_by_user ON sb.workspace_grant (org_id, user_id);

GRANT SELECT ON sb.membership, sb.workspace_grant TO sb_auth;

ALTER TABLE sb.membership ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.membership FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.membership TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.membership TO sb_engine USING (true) WITH CHECK (true);
CREATE POLICY login ON sb.membership FOR SELECT TO sb_auth USING (true);

ALTER TABLE sb.workspace_grant ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.workspace_grant FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.workspace_grant TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.workspace_grant TO sb_engine USING (true) WITH CHECK (true);
CREATE POLICY login ON sb.workspace_grant FOR SELECT TO sb_auth USING (true);

-- Members of one organization see each other, and nobody else. Users are read
-- by their id only, so the subquery is one index probe each.
CREATE POLICY tenant ON sb.users FOR SELECT TO sb_api
  USING (EXISTS (
    SELECT FROM sb.membership m
     WHERE m.org_id = (SELECT current_setting('app.org_id')::uuid)
       AND m.user_id = users.id));

-- +goose Down
DROP POLICY tenant ON sb.users;
DROP TABLE sb.workspace_grant;
DROP TABLE sb.membership;
