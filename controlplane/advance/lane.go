package advance

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Lanes cost nothing where there is one, which is the rule. Where a pool has
// more, their rows are read without locks and written once per batch and lane,
// last of all locks and sorted. What is written is a difference: so two replicas
// that serve a pool at once each overlook at most what the other gave in the
// batch under way, and nothing of it adds up.

// laneState is what a batch knows and changes of a lane.
type laneState struct {
	org    id.UUID
	key    string
	start  float64 // where it stood at its first lease
	charge float64
}

const sqlReadLanes = `
	SELECT l.pool_id, l.priority, l.lane, l.vtime
	FROM unnest(@orgs::uuid[], @pools::uuid[], @priorities::int[], @lanes::uuid[]) AS k (org_id, pool_id, priority, lane)
	CROSS JOIN LATERAL (
		SELECT x.pool_id, x.priority, x.lane, x.vtime
		FROM lane x
		WHERE x.org_id = k.org_id
			AND x.pool_id = k.pool_id
			AND x.priority = k.priority
			AND x.lane BETWEEN k.lane AND k.lane
		ORDER BY x.lane
	) l`

// queueLanes reads the lanes of the queues that are read, of what the batch may
// make ready, and their clocks.
func (b *batch) queueLanes(q *pgx.Batch) {
	keys := map[choose.LaneKey]id.UUID{}
	add := func(org, pool id.UUID, priority int32, lane id.UUID) {
		keys[choose.LaneKey{Pool: pool, Priority: priority, Lane: lane}] = org
		keys[choose.LaneKey{Pool: pool, Priority: priority}] = org
	}
	for pool, h := range b.heads {
		if s := b.a.settings.of(pool); s != nil && s.laned {
			for _, r := range h.reads {
				add(s.org, pool, r.priority, r.lane)
			}
		}
	}
	for key, w := range b.runs {
		info, v := b.infoOf(w)
		if v == nil {
			continue
		}
		for pool, wide := range v.widths {
			s := b.a.settings.of(pool)
			if s == nil || !s.laned || b.heads[pool] == nil {
				continue
			}
			lane, _ := s.laneOf(info)
			for _, p := range wide.priorities {
				add(key.Org, pool, info.priority+p, lane)
			}
		}
	}
	if len(keys) == 0 {
		return
	}
	var orgs, pools, lanes []id.UUID
	var priorities []int32
	for k, org := range keys {
		orgs, pools, lanes, priorities = append(orgs, org), append(pools, k.Pool), append(lanes, k.Lane), append(priorities, k.Priority)
	}
	named := args{"orgs": orgs, "pools": pools, "priorities": priorities, "lanes": lanes}
	q.Queue(sqlReadLanes, named).Query(func(rows pgx.Rows) error {
		var k choose.LaneKey
		var vtime float64
		_, err := pgx.ForEachRow(rows, []any{&k.Pool, &k.Priority, &k.Lane, &vtime}, func() error {
			if k.Lane == id.Nil {
				b.clocks[k] = vtime
				return nil
			}
			b.lanes[k] = choose.Lane{VTime: vtime, Weight: b.a.settings.of(k.Pool).weight(k.Lane)}
			return nil
		})
		return err
	})
}

// infoOf is what a run of this batch was, or will be, started with.
func (b *batch) infoOf(w *runWork) (*runInfo, *version) {
	if w.run != nil {
		return &w.info, w.version
	}
	for _, o := range b.ops {
		if c, ok := o.req.cmd.(StartRun); ok && b.runs[o.key] == w {
			return &runInfo{workspace: c.Workspace, labels: c.Labels, priority: c.Priority}, o.req.version
		}
	}
	for _, r := range b.reqs {
		if _, ok := r.cmd.(Wake); ok && r.start != nil && b.runs[RunKey{r.start.Org, r.run}] == w {
			return &runInfo{workspace: r.start.Workspace, labels: r.start.Labels, priority: r.start.Priority}, r.version
		}
	}
	return nil, nil
}

// weigh gives the lane of a candidate its weight, if its row has not, and the
// name by which people know it.
func (b *batch) weigh(k choose.LaneKey, s *setting, name string) {
	if s == nil || !s.laned {
		return
	}
	if b.lanes[k].Weight == 0 {
		b.lanes[k] = choose.Lane{Weight: s.weight(k.Lane)}
	}
	if name != "" {
		b.named[k] = name
	}
}

