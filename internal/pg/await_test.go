package pg_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
)

// opened is a log whose first line opens a door.
type opened struct {
	mu   sync.Mutex
	text bytes.Buffer
	open func()
}

func (o *opened) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() == 0 {
		o.open()
	}
	return o.text.Write(line)
}

func TestAwaitADatabaseThatComesLater(t *testing.T) {
	t.Parallel()
	actual, err := pgx.ParseConfig(pgtest.Empty(t))
	require.NoError(t, err)
	l := listen(t)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	log := &opened{open: func() {
		var lc net.ListenConfig
		again, err := lc.Listen(context.WithoutCancel(t.Context()), "tcp", address)
		if err != nil {
			return // then it never answers
		}
		t.Cleanup(func() { _ = again.Close() })
		network, target := pgconnAddress(actual)
		go forward(again, network, target)
	}}
	there := url.URL{Scheme: "postgres", User: url.UserPassword(actual.User, actual.Password), Host: address, Path: actual.Database, RawQuery: "sslmode=disable"}
	require.NoError(t, pg.Await(t.Context(), there.String(), time.Minute, slog.New(slog.NewTextHandler(log, nil))))
	require.Contains(t, log.text.String(), "the database does not answer; it will be asked again")
}

func TestAwaitGivesUp(t *testing.T) {
	t.Parallel()
	l := listen(t)
	require.NoError(t, l.Close())
	down := "postgres://nobody@" + l.Addr().String() + "/none?sslmode=disable"
	log := &opened{open: func() {}}
	err := pg.Await(t.Context(), down, 250*time.Millisecond, slog.New(slog.NewTextHandler(log, nil)))
	require.ErrorContains(t, err, "the database has not answered for 250ms")
	require.Positive(t, strings.Count(log.text.String(), "\n"))

	quiet := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, pg.Await(ctx, down, time.Hour, quiet), context.Canceled)
	require.ErrorContains(t, pg.Await(t.Context(), "postgres://%", time.Hour, quiet), "parse the database URL")
	there, err := pgx.ParseConfig(pgtest.Empty(t))
	require.NoError(t, err)
	wrong := strings.Replace(there.ConnString(), "/"+there.Database, "/not_"+there.Database, 1)
	require.ErrorContains(t, pg.Await(t.Context(), wrong, time.Hour, quiet), "connect to the database", "waiting does not make it")
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

func pgconnAddress(c *pgx.ConnConfig) (network, address string) {
	if strings.HasPrefix(c.Host, "/") {
		return "unix", c.Host + "/.s.PGSQL." + portOf(c)
	}
	return "tcp", net.JoinHostPort(c.Host, portOf(c))
}

func forward(l net.Listener, network, address string) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer from.Close() //nolint:errcheck // it has been read to its end
			var d net.Dialer
			to, err := d.DialContext(context.Background(), network, address)
			if err != nil {
				return
			}
			defer to.Close() //nolint:errcheck // as above
			go func() { _, _ = io.Copy(to, from) }()
			_, _ = io.Copy(from, to)
		}()
	}
}

func portOf(c *pgx.ConnConfig) string { return strconv.Itoa(int(c.Port)) }
