package advance_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
)

// link is the network between a replica and PostgreSQL, and can break.
type link struct {
	listener net.Listener
	target   func() (net.Conn, error)

	mu    sync.Mutex
	conns map[net.Conn]bool

	// swallow has the next commit carried out, but its answer lost.
	swallow atomic.Bool
	// closed refuses new connections.
	closed atomic.Bool
}

// close cuts the link for good, or opens it again.
func (l *link) close(closed bool) {
	l.closed.Store(closed)
	if closed {
		l.cut()
	}
}

// commitName is how pgx calls the prepared COMMIT.
var commitName = func() []byte {
	sum := sha256.Sum256([]byte("COMMIT"))
	return []byte("stmtcache_" + hex.EncodeToString(sum[:24]))
}()

// newLink makes a link to a database, and the pools of a replica behind it.
func newLink(t testing.TB, target string) (*link, *pg.DB) {
	t.Helper()
	config, err := pgx.ParseConfig(target)
	require.NoError(t, err)
	network, address := pgNetwork(config)
	l := &link{conns: map[net.Conn]bool{}, target: func() (net.Conn, error) { return new(net.Dialer).DialContext(context.Background(), network, address) }}
	l.listener, err = new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go l.serve()
	t.Cleanup(func() { _ = l.listener.Close(); l.cut() })

	through := url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: l.listener.Addr().String(), Path: "/" + config.Database, RawQuery: "sslmode=disable"}
	db, err := pg.Open(t.Context(), pg.Config{URL: through.String(), APIConns: 1, EngineConns: 6, AuthConns: 1})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return l, db
}

func pgNetwork(c *pgx.ConnConfig) (network, address string) {
	if len(c.Host) > 0 && c.Host[0] == '/' {
		return "unix", c.Host + "/.s.PGSQL.5432"
	}
	return "tcp", net.JoinHostPort(c.Host, "5432")
}

func (l *link) serve() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		if l.closed.Load() {
			_ = client.Close()
			continue
		}
		server, err := l.target()
		if err != nil {
			_ = client.Close()
			continue
		}
		l.mu.Lock()
		l.conns[client], l.conns[server] = true, true
		l.mu.Unlock()
		var lost atomic.Bool // from now on nothing comes back
		go l.pump(server, client, func(part []byte) bool {
			if bytes.Contains(part, commitName) && l.swallow.CompareAndSwap(true, false) {
				lost.Store(true)
			}
			return true
		})
		go l.pump(client, server, func([]byte) bool { return !lost.Load() })
	}
}

// pump copies until one end closes; pass says whether a part goes on. What may
// not pass cuts the link.
func (l *link) pump(to, from net.Conn, pass func([]byte) bool) {
	defer func() {
		_, _ = to.Close(), from.Close()
		l.mu.Lock()
		delete(l.conns, to)
		delete(l.conns, from)
		l.mu.Unlock()
	}()
	part := make([]byte, 64<<10)
	for {
		n, err := from.Read(part)
		if n > 0 {
			if !pass(part[:n]) {
				return
			}
			if _, err := to.Write(part[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut breaks all connections at once.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		_ = c.Close()
	}
}
