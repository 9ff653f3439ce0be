package archive

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Written is what writing a partition came to.
type Written struct {
	Partition Partition
	// Folder is empty when there was nothing new to write.
	Folder  string
	Runs    int
	Entries int64
	// Differences keep the partition from being archived: its journals are not
	// what is stored beside them.
	Differences []string
}

// Write writes the journals of a partition to a new folder in dir and notes what
// they fold to. Runs that are there as they are now are left out, so it may be
// repeated. All runs must have ended: see Due.
func (a *Archive) Write(ctx context.Context, dir string, p Partition) (Written, error) {
	w := writing{Written: Written{Partition: p}, used: map[id.UUID]replay.Tally{}, versions: replay.Versions{}}
	var err error
	if w.folder, err = newFolder(dir, p.Name); err != nil {
		return w.Written, err
	}
	defer w.folder.abandon()
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, a.db.Engine, snapshot, func(tx pgx.Tx) error { return w.all(ctx, tx) })
	if err != nil {
		return w.Written, fmt.Errorf("archive %s: %w", p.Name, err)
	}
	if w.Runs == 0 || len(w.Differences) > 0 {
		return w.Written, nil
	}
	if err := w.folder.finish(); err != nil {
		return w.Written, fmt.Errorf("archive %s: %w", p.Name, err)
	}
	w.Folder = w.folder.name
	if err := pg.InSystem(ctx, a.db.Engine, func(tx pgx.Tx) error { return w.note(ctx, tx) }); err != nil {
		return w.Written, fmt.Errorf("archive %s: %w", p.Name, err)
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "archived", slog.String("partition", p.Name), slog.String("folder", w.Folder),
		slog.Int("runs", w.Runs), slog.Int64("entries", w.Entries))
	return w.Written, nil
}

// writing is a partition that is being written.
type writing struct {
	Written

	folder   *folder
	versions replay.Versions
	now      time.Time

	orgs, runs []id.UUID
	seqs       []int64
	digests    [][]byte
	used       map[id.UUID]replay.Tally
}

const (
	sqlNow = `
	SELECT now()`

	sqlListOrganizations = `
	SELECT o.org_id
	FROM organization o
	ORDER BY o.org_id`
)

func (w *writing) all(ctx context.Context, tx pgx.Tx) error {
	if err := tx.QueryRow(ctx, sqlNow).Scan(&w.now); err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	rows, err := tx.Query(ctx, sqlListOrganizations)
	if err != nil {
		return fmt.Errorf("list organizations: %w", err)
	}
	orgs, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return fmt.Errorf("list organizations: %w", err)
	}
	for _, org := range orgs {
		if err := w.organization(ctx, tx, org); err != nil {
			return err
		}
	}
	return nil
}

const runsPerPage = 100

func (w *writing) organization(ctx context.Context, tx pgx.Tx, org id.UUID) error {
	after := before(w.Partition.Low)
	for {
		page, err := replay.ReadRows(ctx, tx, org, after, runsPerPage)
		if err != nil {
			return err
		}
		places, err := replay.ReadPlaces(ctx, tx, org, page)
		if err != nil {
			return err
		}
		for i := range page {
			if after = page[i].ID; string(after[:]) >= string(w.Partition.High[:]) {
				return nil
			}
			if err := w.run(ctx, tx, org, &page[i], places[after]); err != nil {
				return err
			}
		}
		if len(page) < runsPerPage {
			return nil
		}
	}
}

// before is the id before one.
func before(u id.UUID) id.UUID {
	for i := len(u) - 1; i >= 0; i-- {
		u[i]--
		if u[i] != 0xff {
			break
		}
	}
	return u
}

func (w *writing) run(ctx context.Context, tx pgx.Tx, org id.UUID, r *replay.Row, where *replay.Places) error {
	noted, err := replay.ReadNoted(ctx, tx, org, r.ID)
	if err != nil {
		return err
	}
	counted := replay.NotedTo(noted)
	if counted == r.Seq {
		return nil // it is there
	}
	v, err := w.versions.Get(ctx, tx, org, r)
	if err != nil {
		return err
	}
	if v.Broken != "" {
		w.Differences = append(w.Differences, fmt.Sprintf("the version of %s cannot be read: %s.", r, v.Broken))
		return nil
	}
	entries, err := journal.Read(ctx, tx, org, r.ID, 0)
	if err != nil {
		return err
	}
	if w.used[org] == nil {
		w.used[org] = replay.Tally{}
	}
	out := replay.Replay(v, replay.Facts{
		Org: org, Row: r, Entries: entries, Noted: noted, CountedTo: counted, Where: where, Now: w.now,
	}, w.used[org])
	for _, d := range out.Differences {
		w.Differences = append(w.Differences, d.Text)
	}
	if len(out.Differences) > 0 {
		return nil
	}
	return w.keep(ctx, tx, org, r, out.State.Digest())
}

// The rows as they are, whatever columns there are.
const sqlReadRows = `
	SELECT to_json(j)::text
	FROM journal j
	WHERE j.org_id = @org_id
		AND j.run_id = @run_id
	ORDER BY j.seq`

func (w *writing) keep(ctx context.Context, tx pgx.Tx, org id.UUID, r *replay.Row, digest engine.StateDigest) error {
	rows, err := tx.Query(ctx, sqlReadRows, pgx.StrictNamedArgs{"org_id": org, "run_id": r.ID})
	if err != nil {
		return fmt.Errorf("read a journal: %w", err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]byte, error) {
		var text string
		err := row.Scan(&text)
		return []byte(text), err
	})
	if err != nil {
		return fmt.Errorf("read a journal: %w", err)
	}
	w.Runs++
	w.Entries += int64(len(lines))
	w.orgs, w.runs, w.seqs = append(w.orgs, org), append(w.runs, r.ID), append(w.seqs, r.Seq)
	w.digests = append(w.digests, digest[:])
	return w.folder.add(Line{
		Org: id.Format(id.Org, org), Run: r.String(), Seq: r.Seq, Entries: int64(len(lines)),
		Digest: digest.String(), DigestVersion: engine.DigestVersion,
	}, lines)
}
