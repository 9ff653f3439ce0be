package rundb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/controlplane/dispatch/explain"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Hold is what a task waits for, or has waited for.
type Hold struct {
	Plan *plan.Task
	// Since and Until are zero where the task is not held, or nothing ends it by
	// itself.
	Since, Until time.Time
	Votes        []Vote
}

// Kind is wait, signal or approval.
func (h *Hold) Kind() string {
	switch {
	case h.Plan.Wait != nil:
		return "wait"
	case h.Plan.Signal != nil:
		return "signal"
	}
	return "approval"
}

// Vote is what somebody said to an approval.
type Vote struct {
	// Actor is a name, or an id where the name is not known.
	Actor      string
	Rejected   bool
	Comment    string
	At         time.Time
	Generation int32
}

// note keeps what was said to approvals, all of it.
func (h *history) note(row *journal.Row) {
	if row.Kind != engine.KindTaskApproved && row.Kind != engine.KindTaskRejected {
		return
	}
	if h.votes == nil {
		h.votes = map[int32][]Vote{}
	}
	h.votes[row.Task] = append(h.votes[row.Task], Vote{
		Actor: row.Actor, Rejected: row.Kind == engine.KindTaskRejected, Comment: row.Reason, At: row.At, Generation: row.Generation,
	})
}

// hold is what a task waits for or has waited for; nil for tasks that run, and
// before it was reached.
func (h *history) hold(i int32) *Hold {
	p := h.graph.Task(h.state, i)
	state := h.state.Tasks[i].State
	held, waits := h.state.Holds[i]
	if !engine.Holds(p) || state == engine.TaskExpanding || (!waits && state != engine.TaskSucceeded && len(h.votes[i]) == 0) {
		return nil
	}
	return &Hold{Plan: p, Since: held.Since.Time(), Until: held.Until.Time(), Votes: append([]Vote(nil), h.votes[i]...)}
}

// nameActors puts names in the place of the ids of those who voted, and of those
// who are named in reasons.
func nameActors(ctx context.Context, tx pgx.Tx, org id.UUID, tasks []Task) error {
	var texts []string
	for i := range tasks {
		texts = append(texts, actor.In(tasks[i].Reason)...)
		if h := tasks[i].Hold; h != nil {
			for k := range h.Votes {
				texts = append(texts, h.Votes[k].Actor)
			}
		}
	}
	names, err := actor.Names(ctx, tx, org, texts)
	if err != nil || len(names) == 0 {
		return err
	}
	for i := range tasks {
		tasks[i].Reason = actor.Named(names, tasks[i].Reason)
		if h := tasks[i].Hold; h != nil {
			for k := range h.Votes {
				h.Votes[k].Actor = actor.Name(names, h.Votes[k].Actor)
			}
		}
	}
	return nil
}

// explained is what a held task waits for. Of each voter the last word counts,
// in the run's generation.
func (h *Hold) explained(generation int32) explain.Hold {
	out := explain.Hold{Kind: h.Kind(), Until: h.Until}
	if h.Plan.Signal != nil {
		out.Signal = h.Plan.Signal.Name
	}
	if a := h.Plan.Approve; a != nil {
		out.Required = max(1, a.Required)
		words := map[string]bool{}
		for _, v := range h.Votes {
			if v.Generation == generation {
				words[v.Actor] = !v.Rejected
			}
		}
		for _, yes := range words {
			if yes {
				out.Approved++
			}
		}
	}
	return out
}
