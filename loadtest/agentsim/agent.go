package agentsim

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1/agentv1connect"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

// agent is one agent: its identity, its session, and the leases it has.
type agent struct {
	fleet  *fleet
	name   string
	key    ed25519.PrivateKey
	id     string
	public agentv1connect.AgentServiceClient
	client agentv1connect.AgentServiceClient

	opening sync.Mutex // one session at a time

	mu        sync.Mutex
	session   string
	heartbeat time.Duration
	held      map[int64]*attempt
	offered   int // slots in requests that are not answered yet
	waiting   []*attempt
	plans     map[string]driver.Leaving // by version, what its steps leave
	cancel    context.CancelFunc        // of the poll that waits and offers nothing

	news chan struct{} // holds one: something waits to be reported
}

// attempt is a lease and how far it has come.
type attempt struct {
	lease   *agentv1.Lease
	event   driver.Event
	done    bool
	sent    bool // its report is on the way, and its slot offered with it
	begun   time.Time
	ended   time.Time
	settled bool
}

func newAgent(f *fleet, name string) (*agent, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the agent's key: %w", err)
	}
	a := &agent{
		fleet: f, name: name, key: key, held: map[int64]*attempt{}, plans: map[string]driver.Leaving{}, news: make(chan struct{}, 1),
		public: agentv1connect.NewAgentServiceClient(&http.Client{Transport: f.transport}, f.config.Server),
	}
	a.client = agentv1connect.NewAgentServiceClient(&http.Client{Transport: &bearer{agent: a, next: f.transport}}, f.config.Server)
	return a, nil
}

// enrol joins the pool of the token.
func (a *agent) enrol(ctx context.Context, token string) error {
	public, _ := a.key.Public().(ed25519.PublicKey)
	out, err := a.public.Enroll(ctx, &agentv1.EnrollRequest{Token: token, PublicKey: public, Name: a.name, Version: "bench"})
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	a.id = out.GetAgentId()
	return nil
}

// open starts a session. It names the one before it and the leases that live on.
// Whoever finds a session expired names it: the other loop may be faster.
func (a *agent) open(ctx context.Context, expired string) error {
	a.opening.Lock()
	defer a.opening.Unlock()
	if current, _ := a.line(); current != expired {
		return nil
	}
	request := &agentv1.OpenSessionRequest{
		Capacity: &agentv1.Capacity{Slots: uint32(a.fleet.config.Workers.Slots)}, Version: "bench", Replaces: expired,
	}
	a.mu.Lock()
	for lease := range a.held {
		request.Adopted = append(request.Adopted, lease)
	}
	a.mu.Unlock()
	out, err := a.client.OpenSession(ctx, request)
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	a.mu.Lock()
	a.session, a.heartbeat = out.GetSessionId(), time.Duration(out.GetHeartbeatMs())*time.Millisecond
	if a.heartbeat <= 0 {
		a.heartbeat = 10 * time.Second
	}
	a.mu.Unlock()
	a.obey(out.GetOrders())
	return nil
}

func (a *agent) line() (session string, heartbeat time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session, a.heartbeat
}

// offer takes all that is free for a request; taken gives it back once the
// request is answered and its leases are booked. No slot is offered twice.
func (a *agent) offer() (free int, taken func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	free = max(0, a.fleet.config.Workers.Slots-a.running()-a.offered)
	a.offered += free
	return free, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.offered -= free
	}
}

// running is how many leases take a slot. That of a step that is over is offered
// by the report that says so, not by a poll before it: a step of a real agent
// takes longer than the poll after its lease takes to be sent. The lock is held.
func (a *agent) running() int {
	n := 0
	for _, t := range a.held {
		if !t.sent {
			n++
		}
	}
	return n
}

