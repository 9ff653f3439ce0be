package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

var exhaustiveRules = append(plan.Rules(), "quorum(0.67)", "quorum(0.5, early)")

// eachGraph calls do with every graph of n tasks whose needs point to earlier
// ones, under every rule for every task that has needs.
func eachGraph(n int, do func(tasks []plan.Task)) {
	tasks := make([]plan.Task, n)
	var from func(i int)
	from = func(i int) {
		if i == n {
			do(tasks)
			return
		}
		for mask := range 1 << i {
			tk := plan.Task{Name: fmt.Sprintf("t%d", i)}
			for up := range i {
				if mask&(1<<up) != 0 {
					tk.Needs = append(tk.Needs, up)
				}
			}
			rules := exhaustiveRules
			if mask == 0 {
				rules = rules[:1]
			}
			for _, tk.Rule = range rules {
				tasks[i] = tk
				from(i + 1)
			}
		}
	}
	from(0)
}

// slowStates is the model: tasks in the order of their needs, each rule asked
// once, when all its upstream tasks have ended.
func slowStates(t require.TestingT, tasks []plan.Task, outcomes []engine.Outcome) []engine.TaskState {
	states := make([]engine.TaskState, len(tasks))
	for i := range tasks {
		n := map[engine.TaskState]int{}
		for _, up := range tasks[i].Needs {
			n[states[up]]++
		}
		s, f, u, k := n[engine.TaskSucceeded], n[engine.TaskFailed], n[engine.TaskUpstreamFailed], n[engine.TaskSkipped]
		rule, q, err := engine.ParseRule(tasks[i].Rule)
		require.NoError(t, err)
		switch engine.Evaluate(rule, len(tasks[i].Needs), s, f, u, k, q) {
		case engine.VerdictRun:
			states[i] = map[engine.Outcome]engine.TaskState{
				engine.OutcomeSucceeded: engine.TaskSucceeded,
				engine.OutcomeFailed:    engine.TaskFailed,
				engine.OutcomeSkipped:   engine.TaskSkipped,
			}[outcomes[i]]
		case engine.VerdictUpstreamFailed:
			states[i] = engine.TaskUpstreamFailed
		case engine.VerdictSkipped:
			states[i] = engine.TaskSkipped
		case engine.VerdictWait:
			require.Fail(t, "a rule waits for nothing")
		}
	}
	return states
}

var exhaustiveOutcomes = []engine.Outcome{engine.OutcomeSucceeded, engine.OutcomeFailed, engine.OutcomeSkipped}

var testStart = time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC)

// finish reports an open task and returns the state after it.
func finish(t require.TestingT, g *engine.Graph, s *engine.State, i int, o engine.Outcome) *engine.State {
	s = clone(s)
	_, err := engine.Decide(g, s, engine.Report{
		Now:     testStart,
		Lease:   engine.Lease{Task: int32(i), Attempt: s.Tasks[i].Attempt},
		Outcome: o,
	})
	require.NoError(t, err)
	return s
}

func clone(s *engine.State) *engine.State {
	c := *s
	c.Tasks = append([]engine.Task(nil), s.Tasks...)
	c.Holds, c.Votes = maps.Clone(s.Holds), maps.Clone(s.Votes)
	c.Origins = maps.Clone(s.Origins)
	c.Blocks = slices.Clone(s.Blocks)
	for i := range c.Blocks {
		b := &c.Blocks[i]
		b.Left, b.Bad, b.Gone = slices.Clone(b.Left), slices.Clone(b.Bad), slices.Clone(b.Gone)
	}
	c.Fans = maps.Clone(s.Fans)
	for i, f := range c.Fans {
		one := *f
		one.Blocks = slices.Clone(f.Blocks)
		c.Fans[i] = &one
	}
	return &c
}

func started(t require.TestingT, g *engine.Graph) *engine.State {
	s := engine.NewState(id.UUID{1})
	_, err := engine.Decide(g, s, engine.Start{Now: testStart})
	require.NoError(t, err)
	return s
}

func requireModel(t require.TestingT, tasks []plan.Task, outcomes []engine.Outcome, s *engine.State) {
	want := slowStates(t, tasks, outcomes)
	outcome := engine.RunSucceeded
	for i := range want {
		if want[i].Failing() {
			outcome = engine.RunFailed
		}
		if want[i] != s.Tasks[i].State {
			require.Failf(t, "differs from the model", "%+v\noutcomes %v\nwant %v\ngot %+v", tasks, outcomes, want, s.Tasks)
		}
	}
	require.Equal(t, outcome, s.Run)
}

// Every graph of up to three tasks under every rule, every outcome and every
// order of ends leads to what the model says.
func TestEveryOrderOfSmallGraphs(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 3; n++ {
		eachGraph(n, func(tasks []plan.Task) {
			g := graph(t, append([]plan.Task(nil), tasks...)...)
			outcomes := make([]engine.Outcome, n)
			var explore func(s *engine.State)
			explore = func(s *engine.State) {
				open := false
				for i := range s.Tasks {
					if s.Tasks[i].State != engine.TaskOpen {
						continue
					}
					open = true
					for _, outcomes[i] = range exhaustiveOutcomes {
						explore(finish(t, g, s, i, outcomes[i]))
					}
				}
				if !open {
					requireModel(t, tasks, outcomes, s)
				}
			}
			explore(started(t, g))
		})
	}
}

// Every graph of four tasks under every rule, with a few outcomes and orders
// each.
func TestGraphsOfFour(t *testing.T) {
	t.Parallel()
	var seed uint64
	draw := func(n int) int { // a small generator of its own: this test draws a million times
		seed = seed*6364136223846793005 + 1442695040888963407
		return int(seed>>33) % n
	}
	eachGraph(4, func(tasks []plan.Task) {
		g := graph(t, append([]plan.Task(nil), tasks...)...)
		fresh := started(t, g)
		for range 3 {
			outcomes := make([]engine.Outcome, len(tasks))
			for i := range outcomes {
				outcomes[i] = exhaustiveOutcomes[draw(len(exhaustiveOutcomes))]
			}
			s := fresh
			for !s.Run.Terminal() {
				if i := draw(len(tasks)); s.Tasks[i].State == engine.TaskOpen {
					s = finish(t, g, s, i, outcomes[i])
				}
			}
			requireModel(t, tasks, outcomes, s)
		}
	})
}
