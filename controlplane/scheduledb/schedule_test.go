package scheduledb_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/scheduledb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// setup makes two organizations, each with a pipeline of the same name.
func setup(t *testing.T) (db *pg.DB, own, other caller.Caller) {
	t.Helper()
	db = pgtest.DB(t)
	organization := func(slug string) caller.Caller {
		by := caller.Caller{Principal: authz.Principal{OrgID: id.New(), WorkspaceID: id.New()}}
		args := pgx.NamedArgs{"org": by.OrgID, "ws": by.WorkspaceID, "slug": slug, "id": id.New()}
		for _, sql := range []string{
			`INSERT INTO organization (org_id, slug, name) VALUES (@org, @slug, 'Acme')`,
			`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`,
			`INSERT INTO pipeline (org_id, id, workspace_id, name) VALUES (@org, @id, @ws, 'train')`,
		} {
			_, err := db.Engine.Exec(t.Context(), sql, args)
			require.NoError(t, err)
		}
		return by
	}
	return db, organization("acme"), organization("umbra")
}

func TestSchedulesAreTheWorkspaces(t *testing.T) {
	t.Parallel()
	db, own, other := setup(t)
	s := scheduledb.NewStore(db, rand.Reader, time.Now)
	ctx := t.Context()
	daily := scheduledb.Create{Name: "nightly", Pipeline: "train", Spec: plan.Schedule{Cron: "@daily", Timezone: "Europe/Berlin"}}
	made, err := s.Create(ctx, own, daily)
	require.NoError(t, err)
	require.Equal(t, daily.Spec, made.Spec)
	require.Equal(t, "api", made.Source)

	_, err = s.Create(ctx, own, daily)
	require.Equal(t, scheduledb.ReasonTaken, fault.ReasonOf(err))
	_, err = s.Create(ctx, other, daily)
	require.NoError(t, err, "names are a workspace's own")
	require.NoError(t, s.Delete(ctx, other, "nightly"))
	for _, do := range []func() error{
		func() error { _, _, err := s.Get(ctx, other, "nightly"); return err },
		func() error { _, err := s.Pause(ctx, other, "nightly", ""); return err },
		func() error { _, err := s.Resume(ctx, other, "nightly"); return err },
		func() error { return s.Delete(ctx, other, "nightly") },
	} {
		require.Equal(t, fault.KindNotFound, fault.KindOf(do()))
	}
	list, err := s.List(ctx, other, "")
	require.NoError(t, err)
	require.Empty(t, list)
	list, err = s.List(ctx, own, "train")
	require.NoError(t, err)
	require.Len(t, list, 1)
	list, err = s.List(ctx, own, "else")
	require.NoError(t, err)
	require.Empty(t, list)
	_, err = s.Create(ctx, other, daily)
	require.NoError(t, err, "the name of one that is gone is free")
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	db, own, _ := setup(t)
	s := scheduledb.NewStore(db, rand.Reader, time.Now)
	spec := plan.Schedule{Cron: "@daily"}
	for name, in := range map[string]scheduledb.Create{
		"a name of files": {Name: "train.1", Pipeline: "train", Spec: spec},
		"no name":         {Pipeline: "train", Spec: spec},
		"no spec":         {Name: "a", Pipeline: "train"},
		"wrong spec":      {Name: "a", Pipeline: "train", Spec: plan.Schedule{Cron: "@daily", Timezone: "x", Overlap: "y"}},
	} {
		_, err := s.Create(t.Context(), own, in)
		require.Equal(t, scheduledb.ReasonInvalid, fault.ReasonOf(err), name)
	}
	_, err := s.Create(t.Context(), own, scheduledb.Create{Name: "a", Pipeline: "none", Spec: spec})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
	_, err = s.Pause(t.Context(), own, "a", strings.Repeat("x", 501))
	require.Equal(t, scheduledb.ReasonInvalid, fault.ReasonOf(err))
}

func TestPauseSaysWhyAndResumeGoesOnFromNow(t *testing.T) {
	t.Parallel()
	db, own, _ := setup(t)
	now := time.Now().Truncate(time.Millisecond)
	s := scheduledb.NewStore(db, rand.Reader, func() time.Time { return now })
	_, err := s.Create(t.Context(), own, scheduledb.Create{Name: "a", Pipeline: "train", Spec: plan.Schedule{Cron: "@daily"}})
	require.NoError(t, err)
	first := now
	paused, err := s.Pause(t.Context(), own, "a", "no data")
	require.NoError(t, err)
	require.True(t, paused.Paused)
	require.Equal(t, "no data", paused.PauseNote)
	now = now.Add(time.Hour)
	paused, err = s.Pause(t.Context(), own, "a", "still none")
	require.NoError(t, err)
	require.Equal(t, "still none", paused.PauseNote)
	require.True(t, first.Equal(*paused.PausedAt), "paused since the first time")
	for range 2 {
		resumed, err := s.Resume(t.Context(), own, "a")
		require.NoError(t, err)
		require.False(t, resumed.Paused)
		require.Nil(t, resumed.PausedAt)
		require.True(t, now.Equal(resumed.Cursor))
	}
	var actions string
	require.NoError(t, db.Engine.QueryRow(t.Context(), `SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_entry`).Scan(&actions))
	require.Equal(t, "schedule.create schedule.pause schedule.pause schedule.resume", actions)
}

// A start in the past is made up for where the catch-up says so.
func TestFirstCursor(t *testing.T) {
	t.Parallel()
	db, own, _ := setup(t)
	s := scheduledb.NewStore(db, rand.Reader, time.Now)
	for catchup, past := range map[string]bool{"all": true, "window(2d)": true, "latest": false, "none": false} {
		made, err := s.Create(t.Context(), own, scheduledb.Create{
			Name: strings.Trim(catchup, "()2d"), Pipeline: "train", Spec: plan.Schedule{Cron: "@daily", Start: "2026-01-01", Catchup: catchup},
		})
		require.NoError(t, err)
		require.Equal(t, past, made.Cursor.Before(time.Now().Add(-time.Hour)), catchup)
	}
}
