package rundb_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// A run of another pipeline that a part starts takes its time.
func TestTheRunOfAPartIsInTheSpan(t *testing.T) {
	t.Parallel()
	g, err := engine.NewGraph(&plan.Plan{Name: "outer", Tasks: []plan.Task{
		{Name: "ask", Group: true},
		{Name: "ask/sub", In: 1, Pipeline: &plan.Nested{Name: "inner"}, With: map[string]string{"x": "1"}},
	}})
	require.NoError(t, err)
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f := rundb.Follow(g, id.New())
	seq := int64(0)
	items := func(e engine.Entry) *rundb.Items {
		seq++
		e.V, e.Seq, e.At = 1, seq, noon.Add(time.Duration(seq)*time.Minute)
		require.NoError(t, f.Add(journal.Row{Entry: e}, nil))
		v := f.View(rundb.Run{}, nil, nil, e.At)
		require.Equal(t, "ask", v.Tasks[0].Name)
		return v.Tasks[0].Items
	}
	before := items(engine.Entry{Kind: engine.KindRunStarted, Task: engine.NoTask})
	require.True(t, before.FirstStart.IsZero())
	runs := items(engine.Entry{Kind: engine.KindTaskDecided, Task: 1, Attempt: -1, Outcome: engine.OutcomeSucceeded, Next: engine.TaskExpanding})
	require.Equal(t, noon.Add(2*time.Minute), runs.FirstStart)
	require.True(t, runs.LastEnd.IsZero())
	items(engine.Entry{Kind: engine.KindTaskEnded, Task: 1, Attempt: 1, Next: engine.TaskSucceeded})
	ended := items(engine.Entry{Kind: engine.KindTaskEnded, Task: 0, Next: engine.TaskSucceeded})
	require.Equal(t, noon.Add(2*time.Minute), ended.FirstStart)
	require.Equal(t, noon.Add(3*time.Minute), ended.LastEnd)
}