// chargeLanes notes what the lanes of laned pools were charged.
func (b *batch) chargeLanes(r choose.Result) {
	for k, start := range r.Lanes {
		if s := b.a.settings.of(k.Pool); s != nil && s.laned {
			b.laneOf(s.org, k).start = start
		}
	}
	for k, v := range r.Clocks {
		if s := b.a.settings.of(k.Pool); s != nil && s.laned {
			b.laneOf(s.org, k).start = v
		}
	}
}

func (b *batch) laneOf(org id.UUID, k choose.LaneKey) *laneState {
	if b.charged[k] == nil {
		b.charged[k] = &laneState{org: org, key: b.named[k]}
	}
	return b.charged[k]
}

// settleLanes puts right what lanes were charged for attempts that have ended:
// the time they took for the time they were expected to take.
func (b *batch) settleLanes(works []*runWork) {
	for _, w := range works {
		for lease := range w.gone {
			l := b.leases[lease]
			if l == nil || l.lane == nil {
				continue
			}
			took := b.now.Sub(l.grantedAt).Seconds()
			b.a.estimates.learn(l.class, l.path, took)
			k := choose.LaneKey{Pool: l.pool, Priority: l.priority, Lane: *l.lane}
			owed := l.rate*took - l.charge
			b.laneOf(l.org, k).charge += owed
			if stands, read := b.lanes[k]; read {
				stands.VTime += owed
				b.lanes[k] = stands
			}
		}
	}
}

// What a lane is worth is what it was given; the two last columns tell the
// statement the difference.
const sqlChargeLanes = `
	INSERT INTO lane AS l (org_id, pool_id, priority, lane, key, vtime, charged)
	SELECT org_id, pool_id, priority, lane, key, start + charge, charge
	FROM unnest(@orgs::uuid[], @pools::uuid[], @priorities::int[], @lanes::uuid[], @keys::text[], @starts::float8[], @charges::float8[])
		AS u (org_id, pool_id, priority, lane, key, start, charge)
	ORDER BY org_id, pool_id, priority, lane
	ON CONFLICT (org_id, pool_id, priority, lane) DO UPDATE
	SET vtime = greatest(l.vtime, EXCLUDED.vtime - EXCLUDED.charged) + EXCLUDED.charged,
		charged = l.charged + EXCLUDED.charged,
		key = CASE WHEN l.key = '' THEN EXCLUDED.key ELSE l.key END`

func (b *batch) writeLanes(q *writer) {
	if len(b.charged) == 0 {
		return
	}
	keys := make([]choose.LaneKey, 0, len(b.charged))
	for k := range b.charged {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y choose.LaneKey) int {
		return cmp.Or(bytes.Compare(x.Pool[:], y.Pool[:]), cmp.Compare(x.Priority, y.Priority), bytes.Compare(x.Lane[:], y.Lane[:]))
	})
	var orgs, pools, lanes []id.UUID
	var priorities []int32
	var names []string
	var starts, charges []float64
	for _, k := range keys {
		s := b.charged[k]
		orgs, pools, lanes, priorities = append(orgs, s.org), append(pools, k.Pool), append(lanes, k.Lane), append(priorities, k.Priority)
		names, starts, charges = append(names, s.key), append(starts, s.start), append(charges, s.charge)
	}
	q.exec(sqlChargeLanes, args{
		"orgs": orgs, "pools": pools, "priorities": priorities, "lanes": lanes, "keys": names, "starts": starts, "charges": charges,
	})
}

// estimates are how long attempts of one name and class take: a running mean of
// this replica. Only lanes that share a pool need it.
type estimates map[estimateKey]float64

type estimateKey struct {
	class int64
	name  string // of the task, without the indices of its instances
}

const (
	unknownSeconds = 1
	leastSeconds   = 0.001
	newestCounts   = 0.25
	maxEstimates   = 100_000
)

func (e estimates) seconds(class int64, path string) float64 {
	if s, known := e[estimateKey{class, withoutIndices(path)}]; known {
		return max(s, leastSeconds)
	}
	return unknownSeconds
}

func (e estimates) learn(class int64, path string, took float64) {
	k := estimateKey{class, withoutIndices(path)}
	mean, known := e[k]
	if !known {
		evict(e, maxEstimates)
		mean = took
	}
	e[k] = mean + newestCounts*(took-mean)
}

// withoutIndices makes `fold[3]/train` `fold[]/train`.
func withoutIndices(path string) string {
	if !strings.Contains(path, "[") {
		return path
	}
	var out strings.Builder
	inside := false
	for _, r := range path {
		if r == ']' {
			inside = false
		}
		if !inside {
			out.WriteRune(r)
		}
		inside = inside || r == '['
	}
	return out.String()
}
