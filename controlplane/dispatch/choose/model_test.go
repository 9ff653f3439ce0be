package choose_test

import (
	"cmp"
	"maps"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

// model is Choose as the rules say it: at each turn it looks at everything. It
// is slow and obviously right.
type model struct {
	choose.Scene

	served     map[int]bool
	given      map[int][]int
	free       []choose.Amount
	decisions  []int
	kept       []bool // room on a taker that is kept for somebody
	keptPools  map[id.UUID]bool
	keptLimits map[int]bool
	vtimes     map[choose.LaneKey]float64
	starts     map[choose.LaneKey]float64
	clocks     map[choose.LaneKey]float64
}

func newModel(s choose.Scene) *model {
	m := &model{
		Scene: s, served: map[int]bool{}, given: map[int][]int{}, kept: make([]bool, len(s.Takers)),
		keptPools: map[id.UUID]bool{}, keptLimits: map[int]bool{}, vtimes: map[choose.LaneKey]float64{},
		starts: map[choose.LaneKey]float64{}, clocks: map[choose.LaneKey]float64{},
	}
	m.Limits = append([]choose.Limit(nil), s.Limits...)
	m.Pools = maps.Clone(s.Pools)
	for i := range s.Takers {
		m.free, m.decisions = append(m.free, s.Takers[i].Free), append(m.decisions, s.Takers[i].Decisions)
	}
	return m
}

func laneOf(c *choose.Candidate) choose.LaneKey {
	return choose.LaneKey{Pool: c.Pool, Priority: c.Priority, Lane: c.Lane}
}

// vtime is where a lane stands now.
func (m *model) vtime(k choose.LaneKey) float64 {
	if v, known := m.vtimes[k]; known {
		return v
	}
	return max(m.Lanes[k].VTime, m.Clocks[choose.LaneKey{Pool: k.Pool, Priority: k.Priority}])
}

func elder(x, y *choose.Candidate) bool {
	return cmp.Or(x.Since.Compare(y.Since), cmp.Compare(x.Task, y.Task)) < 0
}

// turn serves the candidate whose turn it is; false when all had theirs.
func (m *model) turn() bool {
	best := -1
	for i := range m.Candidates {
		if m.served[i] {
			continue
		}
		if best < 0 || m.before(i, best) {
			best = i
		}
	}
	if best < 0 {
		return false
	}
	m.served[best] = true
	c := &m.Candidates[best]
	takers := m.serve(c)
	if len(takers) == 0 {
		return true
	}
	m.given[best] = takers
	lane, weight := laneOf(c), m.Lanes[laneOf(c)].Weight
	if weight == 0 {
		weight = 1
	}
	v := m.vtime(lane)
	if _, charged := m.starts[lane]; !charged {
		m.starts[lane] = v
	}
	m.clocks[choose.LaneKey{Pool: c.Pool, Priority: c.Priority}] = v
	m.vtimes[lane] = v + float64(c.Need.Slots)*c.Seconds/weight*float64(len(takers))
	return true
}

// before: the higher priority; of one pool the hungrier lane and then the older
// head; of two pools the older head of the lane whose turn it is there.
func (m *model) before(i, j int) bool {
	x, y := &m.Candidates[i], &m.Candidates[j]
	if x.Priority != y.Priority {
		return x.Priority > y.Priority
	}
	if x.Pool == y.Pool {
		if laneOf(x) != laneOf(y) {
			hx, hy := m.headOf(x), m.headOf(y)
			if d := cmp.Compare(m.vtime(laneOf(x)), m.vtime(laneOf(y))); d != 0 {
				return d < 0
			}
			return elder(hx, hy)
		}
		return elder(x, y)
	}
	return elder(m.bestOf(x), m.bestOf(y))
}

func (m *model) headOf(c *choose.Candidate) *choose.Candidate {
	head := c
	for i := range m.Candidates {
		if o := &m.Candidates[i]; !m.served[i] && laneOf(o) == laneOf(c) && elder(o, head) {
			head = o
		}
	}
	return head
}

// bestOf is whose turn it is in the candidate's pool and priority.
func (m *model) bestOf(c *choose.Candidate) *choose.Candidate {
	best := c
	for i := range m.Candidates {
		o := &m.Candidates[i]
		if !m.served[i] && o.Pool == c.Pool && o.Priority == c.Priority && m.before(i, int(best.Task)) {
			best = o
		}
	}
	return best
}

func (m *model) serve(c *choose.Candidate) []int {
	p, known := m.Pools[c.Pool]
	if !known || p.Paused || !m.waits(c.Pool) {
		return nil
	}
	aged := c.Possible && p.ReserveAfter > 0 && m.Now.Sub(c.Since) >= p.ReserveAfter
	size, least := int(max(1, c.Gang.Size)), int(max(1, c.Gang.Size))
	if aged && c.Gang.Min > 0 {
		least = min(least, int(c.Gang.Min))
	}
	if !m.passes(c, aged) {
		return nil
	}
	most := size
	if c.Need.Slots > 0 && m.keptPools[c.Pool] {
		return nil
	}
	if c.Need.Slots > 0 && p.Limited {
		most = min(most, int(max(0, p.SlotsLeft)/int64(c.Need.Slots)))
		if most < least {
			m.keptPools[c.Pool] = m.keptPools[c.Pool] || (aged && int64(least)*int64(c.Need.Slots) <= p.Slots)
			return nil
		}
	}
	takers := m.find(c, most)
	if len(takers) < least {
		for t := range m.Takers {
			if aged && m.could(c, t) && c.Need.Slots > 0 {
				m.kept[t] = true
			}
		}
		return nil
	}
	m.take(c, takers)
	return takers
}

// waits reports whether anybody of the pool asks at all.
func (m *model) waits(pool id.UUID) bool {
	for i := range m.Takers {
		if m.Takers[i].Pool == pool {
			return true
		}
	}
	return false
}

func (m *model) passes(c *choose.Candidate, aged bool) bool {
	for _, u := range c.Uses {
		l := m.Limits[u.Limit]
		if m.keptLimits[u.Limit] || (l.Capped && int64(u.Units) > l.Left) || (l.Rated && l.Tokens < min(float64(u.Units), l.Burst)) {
			m.keptLimits[u.Limit] = m.keptLimits[u.Limit] || (aged && (!l.Capped || int64(u.Units) <= l.Max))
			return false
		}
	}
	return true
}

// could: the taker may be given it, if it has room.
func (m *model) could(c *choose.Candidate, t int) bool {
	return m.Takers[t].Pool == c.Pool && m.Takers[t].Satisfies(c.Class) && m.Takers[t].Free.Slots > 0
}

func (m *model) fits(c *choose.Candidate, t int) bool {
	n, f := c.Need, m.free[t]
	if n.Slots > f.Slots || n.CPUMillis > f.CPUMillis || n.MemoryBytes > f.MemoryBytes || n.GPUs > f.GPUs {
		return false
	}
	if n.Slots == 0 {
		return m.Takers[t].Pool == c.Pool && m.Takers[t].Satisfies(c.Class) && m.decisions[t] > 0
	}
	return m.could(c, t) && !m.kept[t]
}

// find names the takers of a candidate: the preferred agent (not for gangs),
// then all others in their order, then the avoided one, if it may.
func (m *model) find(c *choose.Candidate, most int) []int {
	var out []int
	used := map[id.UUID]bool{}
	before := append([]choose.Amount(nil), m.free...)
	try := func(t int) {
		for len(out) < most && m.fits(c, t) && (!c.Gang.Apart || !used[m.Takers[t].Agent]) {
			used[m.Takers[t].Agent] = true
			out = append(out, t)
			m.free[t] = minus(m.free[t], c.Need)
		}
	}
	each := func(ok func(agent id.UUID) bool) {
		for t := range m.Takers {
			if ok(m.Takers[t].Agent) {
				try(t)
			}
		}
	}
	if c.Gang.Size <= 1 {
		each(func(a id.UUID) bool { return a == c.Prefer && a != c.Avoid })
	}
	each(func(a id.UUID) bool { return a != c.Avoid })
	if !m.Now.Before(c.AvoidUntil) {
		each(func(a id.UUID) bool { return a == c.Avoid })
	}
	m.free = before
	return out
}

func (m *model) take(c *choose.Candidate, takers []int) {
	p := m.Pools[c.Pool]
	for _, t := range takers {
		m.free[t] = minus(m.free[t], c.Need)
		p.SlotsLeft -= int64(c.Need.Slots)
		if c.Need.Slots == 0 {
			m.decisions[t]--
		}
	}
	m.Pools[c.Pool] = p
	for _, u := range c.Uses {
		m.Limits[u.Limit].Left -= int64(u.Units)
		m.Limits[u.Limit].Tokens -= float64(u.Units)
	}
}

func minus(a, b choose.Amount) choose.Amount {
	return choose.Amount{
		Slots: a.Slots - b.Slots, CPUMillis: a.CPUMillis - b.CPUMillis,
		MemoryBytes: a.MemoryBytes - b.MemoryBytes, GPUs: a.GPUs - b.GPUs,
	}
}

// age is how long a candidate has waited.
func age(d time.Duration) time.Time { return now.Add(-d) }
