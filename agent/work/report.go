package work

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/spool"
	"github.com/signalboxhq/signalbox/agent/step"
)

// maxBatch is how many outcomes one request carries.
const maxBatch = 50

// reports are the outcomes that wait to be acknowledged, oldest first.
type reports struct {
	mu      sync.Mutex
	waiting []link.Report
	news    chan struct{} // holds one
}

func newReports() *reports { return &reports{news: make(chan struct{}, 1)} }

func (r *reports) add(report link.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(r.waiting, report)
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// batch returns the oldest outcomes without taking them out.
func (r *reports) batch(most int) []link.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]link.Report(nil), r.waiting[:min(most, len(r.waiting))]...)
}

// settle removes an outcome, or replaces it if there is another.
func (r *reports) settle(lease int64, replacement *link.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.waiting {
		if r.waiting[i].Lease != lease {
			continue
		}
		if replacement != nil {
			r.waiting[i] = *replacement
		} else {
			r.waiting = append(r.waiting[:i], r.waiting[i+1:]...)
		}
		return
	}
}

func decodeReport(entry spool.Entry) (link.Report, error) {
	var report link.Report
	if err := json.Unmarshal(entry.Outcome, &report); err != nil {
		return link.Report{}, fmt.Errorf("read an outcome: %w", err)
	}
	if report.Lease != entry.Lease {
		return link.Report{}, fmt.Errorf("read an outcome: it is lease %d's", report.Lease)
	}
	return report, nil
}

// reportLoop sends outcomes until each is acknowledged, however long that takes.
// Its answers bring the next leases: what has just become free is offered with
// the report that says so.
func (w *Worker) reportLoop(ctx context.Context) {
	var backoff link.Backoff
	size := maxBatch
	for ctx.Err() == nil {
		batch := w.reports.batch(size)
		if len(batch) == 0 {
			select {
			case <-w.reports.news:
			case <-ctx.Done():
			}
			continue
		}
		settled, err := w.send(ctx, batch)
		switch {
		case err == nil && settled == len(batch):
			backoff.Reset()
			size = maxBatch
		case err == nil:
			backoff.Wait(ctx)
		case link.ReasonOf(err) == link.ReasonAgentRevoked:
			w.fail(err)
			return
		case link.Temporary(err):
			backoff.Wait(ctx)
		case len(batch) > 1:
			size = 1 // one of them is to blame
		default:
			w.giveUp(ctx, batch[0], err)
		}
	}
}

// send sends a batch and returns how many of it are settled.
func (w *Worker) send(ctx context.Context, batch []link.Report) (settled int, err error) {
	free, taken := link.Capacity{}, func() {}
	if !w.draining.begun() {
		free, taken = w.accounts.offer()
	}
	defer w.offerAgain()
	defer taken()
	answers, work, err := w.client.Report(ctx, w.session.Load().ID, batch, free)
	if err != nil {
		return 0, err
	}
	for i, answer := range answers {
		if answer == link.AnswerRetry {
			continue
		}
		settled++
		if answer == link.AnswerStale {
			w.log.LogAttrs(ctx, slog.LevelWarn, "a late report was refused, its results are dropped",
				slog.String("reason", string(link.ReasonStaleFence)), slog.Int64("lease", batch[i].Lease))
		}
		w.settled(ctx, batch[i].Lease)
	}
	w.take(ctx, work)
	return settled, nil
}

// settled forgets an outcome that was answered.
func (w *Worker) settled(ctx context.Context, lease int64) {
	if err := w.spool.Done(lease); err != nil {
		// It is sent again at the next start, and gets the same answer.
		w.log.LogAttrs(ctx, slog.LevelWarn, "an acknowledged outcome stays on disk", slog.Int64("lease", lease), slog.Any("error", err))
	}
	w.reports.settle(lease, nil)
	w.book.remove(lease)
}

// refusedReport is the reason of the report that stands in for one that the
// control plane does not accept as it is.
const refusedReport = "the control plane refused the report of this attempt"

// giveUp handles an outcome that is refused for its content. An attempt must end
// somehow, so a bare report takes its place; if that is refused too, the lease
// is left to expire.
func (w *Worker) giveUp(ctx context.Context, report link.Report, err error) {
	w.log.LogAttrs(ctx, slog.LevelError, "a report was refused", slog.Int64("lease", report.Lease), slog.Any("error", err))
	if report.Reason == refusedReport {
		w.settled(ctx, report.Lease)
		return
	}
	w.reports.settle(report.Lease, &link.Report{
		Lease: report.Lease, Run: report.Run, Task: report.Task, Attempt: report.Attempt,
		Outcome: string(step.OutcomeFailed), Cause: string(step.CauseUser), Reason: refusedReport, Final: true,
		Started: report.Started, Duration: report.Duration, Finished: report.Finished,
	})
}
