package scheduledb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Where a schedule comes from.
const (
	SourceFile = "file"
	SourceAPI  = "api"
)

// Schedule is a schedule as it is kept.
type Schedule struct {
	ID       id.UUID
	Name     string
	Pipeline string
	Source   string
	Spec     plan.Schedule
	Paused   bool
	// PauseNote and PausedBy say why and by whom, a name where it is known.
	PauseNote, PausedBy string
	PausedAt            *time.Time
	// Cursor is up to when it has fired.
	Cursor    time.Time
	Fired     int64
	CreatedBy string
	CreatedAt time.Time
	UpdatedAt time.Time
	// Last is its newest fire, nil where it has not fired yet.
	Last *Fire
}

// scheduleRow is Schedule as it is read.
type scheduleRow struct {
	ID                           id.UUID
	Name, Pipeline, Source, Spec string
	Paused                       bool
	PauseNote, PausedBy          string
	PausedAt                     *time.Time
	Cursor                       time.Time
	Fired                        int64
	CreatedBy                    string
	CreatedAt, UpdatedAt         time.Time
	Nominal                      *time.Time
	IntervalStart, IntervalEnd   *time.Time
	FireState, FireReason        *string
	RunID                        *id.UUID
	RunNumber                    *int64
	RunState                     *string
}

const scheduleColumns = `s.id, s.name, p.name AS pipeline, s.source, s.spec, s.paused, s.pause_note, s.paused_by, s.paused_at,
		s.cursor, s.fired, s.created_by, s.created_at, s.updated_at,
		f.nominal, f.interval_start, f.interval_end, f.state AS fire_state, f.reason AS fire_reason,
		f.run_id, r.number AS run_number, r.state AS run_state`

const scheduleJoins = `
	JOIN pipeline p ON p.org_id = s.org_id AND p.id = s.pipeline_id
	LEFT JOIN LATERAL (
		SELECT l.nominal, l.interval_start, l.interval_end, l.state, l.reason, l.run_id
		FROM schedule_fire l
		WHERE l.org_id = s.org_id
			AND l.schedule_id = s.id
		ORDER BY l.nominal DESC
		LIMIT 1) f ON true
	LEFT JOIN run r ON r.org_id = s.org_id AND r.id = f.run_id`

const sqlListSchedules = `
	SELECT ` + scheduleColumns + `
	FROM schedule s` + scheduleJoins + `
	WHERE s.org_id = @org_id
		AND s.workspace_id = @workspace_id
		AND s.deleted_at IS NULL
		AND (@pipeline = '' OR p.name = @pipeline)
	ORDER BY s.name
	LIMIT 1000`

// List returns the schedules of the caller's workspace by name; all of them, or
// those of one pipeline.
func (s *Store) List(ctx context.Context, by caller.Caller, pipeline string) ([]Schedule, error) {
	var list []Schedule
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		args := pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "pipeline": pipeline}
		list, err = read(ctx, tx, by, sqlListSchedules, args)
		return err
	})
	return list, err
}

const sqlGetSchedule = `
	SELECT ` + scheduleColumns + `
	FROM schedule s` + scheduleJoins + `
	WHERE s.org_id = @org_id
		AND s.workspace_id = @workspace_id
		AND s.name = @name
		AND s.deleted_at IS NULL`

// Get returns one by name, with its newest fires. Errors: NotFound.
func (s *Store) Get(ctx context.Context, by caller.Caller, name string) (Schedule, []Fire, error) {
	var out Schedule
	var fires []Fire
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		if out, err = get(ctx, tx, by, name); err != nil {
			return err
		}
		fires, err = listFires(ctx, tx, by, out.ID)
		return err
	})
	return out, fires, err
}

func get(ctx context.Context, tx pgx.Tx, by caller.Caller, name string) (Schedule, error) {
	args := pgx.StrictNamedArgs{"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": name}
	list, err := read(ctx, tx, by, sqlGetSchedule, args)
	if err != nil {
		return Schedule{}, err
	}
	if len(list) == 0 {
		return Schedule{}, errNoSchedule(name)
	}
	return list[0], nil
}

func read(ctx context.Context, tx pgx.Tx, by caller.Caller, sql string, args pgx.StrictNamedArgs) ([]Schedule, error) {
	rows, _ := tx.Query(ctx, sql, args)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[scheduleRow])
	if err != nil {
		return nil, fmt.Errorf("read schedules: %w", err)
	}
	texts := make([]string, 0, 2*len(found))
	for i := range found {
		texts = append(texts, found[i].CreatedBy, found[i].PausedBy)
	}
	names, err := actor.Names(ctx, tx, by.OrgID, texts)
	if err != nil {
		return nil, err
	}
	out := make([]Schedule, len(found))
	for i := range found {
		if out[i], err = found[i].schedule(names); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *scheduleRow) schedule(names map[string]string) (Schedule, error) {
	s := Schedule{
		ID: r.ID, Name: r.Name, Pipeline: r.Pipeline, Source: r.Source, Paused: r.Paused, PauseNote: r.PauseNote,
		PausedBy: actor.Name(names, r.PausedBy), PausedAt: r.PausedAt, Cursor: r.Cursor, Fired: r.Fired,
		CreatedBy: actor.Name(names, r.CreatedBy), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	if err := json.Unmarshal([]byte(r.Spec), &s.Spec); err != nil {
		return s, fmt.Errorf("read the schedule %s: %w", id.Format(id.Schedule, r.ID), err)
	}
	if r.Nominal != nil {
		s.Last = &Fire{
			Nominal: *r.Nominal, IntervalStart: *r.IntervalStart, IntervalEnd: *r.IntervalEnd, State: *r.FireState, Reason: *r.FireReason,
			RunID: r.RunID, RunNumber: r.RunNumber, RunState: r.RunState,
		}
	}
	return s, nil
}

// Encode is a spec as it is kept: two are the same schedule if these are equal.
func Encode(spec plan.Schedule) (string, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return "", fmt.Errorf("encode a schedule: %w", err)
	}
	return string(text), nil
}
