-- An organization may be frozen: its agents are given nothing new. And what it
-- pays for is set by what has seen the order, as the state of its bill is: the
-- API's role may write neither the plan nor its history.

-- +goose Up
ALTER TABLE sb.organization
  ADD COLUMN frozen_at timestamptz,
  ADD COLUMN freeze_note text NOT NULL DEFAULT '' CHECK (length(freeze_note) <= 500);
REVOKE UPDATE ON sb.organization FROM sb_api;
GRANT UPDATE (slug, name, frozen_at, freeze_note) ON sb.organization TO sb_api;

-- Who makes an organization begins its history, with the plan that costs nothing
-- and once: at most one part of it is open.
REVOKE UPDATE ON sb.subscription FROM sb_api;
DROP POLICY tenant ON sb.subscription;
CREATE POLICY tenant ON sb.subscription FOR SELECT TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid));
CREATE POLICY begin ON sb.subscription FOR INSERT TO sb_api
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid) AND plan = 'free' AND ends_at IS NULL);

-- +goose Down
DROP POLICY begin ON sb.subscription;
DROP POLICY tenant ON sb.subscription;
CREATE POLICY tenant ON sb.subscription TO sb_api
  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
GRANT UPDATE ON sb.subscription TO sb_api;
REVOKE UPDATE ON sb.organization FROM sb_api;
GRANT UPDATE (slug, name, plan) ON sb.organization TO sb_api;
ALTER TABLE sb.organization
  DROP COLUMN freeze_note,
  DROP COLUMN frozen_at;
