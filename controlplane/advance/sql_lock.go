package advance

// The statements of trip one, in the order in which they lock.

// Sorted, and made first: inserts with a unique key wait for each other.
const sqlInsertStartKeys = `
	INSERT INTO start_key AS s (org_id, pipeline_id, key, run_id, fingerprint, expires_at)
	SELECT k.org_id, k.pipeline_id, k.key, k.run_id, k.fingerprint, now() + interval '30 days'
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[], @runs::uuid[], @fingerprints::bytea[])
		WITH ORDINALITY AS k (org_id, pipeline_id, key, run_id, fingerprint, n)
	ORDER BY k.n
	ON CONFLICT (org_id, pipeline_id, key) DO NOTHING`

const sqlReadStartKeys = `
	SELECT s.org_id, s.pipeline_id, s.key, s.run_id, s.fingerprint
	FROM start_key s
	JOIN unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[]) AS k (org_id, pipeline_id, key)
		ON s.org_id = k.org_id AND s.pipeline_id = k.pipeline_id AND s.key = k.key`

const sqlLockPipelines = `
	SELECT p.org_id, p.id, p.next_number
	FROM pipeline p
	JOIN unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
		ON p.org_id = k.org_id AND p.id = k.id
	ORDER BY p.org_id, p.id
	FOR UPDATE OF p`

const sqlLockRuns = `
	SELECT r.org_id, r.id, r.seq
	FROM run r
	JOIN unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
		ON r.org_id = k.org_id AND r.id = k.id
	ORDER BY r.org_id, r.id
	FOR UPDATE OF r`

const sqlLockReadyOfRuns = `
	SELECT r.org_id, r.run_id, r.task
	FROM ready r
	JOIN unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, run_id)
		ON r.org_id = k.org_id AND r.run_id = k.run_id
	ORDER BY r.org_id, r.run_id, r.task
	FOR UPDATE OF r`

// The heads of the queues for which agents wait here. SKIP LOCKED: what another
// replica is handing out is not ours. Ordered as tasks are taken: by priority,
// then by age.
const sqlClaimHeads = `
	SELECT h.org_id, h.run_id, h.task, h.attempt, h.path, h.pool_id, h.lane, h.class_id, h.priority, h.since,
		h.avoid_agent, h.avoid_until
	FROM unnest(@orgs::uuid[], @pools::uuid[], @limits::int[]) AS k (org_id, pool_id, n)
	CROSS JOIN LATERAL (
		SELECT r.org_id, r.run_id, r.task, r.attempt, r.path, r.pool_id, r.lane, r.class_id, r.priority, r.since,
			r.avoid_agent, r.avoid_until
		FROM ready r
		WHERE r.org_id = k.org_id
			AND r.pool_id = k.pool_id
			AND NOT r.class_id = ANY(@unfit::bigint[])
		ORDER BY r.priority DESC, r.since, r.run_id, r.task
		LIMIT k.n
		FOR UPDATE SKIP LOCKED
	) h`

const leaseColumns = `l.org_id, l.id, l.session_id, l.agent_id, l.pool_id, l.run_id, l.task, l.attempt, l.path,
		l.ready_at, l.granted_at, l.started_at, l.stop, l.stop_grace_ms, l.phase`

const sqlLockLeasesOfRuns = `
	SELECT ` + leaseColumns + `
	FROM lease l
	JOIN unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, run_id)
		ON l.org_id = k.org_id AND l.run_id = k.run_id
	ORDER BY l.org_id, l.id
	FOR UPDATE OF l`

const sqlLockLeases = `
	SELECT ` + leaseColumns + `
	FROM lease l
	JOIN unnest(@orgs::uuid[], @ids::bigint[]) AS k (org_id, id)
		ON l.org_id = k.org_id AND l.id = k.id
	ORDER BY l.org_id, l.id
	FOR UPDATE OF l`

const sqlLockSessions = `
	SELECT s.org_id, s.id, s.expires_at, s.ended, s.draining
	FROM session s
	JOIN (SELECT DISTINCT org_id, id FROM unnest(@orgs::uuid[], @ids::uuid[]) AS u (org_id, id)) AS k
		ON s.org_id = k.org_id AND s.id = k.id
	ORDER BY s.org_id, s.id
	FOR UPDATE OF s`

const sqlListLeases = `
	SELECT ` + leaseColumns + `
	FROM lease l
	JOIN unnest(@orgs::uuid[], @sessions::uuid[]) AS k (org_id, session_id)
		ON l.org_id = k.org_id AND l.session_id = k.session_id`

// Only a pool with a limit is a meeting point of replicas.
const sqlLockLimitedPools = `
	SELECT p.id
	FROM pool p
	JOIN unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
		ON p.org_id = k.org_id AND p.id = k.id
	WHERE p.slots > 0
	ORDER BY p.org_id, p.id
	FOR UPDATE OF p`

const sqlReadPools = `
	SELECT p.org_id, p.id, p.slots, p.paused,
		CASE WHEN p.slots > 0
			THEN (SELECT coalesce(sum(l.slots), 0) FROM lease l WHERE l.org_id = p.org_id AND l.pool_id = p.id)
			ELSE 0
		END
	FROM pool p
	JOIN unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
		ON p.org_id = k.org_id AND p.id = k.id`

// Milliseconds: what the journal, the engine and the bill count in.
const sqlClock = `
	SELECT date_trunc('milliseconds', clock_timestamp())`
