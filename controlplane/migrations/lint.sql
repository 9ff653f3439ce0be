-- The schema lint: finds what would let one tenant see another's rows. Every
-- row is a fault: what is wrong, and where. It covers partitions as well, since
-- a partition that is read directly does not have its parent's policies.
SELECT 'table without forced row-level security' AS fault, c.oid::regclass::text AS place
  FROM pg_class c
 WHERE c.relnamespace = 'sb'::regnamespace AND c.relkind IN ('r', 'p')
   AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped)
   AND NOT (c.relrowsecurity AND c.relforcerowsecurity)

UNION ALL
-- A policy of sb_api must compare org_id with the setting inside a sub-select:
-- that is evaluated once, and fails loudly when the setting is missing.
SELECT 'policy of sb_api is not org_id = (SELECT current_setting(…)::uuid)', format('%s.%s', tablename, policyname)
  FROM pg_policies
 WHERE schemaname = 'sb' AND ('sb_api' = ANY (roles) OR 'public' = ANY (roles))
   AND (coalesce(qual, with_check) !~ 'org_id = \( SELECT \(?current_setting\(''app\.org_id''::text\)'
        OR coalesce(with_check, qual) !~ 'org_id = \( SELECT \(?current_setting\(''app\.org_id''::text\)')

UNION ALL
SELECT 'policy for a role that may not have one', format('%s.%s', tablename, policyname)
  FROM pg_policies
 WHERE schemaname = 'sb' AND NOT roles <@ ARRAY['sb_api', 'sb_engine', 'sb_auth']::name[]

UNION ALL
-- Foreign keys and unique indexes are checked behind row-level security: a
-- parent of another tenant would be accepted, a duplicate would betray it.
SELECT 'foreign key between tenants'' tables without org_id: ' || k.conname, k.conrelid::regclass::text
  FROM pg_constraint k
 WHERE k.contype = 'f' AND k.connamespace = 'sb'::regnamespace
   AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attname = 'org_id' AND NOT a.attisdropped)
   AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attname = 'org_id' AND NOT a.attisdropped)
   AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND a.attname = 'org_id')

UNION ALL
SELECT 'unique index without org_id', i.indexrelid::regclass::text
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indrelid
 WHERE c.relnamespace = 'sb'::regnamespace AND i.indisunique
   AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped)
   AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) AND a.attname = 'org_id')

UNION ALL
SELECT 'view without security_invoker', c.oid::regclass::text
  FROM pg_class c
 WHERE c.relnamespace = 'sb'::regnamespace AND c.relkind = 'v'
   AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)

UNION ALL
SELECT 'materialized view: it has no row-level security', c.oid::regclass::text
  FROM pg_class c
 WHERE c.relnamespace = 'sb'::regnamespace AND c.relkind = 'm'

UNION ALL
SELECT 'security definer function without search_path', p.oid::regprocedure::text
  FROM pg_proc p
 WHERE p.pronamespace = 'sb'::regnamespace AND p.prosecdef
   AND NOT EXISTS (SELECT FROM unnest(coalesce(p.proconfig, '{}')) x WHERE x LIKE 'search_path=%')

UNION ALL
-- Comparing these types is not leakproof, so a policy keeps the index from
-- being used: an enum cost 77 ms where text cost 0.2.
SELECT format('index on %s, whose type %s is not leakproof', a.attname, format_type(a.atttypid, NULL)), i.indexrelid::regclass::text
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
  JOIN pg_type t ON t.oid = a.atttypid
 WHERE c.relnamespace = 'sb'::regnamespace
   AND (t.typtype = 'e' OR t.typname IN ('numeric', 'jsonb', 'tsvector') OR t.typcategory = 'A')

UNION ALL
SELECT format('%s may do too much: super=%s bypassrls=%s createrole=%s login=%s', rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin), rolname::text
  FROM pg_roles
 WHERE rolname IN ('sb_owner', 'sb_api', 'sb_engine', 'sb_auth') AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcanlogin)

UNION ALL
SELECT 'owned by ' || r.rolname || ' instead of sb_owner', c.oid::regclass::text
  FROM pg_class c
  JOIN pg_roles r ON r.oid = c.relowner
 WHERE c.relnamespace = 'sb'::regnamespace AND r.rolname <> 'sb_owner'

UNION ALL
SELECT format('%s has %s', grantee, privilege_type), format('%s.%s', table_schema, table_name)
  FROM information_schema.role_table_grants
 WHERE table_schema = 'sb'
   AND (grantee = 'PUBLIC' OR grantee IN ('sb_api', 'sb_engine', 'sb_auth') AND privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER'))

 ORDER BY 1, 2
