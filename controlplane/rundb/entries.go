package rundb

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Entry is a line of a run's journal, with the names of those whom it names by
// id, and all of it in one sentence.
type Entry struct {
	journal.Row

	ActorName string
	AgentName string
	Sentence  string
}

// The sizes of a page of entries.
const (
	DefaultEntries = 200
	MaxEntries     = 1000
)

// Entries returns what happened to a run after an entry, oldest first, and the
// seq to go on from; 0 when there is no more. Errors: NotFound, JOURNAL_ARCHIVED.
func (s *Store) Entries(ctx context.Context, by caller.Caller, ref Ref, after int64, limit int) ([]Entry, int64, error) {
	if limit <= 0 {
		limit = DefaultEntries
	}
	limit = min(limit, MaxEntries)
	var out []Entry
	var next int64
	r := s.Reader(by, ref)
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		run, err := get(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		rows, err := journal.ReadPage(ctx, tx, by.OrgID, run.ID, after, limit)
		if err != nil {
			return err
		}
		if len(rows) == 0 && after < run.Seq {
			return errArchived(&run)
		}
		out, err = r.describe(ctx, tx, rows)
		if n := len(rows); n == limit && rows[n-1].Seq < run.Seq {
			next = rows[n-1].Seq
		}
		return err
	})
	return out, next, err
}

// describe puts names and sentences to entries.
func (r *Reader) describe(ctx context.Context, tx pgx.Tx, rows []journal.Row) ([]Entry, error) {
	out := make([]Entry, len(rows))
	actors := make([]string, 0, len(rows))
	agents := make([]id.UUID, 0, len(rows))
	for i := range rows {
		actors = append(actors, rows[i].Actor)
		agents = append(agents, rows[i].Agent)
	}
	names, err := actor.Names(ctx, tx, r.by.OrgID, actors)
	if err != nil {
		return nil, err
	}
	if err := r.nameAgents(ctx, tx, agents); err != nil {
		return nil, err
	}
	for i := range rows {
		e := Entry{Row: rows[i], ActorName: actor.Name(names, rows[i].Actor), AgentName: r.names[rows[i].Agent]}
		e.Sentence = sentence(&e)
		out[i] = e
	}
	return out, nil
}
