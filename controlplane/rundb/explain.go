package rundb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/explain"
	"github.com/signalboxhq/signalbox/controlplane/dispatch/waitdb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// maxExplained bounds how many tasks are explained at once.
const maxExplained = 100

// Explained is a task and why it does not run.
type Explained struct {
	Task  string
	State string
	explain.Explanation
}

// Explain says why tasks of a run do not run: the one that is named, or all that
// wait. Errors: NotFound, for a task too.
func (s *Store) Explain(ctx context.Context, by caller.Caller, ref Ref, task string) ([]Explained, error) {
	view, err := s.View(ctx, by, ref)
	if err != nil {
		return nil, err
	}
	var now time.Time
	var waits map[string]*explain.Wait
	err = pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		if err := tx.QueryRow(ctx, sqlNow).Scan(&now); err != nil {
			return fmt.Errorf("read the clock: %w", err)
		}
		waits, err = waitdb.Read(ctx, tx, now, by.OrgID, view.Run.ID, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	states := map[string]string{}
	for i := range view.Tasks {
		states[view.Tasks[i].Name] = view.Tasks[i].State
	}
	var out []Explained
	for i := range view.Tasks {
		t := &view.Tasks[i]
		if task != "" && t.Name != task || task == "" && !waiting(t.State) {
			continue
		}
		if len(out) == maxExplained {
			break
		}
		e := explain.Explain(now, snapshot(&view.Run, t, states), waits[t.Name])
		out = append(out, Explained{Task: t.Name, State: t.State, Explanation: e})
	}
	if task != "" && len(out) == 0 {
		return nil, fault.NotFound("task", task)
	}
	return out, nil
}

// waitingStates are those of tasks that may run yet and do not.
var waitingStates = []string{"pending", "ready", "backoff", "held", "expanding"}

func waiting(state string) bool { return slices.Contains(waitingStates, state) }

func snapshot(r *Run, t *Task, states map[string]string) explain.Task {
	out := explain.Task{RunState: r.State, RunReason: r.Reason, State: t.State, Reason: t.Reason, RetryAt: t.RetryAt, Needs: len(t.Needs), Exit: t.Exit}
	if n := len(t.Attempts); n > 0 && t.State == "running" {
		out.Agent = t.Attempts[n-1].AgentName
	}
	if t.Hold != nil && t.State == "held" {
		out.Hold = t.Hold.explained(r.Generation)
	}
	for _, up := range t.Needs {
		if state := states[up]; waiting(state) || state == "running" {
			out.Waiting = append(out.Waiting, up+" ("+state+")")
		}
	}
	return out
}
