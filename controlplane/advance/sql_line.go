package advance

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Sorted, and made first: inserts with a unique key wait for each other.
const sqlInsertLines = `
	INSERT INTO line AS l (org_id, pipeline_id, key)
	SELECT k.org_id, k.pipeline_id, k.key
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[]) WITH ORDINALITY AS k (org_id, pipeline_id, key, n)
	ORDER BY k.n
	ON CONFLICT (org_id, pipeline_id, key) DO NOTHING`

const sqlLockLines = `
	SELECT l.org_id, l.pipeline_id, l.key, l.next_ticket, l.waiting
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[]) AS k (org_id, pipeline_id, key)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.pipeline_id, x.key, x.next_ticket, x.waiting
		FROM line x
		WHERE x.org_id = k.org_id
			AND x.pipeline_id = k.pipeline_id
			AND x.key BETWEEN k.key AND k.key
		ORDER BY x.key
		FOR NO KEY UPDATE
	) l`

// Who stands in a line is written under the line's lock only.
const sqlReadHeld = `
	SELECT a.org_id, a.pipeline_id, a.key, a.run_id, a.ticket, a.slot, a.slots, a.blocking, a.superseded
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[]) AS k (org_id, pipeline_id, key)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.pipeline_id, x.key, x.run_id, x.ticket, x.slot, x.slots, x.blocking, x.superseded
		FROM admission x
		WHERE x.org_id = k.org_id
			AND x.pipeline_id = k.pipeline_id
			AND x.key BETWEEN k.key AND k.key
			AND x.slot IS NOT NULL
		ORDER BY x.key
	) a`

const sqlReadWaiting = `
	SELECT h.org_id, h.pipeline_id, h.key, h.run_id, h.ticket, h.slot, h.slots, h.blocking, h.superseded
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[]) AS k (org_id, pipeline_id, key)
	CROSS JOIN LATERAL (
		SELECT a.org_id, a.pipeline_id, a.key, a.run_id, a.ticket, a.slot, a.slots, a.blocking, a.superseded
		FROM admission a
		WHERE a.org_id = k.org_id
			AND a.pipeline_id = k.pipeline_id
			AND a.key BETWEEN k.key AND k.key
			AND a.slot IS NULL
		ORDER BY a.ticket
		LIMIT @n
	) h
	ORDER BY h.ticket`

// A retry of the run would hold the line's lock: what its row says now counts.
const sqlReadLeavers = `
	SELECT r.org_id, r.id, r.state, a.slot
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.id, x.state
		FROM run x
		WHERE x.org_id = k.org_id
			AND x.id BETWEEN k.id AND k.id
		ORDER BY x.id
	) r
	CROSS JOIN LATERAL (
		SELECT x.slot
		FROM admission x
		WHERE x.org_id = k.org_id
			AND x.run_id BETWEEN k.id AND k.id
		ORDER BY x.run_id
	) a`

const sqlReadPaused = `
	SELECT a.run_id
	FROM admission a
	WHERE a.org_id = @org
		AND a.pipeline_id = @pipeline
		AND a.run_id > @after
		AND a.paused
	ORDER BY a.run_id
	LIMIT @n`

const sqlUpdateLines = `
	WITH n AS (
	UPDATE line l
	SET next_ticket = u.next_ticket, held = u.held, waiting = u.waiting
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[], @nexts::bigint[], @helds::int[], @waitings::int[])
		AS u (org_id, pipeline_id, key, next_ticket, held, waiting)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM line x
		WHERE x.org_id = u.org_id
			AND x.pipeline_id = u.pipeline_id
			AND x.key BETWEEN u.key AND u.key
		ORDER BY x.key
	) x
	WHERE l.ctid = x.at
		RETURNING 1
	)` + expectRows

const sqlDeleteAdmissions = `
	DELETE FROM admission a
	USING unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, run_id)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM admission x
		WHERE x.org_id = k.org_id
			AND x.run_id BETWEEN k.run_id AND k.run_id
		ORDER BY x.run_id
	) x
	WHERE a.ctid = x.at`

const sqlWriteAdmissions = `
	INSERT INTO admission AS a (org_id, run_id, pipeline_id, key, ticket, slot, slots, blocking, superseded)
	SELECT org_id, run_id, pipeline_id, key, ticket, slot, slots, blocking, superseded
	FROM unnest(@orgs::uuid[], @runs::uuid[], @pipelines::uuid[], @keys::text[], @tickets::bigint[], @slots::int[], @limits::int[],
		@blockings::boolean[], @supersededs::boolean[])
		AS u (org_id, run_id, pipeline_id, key, ticket, slot, slots, blocking, superseded)
	ON CONFLICT (org_id, run_id) DO UPDATE
	SET slot = EXCLUDED.slot, slots = EXCLUDED.slots, ticket = EXCLUDED.ticket, blocking = EXCLUDED.blocking, superseded = EXCLUDED.superseded`

// A run that stands in no line has a row only while its pipeline is paused.
const sqlPauseAdmissions = `
	INSERT INTO admission AS a (org_id, run_id, pipeline_id, paused)
	SELECT org_id, run_id, pipeline_id, true
	FROM unnest(@orgs::uuid[], @runs::uuid[], @pipelines::uuid[]) AS u (org_id, run_id, pipeline_id)
	ON CONFLICT (org_id, run_id) DO UPDATE
	SET paused = true`

const sqlResumeAdmissions = `
	UPDATE admission a
	SET paused = false
	FROM unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, run_id)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM admission x
		WHERE x.org_id = k.org_id
			AND x.run_id BETWEEN k.run_id AND k.run_id
			AND x.key IS NOT NULL
		ORDER BY x.run_id
	) x
	WHERE a.ctid = x.at`

const sqlForgetAdmissions = `
	DELETE FROM admission a
	USING unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, run_id)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM admission x
		WHERE x.org_id = k.org_id
			AND x.run_id BETWEEN k.run_id AND k.run_id
			AND x.key IS NULL
		ORDER BY x.run_id
	) x
	WHERE a.ctid = x.at`

func sortedLines(lines map[lineKey]bool) []lineKey {
	out := make([]lineKey, 0, len(lines))
	for k := range lines {
		out = append(out, k)
	}
	slices.SortFunc(out, func(x, y lineKey) int {
		return cmp.Or(bytes.Compare(x.org[:], y.org[:]), bytes.Compare(x.pipeline[:], y.pipeline[:]), cmp.Compare(x.key, y.key))
	})
	return out
}

func lineArgs(lines map[lineKey]bool) args {
	orgs, pipelines := make([]id.UUID, 0, len(lines)), make([]id.UUID, 0, len(lines))
	keys := make([]string, 0, len(lines))
	for _, k := range sortedLines(lines) {
		orgs, pipelines, keys = append(orgs, k.org), append(pipelines, k.pipeline), append(keys, k.key)
	}
	return args{"orgs": orgs, "pipelines": pipelines, "keys": keys}
}
