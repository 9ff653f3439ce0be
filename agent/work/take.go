package work

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/logs"
	"github.com/signalboxhq/signalbox/agent/step"
)

// take does what an answer of the control plane brings.
func (w *Worker) take(ctx context.Context, work link.Work) {
	for _, order := range work.Orders {
		w.book.obey(order)
	}
	for _, lease := range work.Leases {
		w.begin(ctx, lease)
	}
	for _, request := range work.Data {
		w.attempts.Go(func() { w.answerer.Answer(ctx, request) })
	}
}

// begin starts an attempt, unless the agent has or had its lease already: an
// answer may come twice.
func (w *Worker) begin(ctx context.Context, lease link.Lease) {
	// An attempt outlives the worker's own end: it is stopped by control, and
	// its outcome still goes into the spool.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &control{cancel: cancel}
	if !w.book.add(lease.ID, c) {
		cancel()
		return
	}
	if lease.Decision != link.DecideNothing {
		w.accounts.decide(lease.ID)
		w.attempts.Go(func() {
			defer cancel()
			w.decide(ctx, &Attempt{Lease: lease, control: c})
		})
		return
	}
	w.accounts.arrive(lease.ID, w.plans.expected(lease))
	w.attempts.Go(func() {
		defer cancel()
		a := &Attempt{Lease: lease, control: c}
		w.log.LogAttrs(ctx, slog.LevelInfo, "an attempt begins", slog.Any("attempt", a))
		w.conclude(ctx, a, w.attempt(ctx, a))
	})
}

// attempt returns what an attempt came to. A defect of ours in one attempt must
// not end the others with it.
func (w *Worker) attempt(ctx context.Context, a *Attempt) (verdict step.Verdict) {
	defer w.survive(ctx, a, &verdict)
	var err error
	if a.Log, err = w.logs.Create(logs.Key{Run: a.Lease.Run, Task: a.Lease.Task, Attempt: a.Lease.Attempt, Member: a.Lease.GangRank}); err != nil {
		return *lost("the log could not be begun", err)
	}
	return follow(ctx, w.stages, a)
}

// survive makes a verdict of a panic. It is deferred.
func (w *Worker) survive(ctx context.Context, a *Attempt, verdict *step.Verdict) {
	if panicked := recover(); panicked != nil {
		w.log.LogAttrs(ctx, slog.LevelError, "an attempt broke the agent's code", slog.Any("attempt", a),
			slog.String("panic", fmt.Sprint(panicked)), slog.String("stack", string(debug.Stack())))
		*verdict = *lost("a defect of the agent", fmt.Errorf("panic: %v", panicked))
	}
}
