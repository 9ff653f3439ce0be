-- Makes the roles and the schema. Runs as the user of the database URL, before
-- every migration and at every start; changes nothing when all is there, so
-- that a user who may not create roles will do once an administrator has run it.
--
-- Roles belong to the cluster. Several databases may be set up at once, and no
-- lock reaches across databases: hence a role that appears in between is fine,
-- and a grant that collides with another one is tried again.
DO $$
DECLARE
  wanted text;
  usable text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['sb_owner', 'sb_api', 'sb_engine', 'sb_auth'] LOOP
    FOR attempt IN 1..50 LOOP
      BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
          -- No LOGIN: the server connects as one user and each pool takes a
          -- role. No BYPASSRLS: managed PostgreSQL lets nobody grant it, and
          -- sb_engine has policies of its own.
          EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT', wanted);
        END IF;
        IF NOT pg_has_role(current_user, wanted, usable) THEN
          EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
        EXIT;
      EXCEPTION
        -- internal_error: "tuple concurrently updated".
        WHEN duplicate_object OR unique_violation OR internal_error THEN
          IF attempt = 50 THEN
            RAISE;
          END IF;
          PERFORM pg_sleep(0.02);
      END;
    END LOOP;
  END LOOP;

  IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'sb') THEN
    CREATE SCHEMA sb AUTHORIZATION sb_owner;
  END IF;
  IF NOT has_schema_privilege('sb_auth', 'sb', 'USAGE') THEN
    SET LOCAL ROLE sb_owner;
    GRANT USAGE ON SCHEMA sb TO sb_api, sb_engine, sb_auth;
    RESET ROLE;
  END IF;
END
$$;
