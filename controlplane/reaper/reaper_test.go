package reaper_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/reaper"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

// recorder notes what the reaper asks for.
type recorder struct{ ended []id.UUID }

func (r *recorder) EndSession(_ context.Context, c advance.EndSession) (bool, error) {
	r.ended = append(r.ended, c.Session)
	return true, nil
}

func (r *recorder) Lose(context.Context, advance.Lose) error { return nil }

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
