package advance_test

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/leasecheck"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// stormAgent is an agent that keeps the protocol, but forgets answers, repeats
// itself, dies and comes back.
type stormAgent struct {
	*worker

	storm *storm
	rand  *rand.Rand
	held  map[int64]*heldLease
	// What ended and was answered, for late repetitions.
	past []advance.AttemptReport
}

type heldLease struct {
	lease advance.Lease
	until time.Time
	// report is set once the step has ended.
	report *advance.AttemptReport
}

// live until the storm is over and everything has ended.
func (g *stormAgent) live() {
	ctx := g.t.Context()
	for ctx.Err() == nil && !g.over() {
		if !g.storm.calm.Load() {
			switch g.rand.IntN(60) {
			case 0:
				g.reopen(ctx, true)
			case 1:
				g.reopen(ctx, false)
			case 2:
				g.repeat(ctx)
			}
		}
		g.endSteps()
		if g.rand.IntN(2) == 0 {
			g.sendReports(ctx)
		} else {
			g.ask(ctx)
		}
	}
}

func (g *stormAgent) over() bool {
	return g.storm.calm.Load() && len(g.held) == 0 && g.storm.drained.Load()
}

func (g *stormAgent) free() int32 { return max(0, g.slots-int32(len(g.held))) }

// ask polls; at times two polls are on their way, and at times the answer is
// lost.
func (g *stormAgent) ask(ctx context.Context) {
	p := advance.Poll{
		Org: g.org, Agent: g.agent, Session: g.session, Free: advance.Free{Slots: g.free()},
		Wait: time.Duration(g.rand.IntN(30)) * time.Millisecond, ListsLeases: true,
	}
	for lease := range g.held {
		p.Held = append(p.Held, advance.Held{Lease: lease, Phase: "running", Started: true, Since: time.Millisecond})
	}
	if !g.storm.calm.Load() && g.rand.IntN(20) == 0 {
		go func(a *advance.Advancer) { _, _ = a.Poll(ctx, p) }(g.storm.any(g.rand)) // at times nobody serves it
	}
	call := g.storm.seen.now()
	work, err := g.storm.poll(ctx, g.rand, p)
	g.heard(ctx, work, err, call)
}

// heard takes an answer in.
func (g *stormAgent) heard(ctx context.Context, work *advance.Work, err error, call time.Duration) {
	g.storm.expect(err)
	if fault.ReasonOf(err) == "SESSION_EXPIRED" {
		g.reopen(ctx, false)
		return
	}
	if err != nil || (!g.storm.calm.Load() && g.rand.IntN(25) == 0) {
		return // or lost on the way
	}
	for _, l := range work.Leases {
		g.storm.seen.granted(l.ID, call)
		if g.held[l.ID] == nil {
			g.held[l.ID] = &heldLease{lease: l, until: time.Now().Add(time.Duration(g.rand.IntN(20)) * time.Millisecond)}
		}
	}
	for _, o := range work.Orders {
		h := g.held[o.Lease]
		switch {
		case h == nil:
		case o.Action == advance.ActionStale:
			delete(g.held, o.Lease)
		case h.report == nil:
			rep := ended(h.lease, engine.OutcomeCanceled)
			h.report = &rep
		}
	}
}

// endSteps ends the steps whose time has come, one way or another.
func (g *stormAgent) endSteps() {
	now := time.Now()
	for _, h := range g.held {
		if h.report != nil || now.Before(h.until) {
			continue
		}
		outcome := engine.OutcomeSucceeded
		if !g.storm.calm.Load() {
			switch g.rand.IntN(12) {
			case 0, 1:
				outcome = engine.OutcomeFailed
			case 2:
				outcome = engine.OutcomePreempted
			case 3:
				outcome = engine.OutcomeRejected
			case 4:
				continue // it hangs
			}
		}
		rep := ended(h.lease, outcome)
		if rep.Started = outcome != engine.OutcomeRejected; !rep.Started {
			rep.Duration = 0
		}
		rep.Body = []byte{1, 2, 3}
		h.report = &rep
	}
}

