package relay

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/replica"
	"github.com/signalboxhq/signalbox/internal/pg"
)

// Limits bound what streams may use. A zero takes the default.
type Limits struct {
	// Streams is how many an organization may have open at once, and
	// BytesPerHour how much it may read through them. Each replica counts its
	// own. Defaults 64 and 50 MB.
	Streams      int
	BytesPerHour int64
	// Buffer is how many bytes wait in a stream for its reader. It may be
	// exceeded by one frame. Default 128 KiB.
	Buffer int
	// RoomWithin is how long a sender waits for room in it. Default 5 s.
	RoomWithin time.Duration
	// AnswerWithin is how long the agent has for its first frame, Silence how
	// long it may be silent afterwards. Defaults 15 s and 60 s.
	AnswerWithin time.Duration
	Silence      time.Duration
	// AskAgain is how long an agent may say nothing at all until it is asked once
	// more: the answer to the poll that told it may have been lost. Default 2 s.
	AskAgain time.Duration
	// Life is how long a stream may last. Default 1 h.
	Life time.Duration
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Streams:      orDefault(l.Streams, 64),
		BytesPerHour: orDefault(l.BytesPerHour, 50_000_000),
		Buffer:       orDefault(l.Buffer, 128<<10),
		RoomWithin:   orDefault(l.RoomWithin, 5*time.Second),
		AnswerWithin: orDefault(l.AnswerWithin, 15*time.Second),
		Silence:      orDefault(l.Silence, time.Minute),
		AskAgain:     orDefault(l.AskAgain, 2*time.Second),
		Life:         orDefault(l.Life, time.Hour),
	}
}

func orDefault[T int | int64 | time.Duration](n, otherwise T) T {
	if n == 0 {
		return otherwise
	}
	return n
}

// Config is what a Relay is made of.
type Config struct {
	DB *pg.DB
	// Replica is this process among the others. It must be started after the
	// relay was made, and stopped after it.
	Replica *replica.Replica
	// GrantKey signs grants.
	GrantKey ed25519.PrivateKey
	Limits   Limits
	Log      *slog.Logger
	// Now is the clock of grants and of the bytes per hour; nil means time.Now.
	Now func() time.Time
}

// Relay implements RelayService for readers, and for agents agentapi's
// DataRequests.
type Relay struct {
	db       *pg.DB
	replica  *replica.Replica
	grantKey ed25519.PrivateKey
	limits   Limits
	log      *slog.Logger
	now      func() time.Time

	hub   *hub
	inbox *inbox
	quota *quota

	stop    context.CancelFunc
	running sync.WaitGroup
}

// New makes a Relay, and has it serve the frames that other replicas forward.
func New(c Config) *Relay {
	if c.Now == nil {
		c.Now = time.Now
	}
	limits := c.Limits.withDefaults()
	r := &Relay{
		db: c.DB, replica: c.Replica, grantKey: c.GrantKey, limits: limits, now: c.Now,
		log:   c.Log.With(slog.String("component", "relay")),
		quota: newQuota(limits.BytesPerHour, c.Now), inbox: newInbox(c.Now),
	}
	r.hub = newHub(limits, r.quota.spend)
	r.replica.Handle(forwardPath, r.receive)
	return r
}

// Start listens for requests that were made at other replicas, and sweeps, until
// Stop.
func (r *Relay) Start(ctx context.Context) error {
	conn, err := r.tune(ctx)
	if err != nil {
		return fmt.Errorf("start the relay: %w", err)
	}
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.running.Go(func() { r.listen(ctx, conn) })
	r.running.Go(func() { r.sweep(ctx) })
	return nil
}

// Stop ends all streams, whose readers may open them anew at another replica. It
// may be called twice. Call it before the HTTP server is shut down, which waits
// for the streams.
func (r *Relay) Stop() {
	r.hub.stop()
	if r.stop != nil {
		r.stop()
	}
	r.running.Wait()
}
