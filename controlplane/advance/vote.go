package advance

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// Vote is what somebody says to an approval; see engine.Vote. That the voter is
// one of those who may was found out before.
type Vote struct {
	RunKey

	Task       string // its path
	Actor      string
	Reject     bool
	Comment    string
	Generation int32
	// Event is its entry in the audit log but for the time, written in the
	// vote's own transaction.
	Event audit.Event
}

// Vote casts a vote. Errors: NotFound (run or task), NOT_AN_APPROVAL,
// APPROVAL_NOT_OPEN, APPROVAL_CLOSED, FOUR_EYES.
func (a *Advancer) Vote(ctx context.Context, c Vote) error { return a.act(ctx, c.RunKey, c) }

func (b *batch) applyVote(w *runWork, c Vote) error {
	task, found := w.version.graph.Find(w.state, c.Task)
	if !found {
		return fault.NotFound("task", c.Task)
	}
	before := len(w.entries)
	err := b.decideAs(w, engine.Vote{
		Now: b.now, Task: task, Actor: clean(c.Actor), Reject: c.Reject, Comment: clean(c.Comment),
		Requester: w.info.actor, Generation: c.Generation, Live: b.liveIfStops(w),
	}, nil)
	if err == nil && len(w.entries) > before {
		event := c.Event
		event.At = b.now
		w.audits = append(w.audits, event)
	}
	return err
}

// queueAudit locks the ends of the audit logs that this batch writes to: the
// last lock of all.
func (b *batch) queueAudit(q *pgx.Batch) {
	orgs := map[id.UUID]bool{}
	for _, o := range b.ops {
		if _, ok := o.req.cmd.(Vote); ok {
			orgs[o.key.Org] = true
		}
	}
	tenancydb.QueueAuditHeads(q, orgs, func(org id.UUID, head audit.Head) { b.chains[org] = head })
}

// writeAudit appends what people decided to the audit logs.
func (b *batch) writeAudit(q *writer, works []*runWork) {
	for _, w := range works {
		for _, event := range w.audits {
			salt := make([]byte, audit.SaltLength)
			_, _ = rand.Read(salt) // it never fails
			e := audit.Append(b.chains[event.OrgID], event, salt)
			b.chains[event.OrgID] = e.Head()
			tenancydb.QueueAudit(&q.q, e)
		}
	}
}

// approvalRows are the approvals that this batch opened, counted or closed.
type approvalRows struct {
	orgs, runs, workspaces []id.UUID
	tasks                  []int32
	paths                  []string
	sinces                 []time.Time
	untils                 []*time.Time
	requireds, approveds   []int32
	voters                 []string // JSON: arrays of arrays must have one length
	notRequesters          []bool
	retriers               []string
}

// A row is written anew at each vote: there are few.
const sqlPutApprovals = `
	INSERT INTO approval (org_id, run_id, task, workspace_id, path, since, until, required, approved, voters, not_requester, retried_by)
	SELECT org_id, run_id, task, workspace_id, path, since, until, required, approved,
		ARRAY(SELECT v.who FROM jsonb_array_elements_text(voters::jsonb) WITH ORDINALITY AS v (who, n) ORDER BY v.n), not_requester, retried_by
	FROM unnest(@orgs::uuid[], @runs::uuid[], @tasks::int[], @workspaces::uuid[], @paths::text[], @sinces::timestamptz[],
		@untils::timestamptz[], @requireds::int[], @approveds::int[], @voters::text[], @not_requesters::boolean[], @retriers::text[])
		AS u (org_id, run_id, task, workspace_id, path, since, until, required, approved, voters, not_requester, retried_by)
	ON CONFLICT (org_id, run_id, task) DO UPDATE
	SET since = EXCLUDED.since, until = EXCLUDED.until, required = EXCLUDED.required, approved = EXCLUDED.approved,
		retried_by = EXCLUDED.retried_by`

const sqlDeleteApprovals = `
	DELETE FROM approval a
	USING unnest(@orgs::uuid[], @runs::uuid[], @tasks::int[]) AS k (org_id, run_id, task)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM approval x
		WHERE x.org_id = k.org_id
			AND x.run_id = k.run_id
			AND x.task BETWEEN k.task AND k.task
		ORDER BY x.task
	) x
	WHERE a.ctid = x.at`

// writeApprovals keeps the list of open approvals.
func (b *batch) writeApprovals(q *writer, works []*runWork) {
	var open approvalRows
	var orgs, runs []id.UUID
	var tasks []int32
	for _, w := range works {
		for _, task := range sortedKeys(w.approvals) {
			if h, held := w.state.Holds[task]; held {
				open.add(w, task, h)
			} else {
				orgs, runs, tasks = append(orgs, w.key.Org), append(runs, w.key.Run), append(tasks, task)
			}
		}
	}
	if len(tasks) > 0 {
		q.exec(sqlDeleteApprovals, args{"orgs": orgs, "runs": runs, "tasks": tasks})
	}
	if len(open.tasks) > 0 {
		q.exec(sqlPutApprovals, args{
			"orgs": open.orgs, "runs": open.runs, "tasks": open.tasks, "workspaces": open.workspaces, "paths": open.paths,
			"sinces": open.sinces, "untils": open.untils, "requireds": open.requireds, "approveds": open.approveds,
			"voters": open.voters, "not_requesters": open.notRequesters, "retriers": open.retriers,
		})
	}
}

func (r *approvalRows) add(w *runWork, task int32, h engine.Hold) {
	approved := int32(0)
	for _, v := range w.state.Votes[task] {
		if !v.Reject {
			approved++
		}
	}
	g := w.version.graph
	r.orgs, r.runs, r.workspaces = append(r.orgs, w.key.Org), append(r.runs, w.key.Run), append(r.workspaces, w.info.workspace)
	r.tasks, r.paths = append(r.tasks, task), append(r.paths, g.Path(w.state, task))
	r.sinces, r.untils = append(r.sinces, h.Since.Time()), append(r.untils, nullTime(h.Until.Time()))
	p := g.Task(w.state, task).Approve
	voters, _ := json.Marshal(nonNilTexts(p.By)) // texts only
	r.requireds, r.approveds = append(r.requireds, int32(max(p.Required, 1))), append(r.approveds, approved)
	r.voters, r.notRequesters, r.retriers = append(r.voters, string(voters)), append(r.notRequesters, p.NotRequester), append(r.retriers, w.state.RetriedBy)
}

func nonNilTexts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// noteApprovals marks the approvals that a decision was about.
func (w *runWork) noteApprovals(d *engine.Decision) {
	note := func(task int32) {
		if task < 0 || w.version.graph.Task(w.state, task).Approve == nil {
			return
		}
		if w.approvals == nil {
			w.approvals = map[int32]bool{}
		}
		w.approvals[task] = true
	}
	for i := range d.Entries {
		note(d.Entries[i].Task)
	}
	for _, task := range d.Held {
		note(task)
	}
}

func sortedKeys(m map[int32]bool) []int32 {
	out := make([]int32, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
