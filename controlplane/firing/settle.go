package firing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/schedule"
)

// The states of a fire that the ticker tells apart.
const (
	stateWaiting  = "waiting"
	stateStarting = "starting"
	stateDropped  = "dropped"
)

// A nominal time that is there already was served.
const sqlInsertFires = `
	INSERT INTO schedule_fire (org_id, schedule_id, nominal, interval_start, interval_end, state, created_at)
	SELECT @org_id, @id, u.nominal, u.interval_start, u.interval_end, 'waiting', @now
	FROM unnest(@nominals::timestamptz[], @starts::timestamptz[], @ends::timestamptz[]) AS u (nominal, interval_start, interval_end)
	ON CONFLICT (org_id, schedule_id, nominal) DO NOTHING
	RETURNING nominal`

const sqlMoveFires = `
	UPDATE schedule_fire
	SET state = @state, reason = @reason, ended_at = @ended
	WHERE org_id = @org_id
		AND schedule_id = @id
		AND nominal = ANY(@nominals)
		AND state = 'waiting'`

const sqlEndFires = `
	UPDATE schedule_fire
	SET ended_at = @now
	WHERE org_id = @org_id
		AND schedule_id = @id
		AND nominal = ANY(@nominals)
		AND state = 'started'`

const sqlSettleSchedule = `
	UPDATE schedule
	SET cursor = @cursor, fired = @fired, next_at = @next_at, paused = @paused,
		pause_note = CASE WHEN @pause = '' THEN pause_note ELSE @pause END,
		paused_by = CASE WHEN @pause = '' THEN paused_by ELSE 'system' END,
		paused_at = CASE WHEN @pause = '' THEN paused_at ELSE @now END
	WHERE org_id = @org_id
		AND id = @id`

// settle decides what becomes of the fires that wait, and writes it all down.
func (l *look) settle(ctx context.Context, tx pgx.Tx) error {
	slices.SortFunc(l.waiting, time.Time.Compare)
	start, drop, reason := l.judge()
	if err := l.move(ctx, tx, start, stateStarting, "", nil); err != nil {
		return err
	}
	if err := l.move(ctx, tx, drop, stateDropped, reason, l.row.Now); err != nil {
		return err
	}
	if len(l.ended) > 0 {
		_, err := tx.Exec(ctx, sqlEndFires, pgx.StrictNamedArgs{"org_id": l.org, "id": l.schedule, "nominals": l.ended, "now": l.row.Now})
		if err != nil {
			return fmt.Errorf("close fires whose runs have ended: %w", err)
		}
	}
	l.starting, l.row.Fired = l.starting+len(start), l.row.Fired+int64(len(start))
	_, err := tx.Exec(ctx, sqlSettleSchedule, pgx.StrictNamedArgs{
		"org_id": l.org, "id": l.schedule, "cursor": l.row.Cursor, "fired": l.row.Fired, "now": l.row.Now,
		"next_at": l.nextLook(len(l.waiting) - len(start) - len(drop)), "paused": l.row.Paused, "pause": l.pause,
	})
	if err != nil {
		return fmt.Errorf("settle a schedule: %w", err)
	}
	return nil
}

// judge says which of the waiting fires start and which never will, and why.
func (l *look) judge() (start, drop []time.Time, reason string) {
	if l.row.Deleted {
		return nil, l.waiting, "the schedule was removed"
	}
	if l.row.Paused {
		return nil, nil, ""
	}
	verdicts, cancel := l.s.Overlap.Decide(len(l.waiting), l.starting+len(l.active))
	for i, v := range verdicts {
		switch v {
		case schedule.Start:
			start = append(start, l.waiting[i])
		case schedule.Drop:
			drop = append(drop, l.waiting[i])
		case schedule.Wait:
		}
	}
	if cancel {
		l.cancel = l.active
	}
	return start, drop, "overlap: " + string(l.s.Overlap)
}

func (l *look) move(ctx context.Context, tx pgx.Tx, nominals []time.Time, state, reason string, ended any) error {
	if len(nominals) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, sqlMoveFires, pgx.StrictNamedArgs{
		"org_id": l.org, "id": l.schedule, "nominals": nominals, "state": state, "reason": reason, "ended": ended,
	})
	if err != nil {
		return fmt.Errorf("decide the fires of a schedule: %w", err)
	}
	return nil
}

// How soon a schedule is looked at again that waits for something else than its
// next time.
const (
	waitLook    = time.Second      // for the run before to end
	failureLook = 10 * time.Second // for a run to fail
)

// nextLook is when there may be something to do; nil for never.
func (l *look) nextLook(waiting int) *time.Time {
	var at *time.Time
	soonest := func(t time.Time) {
		if at == nil || t.Before(*at) {
			at = &t
		}
	}
	if l.starting > 0 {
		soonest(l.row.Now)
	}
	if l.row.Paused || l.row.Deleted {
		return at
	}
	if waiting > 0 {
		soonest(l.row.Now.Add(waitLook))
	}
	if l.s.PauseOnFailure && len(l.active) > 0 {
		soonest(l.row.Now.Add(failureLook))
	}
	if l.s.MaxRuns > 0 && l.row.Fired+int64(waiting) >= l.s.MaxRuns {
		return at
	}
	if next, ok := l.s.Next(l.row.Cursor); ok {
		due := next.Add(l.s.Offset(l.schedule, next))
		if waiting >= maxWaiting && due.Before(l.row.Now.Add(waitLook)) {
			due = l.row.Now.Add(waitLook)
		}
		soonest(due)
	}
	return at
}
