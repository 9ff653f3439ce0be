package doctor

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

const runsPerPage = 100

// runs examines the runs of an organization by age, and adds what they used to
// derived.
func (c *checker) runs(ctx context.Context, tx pgx.Tx, org id.UUID, derived replay.Tally) error {
	after := id.Nil
	for {
		page, err := replay.ReadRows(ctx, tx, org, after, runsPerPage)
		if err != nil || len(page) == 0 {
			return err
		}
		places, err := replay.ReadPlaces(ctx, tx, org, page)
		if err != nil {
			return err
		}
		for i := range page {
			if err := c.run(ctx, tx, org, &page[i], places[page[i].ID], derived); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

// kinds are those of a replay's differences.
var kinds = map[replay.Kind]Kind{
	replay.KindJournal: KindJournal, replay.KindRun: KindRun, replay.KindDispatch: KindDispatch,
	replay.KindDigest: KindDigest,
}

// run replays one journal and notes all that differs.
func (c *checker) run(ctx context.Context, tx pgx.Tx, org id.UUID, r *replay.Row, where *replay.Places, derived replay.Tally) error {
	v, err := c.versions.Get(ctx, tx, org, r)
	if err != nil {
		return err
	}
	if v.Broken != "" {
		c.add(KindOrphan, org, "%s is of version %s, which cannot be read: %s.", r, plan.Digest(r.Digest), v.Broken)
		return nil
	}
	noted, err := replay.ReadNoted(ctx, tx, org, r.ID)
	if err != nil {
		return err
	}
	entries, err := journal.Read(ctx, tx, org, r.ID, 0)
	if err != nil {
		return err
	}
	facts := replay.Facts{Org: org, Row: r, Entries: entries, Noted: noted, CountedTo: replay.DroppedTo(noted), Where: where, Now: c.now}
	misplaced := false
	told := replay.Replay(v, facts, derived)
	for _, d := range told.Differences {
		c.add(kinds[d.Kind], org, "%s", d.Text)
		misplaced = misplaced || d.Kind == replay.KindDispatch
	}
	if misplaced {
		c.misplaced = append(c.misplaced, Run{org, r.ID})
	}
	return c.children(ctx, tx, org, v.Graph, told.State, r)
}
