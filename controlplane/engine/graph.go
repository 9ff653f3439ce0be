package engine

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Graph is a plan prepared for deciding. It is immutable and shared by all runs
// of a version.
type Graph struct {
	Plan *plan.Plan

	nodes        []node
	down         []int32 // all nodes' downstream tasks, one after the other
	mains, exits int32
}

// node is what the engine needs to know of a task on its hot path.
type node struct {
	rule         Rule
	exit         plan.ExitOn // empty for main tasks
	needs        int32       // upstream main tasks that count for the rule
	first, after int32       // Graph.down[first:after]
	quorum       plan.Quorum
	never        []int32 // exit codes after which no retry helps
}

// NewGraph prepares a plan. It refuses a plan that could never finish: cycles,
// needs that do not exist, unknown rules or retry patterns. The compiler refuses
// them first, with better words.
func NewGraph(p *plan.Plan) (*Graph, error) {
	g := &Graph{Plan: p, nodes: make([]node, len(p.Tasks))}
	for i := range p.Tasks {
		if err := g.prepare(i); err != nil {
			return nil, fmt.Errorf("prepare task %q: %w", p.Tasks[i].Name, err)
		}
	}
	if g.mains == 0 {
		return nil, errors.New("prepare plan: it has no tasks")
	}
	g.link()
	if name, ok := g.cycle(); ok {
		return nil, fmt.Errorf("prepare plan: task %q needs itself", name)
	}
	return g, nil
}

func (g *Graph) prepare(i int) error {
	t, nd := &g.Plan.Tasks[i], &g.nodes[i]
	var err error
	if nd.rule, nd.quorum, err = ParseRule(t.Rule); err != nil {
		return err
	}
	if nd.never, err = parseNever(t.Retry.Never); err != nil {
		return err
	}
	switch t.Exit {
	case "":
		g.mains++
	case plan.ExitAlways, plan.ExitSucceeded, plan.ExitFailed, plan.ExitCanceled:
		g.exits++
	default:
		return fmt.Errorf("exit %q is unknown", t.Exit)
	}
	nd.exit = t.Exit
	last := -1
	for _, up := range t.Needs {
		if up <= last || up >= len(g.Plan.Tasks) {
			return fmt.Errorf("needs %v are not ascending indices of tasks", t.Needs)
		}
		last = up
		if g.Plan.Tasks[up].Exit != "" {
			return fmt.Errorf("it needs the exit handler %q", g.Plan.Tasks[up].Name)
		}
	}
	// An exit handler may read what main tasks left, but waits for all of them
	// anyway: its needs order nothing.
	if nd.exit == "" {
		nd.needs = int32(len(t.Needs))
	}
	return nil
}

// link inverts the needs into one slice, so that a run's propagation walks
// memory in order and allocates nothing.
func (g *Graph) link() {
	for i := range g.nodes {
		if g.nodes[i].exit == "" {
			for _, up := range g.Plan.Tasks[i].Needs {
				g.nodes[up].after++
			}
		}
	}
	var sum int32
	for i := range g.nodes {
		nd := &g.nodes[i]
		nd.first = sum
		sum += nd.after
		nd.after = nd.first
	}
	g.down = make([]int32, sum)
	for i := range g.nodes {
		if g.nodes[i].exit == "" {
			for _, up := range g.Plan.Tasks[i].Needs {
				nd := &g.nodes[up]
				g.down[nd.after] = int32(i)
				nd.after++
			}
		}
	}
}

// cycle names a task that lies on a cycle or behind one.
func (g *Graph) cycle() (string, bool) {
	waits := make([]int32, len(g.nodes))
	free := make([]int32, 0, len(g.nodes))
	for i := range g.nodes {
		if waits[i] = g.nodes[i].needs; waits[i] == 0 {
			free = append(free, int32(i))
		}
	}
	for head := 0; head < len(free); head++ {
		for _, d := range g.downstream(free[head]) {
			if waits[d]--; waits[d] == 0 {
				free = append(free, d)
			}
		}
	}
	for i := range waits {
		if waits[i] > 0 {
			return g.Plan.Tasks[i].Name, true
		}
	}
	return "", false
}

func (g *Graph) downstream(i int32) []int32 {
	return g.down[g.nodes[i].first:g.nodes[i].after]
}

func (g *Graph) name(i int32) string { return g.Plan.Tasks[i].Name }

func (g *Graph) isExit(i int32) bool { return g.nodes[i].exit != "" }

// StopsOnFailure reports whether a failed task stops others, so that Report
// must carry the live leases.
func (g *Graph) StopsOnFailure() bool {
	return g.Plan.OnFailure == plan.OnFailureStop || g.Plan.OnFailure == plan.OnFailureCancel
}

func parseNever(patterns []string) ([]int32, error) {
	var codes []int32
	for _, p := range patterns {
		code, ok := strings.CutPrefix(p, "exit:")
		n, err := strconv.ParseInt(code, 10, 32)
		if !ok || err != nil {
			return nil, fmt.Errorf("retry pattern %q is not exit:CODE", p)
		}
		codes = append(codes, int32(n))
	}
	return codes, nil
}
