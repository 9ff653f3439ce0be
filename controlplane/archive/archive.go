// Package archive lets go of old journals without losing them: it writes the
// journals of a partition to a folder of the operator's, drops the partition
// when all of it is there and old enough, and brings single journals back.
//
// A journal is only written after it was replayed without a difference, and its
// state's digest is noted; one that comes back must fold to the same digest. The
// package decides nothing about runs, and changes none: only where the entries
// of those lie that ended long ago.
//
// # The folder
//
// One folder for each time that a partition was archived, `journal_202501.1`:
//
//	manifest.json   what it holds: counts, and the sha256 of the two others
//	index.jsonl     one line a run: whose, how long, where in the data, sha256
//	data.jsonl.gz   for each run one gzip member: each line an entry's row
//
// `zcat data.jsonl.gz` reads all of it. The folder gets its name when all of it
// is written and synced, so one with a name is whole.
package archive

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Archive is the archive of a database. It works as the engine's role.
type Archive struct {
	db  *pg.DB
	log *slog.Logger
}

// New makes an Archive.
func New(db *pg.DB, log *slog.Logger) *Archive {
	return &Archive{db: db, log: log.With(slog.String("component", "archive"))}
}

// Partition is a month of runs: those whose ids lie in [Low, High).
type Partition struct {
	Name      string
	Low, High id.UUID
	// Until is when the next one begins.
	Until time.Time
}

var partitionName = regexp.MustCompile(`^journal_(\d{6})$`)

// partition is the one of that name.
func partition(name string) (Partition, bool) {
	m := partitionName.FindStringSubmatch(name)
	if m == nil {
		return Partition{}, false
	}
	first, err := time.Parse("200601", m[1])
	if err != nil {
		return Partition{}, false
	}
	next := first.AddDate(0, 1, 0)
	return Partition{Name: name, Low: lowest(first), High: lowest(next), Until: next}, true
}

// lowest is the least id of a moment: a UUIDv7 begins with its milliseconds.
func lowest(t time.Time) id.UUID {
	ms := uint64(t.UnixMilli())
	var u id.UUID
	for i := range 6 {
		u[i] = byte(ms >> (8 * (5 - i)))
	}
	return u
}

const sqlPartitions = `
	SELECT c.relname
	FROM pg_inherits i
	JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'sb.journal'::regclass
	ORDER BY c.relname`

// Cutoff is the moment before which runs must have ended for their journals to
// go: so many months ago.
func Cutoff(now time.Time, months int) time.Time { return now.UTC().AddDate(0, -months, 0) }

// Due lists the partitions of which every run ended before the cutoff, oldest
// first.
func (a *Archive) Due(ctx context.Context, cutoff time.Time) ([]Partition, error) {
	var due []Partition
	err := pg.InSystem(ctx, a.db.Engine, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sqlPartitions)
		if err != nil {
			return fmt.Errorf("list partitions: %w", err)
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("list partitions: %w", err)
		}
		for _, name := range names {
			p, ok := partition(name)
			if !ok || p.Until.After(cutoff) {
				continue
			}
			s, err := readStanding(ctx, tx, p, cutoff)
			if err != nil {
				return err
			}
			if s.young == 0 {
				due = append(due, p)
			}
		}
		return nil
	})
	return due, err
}

// standing is how the runs of a partition stand.
type standing struct {
	runs     int64
	young    int64 // not ended before the cutoff
	missing  int64 // their journal as it is now is in no archive
	restored int64 // came back less than RestoredFor ago
}

// RestoredFor is how long a journal that came back stays at least.
const RestoredFor = 30 * 24 * time.Hour

// One organization after the other by its key: a partition's runs are few among
// those of all the years.
const sqlReadStanding = `
	SELECT count(*), count(*) FILTER (WHERE s.young), count(*) FILTER (WHERE s.missing), count(*) FILTER (WHERE s.restored)
	FROM organization o
	CROSS JOIN LATERAL (
		SELECT r.finished_at IS NULL OR r.finished_at >= @cutoff AS young,
			NOT EXISTS (
				SELECT
				FROM archived_run a
				WHERE a.org_id = r.org_id
					AND a.run_id = r.id
					AND a.seq = r.seq) AS missing,
			EXISTS (
				SELECT
				FROM archived_run a
				WHERE a.org_id = r.org_id
					AND a.run_id = r.id
					AND a.restored_at > now() - make_interval(secs => @restored_for)) AS restored
		FROM run r
		WHERE r.org_id = o.org_id
			AND r.id >= @low
			AND r.id < @high
	) s`

func readStanding(ctx context.Context, tx pgx.Tx, p Partition, cutoff time.Time) (standing, error) {
	var s standing
	err := tx.QueryRow(ctx, sqlReadStanding, pgx.StrictNamedArgs{
		"low": p.Low, "high": p.High, "cutoff": cutoff, "restored_for": RestoredFor.Seconds(),
	}).Scan(&s.runs, &s.young, &s.missing, &s.restored)
	if err != nil {
		return s, fmt.Errorf("read how the runs of %s stand: %w", p.Name, err)
	}
	return s, nil
}
