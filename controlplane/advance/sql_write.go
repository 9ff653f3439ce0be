package advance

// The statements of trip two, one a table. What changes is looked up first, for
// each key, and then taken by its place (ctid): trip one holds its lock, so it
// has not moved. See sql_lock.go for why. COMMIT travels with them, so a count
// that is wrong must be an error to PostgreSQL itself: expectRows raises one, and
// nothing is committed. What raises it is not even called where the count is right.

const expectRows = `
	SELECT CASE WHEN (SELECT count(*) FROM n) <> @rows THEN expect_rows(@what, (SELECT count(*) FROM n), @rows) END`

const sqlInsertRuns = `
	WITH n AS (
	INSERT INTO run (org_id, id, workspace_id, pipeline_id, digest, number, cause, actor, params, label_set_id, priority,
		state, reason, outcome, seq, generation, tasks_total, tasks_done, tasks_failed, exits_failed,
		created_at, started_at, finished_at, deadline, concurrency_key, start_at,
		parent_run, parent_task, parent_attempt, parent_path, root_run, depth, nominal, interval_start)
	SELECT org_id, id, workspace_id, pipeline_id, digest, number, cause, actor, params, label_set_id, priority,
		state, coalesce(reason, ''), coalesce(outcome, ''), seq, generation, tasks_total, tasks_done, coalesce(tasks_failed, 0), coalesce(exits_failed, 0),
		@now, started_at, finished_at, deadline, concurrency_key, start_at,
		parent_run, parent_task, parent_attempt, parent_path, root_run, depth, nominal, interval_start
	FROM unnest(@orgs::uuid[], @ids::uuid[], @workspaces::uuid[], @pipelines::uuid[], @digests::bytea[], @numbers::bigint[],
		@causes::text[], @actors::text[], @params::bytea[], @label_sets::bigint[], @priorities::int[],
		@states::text[], @reasons::text[], @outcomes::text[], @seqs::bigint[], @generations::int[],
		@totals::int[], @dones::int[], @faileds::int[], @exits_faileds::int[],
		@starteds::timestamptz[], @finisheds::timestamptz[], @deadlines::timestamptz[],
		@lines::text[], @start_ats::timestamptz[], @parents::uuid[], @parent_tasks::int[], @parent_attempts::int[],
		@parent_paths::text[], @roots::uuid[], @depths::int[], @nominals::timestamptz[], @intervals::timestamptz[])
		AS u (org_id, id, workspace_id, pipeline_id, digest, number, cause, actor, params, label_set_id, priority,
			state, reason, outcome, seq, generation, tasks_total, tasks_done, tasks_failed, exits_failed, started_at, finished_at, deadline,
			concurrency_key, start_at, parent_run, parent_task, parent_attempt, parent_path, root_run, depth, nominal, interval_start)
		RETURNING 1
	)` + expectRows

// The seq is compared although the row is locked: a bug must not overwrite a
// journal's fold.
const sqlUpdateRuns = `
	WITH n AS (
	UPDATE run r
	SET state = u.state, reason = coalesce(u.reason, ''), outcome = coalesce(u.outcome, ''), seq = u.seq, generation = u.generation,
		tasks_done = u.tasks_done, tasks_failed = coalesce(u.tasks_failed, 0), exits_failed = coalesce(u.exits_failed, 0),
		started_at = u.started_at, finished_at = u.finished_at, deadline = u.deadline
	FROM unnest(@orgs::uuid[], @ids::uuid[], @olds::bigint[], @states::text[], @reasons::text[], @outcomes::text[],
		@seqs::bigint[], @generations::int[], @dones::int[], @faileds::int[], @exits_faileds::int[],
		@starteds::timestamptz[], @finisheds::timestamptz[], @deadlines::timestamptz[])
		AS u (org_id, id, old, state, reason, outcome, seq, generation, tasks_done, tasks_failed, exits_failed, started_at, finished_at, deadline)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM run x
		WHERE x.org_id = u.org_id
			AND x.id BETWEEN u.id AND u.id
			AND x.seq = u.old
		ORDER BY x.id
	) x
	WHERE r.ctid = x.at
		RETURNING 1
	)` + expectRows

const sqlUpdatePipelines = `
	UPDATE pipeline p
	SET next_number = u.next_number
	FROM unnest(@orgs::uuid[], @ids::uuid[], @numbers::bigint[]) AS u (org_id, id, next_number)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM pipeline x
		WHERE x.org_id = u.org_id
			AND x.id BETWEEN u.id AND u.id
		ORDER BY x.id
	) x
	WHERE p.ctid = x.at`

const sqlDeleteStartKeys = `
	DELETE FROM start_key s
	USING unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[], @runs::uuid[]) AS k (org_id, pipeline_id, key, run_id)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM start_key x
		WHERE x.org_id = k.org_id
			AND x.pipeline_id = k.pipeline_id
			AND x.key BETWEEN k.key AND k.key
			AND x.run_id = k.run_id
		ORDER BY x.key
	) x
	WHERE s.ctid = x.at`

