package rundb

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// The sizes of a page.
const (
	DefaultPage = 50
	MaxPage     = 200
)

// Filter says which runs to list; the zero Filter means all.
type Filter struct {
	Pipeline string
	States   []string
	// Labels must all be there.
	Labels []Label
	// Since and Until bound when a run was started: Since is within, Until not.
	Since, Until *time.Time
	PageSize     int
	PageToken    string
}

// Page is a part of a list, newest first. Next continues it; empty when there is
// no more.
type Page struct {
	Runs []Run
	Next string
}

// The conditions of every list. Ids are UUIDv7: their order is that of the
// starts, and a bound in time is a bound of ids.
const listWhere = `
		r.org_id = @org_id
			AND r.workspace_id = @workspace_id
			AND r.id < @before
			AND r.id >= @since
			AND (@pipeline_id::uuid IS NULL OR r.pipeline_id = @pipeline_id)`

// The first pair is a semi-join whose selectivity the planner knows, so that a
// rare label leads to its runs and a common one is checked on the newest.
const listLabelled = `
			AND r.label_set_id IN (
				SELECT f.label_set_id
				FROM label_pair f
				WHERE f.org_id = @org_id
					AND f.key = @key
					AND f.value = @value)
			AND NOT EXISTS (
				SELECT
				FROM unnest(@keys::text[], @values::text[]) AS k (key, value)
				WHERE NOT EXISTS (
					SELECT
					FROM label_pair f
					WHERE f.org_id = @org_id
						AND f.key = k.key
						AND f.value = k.value
						AND f.label_set_id = r.label_set_id))`

const listNewest = `
		ORDER BY r.id DESC
		LIMIT @limit`

// listColumns are what the rows of a page need, so that no run is read twice.
const listColumns = `r.org_id, r.id, r.pipeline_id, r.digest, r.number, r.state, r.reason, r.outcome, r.cause, r.actor, r.label_set_id,
			r.priority, r.generation, r.seq, r.created_at, r.started_at, r.finished_at, r.tasks_total, r.tasks_done, r.tasks_failed,
			r.exits_failed`

const listBegin = `
	SELECT ` + runColumns + `
	FROM (`

const listEnd = `
	) r` + runJoins + `
	ORDER BY r.id DESC
	LIMIT @limit`

// Each ended state has its own head of the index by outcome, and all open runs
// share one: a rare state is found without reading the others.
const (
	listEnded = `
		SELECT ` + listColumns + `
		FROM unnest(@ended::text[]) AS o (outcome)
		CROSS JOIN LATERAL (
			SELECT ` + listColumns + `
			FROM run r
			WHERE ` + listWhere + `
				AND r.finished_at IS NOT NULL
				AND r.outcome = o.outcome`
	listOpen = `
		) r
		UNION ALL
		(SELECT ` + listColumns + `
			FROM run r
			WHERE ` + listWhere + `
				AND r.finished_at IS NULL
				AND r.state = ANY(@open::text[])
				AND cardinality(@open::text[]) > 0`
)

const sqlListRuns = listBegin + `
		SELECT ` + listColumns + `
		FROM run r
		WHERE ` + listWhere + listNewest + listEnd

const sqlListLabelledRuns = listBegin + `
		SELECT ` + listColumns + `
		FROM run r
		WHERE ` + listWhere + listLabelled + listNewest + listEnd

const sqlListRunsInStates = listBegin + listEnded + listNewest + listOpen + listNewest + `)` + listEnd

const sqlListLabelledRunsInStates = listBegin + listEnded + listLabelled + listNewest + listOpen + listLabelled + listNewest + `)` + listEnd

const sqlPipelineID = `
	SELECT p.id
	FROM pipeline p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = @name`

