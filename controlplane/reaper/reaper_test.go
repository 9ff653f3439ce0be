package reaper_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/reaper"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

// recorder notes what the reaper asks for, and refuses what it is told to.
type recorder struct {
	mu     sync.Mutex
	ended  []id.UUID
	lost   []int64
	refuse func(session id.UUID, lease int64) error
}

func (r *recorder) EndSession(_ context.Context, c advance.EndSession) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		if err := r.refuse(c.Session, 0); err != nil {
			return false, err
		}
	}
	r.ended = append(r.ended, c.Session)
	return true, nil
}

func (r *recorder) Lose(_ context.Context, c advance.Lose) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		if err := r.refuse(id.Nil, c.Lease); err != nil {
			return err
		}
	}
	r.lost = append(r.lost, c.Lease)
	return nil
}

// One session or lease that cannot be ended must not keep all others alive.
func TestWhatFailsHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org, sick := id.New(), id.New()
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := db.Engine.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	const insert = `INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at, ended)
		VALUES ($1, $2, $1, $1, $1, now() - $3::interval, $4)`
	exec(insert, org, sick, "2 minutes", false)
	expired, ended, empty := id.New(), id.New(), id.New()
	exec(insert, org, expired, "1 minute", false)
	exec(insert, org, ended, "1 minute", true)
	exec(insert, org, empty, "1 minute", true)
	for lease := range 3 {
		exec(`INSERT INTO lease (org_id, id, session_id, agent_id, pool_id, run_id, task, attempt, path, class_id, slots, ready_at, granted_at)
			VALUES ($1, $2, $3, $1, $1, $4, 0, 1, 'a', 1, 1, now(), now())`, org, lease+1, ended, id.New())
	}
	exec(`UPDATE reaper SET seen = now()`)
	rec := &recorder{refuse: func(session id.UUID, lease int64) error {
		if session == sick || lease == 1 {
			return errors.New("not to be ended")
		}
		return nil
	}}
	r := reaper.New(db.Engine, rec, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, r.Reap(t.Context()), "not to be ended")
	require.Equal(t, []id.UUID{expired}, rec.ended)
	require.ElementsMatch(t, []int64{2, 3}, rec.lost)
	var left int
	require.NoError(t, db.Engine.QueryRow(t.Context(), `SELECT count(*) FROM session WHERE id = $1`, empty).Scan(&left))
	require.Zero(t, left, "what holds nothing goes")
}

func TestAnOutageIsGivenBack(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	org, ws, dead, alive := id.New(), id.New(), id.New(), id.New()
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := db.Engine.Exec(t.Context(), sql, args...)
		require.NoError(t, err)
	}
	exec(`INSERT INTO organization (org_id, slug, name) VALUES ($1, 'acme', 'Acme')`, org)
	exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES ($1, $2, 'default', 'Default')`, org, ws)
	for s, expires := range map[id.UUID]string{dead: "-70 seconds", alive: "-40 seconds"} {
		exec(`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at)
			VALUES ($1, $2, $3, $4, $5, now() + $6::interval)`, org, s, id.New(), ws, id.New(), expires)
	}
	// Nobody looked for a minute: the one that was alive then gets it back.
	exec(`UPDATE reaper SET seen = now() - interval '1 minute'`)
	rec := &recorder{}
	r := reaper.New(db.Engine, rec, slog.New(slog.DiscardHandler))
	require.NoError(t, r.Reap(t.Context()))
	require.Equal(t, []id.UUID{dead}, rec.ended)

	// One that was opened since is not made immortal by an outage before its time.
	var extended bool
	fresh := id.New()
	exec(`INSERT INTO session (org_id, id, agent_id, workspace_id, pool_id, expires_at)
		VALUES ($1, $2, $3, $4, $5, now() + interval '30 seconds')`, org, fresh, id.New(), ws, id.New())
	exec(`UPDATE reaper SET seen = now() - interval '1 hour'`)
	require.NoError(t, r.Reap(t.Context()))
	require.NoError(t, db.Engine.QueryRow(t.Context(), `SELECT expires_at > now() + interval '31 seconds' FROM session WHERE id = $1`, fresh).Scan(&extended))
	require.False(t, extended)

	// The second look finds no gap, and gives nothing back again.
	exec(`UPDATE session SET expires_at = now() - interval '1 second' WHERE id = $1`, alive)
	require.NoError(t, r.Reap(t.Context()))
	require.Contains(t, rec.ended, alive)
}
