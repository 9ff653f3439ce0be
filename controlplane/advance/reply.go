package advance

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// reply is an answer in the making.
type reply struct {
	req  *request
	work *Work
	// Leases of runs that are not at hand: where they stand in work, and what
	// they are about.
	unknown []unknownLease
	// Leases whose limit is not in their plan.
	limited []limited
}

type unknownLease struct {
	index int
	key   taskKey
	plan  int32
}

// complete reports whether nothing has to be read for the answer.
func (p *reply) complete() bool {
	return len(p.unknown) == 0 && len(p.limited) == 0 && !slices.Contains(p.work.Status, 0)
}

// replyTo gathers what an agent's request is answered with.
func (b *batch) replyTo(r *request, t *taker, resend []*leaseRow) *reply {
	p := &reply{req: r, work: &Work{}}
	if t != nil {
		for _, i := range t.leases {
			g := &b.granted[i]
			l := Lease{ID: g.id, Task: g.path, Attempt: g.attempt, Asking: g.asking, GrantedAt: b.now}
			if m := g.member; m != nil {
				l.Gang = &GangMember{Rank: m.rank, Size: m.of.size, Rendezvous: m.of.rendezvous}
			}
			b.addLease(p, g.key, g.plan, l)
		}
	}
	for _, l := range resend {
		again := Lease{ID: l.id, Task: l.path, Attempt: l.attempt, Asking: l.asking, GrantedAt: l.grantedAt}
		if l.gang > 0 {
			again.Gang = &GangMember{Rank: l.rank, Size: l.gang, Rendezvous: *l.rendezvous}
		}
		b.addLease(p, taskKey{RunKey{l.org, l.run}, l.task}, l.plan, again)
	}
	return p
}

// addLease describes a lease as far as its run is at hand. A run that this batch
// has locked is; of another one in the cache only what never changes counts,
// because other replicas may have moved it on.
func (b *batch) addLease(p *reply, key taskKey, node int32, l Lease) {
	w := b.runs[key.RunKey]
	if w != nil && w.run != nil && w.failed == nil {
		d := w.version.graph.Plan.Deadline
		if d > 0 && !w.state.GenerationAt.IsZero() {
			l.Deadline = w.state.GenerationAt.Add(millis(d))
		}
		l.describe(w.run, node, w.state.Outcome)
		p.limitTo(w.run, node, len(p.work.Leases), l.Asking)
	} else if known := b.a.runs.get(key.RunKey); known != nil && known.fixed(node) {
		l.describe(known, node, engine.RunPending)
		p.limitTo(known, node, len(p.work.Leases), l.Asking)
	} else {
		p.unknown = append(p.unknown, unknownLease{len(p.work.Leases), key, node})
	}
	p.work.Leases = append(p.work.Leases, l)
}

// limitTo notes that the limit of a lease is to be looked up.
func (p *reply) limitTo(r *run, node int32, index int, asking engine.Ask) {
	if k := timeKeyOf(r, node); k != nil && asking == engine.AskNothing {
		p.limited = append(p.limited, limited{index, *k, r.version.graph.Plan.Tasks[node].Timeouts.RunAutoMilli})
	}
}

// fixed reports whether all that a lease tells of a task never changes.
func (r *run) fixed(node int32) bool {
	return r.version.graph.Plan.Deadline <= 0 && r.version.graph.Plan.Tasks[node].Exit == ""
}

// describe adds what the agent needs to know of the run.
func (l *Lease) describe(r *run, node int32, outcome engine.RunState) {
	t := &r.version.graph.Plan.Tasks[node]
	l.Run, l.Number, l.Pipeline, l.Digest = r.key.Run, r.info.number, r.version.pipeline, r.info.digest
	l.PlanTask, l.Labels, l.HasInputs = t.Name, r.info.labels, r.version.tasks[node].reads || l.Asking != engine.AskNothing
	l.Indexes, l.Fire = engine.PathIndexes(l.Task), r.info.fire
	if t.Exit != "" && outcome != engine.RunPending {
		l.RunOutcome = outcome.String()
	}
}

// complete reads what replies lack, and sends them.
func (a *Advancer) complete(ctx context.Context, replies []*reply) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	a.answerStale(ctx, replies)
	if err := a.describeUnknown(ctx, replies); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "leases could not be described", slog.Any("error", err))
	}
	if err := a.limitSteps(ctx, replies); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "steps run without their limit", slog.Any("error", err))
	}
	for _, p := range replies {
		if len(p.unknown) > 0 {
			// They are sent again when their agent does not list them.
			p.work.Leases = withoutUnknown(p)
		}
		p.req.answer(p.work, nil)
	}
}

func withoutUnknown(p *reply) []Lease {
	var out []Lease
	for i := range p.work.Leases {
		if p.work.Leases[i].PlanTask != "" {
			out = append(out, p.work.Leases[i])
		}
	}
	return out
}

const sqlDescribeRuns = `
	SELECT r.org_id, r.id, r.pipeline_id, r.digest, r.number, r.outcome, r.deadline, r.nominal, r.interval_start, l.labels
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.id, x.pipeline_id, x.digest, x.number, x.outcome, x.deadline, x.nominal, x.interval_start, x.label_set_id
		FROM run x
		WHERE x.org_id = k.org_id
			AND x.id BETWEEN k.id AND k.id
		ORDER BY x.id
	) r
	CROSS JOIN LATERAL (
		SELECT x.labels
		FROM label_set x
		WHERE x.org_id = r.org_id
			AND x.id BETWEEN r.label_set_id AND r.label_set_id
		ORDER BY x.id
	) l`

