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
	SELECT s.org_id, s.pipeline_id, s.key, s.run_id, s.fingerprint, r.state
	FROM start_key s
	JOIN unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[]) AS k (org_id, pipeline_id, key)
		ON s.org_id = k.org_id AND s.pipeline_id = k.pipeline_id AND s.key = k.key
	LEFT JOIN run r ON r.org_id = s.org_id AND r.id = s.run_id
	ORDER BY s.org_id, s.pipeline_id, s.key
	FOR NO KEY UPDATE OF s`

const sqlLockPipelines = `
	SELECT p.org_id, p.id, p.next_number, p.paused
	FROM pipeline p
	JOIN unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
		ON p.org_id = k.org_id AND p.id = k.id
	ORDER BY p.org_id, p.id
	FOR NO KEY UPDATE OF p`

const sqlLockRuns = `
	SELECT r.org_id, r.id, r.seq
	FROM run r
	JOIN unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
		ON r.org_id = k.org_id AND r.id = k.id
	ORDER BY r.org_id, r.id
	FOR NO KEY UPDATE OF r`

// A timer is written under its run's lock only.
const sqlReadTimers = `
	SELECT t.org_id, t.run_id, t.kind, t.task, t.attempt, t.at
	FROM timer t
	JOIN unnest(@orgs::uuid[], @runs::uuid[], @kinds::text[], @tasks::int[]) AS k (org_id, run_id, kind, task)
		ON t.org_id = k.org_id AND t.run_id = k.run_id AND t.kind = k.kind AND t.task = k.task`

const sqlLockReadyOfRuns = `
	SELECT r.org_id, r.run_id, r.task
	FROM ready r
	JOIN unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, run_id)
		ON r.org_id = k.org_id AND r.run_id = k.run_id
	ORDER BY r.org_id, r.run_id, r.task
	FOR NO KEY UPDATE OF r`

// The heads of queues for which agents wait here, each from where it began when
// it was last read. SKIP LOCKED: what another replica is handing out is not ours.
// What the only agent that asks must not have is left out, so that it does not
// hide what it may.
const sqlClaimHeads = `
	SELECT k.i, h.org_id, h.run_id, h.task, h.attempt, h.path, h.pool_id, h.class_id, h.priority, h.lane, h.since,
		h.avoid_agent, h.avoid_until, h.plan_task, h.asking
	FROM unnest(@orgs::uuid[], @pools::uuid[], @priorities::int[], @lanes::uuid[], @classes::bigint[], @limits::int[],
		@agents::uuid[], @froms::timestamptz[]) WITH ORDINALITY AS k (org_id, pool_id, priority, lane, class_id, n, agent_id, since, i)
	CROSS JOIN LATERAL (
		SELECT r.org_id, r.run_id, r.task, r.attempt, r.path, r.pool_id, r.class_id, r.priority, r.lane, r.since,
			r.avoid_agent, r.avoid_until, r.plan_task, r.asking
		FROM ready r
		WHERE r.org_id = k.org_id
			AND r.pool_id = k.pool_id
			AND -r.priority = -k.priority
			AND r.lane = k.lane
			AND r.class_id = k.class_id
			AND r.since >= k.since
			AND (r.avoid_agent IS DISTINCT FROM k.agent_id OR r.avoid_until IS NULL OR r.avoid_until <= clock_timestamp())
		ORDER BY -r.priority, r.lane, r.class_id, r.since, r.run_id, r.task
		LIMIT k.n
		FOR NO KEY UPDATE SKIP LOCKED
	) h`

const leaseColumns = `l.org_id, l.id, l.session_id, l.agent_id, l.pool_id, l.run_id, l.task, l.attempt, l.path, l.class_id, l.slots,
		l.ready_at, l.granted_at, l.started_at, l.stop, l.stop_grace_ms, l.phase,
		l.priority, l.lane, l.charge, l.rate, l.plan_task, l.asking`

// DISTINCT keeps the index of runs out of it: a lease is found by its id.
const sqlLockLeases = `
	SELECT ` + leaseColumns + `
	FROM lease l
	JOIN unnest(@orgs::uuid[], @runs::uuid[], @ids::bigint[]) AS k (org_id, run_id, id)
		ON l.org_id = k.org_id AND l.id = k.id AND l.run_id IS NOT DISTINCT FROM k.run_id
	ORDER BY l.org_id, l.id
	FOR NO KEY UPDATE OF l`

// The named leases, and all of the runs that take back.
const sqlLockAllLeases = `
	SELECT ` + leaseColumns + `
	FROM lease l
	JOIN (
		SELECT n.org_id, n.run_id, n.id
		FROM unnest(@orgs::uuid[], @runs::uuid[], @ids::bigint[]) AS n (org_id, run_id, id)
		UNION
		SELECT x.org_id, x.run_id, x.id
		FROM unnest(@all_orgs::uuid[], @all_runs::uuid[]) AS r (org_id, run_id)
		JOIN lease x ON x.org_id = r.org_id AND x.run_id = r.run_id
	) AS k ON l.org_id = k.org_id AND l.id = k.id AND l.run_id IS NOT DISTINCT FROM k.run_id
	ORDER BY l.org_id, l.id
	FOR NO KEY UPDATE OF l`

// The sessions' pools are read along: what they say needs no lock, unless they
// have a limit.
const sqlLockSessions = `
	SELECT s.org_id, s.id, s.expires_at, s.ended, s.draining, p.id, p.slots, p.paused, ` + settingColumns + `
	FROM session s
	JOIN unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
		ON s.org_id = k.org_id AND s.id = k.id
	JOIN pool p ON p.org_id = s.org_id AND p.id = s.pool_id
	ORDER BY s.org_id, s.id
	FOR NO KEY UPDATE OF s`

const sqlListLeases = `
	SELECT ` + leaseColumns + `
	FROM lease l
	JOIN unnest(@orgs::uuid[], @sessions::uuid[]) AS k (org_id, session_id)
		ON l.org_id = k.org_id AND l.session_id = k.session_id
	ORDER BY l.id`

const sqlLockPools = `
	SELECT p.id
	FROM pool p
	JOIN unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
		ON p.org_id = k.org_id AND p.id = k.id
	ORDER BY p.org_id, p.id
	FOR NO KEY UPDATE OF p`

const sqlCountPools = `
	SELECT p.org_id, p.id, p.slots, p.paused,
		(SELECT coalesce(sum(l.slots), 0) FROM lease l WHERE l.org_id = p.org_id AND l.pool_id = p.id),
		` + settingColumns + `
	FROM pool p
	JOIN unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
		ON p.org_id = k.org_id AND p.id = k.id`

// Milliseconds: what the journal, the engine and the bill count in.
const sqlClock = `
	SELECT date_trunc('milliseconds', clock_timestamp())`
