// Package replica is what the replicas of the control plane know of each other,
// and how one asks another.
//
// PostgreSQL is the only state they share, and nearly all they have to say goes
// through it. What must not be stored, the frames of the sealed relay, goes from
// one to the other directly: each replica has an internal listener on an address
// of its own, which it writes into the table replica every few seconds.
//
// The listener accepts nothing but requests signed with the installation's
// internal key, once each, and made for this very replica. It must not be
// reachable from outside: nothing that a customer may call belongs on it. The
// package knows no domain: what a request means is its Handler's business.
package replica

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signalboxhq/signalbox/controlplane/serverkey"
	"github.com/signalboxhq/signalbox/proto/id"
)

// DefaultListen binds the internal listener to a free port of this machine
// alone: right for one replica, and for several on one machine.
const DefaultListen = "127.0.0.1:0"

// Config is what a Replica is made of.
type Config struct {
	Engine *pgxpool.Pool
	// Listen is the internal listener's host:port; empty means DefaultListen.
	Listen string
	// Advertise is the host:port by which other replicas reach the listener;
	// empty means the address that it is bound to.
	Advertise string
	Log       *slog.Logger
	// Now is the clock of signatures; nil means time.Now.
	Now func() time.Time
}

// Handler serves what other replicas ask. A fault that it returns is returned
// by Call at the other replica; any other error reaches it as an opaque one.
type Handler func(ctx context.Context, body []byte) error

// Answerer is a Handler whose answer Ask returns, at most 2 MiB.
type Answerer func(ctx context.Context, body []byte) ([]byte, error)

// Replica is this process among the others.
type Replica struct {
	id       id.UUID
	config   Config
	log      *slog.Logger
	handlers map[string]Answerer
	client   *http.Client

	// Set by Start, before anything runs that reads them.
	key     []byte
	address string
	server  *http.Server

	peers   atomic.Pointer[map[id.UUID]peer]
	replays replays
	stop    context.CancelFunc
	running sync.WaitGroup
}

// New makes a Replica with an id of its own. It is unknown to others until
// Start.
func New(c Config) *Replica {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	r := &Replica{
		id: id.New(), config: c, handlers: map[string]Answerer{}, client: newClient(), replays: newReplays(),
	}
	r.log = c.Log.With(slog.String("component", "replica"), slog.String("replica", r.id.String()))
	r.peers.Store(&map[id.UUID]peer{})
	return r
}

// ID names this replica for as long as its process lives.
func (r *Replica) ID() id.UUID { return r.id }

// Handle registers the handler of a path such as "/relay/frames". It must not be
// called after Start.
func (r *Replica) Handle(path string, h Handler) {
	r.HandleAsk(path, func(ctx context.Context, body []byte) ([]byte, error) { return nil, h(ctx, body) })
}

// HandleAsk is Handle for what has an answer.
func (r *Replica) HandleAsk(path string, h Answerer) { r.handlers[path] = h }

// Start opens the internal listener, registers the replica, and keeps it
// registered until Stop.
func (r *Replica) Start(ctx context.Context) error {
	private, err := serverkey.Ensure(ctx, r.config.Engine, keyName)
	if err != nil {
		return err
	}
	if r.key, err = deriveKey(private); err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", r.config.Listen)
	if err != nil {
		return fmt.Errorf("open the internal listener: %w", err)
	}
	if r.address, err = advertised(r.config.Advertise, listener.Addr().String()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := r.beat(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.server = newServer(r)
	r.running.Go(func() { r.serve(ctx, listener) })
	r.running.Go(func() { r.keepBeating(ctx) })
	return nil
}

func (r *Replica) serve(ctx context.Context, listener net.Listener) {
	if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		r.log.LogAttrs(ctx, slog.LevelError, "the internal listener ended", slog.Any("error", err))
	}
}

// Stop takes the replica out of the table, answers what is under way and closes
// the listener. It may be called twice.
func (r *Replica) Stop() {
	if r.stop == nil {
		return
	}
	r.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := r.server.Shutdown(ctx); err != nil {
		_ = r.server.Close()
	}
	r.running.Wait()
	if err := r.leave(ctx); err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "the replica was left in the table", slog.Any("error", err))
	}
	r.client.CloseIdleConnections()
}

// advertised is the address that others are told, which they must be able to
// reach: one that stands for all of a machine's addresses is none.
func advertised(configured, bound string) (string, error) {
	address := configured
	if address == "" {
		address = bound
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("the replica's address: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "", fmt.Errorf("the replica's address %s names no host: say by which host:port the other replicas reach it", address)
	}
	return address, nil
}
