package replica_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/replica"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

const path = "/test/echo"

func start(t *testing.T, db *pg.DB, h replica.Handler) *replica.Replica {
	t.Helper()
	r := replica.New(replica.Config{Engine: db.Engine, Log: slog.New(slog.DiscardHandler)})
	r.Handle(path, h)
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(r.Stop)
	return r
}

func nothing(context.Context, []byte) error { return nil }

func TestReplicasServeEachOther(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	var got []byte
	a := start(t, db, nothing)
	b := start(t, db, func(_ context.Context, body []byte) error {
		got = body
		return nil
	})
	require.NoError(t, a.Call(t.Context(), b.ID(), path, []byte("hello")))
	require.Equal(t, "hello", string(got))
	require.NoError(t, b.Call(t.Context(), a.ID(), path, nil), "the other way as well")
}

func TestFaultsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	var answer error
	a := start(t, db, nothing)
	b := start(t, db, func(context.Context, []byte) error { return answer })

	answer = fault.FailedPrecondition("STREAM_CLOSED", "gone").Because(errors.New("secret"))
	err := a.Call(t.Context(), b.ID(), path, nil)
	f, ok := fault.As(err)
	require.True(t, ok)
	require.Equal(t, fault.KindFailedPrecondition, f.Kind)
	require.Equal(t, fault.Reason("STREAM_CLOSED"), f.Reason)
	require.Equal(t, "gone", f.Error(), "the cause stays there")

	answer = errors.New("secret")
	err = a.Call(t.Context(), b.ID(), path, nil)
	require.ErrorContains(t, err, "status 500")
	require.Equal(t, fault.KindInternal, fault.KindOf(err))
	require.ErrorContains(t, a.Call(t.Context(), b.ID(), "/test/other", nil), "status 404")
}

func TestStoppedReplicaIsGone(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	a, b := start(t, db, nothing), start(t, db, nothing)
	require.NoError(t, a.Call(t.Context(), b.ID(), path, nil))
	b.Stop()
	b.Stop()
	require.ErrorIs(t, a.Call(t.Context(), b.ID(), path, nil), replica.ErrGone)
	require.ErrorIs(t, a.Call(t.Context(), id.New(), path, nil), replica.ErrGone, "one that never was")
}

func TestStopBeforeStart(t *testing.T) {
	t.Parallel()
	replica.New(replica.Config{Log: slog.New(slog.DiscardHandler)}).Stop()
}

func TestAddressMustBeOneThatOthersReach(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	for name, c := range map[string]struct {
		listen, advertise string
		ok                bool
	}{
		"all addresses":            {"0.0.0.0:0", "", false},
		"all of them, advertised":  {"0.0.0.0:0", "127.0.0.1:7070", true},
		"advertised without port":  {"", "127.0.0.1", false},
		"advertised without host":  {"", ":7070", false},
		"the default is this host": {"", "", true},
	} {
		r := replica.New(replica.Config{
			Engine: db.Engine, Listen: c.listen, Advertise: c.advertise, Log: slog.New(slog.DiscardHandler),
		})
		err := r.Start(t.Context())
		require.Equal(t, c.ok, err == nil, "%s: %v", name, err)
		r.Stop()
	}
}
