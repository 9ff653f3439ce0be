package local

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// Config is what a Plane is made of.
type Config struct {
	// Plans are encoded plans by the name of their pipeline: the one to run, and
	// those that it nests.
	Plans map[string][]byte
	// Key is the public half of the workspace's sealing key, which the agent is
	// given beforehand.
	Key seal.PublicKey
	// Actor is who starts the run, and decides on its approvals.
	Actor string
	// Shuffle, where set, has what is ready begin in an order of chance, instead of
	// the oldest first; priorities stay.
	Shuffle *mathrand.Rand
	Now     func() time.Time
	Log     *slog.Logger
}

// Plane is a control plane for one run and the runs that it nests.
type Plane struct {
	Org       id.UUID
	Workspace id.UUID
	// JoinToken lets the agent in, ReaderToken whoever shows the run.
	JoinToken   string
	ReaderToken string

	config   Config
	pool     id.UUID
	grantKey ed25519.PrivateKey
	versions map[string]*version

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced with each change
	next      time.Time     // when a timer is due, or an attempt's wait is over; zero: none
	runs      map[id.UUID]*run
	order     []*run // as they were started
	todo      []func() error
	queue     queue
	leases    map[int64]*lease
	accepted  map[int64]bool // leases that their agent's report ended
	lastLease int64
	agent     agent
	requests  []*agentv1.DataRequest
	streams   map[string]*stream
	started   []Started
	broken    error // nothing can go on
}

// version is a plan that runs are made of.
type version struct {
	digest plan.Digest
	bytes  []byte
	graph  *engine.Graph
}

// agent is the one that serves the run.
type agent struct {
	id       id.UUID
	public   ed25519.PublicKey
	name     string
	access   string
	session  string
	capacity *agentv1.Capacity
	labels   map[string]string
}

// New makes a control plane. It does nothing before Serve.
func New(c Config) (*Plane, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	p := &Plane{
		Org: id.New(), Workspace: id.New(), JoinToken: "sbj_" + rand.Text(), ReaderToken: rand.Text(),
		config: c, pool: id.New(), grantKey: key, versions: map[string]*version{}, changed: make(chan struct{}),
		runs: map[id.UUID]*run{}, leases: map[int64]*lease{}, accepted: map[int64]bool{}, streams: map[string]*stream{},
	}
	for name, content := range c.Plans {
		decoded, err := plan.Decode(content)
		if err != nil {
			return nil, err
		}
		g, err := engine.NewGraph(decoded)
		if err != nil {
			return nil, err
		}
		p.versions[name] = &version{digest: plan.DigestOf(content), bytes: content, graph: g}
	}
	return p, nil
}

// now is the clock, in what the journal keeps.
func (p *Plane) now() time.Time { return p.config.Now().UTC().Truncate(time.Millisecond) }

// wake tells everybody who waits that something changed. The lock is held.
func (p *Plane) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Break ends everything with an error, for instance because the agent's program
// has ended. The first one counts.
func (p *Plane) Break(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail(err)
}

func (p *Plane) fail(err error) {
	if p.broken == nil {
		p.broken = err
	}
	p.wake()
}

// act runs what changes runs, and all that follows from it at once: children,
// timers that are due. The lock must not be held.
func (p *Plane) act(fn func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return errBroken(p.broken)
	}
	err := fn()
	p.settle()
	p.wake()
	return err
}

// settle does what follows from decisions until nothing is left to do now.
func (p *Plane) settle() {
	for p.broken == nil {
		switch {
		case len(p.todo) > 0:
			do := p.todo[0]
			p.todo = p.todo[1:]
			if err := do(); err != nil && !isRefusal(err) {
				p.fail(err)
			}
		case !p.next.IsZero() && !p.next.After(p.now()):
			p.fire()
		default:
			return
		}
	}
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*engine.Refusal](err)
	return ok
}
