-- The audit log: a hash chain for each organization (package tenancy/audit).
-- Nobody changes or removes an entry, the owner of the schema included: a
-- trigger refuses it. What an entry tells of people stands in a table of its
-- own, from which it can be erased without breaking the chain.

-- +goose Up
CREATE TABLE sb.audit_entry (
  org_id uuid NOT NULL,
  seq bigint NOT NULL CHECK (seq > 0),
  at timestamptz NOT NULL,
  workspace_id uuid,
  actor_type text NOT NULL CHECK (actor_type IN ('user', 'service_account', 'agent', 'system', 'staff')),
  actor_id uuid,
  via text NOT NULL DEFAULT '',
  action text NOT NULL CHECK (action ~ '^[a-z0-9_]+([.][a-z0-9_]+)+$'),
  resource text NOT NULL DEFAULT '',
  request_id text NOT NULL DEFAULT '',
  outcome text NOT NULL CHECK (outcome IN ('done', 'denied')),
  -- A JSON object; text, because the hash covers its bytes.
  detail text NOT NULL DEFAULT '',
  before_digest bytea,
  after_digest bytea,
  commitment bytea NOT NULL CHECK (length(commitment) = 32),
  hash bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (org_id, seq)
);
-- Denials are one entry per actor, action and minute.
CREATE INDEX audit_entry_denied ON sb.audit_entry (org_id, actor_id, action, at) WHERE outcome = 'denied';

CREATE TABLE sb.audit_personal (
  org_id uuid NOT NULL,
  seq bigint NOT NULL,
  salt bytea NOT NULL CHECK (length(salt) = 16),
  actor_name text NOT NULL DEFAULT '',
  ip text NOT NULL DEFAULT '',
  user_agent text NOT NULL DEFAULT '',
  subject text NOT NULL DEFAULT '',
  PRIMARY KEY (org_id, seq)
);

-- The chain's end. Its row is the last lock that a transaction takes.
CREATE TABLE sb.audit_head (
  org_id uuid PRIMARY KEY,
  seq bigint NOT NULL,
  hash bytea NOT NULL
) WITH (fillfactor = 50);

-- +goose StatementBegin
CREATE FUNCTION sb.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON sb.audit_entry
  FOR EACH ROW EXECUTE FUNCTION sb.refuse_audit_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON sb.audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION sb.refuse_audit_change();

REVOKE UPDATE, DELETE ON sb.audit_entry FROM sb_api, sb_engine;
REVOKE UPDATE, DELETE ON sb.audit_personal FROM sb_api;
REVOKE UPDATE ON sb.audit_personal FROM sb_engine;
REVOKE DELETE ON sb.audit_head FROM sb_api, sb_engine;

ALTER TABLE sb.audit_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.audit_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.audit_entry TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.audit_entry TO sb_engine USING (true) WITH CHECK (true);

ALTER TABLE sb.audit_personal ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.audit_personal FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.audit_personal TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.audit_personal TO sb_engine USING (true) WITH CHECK (true);

ALTER TABLE sb.audit_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE sb.audit_head FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sb.audit_head TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY system ON sb.audit_head TO sb_engine USING (true) WITH CHECK (true);

-- +goose Down
DROP TABLE sb.audit_head;
DROP TABLE sb.audit_personal;
DROP TABLE sb.audit_entry;
DROP FUNCTION sb.refuse_audit_change();
