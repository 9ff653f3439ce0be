-- A pipeline is a name with a pointer to its deployed version; a version is
-- immutable and named by the sha256 of its plan's bytes.

-- +goose Up
CREATE TABLE sb.pipeline (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  -- As the compiler names pipelines.
  name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
  deployed bytea CHECK (length(deployed) = 32),
  paused boolean NOT NULL DEFAULT false,
  -- The number of the next run. Counted under the row's lock, so it has no gaps.
  next_number bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, workspace_id, name),
  FOREIGN KEY (org_id, workspace_id) REFERENCES sb.workspace (org_id, id)
) WITH (fillfactor = 70);

CREATE TABLE sb.version (
  org_id uuid NOT NULL,
  pipeline_id uuid NOT NULL,
  digest bytea NOT NULL CHECK (length(digest) = 32),
  plan bytea NOT NULL,
  source bytea NOT NULL,
  filename text NOT NULL DEFAULT '',
  created_by text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, pipeline_id, digest),
  FOREIGN KEY (org_id, pipeline_id) REFERENCES sb.pipeline (org_id, id)
);

ALTER TABLE sb.pipeline ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.pipeline FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.pipeline TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.pipeline TO sb_engine USING (true) WITH CHECK (true);

ALTER TABLE sb.version ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.version FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.version TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.version TO sb_engine USING (true) WITH CHECK (true);
-- Immutable: nobody but the owner of the schema may change or remove one.
REVOKE UPDATE, DELETE ON sb.version FROM sb_api, sb_engine;

-- +goose Down
DROP TABLE sb.version;
DROP TABLE sb.pipeline;
