package advance_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// eventually waits for a condition that no channel tells of.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, time.Millisecond, what)
}

// blocker stops the group commit in the middle of a batch, so that what is asked
// meanwhile becomes one batch, or a backend can be killed at a known moment.
type blocker struct {
	*bundle

	super *pgx.Conn
	tx    pgx.Tx
}

func (b *bundle) blocker() *blocker {
	b.t.Helper()
	return &blocker{bundle: b, super: pgtest.Super(b.t, b.db.URL())}
}

// hold takes a lock in a transaction of its own.
func (x *blocker) hold(sql string, args pgx.NamedArgs) {
	x.t.Helper()
	var err error
	x.tx, err = x.super.Begin(context.Background())
	require.NoError(x.t, err)
	_, err = x.tx.Exec(context.Background(), sql, args)
	require.NoError(x.t, err)
}

// blocked waits until a batch waits for the lock, and returns its backend.
func (x *blocker) blocked() int32 {
	x.t.Helper()
	var pid int32
	eventually(x.t, "a batch waits for the lock", func() bool {
		err := x.db.Engine.QueryRow(context.Background(), `SELECT coalesce(min(l.pid), 0) FROM pg_locks l
			JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database() WHERE NOT l.granted`).Scan(&pid)
		return err == nil && pid != 0
	})
	return pid
}

func (x *blocker) kill(pid int32) {
	x.t.Helper()
	_, err := x.tx.Exec(context.Background(), `SELECT pg_terminate_backend($1)`, pid)
	require.NoError(x.t, err)
}

func (x *blocker) release() {
	x.t.Helper()
	require.NoError(x.t, x.tx.Rollback(context.Background()))
}

// together has the requests that fns make in one batch: they are asked while
// another one is held up. It returns when all are answered.
func (b *bundle) together(fns ...func()) {
	b.t.Helper()
	decoy := b.start(b.deploy(&plan.Plan{Name: "decoy-" + id.New().String()[24:], Tasks: []plan.Task{{Name: "a", Select: map[string]string{"nobody": "has"}}}}))
	x := b.blocker()
	x.hold(`SELECT 1 FROM run WHERE id = @run FOR UPDATE`, pgx.NamedArgs{"run": decoy})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = b.a.CancelRun(context.Background(), advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: decoy}})
	})
	x.blocked()
	for i, fn := range fns {
		wg.Go(fn)
		eventually(b.t, "the request is queued", func() bool { return b.a.Queued() > i })
	}
	x.release()
	wg.Wait()
}

func (b *bundle) key(run id.UUID) advance.RunKey { return advance.RunKey{Org: b.org, Run: run} }
