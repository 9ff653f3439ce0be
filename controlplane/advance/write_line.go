package advance

import (
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// writeLines writes who came to, left and moved up in the lines, and who waits
// for a pipeline. Places are given up before they are taken.
func (b *batch) writeLines(q *writer) {
	var orgs, pipelines, goneOrgs, gone []id.UUID
	var keys []string
	var nexts []int64
	var helds, waitings []int32
	var spots spotColumns
	for k, l := range b.lines {
		if len(l.Touched)+len(l.Gone) == 0 {
			continue
		}
		orgs, pipelines, keys = append(orgs, k.org), append(pipelines, k.pipeline), append(keys, k.key)
		nexts = append(nexts, l.Next)
		helds, waitings = append(helds, int32(len(l.Held))), append(waitings, int32(l.Length()))
		for _, run := range l.Gone {
			goneOrgs, gone = append(goneOrgs, k.org), append(gone, run)
		}
		spots.add(k, l.Touched)
	}
	if len(keys) > 0 {
		q.exactly(len(keys), "update lines", sqlUpdateLines, args{
			"orgs": orgs, "pipelines": pipelines, "keys": keys, "nexts": nexts, "helds": helds, "waitings": waitings,
		})
	}
	if len(gone) > 0 { // some came and left in this batch
		q.exec(sqlDeleteAdmissions, args{"orgs": goneOrgs, "runs": gone})
	}
	if len(spots.runs) > 0 {
		q.exec(sqlWriteAdmissions, spots.args())
	}
	b.writePaused(q)
}

func (b *batch) writePaused(q *writer) {
	var on, pipelines, onOrgs, off, offOrgs []id.UUID
	for _, w := range b.paused {
		if w.failed != nil || w.state.Run != engine.RunPending {
			continue // it was canceled in this very batch, and waits for nothing
		}
		onOrgs, on, pipelines = append(onOrgs, w.key.Org), append(on, w.key.Run), append(pipelines, w.info.pipeline)
	}
	for _, k := range b.unpaused {
		offOrgs, off = append(offOrgs, k.Org), append(off, k.Run)
	}
	if len(off) > 0 {
		q.exec(sqlForgetAdmissions, args{"orgs": offOrgs, "runs": off})
		q.exec(sqlResumeAdmissions, args{"orgs": offOrgs, "runs": off})
	}
	if len(on) > 0 {
		q.exec(sqlPauseAdmissions, args{"orgs": onOrgs, "runs": on, "pipelines": pipelines})
	}
}

// spotColumns gathers where runs stand for one statement.
type spotColumns struct {
	orgs, runs, pipelines  []id.UUID
	keys                   []string
	tickets                []int64
	slots                  []*int32
	limits                 []int32
	blockings, supersededs []bool
}

func (c *spotColumns) add(k lineKey, spots map[id.UUID]engine.Spot) {
	for run, s := range spots {
		c.orgs, c.runs, c.pipelines, c.keys = append(c.orgs, k.org), append(c.runs, run), append(c.pipelines, k.pipeline), append(c.keys, k.key)
		var slot *int32
		if s.Slot > 0 {
			slot = &s.Slot
		}
		c.tickets, c.slots, c.limits = append(c.tickets, s.Ticket), append(c.slots, slot), append(c.limits, s.Slots)
		c.blockings, c.supersededs = append(c.blockings, s.Blocking), append(c.supersededs, s.Superseded)
	}
}

func (c *spotColumns) args() args {
	return args{
		"orgs": c.orgs, "runs": c.runs, "pipelines": c.pipelines, "keys": c.keys, "tickets": c.tickets, "slots": c.slots,
		"limits": c.limits, "blockings": c.blockings, "supersededs": c.supersededs,
	}
}

// bidFarewell tells those that wait for the runs that end in this batch.
func (b *batch) bidFarewell(works []*runWork) {
	for _, w := range works {
		if w.finished && len(w.entries) > 0 {
			b.leave(w)
		}
	}
}
