package rundb_test

import (
	"crypto/sha256"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// bundle is a store and one workspace. Runs are rows that a test writes itself.
type bundle struct {
	t     *testing.T
	db    *pg.DB
	store *rundb.Store
	by    caller.Caller
	next  int64
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, db: pgtest.DB(t)}
	b.store = rundb.NewStore(b.db)
	b.by = b.tenant("acme")
	return b
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := b.db.Engine.Exec(b.t.Context(), sql, args)
	require.NoError(b.t, err)
}

func (b *bundle) tenant(slug string) caller.Caller {
	b.t.Helper()
	by := caller.Caller{Principal: authz.Principal{
		Kind: authz.KindUser, UserID: id.New(), OrgID: id.New(), WorkspaceID: id.New(), OrgState: authz.StateActive,
	}}
	args := pgx.NamedArgs{"org": by.OrgID, "ws": by.WorkspaceID, "slug": slug}
	b.exec(`INSERT INTO organization (org_id, slug, name) VALUES (@org, @slug, @slug)`, args)
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`, args)
	return by
}

func (b *bundle) pipeline(by caller.Caller, name string) id.UUID {
	b.t.Helper()
	pipeline := id.New()
	b.exec(`INSERT INTO pipeline (org_id, id, workspace_id, name) VALUES (@org, @id, @ws, @name)`,
		pgx.NamedArgs{"org": by.OrgID, "ws": by.WorkspaceID, "id": pipeline, "name": name})
	return pipeline
}

// row is a run as a list sees it.
type row struct {
	by       caller.Caller
	pipeline id.UUID
	state    string
	labels   map[string]string
	at       time.Time
}

// run writes a run and returns its number, by which lists are compared.
func (b *bundle) run(r row) string {
	b.t.Helper()
	b.next++
	set, err := b.store.InternLabels(b.t.Context(), r.by, r.labels)
	require.NoError(b.t, err)
	ended := r.state == "succeeded" || r.state == "failed" || r.state == "canceled"
	args := pgx.NamedArgs{
		"org": r.by.OrgID, "ws": r.by.WorkspaceID, "pipeline": r.pipeline, "number": b.next, "set": set,
		"state": r.state, "outcome": "", "finished": nil, "id": id.NewAt(r.at, counter(b.next)), "at": r.at,
	}
	if ended {
		args["outcome"], args["finished"] = r.state, r.at
	}
	b.exec(`INSERT INTO run (org_id, id, workspace_id, pipeline_id, digest, number, cause, actor, params, label_set_id, state, outcome, seq,
			tasks_total, created_at, finished_at)
		VALUES (@org, @id, @ws, @pipeline, sha256(''), @number, 'user', '', '', @set, @state, @outcome, 1, 1, @at, @finished)`, args)
	return strconv.FormatInt(b.next, 10)
}

// counter is randomness that counts.
type counter int64

func (c counter) Read(p []byte) (int, error) {
	sum := sha256.Sum256([]byte(strconv.FormatInt(int64(c), 10)))
	return copy(p, sum[:]), nil
}

// list returns the numbers of the runs of a page.
func (b *bundle) list(f rundb.Filter) []string {
	b.t.Helper()
	page, err := b.store.List(b.t.Context(), b.by, f)
	require.NoError(b.t, err)
	return numbers(page)
}

func numbers(page rundb.Page) []string {
	out := []string{}
	for i := range page.Runs {
		out = append(out, strconv.FormatInt(page.Runs[i].Number, 10))
	}
	return out
}
