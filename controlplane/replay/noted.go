package replay

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Noted is a digest of a run's state that was noted when it was archived.
type Noted struct {
	Seq int64
	// Version is the digest's: one of another version cannot be compared.
	Version int32
	Digest  engine.StateDigest
	// Dropped says that the entries up to there are in the archive alone, or came
	// back from it: what they used is kept apart.
	Dropped bool
	// Folded is the digest of today's fold; zero before the replay.
	Folded engine.StateDigest
}

const sqlReadNoted = `
	SELECT a.seq, a.digest_version, a.digest, a.dropped_at IS NOT NULL
	FROM archived_run a
	WHERE a.org_id = @org_id
		AND a.run_id = @run_id
	ORDER BY a.seq`

// ReadNoted returns what was noted of a run.
func ReadNoted(ctx context.Context, q journal.Querier, org, run id.UUID) ([]Noted, error) {
	rows, err := q.Query(ctx, sqlReadNoted, pgx.StrictNamedArgs{"org_id": org, "run_id": run})
	if err != nil {
		return nil, fmt.Errorf("read noted digests: %w", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n Noted, err error) {
		var digest []byte
		err = row.Scan(&n.Seq, &n.Version, &digest, &n.Dropped)
		copy(n.Digest[:], digest)
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("read noted digests: %w", err)
	}
	return out, nil
}

// noted compares the state with what was noted at its seq.
func (r *Run) noted(row *Row, s *engine.State, noted []Noted) {
	for i := range noted {
		n := &noted[i]
		if n.Seq != s.Seq || n.Version != engine.DigestVersion {
			continue
		}
		if n.Folded = s.Digest(); n.Folded != n.Digest {
			r.add(KindDigest, "after entry %d %s has the state %s, but was archived with %s.", n.Seq, row, n.Folded, n.Digest)
		}
	}
}

// DroppedTo is the entry up to which a journal was dropped, whether or not it came
// back; 0 for none.
func DroppedTo(noted []Noted) int64 {
	var seq int64
	for _, n := range noted {
		if n.Dropped {
			seq = max(seq, n.Seq)
		}
	}
	return seq
}

// NotedTo is the entry up to which a journal was archived; 0 for none.
func NotedTo(noted []Noted) int64 {
	var seq int64
	for _, n := range noted {
		seq = max(seq, n.Seq)
	}
	return seq
}

// archived reports whether a journal of that length was dropped.
func archived(noted []Noted, seq int64) bool {
	return slices.ContainsFunc(noted, func(n Noted) bool { return n.Dropped && n.Seq == seq })
}