// runBrief is what a lease tells of a run, as its row says.
type runBrief struct {
	run      run
	outcome  engine.RunState
	deadline time.Time
}

// describeUnknown reads the rows of the runs that are not at hand. Their
// journals are not folded for it.
func (a *Advancer) describeUnknown(ctx context.Context, replies []*reply) error {
	var keys pairs
	for _, p := range replies {
		for _, u := range p.unknown {
			keys.add(u.key.Org, u.key.Run)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	known, err := a.briefs(ctx, keys)
	if err != nil {
		return err
	}
	for key, brief := range known {
		if brief.run.version, err = a.versions.get(ctx, key.Org, brief.run.info.pipeline, brief.run.info.digest); err != nil {
			return err
		}
	}
	for _, p := range replies {
		for _, u := range p.unknown {
			if brief := known[u.key.RunKey]; brief != nil {
				l := &p.work.Leases[u.index]
				l.Deadline = brief.deadline
				l.describe(&brief.run, u.plan, brief.outcome)
				p.limitTo(&brief.run, u.plan, u.index, l.Asking)
			}
		}
	}
	return nil
}

func (a *Advancer) briefs(ctx context.Context, keys pairs) (map[RunKey]*runBrief, error) {
	orgs, ids := keys.columns()
	rows, err := a.pool.Query(ctx, sqlDescribeRuns, pgx.StrictNamedArgs{"orgs": orgs, "ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	out := map[RunKey]*runBrief{}
	var k RunKey
	var i runInfo
	var digest []byte
	var outcome string
	var deadline, nominal, from *time.Time
	_, err = pgx.ForEachRow(rows, []any{&k.Org, &k.Run, &i.pipeline, &digest, &i.number, &outcome, &deadline, &nominal, &from, &i.labels}, func() error {
		brief := &runBrief{run: run{key: k, info: i}, outcome: engine.RunPending}
		brief.run.info.digest, brief.run.info.fire = plan.Digest(digest), fireOf(nominal, from)
		i.labels = nil
		if deadline != nil {
			brief.deadline = deadline.UTC()
		}
		out[k] = brief
		if outcome == "" {
			return nil
		}
		var err error
		brief.outcome, err = engine.ParseRunState(outcome)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return out, nil
}

// What was recorded when a session had ended, or the run was ended by force, came
// from no agent: its report was refused then, and is now. An attempt that its
// agent gave up is lost as well, but that is what it reported.
const sqlEndedLeases = `
	SELECT j.agent_id, j.lease
	FROM unnest(@orgs::uuid[], @runs::uuid[], @leases::bigint[], @agents::uuid[]) AS k (org_id, run_id, lease, agent_id)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.run_id, x.seq, x.at, x.kind, x.outcome, x.reason, x.agent_id, x.lease
		FROM journal x
		WHERE x.org_id = k.org_id
			AND x.run_id = k.run_id
			AND x.lease = k.lease
			AND x.agent_id = k.agent_id
		OFFSET 0
	) j
	WHERE j.kind IN ('attempt_ended', 'task_decided', 'member_ended')
		AND NOT (j.outcome = 'lost' AND j.reason = @taken)
		AND NOT EXISTS (
			SELECT 1
			FROM journal f
			WHERE f.org_id = j.org_id
				AND f.run_id = j.run_id
				AND f.seq < j.seq
				AND f.at = j.at
				AND f.kind = 'run_forced'
			OFFSET 0
		)`

// answerStale asks the journal about reports whose lease was not there: what
// was recorded by an earlier delivery is accepted again.
func (a *Advancer) answerStale(ctx context.Context, replies []*reply) {
	var orgs, runIDs, agents []id.UUID
	var leases []int64
	each := func(f func(c *Report, status *ReportStatus, i int)) {
		for _, p := range replies {
			if c, ok := p.req.cmd.(Report); ok {
				for i := range p.work.Status {
					if p.work.Status[i] == 0 {
						f(&c, &p.work.Status[i], i)
					}
				}
			}
		}
	}
	each(func(c *Report, _ *ReportStatus, i int) {
		orgs, runIDs, agents = append(orgs, c.Org), append(runIDs, c.Reports[i].Run), append(agents, c.Agent)
		leases = append(leases, c.Reports[i].Lease)
	})
	if len(leases) == 0 {
		return
	}
	known, err := a.endedLeases(ctx, pgx.StrictNamedArgs{
		"orgs": orgs, "runs": runIDs, "leases": leases, "agents": agents, "taken": engine.ReasonTaken,
	})
	each(func(c *Report, status *ReportStatus, i int) {
		switch {
		case err != nil:
			*status = ReportRetry
		case known[endedLease{c.Agent, c.Reports[i].Lease}]:
			*status = ReportAccepted
		default:
			*status = ReportStale
		}
	})
}

type endedLease struct {
	agent id.UUID
	lease int64
}

func (a *Advancer) endedLeases(ctx context.Context, named pgx.StrictNamedArgs) (map[endedLease]bool, error) {
	rows, err := a.pool.Query(ctx, sqlEndedLeases, named)
	if err != nil {
		return nil, fmt.Errorf("read ended leases: %w", err)
	}
	out := map[endedLease]bool{}
	var l endedLease
	_, err = pgx.ForEachRow(rows, []any{&l.agent, &l.lease}, func() error {
		out[l] = true
		return nil
	})
	return out, err
}