const entryColumns = `org_id, run_id, seq, v, at, kind, task, path, attempt, generation, lease, agent_id, granted, started, finished,
		outcome, cause, exit_code, next, retry_at, reason, actor, billed_ms, billed_gpu_ms, detail, body`

// What is nothing at the end of a column is left out: see short.
const entryArrays = `(
		SELECT org_id, run_id, seq, v, at, kind, task, path, attempt, generation, lease, agent_id, granted, started, finished, outcome,
			coalesce(cause, '') AS cause, coalesce(exit_code, 0) AS exit_code, next, retry_at,
			coalesce(reason, '') AS reason, coalesce(actor, '') AS actor, billed_ms,
			coalesce(billed_gpu_ms, 0) AS billed_gpu_ms, detail, body, n
		FROM unnest(@orgs::uuid[], @runs::uuid[], @seqs::bigint[], @vs::smallint[], @ats::timestamptz[], @kinds::text[], @tasks::int[],
		@paths::text[], @attempts::int[], @generations::int[], @leases::bigint[], @agents::uuid[], @granteds::timestamptz[],
		@starteds::timestamptz[], @finisheds::timestamptz[], @outcomes::text[], @causes::text[], @exit_codes::int[], @nexts::text[],
		@retry_ats::timestamptz[], @reasons::text[], @actors::text[], @billeds::bigint[], @billed_gpus::bigint[], @details::bytea[], @bodies::bytea[])
			WITH ORDINALITY AS x (` + entryColumns + `, n)
		) e`

const sqlAppendEntries = `
	WITH n AS (
	INSERT INTO journal (` + entryColumns + `)
	SELECT ` + entryColumns + `
	FROM ` + entryArrays + `
		RETURNING 1
	)` + expectRows

// One statement deletes the lease and inserts the entry that ends it, so that
// the database itself admits one end per lease. Fewer rows than given fail the
// batch.
const sqlEndLeases = `
	WITH gone AS (
		DELETE FROM lease l
		USING ` + entryArrays + `
		CROSS JOIN LATERAL (
			SELECT x.ctid AS at
			FROM lease x
			WHERE x.org_id = e.org_id
				AND x.id BETWEEN e.lease AND e.lease
				AND (x.run_id, x.task, x.attempt) IS NOT DISTINCT FROM (e.run_id, e.task, e.attempt)
			ORDER BY x.id
		) x
		WHERE l.ctid = x.at
		RETURNING ` + endedColumns + `
	), n AS (
		INSERT INTO journal (` + entryColumns + `)
		SELECT ` + entryColumns + `
		FROM gone
		RETURNING 1
	)` + expectRows

const endedColumns = ownColumns + `, e.body`

// ownColumns are an entry's but for the body.
const ownColumns = `e.org_id, e.run_id, e.seq, e.v, e.at, e.kind, e.task, e.path, e.attempt, e.generation, e.lease, e.agent_id, e.granted,
			e.started, e.finished, e.outcome, e.cause, e.exit_code, e.next, e.retry_at, e.reason, e.actor, e.billed_ms,
			e.billed_gpu_ms, e.detail`

const sqlDeleteReady = `
	WITH n AS (
	DELETE FROM ready r
	USING unnest(@orgs::uuid[], @runs::uuid[], @tasks::int[]) AS k (org_id, run_id, task)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM ready x
		WHERE x.org_id = k.org_id
			AND x.run_id = k.run_id
			AND x.task BETWEEN k.task AND k.task
		ORDER BY x.task
	) x
	WHERE r.ctid = x.at
		RETURNING 1
	)` + expectRows

const sqlInsertReady = `
	WITH n AS (
	INSERT INTO ready (org_id, run_id, task, attempt, path, pool_id, class_id, priority, lane, since, avoid_agent, avoid_until, plan_task, asking)
	SELECT org_id, run_id, task, attempt, path, pool_id, class_id, priority, lane, since, avoid_agent, avoid_until, plan_task, asking
	FROM unnest(@orgs::uuid[], @runs::uuid[], @tasks::int[], @attempts::int[], @paths::text[], @pools::uuid[], @classes::bigint[],
		@priorities::int[], @lanes::uuid[], @sinces::timestamptz[], @avoids::uuid[], @untils::timestamptz[], @plan_tasks::int[], @askings::text[])
		AS u (org_id, run_id, task, attempt, path, pool_id, class_id, priority, lane, since, avoid_agent, avoid_until, plan_task, asking)
		RETURNING 1
	)` + expectRows

