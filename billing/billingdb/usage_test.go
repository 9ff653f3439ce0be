package billingdb_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/billing/billingdb"
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/proto/id"
)

// TestUsageIsTheJournal derives the usage of a scripted history once more, from
// the journal alone, and compares it with what the group commit stored, key by
// key.
func TestUsageIsTheJournal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.history()

	rows, err := b.db.Engine.Query(t.Context(), `
		SELECT r.workspace_id, r.pipeline_id, r.label_set_id, r.id, a.pool_id, j.path, j.at, j.started, j.finished, j.outcome, j.billed_ms
		FROM journal j
		JOIN run r ON r.org_id = j.org_id AND r.id = j.run_id
		LEFT JOIN agent a ON a.org_id = j.org_id AND a.id = j.agent_id
		WHERE j.kind = 'attempt_ended'
		ORDER BY j.run_id, j.seq`)
	require.NoError(t, err)
	var attempts []usage.Attempt
	var run id.UUID
	counted := map[id.UUID]bool{}
	var path, outcome string
	var started, finished *time.Time
	var billed int64
	a := usage.Attempt{Org: b.org}
	_, err = pgx.ForEachRow(rows, []any{&a.Workspace, &a.Pipeline, &a.LabelSet, &run, &a.Pool, &path, &a.Recorded, &started, &finished, &outcome, &billed}, func() error {
		a.Started, a.Finished, a.GPUs = time.Time{}, *finished, 0
		a.FirstOfRun = started != nil && !counted[run]
		if started != nil {
			a.Started, counted[run] = *started, true
		}
		if path == "train" {
			a.GPUs = 2
		}
		a.Billable = usage.Billable(outcome, started != nil)
		require.Equal(t, a.DurationMS(), billed)
		attempts = append(attempts, a)
		return nil
	})
	require.NoError(t, err)

	rows, err = b.db.Engine.Query(t.Context(), `
		SELECT org_id AS org, meter, workspace_id AS workspace, pool_id AS pool, pipeline_id AS pipeline, label_set_id AS label_set, hour, sum(quantity)::bigint AS value
		FROM usage
		GROUP BY 1, 2, 3, 4, 5, 6, 7`)
	require.NoError(t, err)
	stored, err := pgx.CollectRows(rows, pgx.RowToStructByName[usage.Quantity])
	require.NoError(t, err)
	for i := range stored {
		stored[i].Hour = stored[i].Hour.UTC()
	}
	require.Len(t, attempts, 8)
	require.ElementsMatch(t, usage.Sum(attempts), stored)
}

func TestUsageOfAMonth(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.history()
	got, err := b.store.Usage(t.Context(), b.caller(), b.month, billingdb.Dimension{})
	require.NoError(t, err)
	require.Equal(t, billingdb.Quantities{
		usage.MeterRuns:         4, // lost, but it began; canceled in the queue it never did
		usage.MeterTaskAttempts: 6,
		usage.MeterTaskMS:       1_500 + 60_000 + 61_001 + 2_000 + 3 + 7,
		usage.MeterGPUMS:        2 * (1_500 + 60_000 + 2_000 + 7),
	}, got.Totals)
	require.Empty(t, got.Groups)
	require.False(t, got.AsOf.IsZero())

	before := b.month
	before.Start, before.End = before.Start.AddDate(0, -1, 0), before.Start
	got, err = b.store.Usage(t.Context(), b.caller(), before, billingdb.Dimension{Kind: billingdb.ByPool})
	require.NoError(t, err)
	require.Empty(t, got.Totals)
	require.Empty(t, got.Groups)
}

func TestGroupsAddUpToTheTotals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.history()
	for d, keys := range map[billingdb.Dimension][]string{
		{Kind: billingdb.ByWorkspace}:             {"production", "research"},
		{Kind: billingdb.ByPool}:                  {"production/default", "research/default"},
		{Kind: billingdb.ByPipeline}:              {"nightly", "production/digits", "research/digits"},
		{Kind: billingdb.ByLabel, Label: "team"}:  {"", "search", "vision"},
		{Kind: billingdb.ByLabel, Label: "ghost"}: {""},
	} {
		got, err := b.store.Usage(t.Context(), b.caller(), b.month, d)
		require.NoError(t, err)
		sums := billingdb.Quantities{}
		var found []string
		for _, g := range got.Groups {
			found = append(found, g.Key)
			for m, n := range g.Used {
				sums[m] += n
			}
		}
		require.Equal(t, keys, found, d)
		require.Equal(t, got.Totals, sums, d)
	}
	_, err := b.store.Usage(t.Context(), b.caller(), b.month, billingdb.Dimension{Kind: "colour"})
	require.ErrorContains(t, err, "colour")
}

func TestDaysAreThoseOfUTC(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.history()
	b.plant(`UPDATE usage SET hour = @hour WHERE meter = 'runs'`, pgx.NamedArgs{"hour": b.month.Start.Add(23 * time.Hour)})
	b.plant(`UPDATE usage SET hour = @hour WHERE meter <> 'runs'`, pgx.NamedArgs{"hour": b.month.Start.Add(24 * time.Hour)})
	got, err := b.store.Usage(t.Context(), b.caller(), b.month, billingdb.Dimension{Kind: billingdb.ByDay})
	require.NoError(t, err)
	require.Len(t, got.Groups, 2)
	require.Equal(t, b.month.String()+"-01", got.Groups[0].Key)
	require.Equal(t, billingdb.Quantities{usage.MeterRuns: 4}, got.Groups[0].Used)
	require.Equal(t, b.month.String()+"-02", got.Groups[1].Key)
}

// TestWhatIsGoneIsCalledByItsID: usage has no foreign keys, and history must
// not depend on what is still there.
func TestWhatIsGoneIsCalledByItsID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.history()
	ghost := id.New()
	b.plant(`UPDATE usage SET pool_id = @ghost WHERE workspace_id = @ws`, pgx.NamedArgs{"ghost": ghost, "ws": h.research.workspace})
	got, err := b.store.Usage(t.Context(), b.caller(), b.month, billingdb.Dimension{Kind: billingdb.ByPool})
	require.NoError(t, err)
	require.Len(t, got.Groups, 2)
	require.Equal(t, "default", got.Groups[0].Key, "one pool of that name is left")
	require.Equal(t, id.Format(id.Pool, ghost), got.Groups[1].Key)
}

func TestAnotherOrganizationSeesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.history()
	stranger := b.caller()
	stranger.OrgID = id.New()
	got, err := b.store.Usage(t.Context(), stranger, b.month, billingdb.Dimension{Kind: billingdb.ByPool})
	require.NoError(t, err)
	require.Empty(t, got.Totals)
	require.Empty(t, got.Groups)
	preview, err := b.store.Preview(t.Context(), stranger, b.month)
	require.NoError(t, err)
	require.Empty(t, preview.Lines)
	runs, err := b.store.Runs(t.Context(), stranger, billingdb.RunsQuery{Month: b.month, Meter: usage.MeterTaskMS, Limit: 10})
	require.NoError(t, err)
	require.Empty(t, runs)

	_, foreign := b.store.Attempts(t.Context(), stranger, h.retried, nil)
	missing := id.New()
	_, none := b.store.Attempts(t.Context(), stranger, missing, nil)
	require.EqualError(t, foreign, `there is no run "`+id.Format(id.Run, h.retried)+`"`)
	require.EqualError(t, none, `there is no run "`+id.Format(id.Run, missing)+`"`)
}
