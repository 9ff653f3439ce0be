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
	FROM line l
	JOIN unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[]) AS k (org_id, pipeline_id, key)
		ON l.org_id = k.org_id AND l.pipeline_id = k.pipeline_id AND l.key = k.key
	ORDER BY l.org_id, l.pipeline_id, l.key
	FOR NO KEY UPDATE OF l`

// Who stands in a line is written under the line's lock only.
const sqlReadHeld = `
	SELECT a.org_id, a.pipeline_id, a.key, a.run_id, a.ticket, a.slot, a.slots, a.blocking, a.superseded
	FROM admission a
	JOIN unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[]) AS k (org_id, pipeline_id, key)
		ON a.org_id = k.org_id AND a.pipeline_id = k.pipeline_id AND a.key = k.key
	WHERE a.slot IS NOT NULL`

const sqlReadWaiting = `
	SELECT h.org_id, h.pipeline_id, h.key, h.run_id, h.ticket, h.slot, h.slots, h.blocking, h.superseded
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @keys::text[]) AS k (org_id, pipeline_id, key)
	CROSS JOIN LATERAL (
		SELECT a.org_id, a.pipeline_id, a.key, a.run_id, a.ticket, a.slot, a.slots, a.blocking, a.superseded
		FROM admission a
		WHERE a.org_id = k.org_id
			AND a.pipeline_id = k.pipeline_id
			AND a.key = k.key
			AND a.slot IS NULL
		ORDER BY a.ticket
		LIMIT @n
	) h
	ORDER BY h.ticket`

// A retry of the run would hold the line's lock: what its row says now counts.
const sqlReadLeavers = `
	SELECT r.org_id, r.id, r.state, a.slot
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	JOIN run r ON r.org_id = k.org_id AND r.id = k.id
	JOIN admission a ON a.org_id = k.org_id AND a.run_id = k.id`

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
	WHERE l.org_id = u.org_id
		AND l.pipeline_id = u.pipeline_id
		AND l.key = u.key
		RETURNING 1
	)` + expectRows

const sqlDeleteAdmissions = `
	DELETE FROM admission a
	USING unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, run_id)
	WHERE a.org_id = k.org_id
		AND a.run_id = k.run_id`

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
	WHERE a.org_id = k.org_id
		AND a.run_id = k.run_id
		AND a.key IS NOT NULL`

const sqlForgetAdmissions = `
	DELETE FROM admission a
	USING unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, run_id)
	WHERE a.org_id = k.org_id
		AND a.run_id = k.run_id
		AND a.key IS NULL`

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
