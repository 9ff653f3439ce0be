-- Pools, the agents that serve them, and the living connections of agents.

-- +goose Up
CREATE TABLE sb.pool (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  -- As the compiler names pools.
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  -- 0: as many as its agents have.
  slots integer NOT NULL DEFAULT 0 CHECK (slots >= 0),
  paused boolean NOT NULL DEFAULT false,
  pause_note text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, workspace_id, name),
  FOREIGN KEY (org_id, workspace_id) REFERENCES sb.workspace (org_id, id)
);

-- Every workspace starts with a pool, so that a first agent has one to join.
-- +goose StatementBegin
CREATE FUNCTION sb.make_default_pool() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
  INSERT INTO sb.pool (org_id, id, workspace_id, name) VALUES (NEW.org_id, gen_random_uuid(), NEW.id, 'default');
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER default_pool AFTER INSERT ON sb.workspace FOR EACH ROW EXECUTE FUNCTION sb.make_default_pool();

CREATE TABLE sb.join_token (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  pool_id uuid NOT NULL,
  hash bytea NOT NULL CHECK (length(hash) = 32),
  uses_left integer NOT NULL CHECK (uses_left >= 0),
  expires_at timestamptz NOT NULL,
  created_by text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, pool_id) REFERENCES sb.pool (org_id, id)
);
CREATE INDEX join_token_hash ON sb.join_token (hash);

CREATE TABLE sb.agent (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  name text NOT NULL,
  public_key bytea NOT NULL CHECK (length(public_key) = 32),
  key_generation integer NOT NULL DEFAULT 1,
  -- The token it joined with: the same token and key again get the same answer.
  join_token_id uuid NOT NULL,
  version text NOT NULL DEFAULT '',
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, public_key),
  FOREIGN KEY (org_id, pool_id) REFERENCES sb.pool (org_id, id)
);
CREATE INDEX agent_by_pool ON sb.agent (org_id, pool_id);
-- An access token names the agent alone; its organization is looked up.
CREATE INDEX agent_by_id ON sb.agent (id);

-- A session lives as long as its row and `ended` is false; only the reaper,
-- a revocation or a session that replaces it end it. Its row goes when its
-- last lease is gone.
CREATE TABLE sb.session (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  agent_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  expires_at timestamptz NOT NULL,
  ended boolean NOT NULL DEFAULT false,
  draining boolean NOT NULL DEFAULT false,
  version text NOT NULL DEFAULT '',
  slots integer NOT NULL DEFAULT 0,
  cpu_millis bigint NOT NULL DEFAULT 0,
  memory_bytes bigint NOT NULL DEFAULT 0,
  gpus integer NOT NULL DEFAULT 0,
  gpu_type text NOT NULL DEFAULT '',
  labels jsonb NOT NULL DEFAULT '{}',
  sealing_kids text[] NOT NULL DEFAULT '{}',
  policy_digest bytea,
  opened_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, id)
) WITH (fillfactor = 70);
CREATE INDEX session_by_agent ON sb.session (org_id, agent_id);

-- One row, locked by whoever reaps, so that an outage of ours is seen as a gap
-- and costs nobody a lease.
CREATE TABLE sb.reaper (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  seen timestamptz NOT NULL DEFAULT now()
);
INSERT INTO sb.reaper DEFAULT VALUES;
REVOKE ALL ON sb.reaper FROM sb_api;

ALTER TABLE sb.pool ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.pool FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.pool TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.pool TO sb_engine USING (true) WITH CHECK (true);

ALTER TABLE sb.join_token ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.join_token FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.join_token TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.join_token TO sb_engine USING (true) WITH CHECK (true);

ALTER TABLE sb.agent ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.agent FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.agent TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.agent TO sb_engine USING (true) WITH CHECK (true);

ALTER TABLE sb.session ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.session FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.session TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.session TO sb_engine USING (true) WITH CHECK (true);

-- +goose Down
DROP TABLE sb.reaper;
DROP TABLE sb.session;
DROP TABLE sb.agent;
DROP TABLE sb.join_token;
DROP TRIGGER default_pool ON sb.workspace;
DROP FUNCTION sb.make_default_pool();
DROP TABLE sb.pool;