// List returns a page of the workspace's runs. Errors: INVALID_ARGUMENT;
// NotFound for an unknown pipeline.
func (s *Store) List(ctx context.Context, by caller.Caller, f Filter) (Page, error) {
	sql, args, err := f.query(by)
	if err != nil {
		return Page{}, err
	}
	size := f.size()
	var page Page
	err = pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		if f.Pipeline != "" {
			pipeline, err := pipelineID(ctx, tx, by, f.Pipeline)
			if err != nil {
				return err
			}
			args["pipeline_id"] = pipeline
		}
		// Planned for these very arguments: most of them are "no filter", and a
		// plan that fits all filters fits none.
		rows, _ := tx.Query(ctx, sql, pgx.QueryExecModeCacheDescribe, args)
		var err error
		if page.Runs, err = pgx.CollectRows(rows, pgx.RowToStructByName[Run]); err != nil {
			return fmt.Errorf("list runs: %w", err)
		}
		if len(page.Runs) > size {
			page.Runs = page.Runs[:size]
			page.Next = pageToken(page.Runs[size-1].ID)
		}
		if err := tellWaiting(ctx, tx, by.OrgID, page.Runs, countMany); err != nil {
			return err
		}
		return named(ctx, tx, by.OrgID, page.Runs)
	})
	return page, err
}

func pipelineID(ctx context.Context, tx pgx.Tx, by caller.Caller, name string) (id.UUID, error) {
	var pipeline id.UUID
	err := tx.QueryRow(ctx, sqlPipelineID, pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": name}).Scan(&pipeline)
	if pg.NoRows(err) {
		return id.Nil, errNoPipeline(name)
	}
	if err != nil {
		return id.Nil, fmt.Errorf("find a pipeline: %w", err)
	}
	return pipeline, nil
}

func (f Filter) size() int {
	if f.PageSize <= 0 {
		return DefaultPage
	}
	return min(f.PageSize, MaxPage)
}

// query chooses the statement; one row more than the page shows whether there
// is a next one.
func (f Filter) query(by caller.Caller) (string, pgx.StrictNamedArgs, error) {
	since, before, err := f.bounds()
	if err != nil {
		return "", nil, err
	}
	args := pgx.StrictNamedArgs{
		"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "pipeline_id": nil,
		"since": since, "before": before, "limit": f.size() + 1,
	}
	sql := sqlListRuns
	if len(f.States) > 0 {
		ended, open, err := splitStates(f.States)
		if err != nil {
			return "", nil, err
		}
		sql, args["ended"], args["open"] = sqlListRunsInStates, ended, open
	}
	if len(f.Labels) == 0 {
		return sql, args, nil
	}
	if len(f.Labels) > MaxLabels {
		return "", nil, invalid("labels", fmt.Sprintf("at most %d", MaxLabels))
	}
	args["key"], args["value"] = f.Labels[0].Key, f.Labels[0].Value
	args["keys"], args["values"] = columnsOf(f.Labels[1:])
	if sql == sqlListRuns {
		return sqlListLabelledRuns, args, nil
	}
	return sqlListLabelledRunsInStates, args, nil
}

// splitStates tells ended states, which are outcomes, from those of open runs.
func splitStates(states []string) (ended, open []string, err error) {
	ended, open = []string{}, []string{}
	for _, text := range states {
		s, err := engine.ParseRunState(text)
		switch {
		case err != nil:
			return nil, nil, invalid("states", fmt.Sprintf("states of runs, which %q is not", text))
		case slices.Contains(ended, text) || slices.Contains(open, text):
		case s.Terminal():
			ended = append(ended, text)
		default:
			open = append(open, text)
		}
	}
	return ended, open, nil
}

// lastID is above every id.
var lastID = id.UUID{
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
}

func (f Filter) bounds() (since, before id.UUID, err error) {
	before = lastID
	if f.PageToken != "" {
		if before, err = parsePageToken(f.PageToken); err != nil {
			return since, before, err
		}
	}
	if f.Until != nil {
		if until := floor(*f.Until); id.Compare(until, before) < 0 {
			before = until
		}
	}
	if f.Since != nil {
		since = floor(*f.Since)
	}
	return since, before, nil
}

// floor is id.Floor for times that no run can have.
func floor(t time.Time) id.UUID {
	switch {
	case t.UnixMilli() < 0:
		return id.Nil
	case t.UnixMilli() >= 1<<48:
		return lastID
	}
	return id.Floor(t)
}

func pageToken(last id.UUID) string { return base64.RawURLEncoding.EncodeToString(last[:]) }

func parsePageToken(text string) (id.UUID, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != len(id.UUID{}) {
		return id.Nil, invalid("page_token", "what the page before said")
	}
	return id.UUID(raw), nil
}
