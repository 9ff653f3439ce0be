package scheduledb

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const sqlLockSchedule = `
	SELECT s.id, s.paused
	FROM schedule s
	WHERE s.org_id = @org_id
		AND s.workspace_id = @workspace_id
		AND s.name = @name
		AND s.deleted_at IS NULL
	FOR NO KEY UPDATE`

const sqlPauseSchedule = `
	UPDATE schedule
	SET paused = true, pause_note = @note, paused_by = @by, paused_at = coalesce(paused_at, @now), next_at = @now, updated_at = @now
	WHERE org_id = @org_id
		AND id = @id`

// What was due while it was paused is not made up for: that is what the pause
// was for, and a month's backlog at once is what nobody wants of a resume.
const sqlResumeSchedule = `
	UPDATE schedule
	SET paused = false, pause_note = '', paused_by = '', paused_at = NULL, cursor = greatest(cursor, @now), next_at = @now, updated_at = @now
	WHERE org_id = @org_id
		AND id = @id`

// Pause keeps a schedule from firing; what runs goes on. Pausing one that is
// paused only changes the note. Errors: NotFound, INVALID_ARGUMENT.
func (s *Store) Pause(ctx context.Context, by caller.Caller, name, note string) (Schedule, error) {
	const longest = 500
	if len(note) > longest || !utf8.ValidString(note) || strings.ContainsFunc(note, unicode.IsControl) {
		return Schedule{}, errNote(longest)
	}
	return s.change(ctx, by, name, func(tx pgx.Tx, schedule id.UUID, _ bool, now time.Time) error {
		_, err := tx.Exec(ctx, sqlPauseSchedule, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "id": schedule, "note": note, "by": actor.Text(by), "now": now,
		})
		if err != nil {
			return fmt.Errorf("pause a schedule: %w", err)
		}
		return s.audit.Record(ctx, tx, by, "schedule.pause", id.Format(id.Schedule, schedule), map[string]string{"schedule": name, "note": note})
	})
}

// Resume lets a schedule fire again, from now on. One that is not paused stays
// as it is. Errors: NotFound.
func (s *Store) Resume(ctx context.Context, by caller.Caller, name string) (Schedule, error) {
	return s.change(ctx, by, name, func(tx pgx.Tx, schedule id.UUID, paused bool, now time.Time) error {
		if !paused {
			return nil
		}
		_, err := tx.Exec(ctx, sqlResumeSchedule, pgx.StrictNamedArgs{"org_id": by.OrgID, "id": schedule, "now": now})
		if err != nil {
			return fmt.Errorf("resume a schedule: %w", err)
		}
		return s.audit.Record(ctx, tx, by, "schedule.resume", id.Format(id.Schedule, schedule), map[string]string{"schedule": name})
	})
}

// change locks a schedule, changes it and returns it as it is then.
func (s *Store) change(ctx context.Context, by caller.Caller, name string, do func(tx pgx.Tx, schedule id.UUID, paused bool, now time.Time) error) (Schedule, error) {
	var out Schedule
	err := pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		var schedule id.UUID
		var paused bool
		args := pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": name}
		err := tx.QueryRow(ctx, sqlLockSchedule, args).Scan(&schedule, &paused)
		if pg.NoRows(err) {
			return errNoSchedule(name)
		}
		if err != nil {
			return fmt.Errorf("lock a schedule: %w", err)
		}
		return do(tx, schedule, paused, s.now())
	})
	if err != nil {
		return out, err
	}
	out, _, err = s.Get(ctx, by, name)
	return out, err
}
