package agentsim

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
)

// busyWait is how long a poll waits while something runs, as agents do: what
// runs gives back capacity that the waiting poll does not offer.
const busyWait = 3 * time.Second

// pollLoop takes work. Every poll lists all leases and so is a heartbeat.
func (a *agent) pollLoop(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		session, _ := a.line()
		err := a.poll(ctx)
		switch {
		case err == nil:
			pause = firstPause
		case ctx.Err() != nil:
		case expired(err):
			if err := a.open(ctx, session); err != nil {
				pause = a.backOff(ctx, pause)
			}
		default:
			pause = a.backOff(ctx, pause)
		}
	}
}

// backOff waits after a failure and returns the next pause.
func (a *agent) backOff(ctx context.Context, pause time.Duration) time.Duration {
	if ctx.Err() != nil {
		return pause
	}
	a.fleet.retried.Add(1)
	timer := time.NewTimer(pause/2 + rand.N(pause/2)) //nolint:gosec // a pause is no secret
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return min(2*pause, maxPause)
}

// poll makes one poll and takes what it brings.
func (a *agent) poll(ctx context.Context) error {
	free, taken := a.offer()
	defer taken()
	session, wait := a.line()
	held := a.list()
	if len(held) > 0 {
		wait = min(wait, busyWait)
	}
	waiting, cancel := context.WithTimeout(ctx, wait+30*time.Second)
	defer cancel()
	a.mu.Lock()
	a.cancel = nil
	if free == 0 {
		a.cancel = cancel
	}
	a.mu.Unlock()
	out, err := a.client.Poll(waiting, &agentv1.PollRequest{
		SessionId: session, Free: &agentv1.Capacity{Slots: uint32(free)}, WaitMs: uint32(wait.Milliseconds()), ListsLeases: true, Held: held,
	})
	if err != nil {
		if waiting.Err() != nil && ctx.Err() == nil && free == 0 {
			return nil // it was begun anew on purpose
		}
		return err
	}
	a.fleet.polled.Add(int64(len(out.GetWork().GetLeases())))
	if len(out.GetWork().GetLeases()) == 0 {
		a.fleet.idle.Add(1)
		if len(out.GetWork().GetOrders()) > 0 {
			a.fleet.ordered.Add(1)
		}
	}
	a.take(ctx, out.GetWork(), time.Now())
	return nil
}

// list is what a poll says of the leases the agent holds.
func (a *agent) list() []*agentv1.Held {
	a.mu.Lock()
	defer a.mu.Unlock()
	held := make([]*agentv1.Held, 0, len(a.held))
	for _, t := range a.held {
		ms := time.Since(t.begun).Milliseconds()
		held = append(held, &agentv1.Held{LeaseId: t.lease.GetId(), Phase: agentv1.Phase_PHASE_RUNNING, RunningMs: &ms})
	}
	return held
}

// offerAgain has what became free offered, if the poll that waits offers nothing.
func (a *agent) offerAgain() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cancel != nil && a.fleet.config.Workers.Slots > a.running()+a.offered {
		a.cancel()
		a.cancel = nil
	}
}

// reportLoop sends ends until each is acknowledged. Its answers bring the next
// leases: what has just become free is offered with the report that says so.
func (a *agent) reportLoop(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		batch := a.batch()
		if len(batch) == 0 {
			select {
			case <-a.news:
			case <-ctx.Done():
			}
			continue
		}
		session, _ := a.line()
		again, err := a.send(ctx, session, batch)
		a.again(again)
		switch {
		case err == nil && len(again) == 0:
			pause = firstPause
		case expired(err):
			if err := a.open(ctx, session); err != nil {
				pause = a.backOff(ctx, pause)
			}
		default:
			pause = a.backOff(ctx, pause)
		}
	}
}

// batch takes the oldest ends that wait.
func (a *agent) batch() []*attempt {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := min(len(a.waiting), a.fleet.config.Workers.ReportBatch)
	out := make([]*attempt, 0, n)
	for _, t := range a.waiting[:n] {
		if !t.settled {
			t.sent = true
			out = append(out, t)
		}
	}
	a.waiting = append(a.waiting[:0], a.waiting[n:]...)
	return out
}

// again puts back what was not answered, before what waits.
func (a *agent) again(list []*attempt) {
	if len(list) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = append(list, a.waiting...)
}

// send sends a batch and returns what must be sent again.
func (a *agent) send(ctx context.Context, session string, batch []*attempt) ([]*attempt, error) {
	free, taken := a.offer()
	defer a.offerAgain()
	defer taken()
	request := &agentv1.ReportRequest{SessionId: session, Free: &agentv1.Capacity{Slots: uint32(free)}}
	now := time.Now()
	a.mu.Lock()
	for _, t := range batch {
		request.Reports = append(request.Reports, a.fleet.report(t, a.plans[t.lease.GetVersion()], now))
	}
	a.mu.Unlock()
	calling, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := a.client.Report(calling, request)
	if err != nil {
		return batch, err
	}
	at := time.Now()
	a.fleet.reported.Add(int64(len(out.GetWork().GetLeases())))
	a.take(ctx, out.GetWork(), at)
	statuses := make(map[int64]agentv1.ReportResult_Status, len(batch))
	for _, r := range out.GetResults() {
		statuses[r.GetLeaseId()] = r.GetStatus()
	}
	var again []*attempt
	events := make([]driver.Event, 0, len(batch))
	for _, t := range batch {
		switch statuses[t.lease.GetId()] {
		case agentv1.ReportResult_STATUS_ACCEPTED:
			a.settle(t)
			t.event.Reported, t.event.Acked = now.UnixNano(), at.UnixNano()
			events = append(events, t.event)
		case agentv1.ReportResult_STATUS_STALE_FENCE:
			a.fleet.stale.Add(1)
			a.settle(t)
		case agentv1.ReportResult_STATUS_RETRY, agentv1.ReportResult_STATUS_UNSPECIFIED:
			again = append(again, t)
		}
	}
	a.fleet.tell(events)
	return again, nil
}
