-- Every table that sb_owner makes from now on can be read and written by the
-- two roles that row-level security binds; neither may truncate, refer to, or
-- put triggers on it. sb_auth gets nothing by default: each table of the login
-- path grants it what it needs. A table that sb_api must not write (the price
-- book, other people's sessions) says REVOKE in its own migration.
--
-- The roles and the schema themselves are made by roles.sql, which runs before
-- every migration: roles belong to the cluster, not to this database, so they
-- are missing after a restore into a new one however far its version table is.

-- +goose Up
ALTER DEFAULT PRIVILEGES IN SCHEMA sb
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO sb_api, sb_engine;
ALTER DEFAULT PRIVILEGES IN SCHEMA sb
  GRANT USAGE, SELECT ON SEQUENCES TO sb_api, sb_engine, sb_auth;

-- +goose Down
ALTER DEFAULT PRIVILEGES IN SCHEMA sb
  REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLES FROM sb_api, sb_engine;
ALTER DEFAULT PRIVILEGES IN SCHEMA sb
  REVOKE USAGE, SELECT ON SEQUENCES FROM sb_api, sb_engine, sb_auth;