const sqlInsertLeases = `
	WITH n AS (
	INSERT INTO lease (org_id, id, session_id, agent_id, pool_id, run_id, task, attempt, path, class_id, slots, ready_at, granted_at,
		priority, lane, charge, rate, plan_task, asking, rank, gang, rendezvous)
	SELECT org_id, id, session_id, agent_id, pool_id, run_id, task, attempt, path, class_id, slots, ready_at, @now,
		priority, lane, charge, rate, plan_task, asking, coalesce(rank, 0), gang, rendezvous
	FROM unnest(@orgs::uuid[], @ids::bigint[], @sessions::uuid[], @agents::uuid[], @pools::uuid[], @runs::uuid[], @tasks::int[],
		@attempts::int[], @paths::text[], @classes::bigint[], @slots::int[], @readies::timestamptz[],
		@priorities::int[], @lanes::uuid[], @charges::float8[], @rates::float8[], @plan_tasks::int[], @askings::text[],
		@ranks::int[], @gangs::int[], @rendezvouses::text[])
		AS u (org_id, id, session_id, agent_id, pool_id, run_id, task, attempt, path, class_id, slots, ready_at,
			priority, lane, charge, rate, plan_task, asking, rank, gang, rendezvous)
		RETURNING 1
	)` + expectRows

// A stop is never taken back, and a kill never softened.
const sqlStopLeases = `
	UPDATE lease l
	SET stop = CASE WHEN l.stop = 'kill' THEN l.stop ELSE 'stop' END, stop_grace_ms = u.grace_ms
	FROM unnest(@orgs::uuid[], @ids::bigint[], @graces::bigint[]) AS u (org_id, id, grace_ms)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM lease x
		WHERE x.org_id = u.org_id
			AND x.id BETWEEN u.id AND u.id
		ORDER BY x.id
	) x
	WHERE l.ctid = x.at`

// What heartbeats tell. A lease that somebody else is ending is passed over:
// this is for people to look at, and its lock stands outside the order.
const sqlTellPhases = `
	UPDATE lease l
	SET phase = u.phase, started_at = u.started_at
	FROM unnest(@orgs::uuid[], @ids::bigint[], @phases::text[], @starteds::timestamptz[]) AS u (org_id, id, phase, started_at)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM lease x
		WHERE x.org_id = u.org_id
			AND x.id BETWEEN u.id AND u.id
		ORDER BY x.id
		FOR UPDATE SKIP LOCKED
	) x
	WHERE l.ctid = x.at`

const sqlDeleteTimers = `
	DELETE FROM timer t
	USING unnest(@orgs::uuid[], @runs::uuid[], @kinds::text[], @tasks::int[]) AS k (org_id, run_id, kind, task)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM timer x
		WHERE x.org_id = k.org_id
			AND x.run_id = k.run_id
			AND x.kind = k.kind
			AND x.task BETWEEN k.task AND k.task
		ORDER BY x.task
	) x
	WHERE t.ctid = x.at`

const sqlDeleteTimersOfRuns = `
	DELETE FROM timer t
	USING unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, run_id)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM timer x
		WHERE x.org_id = k.org_id
			AND x.run_id BETWEEN k.run_id AND k.run_id
		ORDER BY x.run_id
	) x
	WHERE t.ctid = x.at`

const sqlInsertTimers = `
	INSERT INTO timer (org_id, run_id, kind, task, attempt, at)
	SELECT org_id, run_id, kind, task, attempt, at
	FROM unnest(@orgs::uuid[], @runs::uuid[], @kinds::text[], @tasks::int[], @attempts::int[], @ats::timestamptz[])
		AS u (org_id, run_id, kind, task, attempt, at)
	ON CONFLICT (org_id, run_id, kind, task) DO UPDATE
	SET attempt = EXCLUDED.attempt, at = EXCLUDED.at`

const sqlInsertUsage = `
	WITH n AS (
	INSERT INTO usage (org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity)
	SELECT org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity
	FROM unnest(@orgs::uuid[], @meters::text[], @workspaces::uuid[], @pools::uuid[], @pipelines::uuid[], @label_sets::bigint[],
		@hours::timestamptz[], @quantities::bigint[])
		AS u (org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity)
		RETURNING 1
	)` + expectRows

const sqlRenewSessions = `
	UPDATE session s
	SET expires_at = greatest(s.expires_at, @until), draining = u.draining
	FROM unnest(@orgs::uuid[], @ids::uuid[], @drainings::boolean[]) AS u (org_id, id, draining)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM session x
		WHERE x.org_id = u.org_id
			AND x.id BETWEEN u.id AND u.id
		ORDER BY x.id
	) x
	WHERE s.ctid = x.at`

const sqlEndSessions = `
	UPDATE session s
	SET ended = true
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS u (org_id, id)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM session x
		WHERE x.org_id = u.org_id
			AND x.id BETWEEN u.id AND u.id
		ORDER BY x.id
	) x
	WHERE s.ctid = x.at`
