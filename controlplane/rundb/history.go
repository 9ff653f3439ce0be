package rundb

import (
	"fmt"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Task is a node of a run's graph as people see it.
type Task struct {
	Name     string
	State    string
	Reason   string
	Needs    []string
	Pool     string
	Exit     string
	Rule     string
	Attempts []Attempt
	// RetryAt is when a task in backoff is tried again; zero for others.
	RetryAt                          time.Time
	UsedUser, UsedInfra, UsedPreempt int16
	// Hold is set on tasks that wait instead of running, once they are reached.
	Hold *Hold
}

// Attempt is one try at a task. Times are zero where unknown.
type Attempt struct {
	Number int32
	// State is the phase of a live lease, or how the attempt ended.
	State      string
	Cause      string
	Reason     string
	ExitCode   int32
	Agent      id.UUID
	AgentName  string
	ReadyAt    time.Time
	GrantedAt  time.Time
	StartedAt  time.Time
	FinishedAt time.Time
	// Body is what an attempt that failed left, an encoded run.v1.Body; nil for
	// none.
	Body       []byte
	BilledMS   int64
	Generation int32
}

// lease is a live lease of the run.
type lease struct {
	Task      int32
	Attempt   int32
	AgentID   id.UUID
	ReadyAt   time.Time
	GrantedAt time.Time
	Phase     string
	StartedAt *time.Time
	Stop      string
}

// history is a run's journal, folded: pure, and fed entry by entry, so that
// whoever watches a run reads only what is new.
type history struct {
	graph    *engine.Graph
	state    *engine.State
	attempts [][]Attempt // by task
	reasons  []string    // by task: of its latest entry
	votes    map[int32][]Vote
}

func newHistory(g *engine.Graph, run id.UUID) *history {
	n := len(g.Plan.Tasks)
	return &history{graph: g, state: engine.NewState(run), attempts: make([][]Attempt, n), reasons: make([]string, n)}
}

// add folds one entry; body is what the attempt left, if it is to be shown.
func (h *history) add(row journal.Row, body []byte) error {
	var ready time.Time
	if row.Kind == engine.KindAttemptEnded && row.Task >= 0 && int(row.Task) < len(h.state.Tasks) {
		ready = h.state.Tasks[row.Task].ReadyAt.Time() // the fold moves it to the next attempt
	}
	if err := engine.Fold(h.graph, h.state, row.Entry); err != nil {
		return fmt.Errorf("fold the journal: %w", err)
	}
	for len(h.attempts) < len(h.state.Tasks) { // tasks have come into being
		h.attempts, h.reasons = append(h.attempts, nil), append(h.reasons, "")
	}
	if row.Task < 0 {
		return nil
	}
	h.reasons[row.Task] = row.Reason
	h.note(&row)
	if row.Kind != engine.KindAttemptEnded || row.Attempt < 0 {
		return nil // a decision is no attempt at the task
	}
	h.attempts[row.Task] = append(h.attempts[row.Task], Attempt{
		Number: row.Attempt, State: row.Outcome.String(), Cause: row.Cause.String(), Reason: row.Reason, ExitCode: row.ExitCode,
		Agent: row.Agent, ReadyAt: ready, GrantedAt: row.Granted, StartedAt: row.Started, FinishedAt: row.Finished,
		Body: body, BilledMS: row.BilledMS, Generation: row.Generation,
	})
	return nil
}

// maxShown bounds how many tasks one answer shows: a map may have 100,000.
const maxShown = 2000

// tasks is the picture at a moment: the fold, and on top of it who holds what.
func (h *history) tasks(leases []lease, names map[id.UUID]string, now time.Time) []Task {
	held := make(map[int32]*lease, len(leases))
	for i := range leases {
		held[leases[i].Task] = &leases[i]
	}
	p := h.graph.Plan
	n := min(len(h.state.Tasks), maxShown)
	if n == 0 {
		n = int(h.graph.Own()) // the run was not admitted yet
	}
	out := make([]Task, n)
	for i := range out {
		t := &p.Tasks[min(i, len(p.Tasks)-1)]
		name := t.Name
		if len(h.state.Tasks) > 0 {
			t, name = h.graph.Task(h.state, int32(i)), h.graph.Path(h.state, int32(i))
		}
		out[i] = Task{Name: name, State: engine.TaskPending.String(), Pool: t.Pool, Exit: string(t.Exit), Rule: string(t.Rule)}
		for _, up := range t.Needs {
			out[i].Needs = append(out[i].Needs, p.Tasks[up].Name)
		}
		h.place(&out[i], int32(i), held[int32(i)], now)
		for k := range out[i].Attempts {
			out[i].Attempts[k].AgentName = names[out[i].Attempts[k].Agent]
		}
	}
	return out
}

// place fills in how a task stands.
func (h *history) place(out *Task, i int32, l *lease, now time.Time) {
	out.Attempts = slices.Clone(h.attempts[i])
	if int(i) >= len(h.state.Tasks) {
		return // the run was not admitted yet
	}
	t := &h.state.Tasks[i]
	live := l != nil && t.State == engine.TaskOpen && t.Try() == l.Attempt
	out.State = t.Display(live, now)
	out.Hold = h.hold(i)
	out.UsedUser, out.UsedInfra, out.UsedPreempt = t.UsedUser, t.UsedInfra, t.UsedPreempt
	switch {
	case live && l.Attempt > 0:
		out.Attempts = append(out.Attempts, h.liveAttempt(l))
	case out.State == engine.DisplayBackoff:
		out.Reason, out.RetryAt = h.reasons[i], t.ReadyAt.Time()
	case t.State.Terminal() && t.EndSeq > 0:
		out.Reason = h.reasons[i]
	}
}

func (h *history) liveAttempt(l *lease) Attempt {
	a := Attempt{
		Number: l.Attempt, State: l.Phase, Agent: l.AgentID, ReadyAt: l.ReadyAt, GrantedAt: l.GrantedAt, Generation: h.state.Generation,
	}
	if l.StartedAt != nil {
		a.StartedAt = *l.StartedAt
	}
	if l.Stop != "" {
		a.Reason = "asked to stop"
	}
	return a
}

// agents lists the agents of all attempts.
func (h *history) agents(leases []lease) []id.UUID {
	seen := map[id.UUID]bool{id.Nil: true}
	var out []id.UUID
	note := func(agent id.UUID) {
		if !seen[agent] {
			seen[agent] = true
			out = append(out, agent)
		}
	}
	for _, list := range h.attempts {
		for i := range list {
			note(list[i].Agent)
		}
	}
	for i := range leases {
		note(leases[i].AgentID)
	}
	return out
}
