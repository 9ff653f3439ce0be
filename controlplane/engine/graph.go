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
//
// Its nodes are the plan's tasks, layer by layer: a task with for_each is a node
// for the map, whose body is a node for one item. The nodes of the pipeline
// itself come first, node n being Plan.Tasks[n]; then every body, its nodes one
// after the other, so that a task of a run is found by adding (see place).
type Graph struct {
	Plan *plan.Plan

	nodes        []node
	top          int32   // how many nodes the pipeline itself has
	down         []int32 // all nodes' downstream nodes, one after the other
	mains, exits int32
	stops        bool
}

// node is what the engine needs to know of a task on its hot path.
type node struct {
	task  int32 // index in Plan.Tasks
	layer layer
	outer bool // the outermost layer of its task: what needs and rules are about

	rule         Rule
	exit         plan.ExitOn // empty for main tasks
	inExit       bool        // an exit handler, or inside of one
	needs        int32       // upstream tasks that count for the rule
	first, after int32       // Graph.down[first:after]
	quorum       plan.Quorum
	never        []int32 // exit codes after which no retry helps

	size        int64 // how many tasks it may become: see measure
	off         int32 // place among the nodes of its body
	body, width int32 // first node of its own body, and how many there are
}

// NewGraph prepares a plan. It refuses a plan that could never finish: cycles,
// needs that do not exist, unknown rules or retry patterns. The compiler refuses
// them first, with better words.
func NewGraph(p *plan.Plan) (*Graph, error) {
	g := &Graph{Plan: p, stops: p.OnFailure == plan.OnFailureStop || p.OnFailure == plan.OnFailureCancel}
	if err := g.unfold(); err != nil {
		return nil, fmt.Errorf("prepare plan: %w", err)
	}
	for n := range g.nodes {
		if err := g.prepare(&g.nodes[n]); err != nil {
			return nil, fmt.Errorf("prepare task %q: %w", g.nodeName(int32(n)), err)
		}
	}
	if g.mains == 0 {
		return nil, errors.New("prepare plan: it has no tasks")
	}
	if err := g.measure(); err != nil {
		return nil, fmt.Errorf("prepare plan: %w", err)
	}
	g.link()
	if name, ok := g.cycle(); ok {
		return nil, fmt.Errorf("prepare plan: task %q needs itself", name)
	}
	return g, nil
}

func (g *Graph) prepare(nd *node) error {
	t := &g.Plan.Tasks[nd.task]
	var err error
	if nd.never, err = parseNever(t.Retry.Never); err != nil {
		return err
	}
	g.stops = g.stops || (t.ForEach != nil && t.ForEach.StopOnFailure)
	if !nd.outer {
		return nil // it runs whenever its owner does
	}
	if nd.rule, nd.quorum, err = ParseRule(t.Rule); err != nil {
		return err
	}
	switch t.Exit {
	case "":
		if t.In == 0 && !t.Template {
			g.mains++
		}
	case plan.ExitAlways, plan.ExitSucceeded, plan.ExitFailed, plan.ExitCanceled:
		if t.In != 0 {
			return errors.New("an exit handler is part of no group")
		}
		g.exits++
	default:
		return fmt.Errorf("exit %q is unknown", t.Exit)
	}
	nd.exit = t.Exit
	return g.checkNeeds(nd, t)
}

func (g *Graph) checkNeeds(nd *node, t *plan.Task) error {
	last := -1
	for _, up := range t.Needs {
		if up <= last || up >= len(g.Plan.Tasks) {
			return fmt.Errorf("needs %v are not ascending indices of tasks", t.Needs)
		}
		last = up
		switch u := &g.Plan.Tasks[up]; {
		case u.Exit != "":
			return fmt.Errorf("it needs the exit handler %q", u.Name)
		case u.In != t.In:
			return fmt.Errorf("it needs %q, which is not beside it", u.Name)
		case u.Template:
			return fmt.Errorf("it needs %q, which is a template", u.Name)
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
// memory in order and allocates nothing. All nodes of a body are made from tasks
// of one group, in the order of the plan: an upstream task's node lies as far
// from a node as their places say.
func (g *Graph) link() {
	each := func(do func(up *node, n int32)) {
		for n := range g.nodes {
			nd := &g.nodes[n]
			if !nd.outer || nd.exit != "" {
				continue
			}
			first := int32(n) - nd.off
			for _, up := range g.Plan.Tasks[nd.task].Needs {
				do(&g.nodes[first+g.offset(first, int32(up))], int32(n))
			}
		}
	}
	each(func(up *node, _ int32) { up.after++ })
	var sum int32
	for i := range g.nodes {
		nd := &g.nodes[i]
		nd.first = sum
		sum += nd.after
		nd.after = nd.first
	}
	g.down = make([]int32, sum)
	each(func(up *node, n int32) {
		g.down[up.after] = n
		up.after++
	})
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
			return g.nodeName(int32(i)), true
		}
	}
	return "", false
}

// downstream lists the nodes that need node n.
func (g *Graph) downstream(n int32) []int32 {
	return g.down[g.nodes[n].first:g.nodes[n].after]
}

// Own is how many tasks the pipeline itself has, templates included: the first
// of State.Tasks.
func (g *Graph) Own() int32 { return g.top }

// Total is how many tasks the pipeline itself has, exit handlers included: what
// a run's progress is counted in.
func (g *Graph) Total() int32 { return g.mains + g.exits }

// Done is how many of them have ended; none before the run begins.
func (g *Graph) Done(s *State) int32 {
	if s.Tasks == nil {
		return 0
	}
	return g.Total() - s.LeftMain - s.LeftExit
}

func (g *Graph) nodeName(n int32) string { return g.Plan.Tasks[g.nodes[n].task].Name }

// StopsOnFailure reports whether a failed task stops others, so that Report
// must carry the live leases.
func (g *Graph) StopsOnFailure() bool { return g.stops }

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
