package replay

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Places is where a run's tasks stand.
type Places struct {
	ready   map[int32]int32 // task → attempt
	leased  map[int32]int32
	members map[int32][]member // of gangs: those that have a lease
	timers  map[timerKey]timer
	asked   map[int32]int32 // open approvals: task → how many approve
}

type timerKey struct {
	kind string
	task int32
}

type timer struct {
	attempt int32
	at      time.Time
}

// kindRetry is the timer of an attempt that waits; the engine sets the others.
const kindRetry = "retry"

const sqlReadReady = `
	SELECT r.run_id, r.task, r.attempt
	FROM ready r
	WHERE r.org_id = @org_id
		AND r.run_id = ANY(@runs)`

const sqlReadLeases = `
	SELECT l.run_id, l.task, l.attempt, l.rank, coalesce(l.gang, 0) AS gang
	FROM lease l
	WHERE l.org_id = @org_id
		AND l.run_id = ANY(@runs)`

const sqlReadTimers = `
	SELECT t.run_id, t.kind, t.task, t.attempt, t.at
	FROM timer t
	WHERE t.org_id = @org_id
		AND t.run_id = ANY(@runs)`

const sqlReadApprovals = `
	SELECT a.run_id, a.task, a.approved
	FROM approval a
	WHERE a.org_id = @org_id
		AND a.run_id = ANY(@runs)`

// ReadPlaces reads where the tasks of a page of runs stand.
func ReadPlaces(ctx context.Context, q journal.Querier, org id.UUID, page []Row) (map[id.UUID]*Places, error) {
	out, runs := map[id.UUID]*Places{}, make([]id.UUID, len(page))
	for i := range page {
		runs[i] = page[i].ID
		out[runs[i]] = &Places{
			ready: map[int32]int32{}, leased: map[int32]int32{}, members: map[int32][]member{},
			timers: map[timerKey]timer{}, asked: map[int32]int32{},
		}
	}
	var run id.UUID
	var task, attempt int32
	var kind string
	var at time.Time
	read := func(what, sql string, into []any, each func()) error {
		rows, err := q.Query(ctx, sql, pgx.StrictNamedArgs{"org_id": org, "runs": runs})
		if err != nil {
			return fmt.Errorf("read %s: %w", what, err)
		}
		_, err = pgx.ForEachRow(rows, into, func() error { each(); return nil })
		if err != nil {
			return fmt.Errorf("read %s: %w", what, err)
		}
		return nil
	}
	place := []any{&run, &task, &attempt}
	if err := read("ready tasks", sqlReadReady, place, func() { out[run].ready[task] = attempt }); err != nil {
		return nil, err
	}
	var rank, gang int32
	leases := func() {
		if out[run].leased[task] = attempt; gang > 0 {
			out[run].members[task] = append(out[run].members[task], member{attempt, rank, gang})
		}
	}
	if err := read("leases", sqlReadLeases, append(slices.Clip(place), &rank, &gang), leases); err != nil {
		return nil, err
	}
	if err := read("approvals", sqlReadApprovals, place, func() { out[run].asked[task] = attempt }); err != nil {
		return nil, err
	}
	err := read("timers", sqlReadTimers, []any{&run, &kind, &task, &attempt, &at}, func() {
		out[run].timers[timerKey{kind, task}] = timer{attempt, at}
	})
	return out, err
}

// dispatch compares where the run's tasks stand with where the engine says they
// must: each open attempt in exactly one of ready, lease and (waiting for its
// retry) timer, and nothing else anywhere.
func (r *Run) dispatch(row *Row, g *engine.Graph, s *engine.State, where *Places, now time.Time) {
	r.approvals(row, g, s, where)
	if s.Run.Terminal() {
		if n := len(where.ready) + len(where.leased) + len(where.timers); n > 0 {
			r.add(KindDispatch, "%s is %s, but %d ready rows, %d leases and %d timers are left of it.",
				row, s.Run, len(where.ready), len(where.leased), len(where.timers))
		}
		return
	}
	r.gangs(row, g, s, where)
	open, timers := engine.Pending(g, s, now)
	expected := map[int32]bool{}
	for i := range open {
		expected[open[i].Task] = true
		r.opening(row, g, s, &open[i], where)
	}
	for _, task := range where.tasks() {
		if expected[task] || stillRuns(s, task, where) {
			continue
		}
		if task < 0 || int(task) >= len(s.Tasks) {
			r.add(KindDispatch, "%s stands in %s with task %d, but has %d tasks.", row, where.of(task), task, len(s.Tasks))
			continue
		}
		r.add(KindDispatch, "task %q of %s stands in %s, but is %s.", name(g, s, task), row, where.of(task), s.Tasks[task].State)
	}
	for i := range timers {
		r.timer(row, &timers[i], where)
	}
}