// take begins what an answer brought. An answer may come twice.
func (a *agent) take(ctx context.Context, work *agentv1.Work, at time.Time) {
	for _, lease := range work.GetLeases() {
		step := stepIndex(lease.GetTask())
		if lease.GetGangSize() > 0 {
			step = int(lease.GetGangRank()) // its members are told apart
		}
		t := &attempt{lease: lease, begun: at, event: driver.Event{
			Run: lease.GetRunId(), Step: step, Attempt: int(lease.GetAttempt()), Leased: at.UnixNano(),
		}}
		a.mu.Lock()
		_, again := a.held[lease.GetId()]
		if !again {
			a.held[lease.GetId()] = t
		}
		_, fetched := a.plans[lease.GetVersion()]
		a.mu.Unlock()
		switch {
		case again:
		case fetched && !lease.GetHasInputs() && a.fleet.config.Workers.Step == 0:
			a.finish(t)
		default:
			a.fleet.steps.Go(func() { a.run(ctx, t) })
		}
	}
	a.obey(work.GetOrders())
}

// run is what an attempt does: what it needs is fetched, then it waits.
func (a *agent) run(ctx context.Context, t *attempt) {
	if err := a.fetch(ctx, t.lease); err != nil {
		a.fleet.retried.Add(1)
	}
	if d := a.fleet.config.Workers.Step; d > 0 {
		if a.fleet.config.Workers.Spread {
			d += d * time.Duration(t.lease.GetId()%8) / 7
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
	a.finish(t)
}

// fetch gets the plan of a version once, as agents keep it, and checks its
// digest; and the inputs of a step that has some.
func (a *agent) fetch(ctx context.Context, lease *agentv1.Lease) error {
	a.mu.Lock()
	_, fetched := a.plans[lease.GetVersion()]
	a.mu.Unlock()
	if !fetched {
		out, err := a.client.GetPlan(ctx, &agentv1.GetPlanRequest{Pipeline: lease.GetPipeline(), Version: lease.GetVersion()})
		if err != nil {
			return fmt.Errorf("get a plan: %w", err)
		}
		if sum := sha256.Sum256(out.GetPlan()); hex.EncodeToString(sum[:]) != lease.GetVersion() {
			return errors.New("the plan is not that of the lease")
		}
		leaves, err := leaving(out.GetPlan())
		if err != nil {
			return err
		}
		a.mu.Lock()
		a.plans[lease.GetVersion()] = leaves
		a.mu.Unlock()
	}
	if lease.GetHasInputs() {
		if _, err := a.client.GetInputs(ctx, &agentv1.GetInputsRequest{LeaseId: lease.GetId()}); err != nil {
			return fmt.Errorf("get inputs: %w", err)
		}
	}
	return nil
}

// finish has the end of a step reported.
func (a *agent) finish(t *attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.done {
		return
	}
	t.done, t.ended = true, time.Now()
	a.waiting = append(a.waiting, t)
	select {
	case a.news <- struct{}{}:
	default:
	}
}

// obey follows orders: what is stale is forgotten, what must stop stops.
func (a *agent) obey(orders []*agentv1.Order) {
	for _, o := range orders {
		a.mu.Lock()
		t := a.held[o.GetLeaseId()]
		over := t == nil || t.done
		a.mu.Unlock()
		if over {
			continue // its report is on the way, and gets an answer of its own
		}
		switch o.GetAction() {
		case agentv1.Order_ACTION_STALE:
			a.fleet.stale.Add(1)
			a.settle(t)
		case agentv1.Order_ACTION_STOP, agentv1.Order_ACTION_KILL:
			a.finish(t)
		case agentv1.Order_ACTION_UNSPECIFIED:
		}
	}
}

// settle forgets an attempt whose report was answered.
func (a *agent) settle(t *attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t.settled = true
	delete(a.held, t.lease.GetId())
}

// expired reports whether the control plane has forgotten the session.
func expired(err error) bool {
	refused, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return false
	}
	for _, detail := range refused.Details() {
		if value, err := detail.Value(); err == nil {
			if f, ok := value.(*faultv1.Detail); ok && f.GetReason() == faultv1.Reason_REASON_SESSION_EXPIRED {
				return true
			}
		}
	}
	return false
}
