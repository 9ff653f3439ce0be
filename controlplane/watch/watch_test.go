package watch_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/watch"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

type bundle struct {
	t  *testing.T
	db *pg.DB
	w  *watch.Watcher
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, db: pgtest.DB(t)}
	b.w = watch.New(b.db.Engine, slog.New(slog.DiscardHandler))
	require.NoError(t, b.w.Start(t.Context()))
	t.Cleanup(b.w.Stop)
	return b
}

func (b *bundle) exec(sql string, args pgx.NamedArgs) {
	b.t.Helper()
	_, err := b.db.Engine.Exec(b.t.Context(), sql, args)
	require.NoError(b.t, err)
}

func (b *bundle) run() watch.Run {
	b.t.Helper()
	r := watch.Run{Org: id.New(), ID: id.New()}
	b.exec(`INSERT INTO run (org_id, id, workspace_id, pipeline_id, digest, number, cause, params, label_set_id, state, seq, tasks_total, created_at)
		VALUES (@org, @id, @id, @id, sha256(''), 1, 'user', '', 1, 'running', 1, 1, now())`, pgx.NamedArgs{"org": r.Org, "id": r.ID})
	return r
}

func (b *bundle) subscribe(r watch.Run) *watch.Subscription {
	b.t.Helper()
	s, err := b.w.Subscribe(r)
	require.NoError(b.t, err)
	b.t.Cleanup(s.Close)
	return s
}

// heard waits for a signal.
func (b *bundle) heard(s *watch.Subscription) {
	b.t.Helper()
	select {
	case <-s.Changed():
	case <-time.After(20 * time.Second):
		b.t.Fatal("no signal")
	}
}

func quiet(s *watch.Subscription) bool {
	select {
	case <-s.Changed():
		return false
	default:
		return true
	}
}

func TestEveryChangeIsSignaled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, other := b.run(), b.run()
	s, o := b.subscribe(r), b.subscribe(other)
	b.heard(s)
	b.heard(o)
	args := pgx.NamedArgs{"org": r.Org, "id": r.ID}
	for _, change := range []string{
		`UPDATE run SET seq = seq + 1 WHERE id = @id AND org_id = @org`,
		`INSERT INTO lease (org_id, id, session_id, agent_id, pool_id, run_id, task, attempt, path, class_id, slots, ready_at, granted_at)
			VALUES (@org, 7, @id, @id, @id, @id, 0, 1, 'a', 1, 1, now(), now())`,
		`UPDATE lease SET phase = 'running' WHERE run_id = @id AND org_id = @org`,
		`UPDATE lease SET started_at = now() WHERE run_id = @id AND org_id = @org`,
		`UPDATE lease SET stop = 'stop' WHERE run_id = @id AND org_id = @org`,
		`DELETE FROM lease WHERE run_id = @id AND org_id = @org`,
		`INSERT INTO timer (org_id, run_id, kind, task, attempt, at) VALUES (@org, @id, 'retry', 0, 2, now())`,
		`DELETE FROM timer WHERE run_id = @id AND org_id = @org`,
	} {
		b.exec(change, args)
		b.heard(s)
	}
	require.True(t, quiet(o), "the other run did not change")
}

func TestASlowWatcherHearsOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.run()
	slow, quick := b.subscribe(r), b.subscribe(r)
	b.heard(quick)
	for range 3 {
		b.exec(`UPDATE run SET seq = seq + 1 WHERE id = @id AND org_id = @org`, pgx.NamedArgs{"org": r.Org, "id": r.ID})
		b.heard(quick)
	}
	require.False(t, quiet(slow))
	require.True(t, quiet(slow), "one signal for four changes")
}

func TestALaterWatcherMissesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.run()
	first := b.subscribe(r)
	b.heard(first)
	second := b.subscribe(r)
	b.exec(`UPDATE run SET seq = seq + 1 WHERE id = @id AND org_id = @org`, pgx.NamedArgs{"org": r.Org, "id": r.ID})
	b.heard(first)
	b.heard(second)
}

func TestARunOfAnotherOrganizationIsNotSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.run()
	mine, foreign := b.subscribe(r), b.subscribe(watch.Run{Org: id.New(), ID: r.ID})
	for range 2 {
		b.exec(`UPDATE run SET seq = seq + 1 WHERE id = @id AND org_id = @org`, pgx.NamedArgs{"org": r.Org, "id": r.ID})
		b.heard(mine)
	}
	require.True(t, quiet(foreign))
}

func TestWatchersAreCappedByOrganization(t *testing.T) {
	t.Parallel()
	b := setup(t)
	org := id.New()
	for range watch.MaxPerOrganization - 1 {
		b.subscribe(watch.Run{Org: org, ID: id.New()})
	}
	last := b.subscribe(watch.Run{Org: org, ID: id.New()})
	_, err := b.w.Subscribe(watch.Run{Org: org, ID: id.New()})
	require.Equal(t, fault.KindResourceExhausted, fault.KindOf(err))
	b.subscribe(watch.Run{Org: id.New(), ID: id.New()})
	last.Close()
	last.Close()
	b.subscribe(watch.Run{Org: org, ID: id.New()})
}

func TestStoppingEndsAllSubscriptions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.subscribe(b.run())
	b.w.Stop()
	b.w.Stop()
	for range s.Changed() {
		continue // What was signaled before may still be there.
	}
	s.Close()
	_, err := b.w.Subscribe(watch.Run{Org: id.New(), ID: id.New()})
	require.Equal(t, fault.KindUnavailable, fault.KindOf(err))
}
