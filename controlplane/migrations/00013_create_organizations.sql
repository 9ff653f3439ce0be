-- The tenant, and its parts. org_id of every other table is organization.org_id.

-- +goose Up
CREATE TABLE sb.organization (
  org_id uuid PRIMARY KEY,
  -- No underscore, so that a slug is never taken for an id.
  slug text NOT NULL CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  plan text NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'team', 'business')),
  state text NOT NULL DEFAULT 'active'
    CHECK (state IN ('trialing', 'active', 'past_due', 'restricted', 'suspended', 'closed')),
  created_at timestamptz NOT NULL DEFAULT now()
);
-- An index, not a constraint: unique over all organizations by its nature. That
-- a slug is taken is the one thing that an organization can learn of another.
CREATE UNIQUE INDEX organization_slug ON sb.organization (slug);

CREATE TABLE sb.workspace (
  org_id uuid NOT NULL REFERENCES sb.organization (org_id),
  id uuid NOT NULL,
  slug text NOT NULL CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  -- The organization's roles do not open a restricted workspace's data.
  restricted boolean NOT NULL DEFAULT false,
  -- The public half of the sealing key, NULL until the first agent made it.
  sealing_kid text CHECK (sealing_kid ~ '^[0-9a-f]{16}$'),
  sealing_public bytea CHECK (length(sealing_public) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, slug),
  CHECK ((sealing_kid IS NULL) = (sealing_public IS NULL))
);
-- The login path finds the organization of a workspace that is named by its id.
CREATE INDEX workspace_by_id ON sb.workspace (id);

REVOKE DELETE ON sb.organization FROM sb_api;
GRANT SELECT ON sb.organization, sb.workspace TO sb_auth;

ALTER TABLE sb.organization ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.organization FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.organization TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.organization TO sb_engine USING (true) WITH CHECK (true);
CREATE POLICY login ON sb.organization FOR SELECT TO sb_auth USING (true);

ALTER TABLE sb.workspace ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.workspace FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.workspace TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.workspace TO sb_engine USING (true) WITH CHECK (true);
CREATE POLICY login ON sb.workspace FOR SELECT TO sb_auth USING (true);

-- +goose Down
DROP TABLE sb.workspace;
DROP TABLE sb.organization;
