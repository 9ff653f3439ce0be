package rundb

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Forty thousand runs of one organization beside a small one: nearly all of one
// pipeline and succeeded, with a label that all have and one that few have.
const sqlManyRuns = `
	WITH o AS (
		INSERT INTO organization (org_id, slug, name) VALUES (@org, 'big', 'Big'), (@small, 'small', 'Small')
	), w AS (
		INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default'), (@small, @ws, 'default', 'Default')
	), p AS (
		INSERT INTO pipeline (org_id, id, workspace_id, name)
		VALUES (@org, @main, @ws, 'main'), (@org, @side, @ws, 'side'), (@small, @main, @ws, 'main')
	), l AS (
		INSERT INTO label_set (org_id, id, digest, labels) OVERRIDING SYSTEM VALUE
		SELECT @org, n, sha256(n::text::bytea), '{}' FROM generate_series(1, 200) n
	), lp AS (
		INSERT INTO label_pair (org_id, key, value, label_set_id)
		SELECT @org, 'team', 'risk', n FROM generate_series(1, 200) n
		UNION ALL
		SELECT @org, 'commit', 'c' || n, n FROM generate_series(1, 200) n
	)
	INSERT INTO run (org_id, id, workspace_id, pipeline_id, digest, number, cause, params, label_set_id, state, outcome, seq, tasks_total, created_at, finished_at)
	SELECT CASE WHEN n % 500 = 7 THEN @small ELSE @org END::uuid, overlay(gen_random_uuid()::text PLACING '019a' || lpad(to_hex(n), 4, '0') FROM 1 FOR 8)::uuid, @ws,
		CASE WHEN n % 400 = 3 THEN @side ELSE @main END::uuid, sha256(''), n, 'user', '', 1 + n % 200,
		CASE WHEN n % 997 = 5 THEN 'failed' WHEN n % 2003 = 9 THEN 'running' ELSE 'succeeded' END,
		CASE WHEN n % 997 = 5 THEN 'failed' WHEN n % 2003 = 9 THEN '' ELSE 'succeeded' END, 1, 1, now(),
		CASE WHEN n % 2003 = 9 THEN NULL ELSE now() END
	FROM generate_series(1, 40000) n`

// explained is what a plan's node tells.
type explained struct {
	Type     string      `json:"Node Type"`
	Relation string      `json:"Relation Name"`
	Loops    float64     `json:"Actual Loops"`
	Hit      int         `json:"Shared Hit Blocks"`
	Read     int         `json:"Shared Read Blocks"`
	Plans    []explained `json:"Plans"`
}

// seqScans lists the tables that were read whole; a scan below a filter that is
// false is never begun.
func (e explained) seqScans() []string {
	var out []string
	if e.Type == "Seq Scan" && e.Loops > 0 {
		out = append(out, e.Relation)
	}
	for _, p := range e.Plans {
		out = append(out, p.seqScans()...)
	}
	return out
}

// TestListsReadWhatTheyShow plans every list on skewed data as the role that
// row-level security binds. Nothing may be read whose length is the history's.
func TestListsReadWhatTheyShow(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	super := pgtest.Super(t, db.URL())
	by := caller.Caller{Principal: authz.Principal{OrgID: id.New(), WorkspaceID: id.New()}}
	main, side := id.New(), id.New()
	args := pgx.NamedArgs{"org": by.OrgID, "small": id.New(), "ws": by.WorkspaceID, "main": main, "side": side}
	_, err := super.Exec(t.Context(), sqlManyRuns, args)
	require.NoError(t, err)
	_, err = super.Exec(t.Context(), `ANALYZE run, pipeline, label_set, label_pair`)
	require.NoError(t, err)

	day := id.Time(id.UUID{0x01, 0x9a, 0x80}).Add(-time.Minute)
	team, commit := Label{"team", "risk"}, Label{"commit", "c7"}
	for name, c := range map[string]struct {
		filter   Filter
		pipeline *id.UUID
	}{
		"all":                            {Filter{}, nil},
		"deep page":                      {Filter{PageToken: pageToken(id.UUID{0x01, 0x9a, 0x10})}, nil},
		"window":                         {Filter{Until: &day}, nil},
		"main pipeline":                  {Filter{}, &main},
		"side pipeline":                  {Filter{}, &side},
		"rare ended state":               {Filter{States: []string{"failed"}}, nil},
		"rare open state":                {Filter{States: []string{"running"}}, nil},
		"no such state":                  {Filter{States: []string{"canceled"}}, nil},
		"all states":                     {Filter{States: []string{"succeeded", "failed", "running"}}, nil},
		"rare state of a rare pipeline":  {Filter{States: []string{"failed"}}, &side},
		"rare state of a large pipeline": {Filter{States: []string{"failed"}}, &main},
		"common label":                   {Filter{Labels: []Label{team}}, nil},
		"rare label":                     {Filter{Labels: []Label{commit}}, nil},
		"both labels":                    {Filter{Labels: []Label{commit, team}}, nil},
		"no such label":                  {Filter{Labels: []Label{{"commit", "none"}}}, nil},
		"common label, rare state":       {Filter{Labels: []Label{team}, States: []string{"failed"}}, nil},
		"rare label, common state":       {Filter{Labels: []Label{commit}, States: []string{"succeeded"}}, nil},
	} {
		sql, queryArgs, err := c.filter.query(by)
		require.NoError(t, err)
		if c.pipeline != nil {
			queryArgs["pipeline_id"] = *c.pipeline
		}
		var root explained
		err = pg.InTenantRead(t.Context(), db.API, by.OrgID, func(tx pgx.Tx) error {
			var text []byte
			row := tx.QueryRow(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT JSON) "+sql, pgx.QueryExecModeCacheDescribe, queryArgs)
			if err := row.Scan(&text); err != nil {
				return err
			}
			var plans []struct{ Plan explained }
			if err := json.Unmarshal(text, &plans); err != nil {
				return err
			}
			root = plans[0].Plan
			return nil
		})
		require.NoError(t, err, name)
		scanned := strings.Join(root.seqScans(), " ")
		require.NotContains(t, " "+scanned+" ", " run ", name)
		require.Less(t, root.Hit+root.Read, 500, name)
	}
}