// stillRuns reports whether a task is that of an attempt which runs on while its
// run is paused.
func stillRuns(s *engine.State, task int32, where *Places) bool {
	attempts := where.attempts(task)
	return s.Run == engine.RunPaused && task >= 0 && int(task) < len(s.Tasks) && s.Tasks[task].State == engine.TaskOpen &&
		len(attempts) == 1 && where.leased[task] == s.Tasks[task].Try() && attempts[0] == s.Tasks[task].Try()
}

func (r *Run) opening(row *Row, g *engine.Graph, s *engine.State, o *engine.Opening, where *Places) {
	task := name(g, s, o.Task)
	attempts := where.attempts(o.Task)
	if len(attempts) != 1 {
		r.add(KindDispatch, "attempt %d of task %q of %s is open and stands in %s, instead of one of ready, lease and timer.",
			o.Attempt, task, row, where.of(o.Task))
		return
	}
	if attempts[0] != o.Attempt {
		r.add(KindDispatch, "task %q of %s stands in %s with attempt %d, but attempt %d is open.", task, row, where.of(o.Task), attempts[0], o.Attempt)
	}
	if t, waits := where.timers[timerKey{kindRetry, o.Task}]; waits && spell(&t.at) != spell(&o.At) {
		r.add(KindDispatch, "attempt %d of task %q of %s may be taken from %s on, but its timer is set to %s.", o.Attempt, task, row, spell(&o.At), spell(&t.at))
	}
}

// timer looks for a timer of the engine's. One that is left of an earlier state
// is no difference: it decides nothing when it fires.
func (r *Run) timer(row *Row, want *engine.Timer, where *Places) {
	if _, leased := where.leased[want.Task]; leased && want.Kind == engine.TimerQueue {
		return
	}
	kind := want.Kind.String()
	got, ok := where.timers[timerKey{kind, want.Task}]
	switch {
	case !ok:
		r.add(KindDispatch, "the %s timer of %s (task %d), due at %s, is missing.", kind, row, want.Task, spell(&want.At))
	case want.Kind == engine.TimerExpand: // due since it was set
	case spell(&got.at) != spell(&want.At) || got.attempt != want.Attempt:
		r.add(KindDispatch, "the %s timer of %s (task %d) is set to %s for attempt %d, instead of %s for attempt %d.",
			kind, row, want.Task, spell(&got.at), got.attempt, spell(&want.At), want.Attempt)
	}
}

// tasks lists the tasks that stand anywhere, in order.
func (p *Places) tasks() []int32 {
	found := map[int32]bool{}
	for task := range p.ready {
		found[task] = true
	}
	for task := range p.leased {
		found[task] = true
	}
	for k := range p.timers {
		if k.kind == kindRetry {
			found[k.task] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// attempts lists the attempts of a task that stand anywhere.
func (p *Places) attempts(task int32) []int32 {
	var out []int32
	if a, ok := p.ready[task]; ok {
		out = append(out, a)
	}
	if a, ok := p.leased[task]; ok {
		out = append(out, a)
	}
	if t, ok := p.timers[timerKey{kindRetry, task}]; ok {
		out = append(out, t.attempt)
	}
	return out
}

// of names the tables in which a task stands.
func (p *Places) of(task int32) string {
	var tables []string
	if _, ok := p.ready[task]; ok {
		tables = append(tables, "ready")
	}
	if _, ok := p.leased[task]; ok {
		tables = append(tables, "lease")
	}
	if _, ok := p.timers[timerKey{kindRetry, task}]; ok {
		tables = append(tables, "timer")
	}
	if len(tables) == 0 {
		return "none of them"
	}
	return strings.Join(tables, " and ")
}
