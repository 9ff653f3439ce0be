package rundb

import (
	"fmt"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Task is a task of a run as people see it.
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

	// Plan is the task's name in the plan, Name the path of this instance of it.
	Plan string
	Kind string // one of engine.KindOf…
	// Parent is the path of the task that it is part of, Item the number of the
	// item or pass there; -1 for none.
	Parent string
	Item   int32
	// Items is of tasks that others are part of, from when those came into being.
	Items *Items
	// Origin is the run that made what a reused task stands for; nil for others.
	Origin id.UUID
	// Child is the run that the task's latest attempt has started.
	Child *ChildRun

	index int32
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
	reaches  map[int32]reach     // by task that others are part of
	nested   map[int32]time.Time // since when a task runs another pipeline, where an agent was asked before
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
	began := h.began(&row)
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
	h.cover(&row, began)
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

// picture is a run at a moment: the fold, and on top of it who holds what.
type picture struct {
	*history

	held   map[int32]*lease
	now    time.Time
	opened map[int32]reach
}

func (h *history) picture(leases []lease, now time.Time) *picture {
	held := make(map[int32]*lease, len(leases))
	for i := range leases {
		held[leases[i].Task] = &leases[i]
	}
	p := &picture{history: h, held: held, now: now}
	p.opened = p.present()
	return p
}

// live is the lease of a task's open attempt, nil if nobody has one.
func (p *picture) live(i int32) *lease {
	if l := p.held[i]; l != nil && p.state.Tasks[i].State == engine.TaskOpen && p.state.Tasks[i].Try() == l.Attempt {
		return l
	}
	return nil
}

// display is how a task stands, in the words for people.
func (p *picture) display(i int32) string {
	if int(i) >= len(p.state.Tasks) {
		return engine.TaskPending.String() // the run was not admitted yet
	}
	return p.state.Tasks[i].Display(p.live(i) != nil, p.now)
}

// tasks shows some tasks.
func (p *picture) tasks(which []int32) []Task {
	out := make([]Task, len(which))
	for k, i := range which {
		out[k] = p.task(i)
	}
	return out
}

func (p *picture) task(i int32) Task {
	g, s := p.graph, p.state
	t := g.Task(s, i)
	out := Task{
		Name: g.Path(s, i), State: p.display(i), Pool: t.Pool, Exit: string(t.Exit), Rule: string(t.Rule),
		Plan: t.Name, Kind: g.KindOf(s, i), Item: -1, index: i,
	}
	for _, up := range g.Upstream(s, i) {
		out.Needs = append(out.Needs, g.Path(s, up))
	}
	if owner, ok := g.Owner(s, i); ok {
		out.Parent = g.Path(s, owner)
	}
	if k, ok := g.Ordinal(s, i); ok {
		out.Item = k
	}
	p.place(&out, i)
	return out
}

// place fills in how a task stands.
func (p *picture) place(out *Task, i int32) {
	out.Attempts = slices.Clone(p.attempts[i])
	if int(i) >= len(p.state.Tasks) {
		return
	}
	t, live := &p.state.Tasks[i], p.live(i)
	out.Hold, out.Items = p.hold(i), p.items(i)
	out.UsedUser, out.UsedInfra, out.UsedPreempt = t.UsedUser, t.UsedInfra, t.UsedPreempt
	switch {
	case live != nil && live.Attempt > 0:
		out.Attempts = append(out.Attempts, p.liveAttempt(live))
	case out.State == engine.DisplayBackoff:
		out.Reason, out.RetryAt = p.reasons[i], t.ReadyAt.Time()
	case t.State.Terminal() && t.EndSeq > 0:
		out.Reason = p.reasons[i]
	}
	if out.Kind == engine.KindOfMap && out.Items == nil && out.Reason == engine.NoItems {
		out.Items = &Items{} // they are known: there are none
	}
	if o, ok := p.state.Origins[i]; ok && t.State == engine.TaskReused {
		out.Origin = p.state.Seed.Runs[o.Run]
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
