package engine_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// BenchmarkDecideChain is a chain of ten tasks from start to end: eleven
// decisions, each hop one entry and one opening.
func BenchmarkDecideChain(b *testing.B) {
	const length = 10
	var list []plan.Task
	for i := range length {
		tk := task(fmt.Sprintf("t%d", i))
		if i > 0 {
			tk.Needs = []int{i - 1}
		}
		list = append(list, tk)
	}
	g := graph(b, list...)
	b.ReportAllocs()
	for b.Loop() {
		s := engine.NewState(id.UUID{1})
		decide(b, g, s, engine.Start{Now: testStart})
		for i := range int32(length) {
			decide(b, g, s, succeed(i))
		}
		require.Equal(b, engine.RunSucceeded, s.Run)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(length+1), "ns/decision")
}

// BenchmarkDecideFan10k is one task, 10,000 beside each other and one that
// waits for all of them.
func BenchmarkDecideFan10k(b *testing.B) {
	const width = 10_000
	list := []plan.Task{task("first")}
	join := task("last")
	for i := range width {
		list = append(list, task(fmt.Sprintf("t%d", i), 0))
		join.Needs = append(join.Needs, i+1)
	}
	g := graph(b, append(list, join)...)
	b.ReportAllocs()
	for b.Loop() {
		s := engine.NewState(id.UUID{1})
		decide(b, g, s, engine.Start{Now: testStart})
		for i := range int32(width + 2) {
			decide(b, g, s, succeed(i))
		}
		require.Equal(b, engine.RunSucceeded, s.Run)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(width+3), "ns/decision")
}

// BenchmarkFold10k reads a journal of 10,000 attempts.
func BenchmarkFold10k(b *testing.B) {
	const width = 10_000
	var list []plan.Task
	for i := range width {
		list = append(list, task(fmt.Sprintf("t%d", i)))
	}
	g := graph(b, list...)
	s := engine.NewState(id.UUID{1})
	journal := decide(b, g, s, engine.Start{Now: testStart}).Entries
	for i := range int32(width) {
		journal = append(journal, decide(b, g, s, succeed(i)).Entries...)
	}
	b.ReportAllocs()
	for b.Loop() {
		s := engine.NewState(id.UUID{1})
		for i := range journal {
			require.NoError(b, engine.Fold(g, s, journal[i]))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/width, "ns/entry")
}

func decide(b *testing.B, g *engine.Graph, s *engine.State, c engine.Command) engine.Decision {
	b.Helper()
	d, err := engine.Decide(g, s, c)
	if err != nil {
		b.Fatal(err)
	}
	return d
}

func succeed(task int32) engine.Report {
	return engine.Report{
		Now: testStart, Lease: engine.Lease{Task: task, Attempt: 1, ID: 1}, Outcome: engine.OutcomeSucceeded,
	}
}
