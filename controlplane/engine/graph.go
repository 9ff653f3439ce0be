package engine

import "github.com/signalboxhq/signalbox/proto/plan"

// Graph is a plan prepared for deciding. It is immutable and shared by all runs
// of a version.
type Graph struct {
	Plan *plan.Plan
}

// NewGraph prepares a plan. It refuses a plan that could never finish: cycles,
// unknown needs, rules or retry patterns.
func NewGraph(p *plan.Plan) (*Graph, error) { panic("unreachable until the rules land") }

// StopsOnFailure reports whether a failed task stops others, so that Report
// must carry the live leases.
func (g *Graph) StopsOnFailure() bool {
	return g.Plan.OnFailure == plan.OnFailureStop || g.Plan.OnFailure == plan.OnFailureCancel
}
