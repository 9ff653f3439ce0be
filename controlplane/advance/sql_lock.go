package advance

// The statements of trip one, in the order in which they lock.
//
// PostgreSQL may know these tables as empty, because it last looked at an idle
// moment; then all ways to a row cost it the same. So no statement leaves it a
// choice: the keys lead, in a LATERAL that its ORDER BY keeps from being
// dissolved, and one index gives that order without a sort, which is off. A range
// of one value is what keeps an order from being idle.

// Sorted, and made first: inserts with a unique key wait for each other.
const sqlInsertStartKeys = `
	INSERT INTO start_key AS s (org_id, pipeline_id, key, run_id, fingerprint, expires_at)
	SELECT k.org_id, k.pipeline_id, k.key, k.run_id, k.fingerprint, now() + interval '30 days'
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[], @runs::uuid[], @fingerprints::bytea[])
		WITH ORDINALITY AS k (org_id, pipeline_id, key, run_id, fingerprint, n)
	ORDER BY k.n
	ON CONFLICT (org_id, pipeline_id, key) DO NOTHING`

const sqlReadStartKeys = `
	SELECT s.org_id, s.pipeline_id, s.key, s.run_id, s.fingerprint,
		(SELECT r.state FROM run r WHERE r.org_id = s.org_id AND r.id BETWEEN s.run_id AND s.run_id ORDER BY r.id)
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[]) AS k (org_id, pipeline_id, key)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.pipeline_id, x.key, x.run_id, x.fingerprint
		FROM start_key x
		WHERE x.org_id = k.org_id
			AND x.pipeline_id = k.pipeline_id
			AND x.key BETWEEN k.key AND k.key
		ORDER BY x.key
		FOR NO KEY UPDATE
	) s`

const sqlLockPipelines = `
	SELECT p.org_id, p.id, p.next_number, p.paused, p.deployed
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.id, x.next_number, x.paused, x.deployed
		FROM pipeline x
		WHERE x.org_id = k.org_id
			AND x.id BETWEEN k.id AND k.id
		ORDER BY x.id
		FOR NO KEY UPDATE
	) p`

const sqlLockRuns = `
	SELECT r.org_id, r.id, r.seq
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.id, x.seq
		FROM run x
		WHERE x.org_id = k.org_id
			AND x.id BETWEEN k.id AND k.id
		ORDER BY x.id
		FOR NO KEY UPDATE
	) r`

// A timer is written under its run's lock only.
const sqlReadTimers = `
	SELECT t.org_id, t.run_id, t.kind, t.task, t.attempt, t.at
	FROM unnest(@orgs::uuid[], @runs::uuid[], @kinds::text[], @tasks::int[]) AS k (org_id, run_id, kind, task)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.run_id, x.kind, x.task, x.attempt, x.at
		FROM timer x
		WHERE x.org_id = k.org_id
			AND x.run_id = k.run_id
			AND x.kind = k.kind
			AND x.task BETWEEN k.task AND k.task
		ORDER BY x.task
	) t`