// sendReports sends what has ended, and keeps it until it is answered.
func (g *stormAgent) sendReports(ctx context.Context) {
	var list []advance.AttemptReport
	for _, h := range g.held {
		if h.report != nil {
			list = append(list, *h.report)
		}
	}
	if len(list) == 0 {
		return
	}
	c := advance.Report{Org: g.org, Agent: g.agent, Session: g.session, Reports: list, Free: advance.Free{Slots: g.free() + int32(len(list))}}
	if g.rand.IntN(15) == 0 {
		c.Reports = append(c.Reports, c.Reports[0])
		twin := c
		twin.Free = advance.Free{}
		g.storm.seen.reports(twin.Reports) // nobody hears the answers
		go func(a *advance.Advancer) { _, _ = a.Report(ctx, twin) }(g.storm.any(g.rand))
	}
	call, ops := g.storm.seen.now(), g.storm.seen.reports(c.Reports)
	work, err := g.storm.any(g.rand).Report(ctx, c)
	if err == nil {
		for i, status := range work.Status {
			g.storm.seen.status(ops[i], status)
			g.answered(c.Reports[i], status)
		}
	}
	g.heard(ctx, work, err, call)
}

func (g *stormAgent) answered(rep advance.AttemptReport, status advance.ReportStatus) {
	if status == advance.ReportRetry {
		return
	}
	delete(g.held, rep.Lease)
	g.past = append(g.past, rep)
	g.storm.mu.Lock()
	defer g.storm.mu.Unlock()
	g.storm.done.reports++
	a := g.storm.answers[rep.Lease]
	if status == advance.ReportAccepted {
		a.accepted++
	} else {
		a.stale++
	}
	g.storm.answers[rep.Lease] = a
}

// repeat sends an old report again: it must get the answer it had.
func (g *stormAgent) repeat(ctx context.Context) {
	if len(g.past) == 0 {
		return
	}
	rep := g.past[g.rand.IntN(len(g.past))]
	op := g.storm.seen.begin(leasecheck.Report, rep.Lease)
	work, err := g.storm.any(g.rand).Report(ctx, advance.Report{Org: g.org, Agent: g.agent, Session: g.session, Reports: []advance.AttemptReport{rep}})
	g.storm.expect(err)
	if err == nil {
		g.storm.seen.status(op, work.Status[0])
		g.answered(rep, work.Status[0])
	}
}

// reopen starts a new session, as after a restart that adopts what still runs,
// or one that forgot everything.
func (g *stormAgent) reopen(ctx context.Context, adopts bool) {
	s := agentdb.Session{ID: id.New(), Slots: g.slots, Replaces: g.session}
	if adopts {
		for lease := range g.held {
			s.Adopted = append(s.Adopted, lease)
		}
	}
	a := agentdb.Agent{Org: g.org, ID: g.agent, Workspace: g.workspace, Pool: g.pool}
	var lost []agentdb.Lost
	err := pg.Retry(ctx, func() error {
		return pg.InSystem(ctx, g.db.Engine, func(tx pgx.Tx) (err error) {
			lost, err = agentdb.OpenSession(ctx, tx, a, s, advance.SessionTTL)
			return err
		})
	})
	if err != nil {
		g.storm.expect(err)
		return
	}
	old := g.session
	g.session = s.ID
	if !adopts {
		for lease, h := range g.held {
			if h.report != nil {
				g.past = append(g.past, *h.report) // it may still be reported, late
			}
			delete(g.held, lease)
		}
	}
	for _, l := range lost {
		g.storm.expect(watched{g.storm.any(g.rand), g.storm.seen}.Lose(ctx, advance.Lose{RunKey: g.key(l.Run), Lease: l.Lease, Session: old}))
	}
}
