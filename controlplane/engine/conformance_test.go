package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	"github.com/signalboxhq/signalbox/proto/id"
)

// The shipped file of all trigger rules comes to one result, whatever the order
// in which its tasks end, and that is the table's.
func TestRulesOfTheConformanceFileInAnyOrder(t *testing.T) {
	t.Parallel()
	const file, shuffles = "../../conformance/rules.yaml", 200
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	compiled, err := pipeline.Compile(file, text)
	require.NoError(t, err)
	g, err := engine.NewGraph(compiled.Plan)
	require.NoError(t, err)
	results := map[string]bool{}
	for seed := range shuffles {
		results[shuffled(t, g, rand.New(rand.NewPCG(uint64(seed), 1)))] = true
	}
	require.Len(t, results, 1)
	for result := range results {
		require.Equal(t, fromTheTable(t, g), result)
	}
}

// shuffled runs the plan with its attempts ending in a random order, and lists how
// its tasks ended.
func shuffled(t *testing.T, g *engine.Graph, random *rand.Rand) string {
	t.Helper()
	s := engine.NewState(id.Nil)
	now := time.UnixMilli(1_800_000_000_000)
	d, err := engine.Decide(g, s, engine.Start{Now: now})
	require.NoError(t, err)
	open := d.Opened
	for lease := int64(1); len(open) > 0; lease++ {
		k := random.IntN(len(open))
		o := open[k]
		open = append(open[:k], open[k+1:]...)
		now = now.Add(time.Millisecond)
		r := engine.Report{
			Now: now, Finished: now, Outcome: engine.OutcomeSucceeded,
			Lease: engine.Lease{Task: o.Task, Attempt: o.Attempt, ID: lease, Granted: now},
		}
		switch {
		case o.Asking != engine.AskNothing:
			r.Answer = &engine.Answer{} // the condition of k is false
		case g.Path(s, o.Task) == "f":
			r.Outcome, r.ExitCode = engine.OutcomeFailed, 1
		}
		d, err := engine.Decide(g, s, r)
		require.NoError(t, err)
		open = append(open, d.Opened...)
	}
	require.Equal(t, engine.RunFailed, s.Run)
	var b strings.Builder
	for i := range s.Tasks {
		fmt.Fprintf(&b, "%s %s\n", g.Path(s, int32(i)), s.Tasks[i].State)
	}
	return b.String()
}

// fromTheTable is what the file's names say, by the golden table of the rules.
func fromTheTable(t *testing.T, g *engine.Graph) string {
	t.Helper()
	ends := map[engine.Verdict]engine.TaskState{
		engine.VerdictRun: engine.TaskSucceeded, engine.VerdictUpstreamFailed: engine.TaskUpstreamFailed, engine.VerdictSkipped: engine.TaskSkipped,
	}
	own := map[string]string{"s": "succeeded", "f": "failed", "u": "upstream_failed", "k": "skipped"}
	var b strings.Builder
	rows := 0
	for i := range g.Plan.Tasks {
		task := &g.Plan.Tasks[i]
		_, cell, isRow := strings.Cut(task.Name, "-")
		if !isRow {
			fmt.Fprintf(&b, "%s %s\n", task.Name, own[task.Name])
			continue
		}
		rows++
		rule, quorum, err := engine.ParseRule(task.Rule)
		require.NoError(t, err)
		count := func(class string) int { return strings.Count(cell, class) }
		verdict := engine.Evaluate(rule, len(cell), count("s"), count("f"), count("u"), count("k"), quorum)
		fmt.Fprintf(&b, "%s %s\n", task.Name, ends[verdict])
	}
	require.Equal(t, 12*11, rows)
	return b.String()
}
