package replica

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

func started(t *testing.T, db *pg.DB) *Replica {
	t.Helper()
	r := New(Config{Engine: db.Engine, Log: slog.New(slog.DiscardHandler)})
	r.Handle("/x", func(context.Context, []byte) error { return nil })
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(r.Stop)
	return r
}

// plant registers a replica that was last seen some time ago.
func plant(t *testing.T, db *pg.DB, address, ago string) id.UUID {
	t.Helper()
	other := id.New()
	_, err := db.Engine.Exec(t.Context(), `INSERT INTO replica (id, address, seen) VALUES ($1, $2, now() - $3::interval)`, other, address, ago)
	require.NoError(t, err)
	return other
}

func TestPeersAreTheOthersThatLive(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	a := started(t, db)
	require.Zero(t, a.Peers())
	b := started(t, db)
	require.Equal(t, 1, b.Peers())
	require.NoError(t, a.beat(t.Context()))
	require.Equal(t, 1, a.Peers())

	plant(t, db, "127.0.0.1:1", "1 minute")
	require.NoError(t, a.beat(t.Context()))
	require.Equal(t, 1, a.Peers(), "one that has gone silent does not count")
}

func TestStaleRowsAreRemoved(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	silent, dead := plant(t, db, "127.0.0.1:1", "1 minute"), plant(t, db, "127.0.0.1:1", "1 hour")
	a := started(t, db)
	_, err := a.find(t.Context(), silent)
	require.NoError(t, err, "it may only have been cut off from the database")
	_, err = a.find(t.Context(), dead)
	require.ErrorIs(t, err, ErrGone)
}

func TestUnreachableReplicaIsGoneOnceItIsSilent(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	free := l.Addr().String()
	require.NoError(t, l.Close())
	a := started(t, db)

	err = a.Call(t.Context(), plant(t, db, free, "1 second"), "/x", nil)
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrGone)
	require.ErrorIs(t, a.Call(t.Context(), plant(t, db, free, "1 minute"), "/x", nil), ErrGone)
}

func TestAddressThatSomebodyElseHasByNow(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	a, b := started(t, db), started(t, db)
	before := plant(t, db, b.address, "1 second")
	require.ErrorIs(t, a.Call(t.Context(), before, "/x", nil), ErrGone)
}