const sqlLockReadyOfRuns = `
	SELECT r.org_id, r.run_id, r.task
	FROM unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, run_id)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.run_id, x.task
		FROM ready x
		WHERE x.org_id = k.org_id
			AND x.run_id BETWEEN k.run_id AND k.run_id
		ORDER BY x.run_id, x.task
		FOR NO KEY UPDATE
	) r`

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
		l.priority, l.lane, l.charge, l.rate, l.plan_task, l.asking, l.rank, l.gang, l.rendezvous`

// DISTINCT keeps the index of runs out of it: a lease is found by its id.
const (
	lockLease = `
	CROSS JOIN LATERAL (
		SELECT ` + leaseColumns + lockedLease
	lockedLease = `
		FROM lease l
		WHERE l.org_id = k.org_id
			AND l.id BETWEEN k.id AND k.id
			AND l.run_id IS NOT DISTINCT FROM k.run_id
		ORDER BY l.id
		FOR NO KEY UPDATE
	) l`
)

const namedLeases = `
	FROM (
		SELECT n.org_id, n.run_id, n.id
		FROM unnest(@orgs::uuid[], @runs::uuid[], @ids::bigint[]) AS n (org_id, run_id, id)
		ORDER BY n.org_id, n.id
	) k`

const sqlLockLeases = `
	SELECT ` + leaseColumns + namedLeases + lockLease

// Of leases that are remembered, what may have changed.
const sqlLockKnownLeases = `
	SELECT l.id, l.session_id, l.granted_at, l.started_at` + namedLeases + `
	CROSS JOIN LATERAL (
		SELECT l.id, l.session_id, l.granted_at, l.started_at` + lockedLease

// The named leases, and all of the runs that take back.
const sqlLockAllLeases = `
	SELECT ` + leaseColumns + `
	FROM (
		SELECT n.org_id, n.run_id, n.id
		FROM unnest(@orgs::uuid[], @runs::uuid[], @ids::bigint[]) AS n (org_id, run_id, id)
		UNION
		SELECT x.org_id, x.run_id, x.id
		FROM unnest(@all_orgs::uuid[], @all_runs::uuid[]) AS r (org_id, run_id)
		CROSS JOIN LATERAL (
			SELECT y.org_id, y.run_id, y.id
			FROM lease y
			WHERE y.org_id = r.org_id
				AND y.run_id BETWEEN r.run_id AND r.run_id
			ORDER BY y.run_id
		) x
		ORDER BY 1, 3
	) k` + lockLease

// The sessions' pools are read along: what they say needs no lock, unless they
// have a limit.
const sqlLockSessions = `
	SELECT s.org_id, s.id, s.expires_at, s.ended, s.draining, p.id, p.slots, p.paused OR ` + heldOrganization + `, ` + settingColumns + `
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.id, x.expires_at, x.ended, x.draining, x.pool_id
		FROM session x
		WHERE x.org_id = k.org_id
			AND x.id BETWEEN k.id AND k.id
		ORDER BY x.id
		FOR NO KEY UPDATE
	) s
	CROSS JOIN LATERAL (
		SELECT p.id, p.slots, p.paused, ` + settingSources + `
		FROM pool p
		WHERE p.org_id = s.org_id
			AND p.id BETWEEN s.pool_id AND s.pool_id
		ORDER BY p.id
	) p
	CROSS JOIN LATERAL (
		SELECT o.frozen_at, o.state
		FROM organization o
		WHERE o.org_id BETWEEN s.org_id AND s.org_id
		ORDER BY o.org_id
	) o`

const sqlListLeases = `
	SELECT ` + leaseColumns + `
	FROM unnest(@orgs::uuid[], @pools::uuid[], @sessions::uuid[]) AS k (org_id, pool_id, session_id)
	CROSS JOIN LATERAL (
		SELECT ` + leaseColumns + `
		FROM lease l
		WHERE l.org_id = k.org_id
			AND l.pool_id = k.pool_id
			AND l.session_id BETWEEN k.session_id AND k.session_id
		ORDER BY l.session_id
	) l
	ORDER BY l.id`

// heldOrganization is one whose agents are given nothing new: it is frozen, or
// its bill has stood for too long. What they hold they finish.
const heldOrganization = `o.frozen_at IS NOT NULL OR o.state IN ('suspended', 'closed')`

const sqlLockPools = `
	SELECT p.id
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	CROSS JOIN LATERAL (
		SELECT x.id
		FROM pool x
		WHERE x.org_id = k.org_id
			AND x.id BETWEEN k.id AND k.id
		ORDER BY x.id
		FOR NO KEY UPDATE
	) p`

const sqlCountPools = `
	SELECT p.org_id, p.id, p.slots, p.paused OR ` + heldOrganization + `,
		(
			SELECT coalesce(sum(l.slots), 0)
			FROM (
				SELECT x.slots
				FROM lease x
				WHERE x.org_id = p.org_id
					AND x.pool_id BETWEEN p.id AND p.id
				ORDER BY x.pool_id
			) l
		),
		` + settingColumns + `
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	CROSS JOIN LATERAL (
		SELECT p.org_id, p.id, p.slots, p.paused, ` + settingSources + `
		FROM pool p
		WHERE p.org_id = k.org_id
			AND p.id BETWEEN k.id AND k.id
		ORDER BY p.id
	) p
	CROSS JOIN LATERAL (
		SELECT o.frozen_at, o.state
		FROM organization o
		WHERE o.org_id BETWEEN k.org_id AND k.org_id
		ORDER BY o.org_id
	) o`

// Milliseconds: what the journal, the engine and the bill count in.
const sqlClock = `
	SELECT date_trunc('milliseconds', clock_timestamp())`
