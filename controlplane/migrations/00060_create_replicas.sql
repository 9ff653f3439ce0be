-- The replicas of the control plane, so that one can pass a sealed frame on to
-- the one that holds its reader; and what readers ask of agents.

-- +goose Up
CREATE TABLE sb.replica (
  id uuid PRIMARY KEY,
  -- host:port of the internal listener.
  address text NOT NULL,
  seen timestamptz NOT NULL DEFAULT now()
);

-- A request waits here until a poll of its agent takes it, on any replica.
-- Keys and grants only: no data of anybody.
CREATE TABLE sb.data_request (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  agent_id uuid NOT NULL,
  request bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE INDEX data_request_by_agent ON sb.data_request (org_id, agent_id);

ALTER TABLE sb.data_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.data_request FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.data_request TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.data_request TO sb_engine USING (true) WITH CHECK (true);

-- Secrets of the installation that the replicas share: the key that signs
-- grants and agents' access tokens, made by the first replica.
CREATE TABLE sb.server_key (
  name text PRIMARY KEY,
  private bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON sb.server_key FROM sb_api;
REVOKE ALL ON sb.replica FROM sb_api;

-- +goose Down
DROP TABLE sb.server_key;
DROP TABLE sb.data_request;
DROP TABLE sb.replica;
