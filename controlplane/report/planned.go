package report

import (
	"errors"
	"fmt"
	"slices"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// Planned is a task that a step adds.
type Planned struct {
	ID       string
	Template string
	Needs    []string
}

// MaxPlanned bounds how many tasks one step may add.
const MaxPlanned = 1000

// addMembers gives a report the tasks that its step adds. The agent has checked
// them; what it should have refused ends the attempt as a failure of the step,
// so that nothing is added that could never run.
func addMembers(g *engine.Graph, s *engine.State, cmd *engine.Report, planned []Planned) {
	if len(planned) == 0 || cmd.Outcome != engine.OutcomeSucceeded || cmd.Lease.Rank > 0 {
		return
	}
	members, err := membersOf(g, s, cmd.Lease.Task, planned)
	if err != nil {
		cmd.Outcome, cmd.Cause, cmd.Reason = engine.OutcomeFailed, engine.CauseUser, "$SB_PLAN: "+err.Error()
		cmd.Final = true
		return
	}
	cmd.Members = members
}

func membersOf(g *engine.Graph, s *engine.State, planner int32, planned []Planned) ([]engine.Member, error) {
	if g.InExit(s, planner) {
		return nil, errors.New("an exit handler adds no tasks: the run has an outcome already, and nothing of it begins any more")
	}
	if len(planned) > MaxPlanned {
		return nil, fmt.Errorf("%d tasks, at most %d", len(planned), MaxPlanned)
	}
	at := make(map[string]int32, len(planned))
	for i, p := range planned {
		if _, twice := at[p.ID]; twice || p.ID == "" || len(p.ID) > 100 {
			return nil, fmt.Errorf("task id %q stands twice, is empty or too long", p.ID)
		}
		at[p.ID] = int32(i)
	}
	out := make([]engine.Member, len(planned))
	for i, p := range planned {
		node, ok := g.Template(s, planner, p.Template)
		if !ok {
			return nil, fmt.Errorf("task %q is made from %q, which is no template of this pipeline", p.ID, p.Template)
		}
		out[i] = engine.Member{ID: p.ID, Node: node}
		for _, need := range p.Needs {
			up, known := at[need]
			if !known {
				return nil, fmt.Errorf("task %q needs %q, which is not added", p.ID, need)
			}
			out[i].Needs = append(out[i].Needs, up)
		}
		slices.Sort(out[i].Needs)
		out[i].Needs = slices.Compact(out[i].Needs)
	}
	if i, ok := engine.MemberCycle(out); ok {
		return nil, fmt.Errorf("task %q needs itself", planned[i].ID)
	}
	return out, nil
}
