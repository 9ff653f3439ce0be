package advance

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// settle answers everybody, after the commit.
func (a *Advancer) settle(ctx context.Context, b *batch) {
	for key, w := range b.runs {
		switch {
		case w.failed != nil:
			a.log.LogAttrs(ctx, slog.LevelError, "rules failed", slog.String("run_id", id.Format(id.Run, key.Run)), slog.Any("error", w.failed))
		case w.run == nil:
		case w.finished || w.state.Run.Terminal():
			a.runs.drop(key)
		case w.start != nil:
			a.runs.put(w.run)
		}
	}
	for _, w := range b.borrowed {
		answered := false
		for _, t := range b.takers {
			if t.waiter == w && len(t.leases) > 0 {
				answered = true
				leases := a.leasesOf(ctx, b, t)
				a.park.restore(w, true)
				w.req.answer(&Work{Leases: leases}, nil)
			}
		}
		if !answered {
			a.park.restore(w, false)
		}
	}
	a.answerStale(ctx, b)
	for _, r := range b.reqs {
		a.answerRequest(ctx, b, r)
	}
	for s := range b.wakeSessions {
		a.park.wake(s)
	}
	for ref := range b.again {
		a.enqueue(&request{cmd: look{ref.org, ref.id}, done: make(chan result, 1)})
	}
}

func (a *Advancer) answerRequest(ctx context.Context, b *batch, r *request) {
	if r.err != nil {
		r.answer(nil, r.err)
		return
	}
	switch c := r.cmd.(type) {
	case Poll:
		work := a.workFor(ctx, b, r)
		if len(work.Leases) == 0 && len(work.Orders) == 0 && c.Wait > 0 && r.session != nil {
			a.park.add(&waiter{poll: c, session: r.session, req: r})
			return
		}
		r.answer(work, nil)
	case Report:
		work := a.workFor(ctx, b, r)
		work.Status = r.status
		r.answer(work, nil)
	default:
		r.answer(r.value, nil)
	}
}

// workFor gathers what an agent's request is answered with.
func (a *Advancer) workFor(ctx context.Context, b *batch, r *request) *Work {
	work := &Work{}
	for _, t := range b.takers {
		if t.req == r {
			work.Leases = a.leasesOf(ctx, b, t)
		}
	}
	if l, ok := r.value.(listing); ok {
		work.Orders = l.orders
		for _, row := range l.resend {
			lease, err := a.describe(ctx, RunKey{row.org, row.run}, row.task)
			if err != nil {
				a.log.LogAttrs(ctx, slog.LevelWarn, "a lease could not be sent again", slog.Int64("lease", row.id), slog.Any("error", err))
				continue
			}
			lease.ID, lease.Attempt, lease.GrantedAt = row.id, row.attempt, row.grantedAt
			work.Leases = append(work.Leases, lease)
		}
	}
	return work
}

func (a *Advancer) leasesOf(ctx context.Context, b *batch, t *taker) []Lease {
	var out []Lease
	for _, i := range t.leases {
		g := &b.granted[i]
		var lease Lease
		var err error
		if w := b.runs[g.key.RunKey]; w != nil && w.run != nil {
			lease = describe(w.run, g.key.Task)
		} else if lease, err = a.describe(ctx, g.key.RunKey, g.key.Task); err != nil {
			// It is sent again when its agent does not list it.
			a.log.LogAttrs(ctx, slog.LevelWarn, "a lease could not be described", slog.Int64("lease", g.id), slog.Any("error", err))
			continue
		}
		lease.ID, lease.Attempt, lease.GrantedAt = g.id, g.attempt, b.now
		out = append(out, lease)
	}
	return out
}

func (a *Advancer) describe(ctx context.Context, key RunKey, task int32) (Lease, error) {
	r, err := a.ensure(ctx, key)
	if err != nil {
		return Lease{}, err
	}
	return describe(r, task), nil
}

func describe(r *run, task int32) Lease {
	t := &r.version.graph.Plan.Tasks[task]
	out := Lease{
		Run: r.key.Run, Number: r.info.number, Pipeline: r.version.pipeline, Digest: r.info.digest, Task: t.Name,
		Labels: r.info.labels, HasInputs: r.version.tasks[task].reads,
	}
	if d := r.version.graph.Plan.Deadline; d > 0 && !r.state.GenerationAt.IsZero() {
		out.Deadline = r.state.GenerationAt.Add(millis(d))
	}
	if t.Exit != "" && r.state.Outcome != engine.RunPending {
		out.RunOutcome = r.state.Outcome.String()
	}
	return out
}

// answerStale asks the journal about reports whose lease was not there: what
// was recorded by an earlier delivery is accepted again.
func (a *Advancer) answerStale(ctx context.Context, b *batch) {
	var orgs, runIDs, agents []id.UUID
	var leases []int64
	type ref struct {
		r *request
		i int
	}
	open := map[int64][]ref{}
	for _, r := range b.reqs {
		c, ok := r.cmd.(Report)
		if !ok {
			continue
		}
		for i := range r.status {
			if r.status[i] == 0 {
				orgs, runIDs, agents = append(orgs, c.Org), append(runIDs, c.Reports[i].Run), append(agents, c.Agent)
				leases = append(leases, c.Reports[i].Lease)
				open[c.Reports[i].Lease] = append(open[c.Reports[i].Lease], ref{r, i})
			}
		}
	}
	if len(leases) == 0 {
		return
	}
	known, err := a.endedLeases(ctx, pgx.NamedArgs{"orgs": orgs, "runs": runIDs, "leases": leases, "agents": agents})
	for lease, refs := range open {
		for _, x := range refs {
			switch {
			case err != nil:
				x.r.status[x.i] = ReportRetry
			case known[lease]:
				x.r.status[x.i] = ReportAccepted
			default:
				x.r.status[x.i] = ReportStale
			}
		}
	}
}

func (a *Advancer) endedLeases(ctx context.Context, args pgx.NamedArgs) (map[int64]bool, error) {
	rows, err := a.pool.Query(ctx, sqlEndedLeases, args)
	if err != nil {
		return nil, fmt.Errorf("read ended leases: %w", err)
	}
	out := map[int64]bool{}
	var lease int64
	_, err = pgx.ForEachRow(rows, []any{&lease}, func() error {
		out[lease] = true
		return nil
	})
	return out, err
}
