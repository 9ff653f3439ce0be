-- What serves people's requests (sb_api) need not be able to write everything of
-- its organization: the state of its bill is set by what has seen the money,
-- sessions and requirement classes by the group commit and by agents. So a
-- mistake in a handler cannot pay a bill, or make an agent out of nothing.

-- +goose Up
REVOKE INSERT, UPDATE ON sb.organization FROM sb_api;
GRANT INSERT (org_id, slug, name, created_at), UPDATE (slug, name, plan) ON sb.organization TO sb_api;
REVOKE INSERT, UPDATE, DELETE ON sb.session, sb.requirement_class FROM sb_api;
REVOKE INSERT, UPDATE, DELETE ON sb.agent FROM sb_api;
GRANT UPDATE (revoked_at) ON sb.agent TO sb_api;
REVOKE UPDATE, DELETE ON sb.join_token FROM sb_api;
GRANT UPDATE (expires_at, uses_left) ON sb.join_token TO sb_api;
REVOKE UPDATE ON sb.workspace FROM sb_api;
GRANT UPDATE (slug, name, restricted) ON sb.workspace TO sb_api;

-- +goose Down
GRANT UPDATE ON sb.workspace TO sb_api;
GRANT UPDATE, DELETE ON sb.join_token TO sb_api;
GRANT INSERT, UPDATE, DELETE ON sb.agent TO sb_api;
GRANT INSERT, UPDATE, DELETE ON sb.session, sb.requirement_class TO sb_api;
GRANT INSERT, UPDATE ON sb.organization TO sb_api;
