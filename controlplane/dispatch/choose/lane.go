package choose

import "container/heap"

// A lane's virtual time is what it was given, in slot-seconds divided by its
// weight. The lane that was given least goes first, and is charged at once; one
// that slept, or that nobody here could serve, does not bring its hunger along:
// it starts at the clock, where the last lease of its pool and priority began.
// So two lanes that both have work all the time are never further apart than
// what one lease of each costs.

// lane is a lane that has candidates at the level under way.
type lane struct {
	key    LaneKey
	vtime  float64
	weight float64
	queue  []int // candidates, oldest first; those before next were served
	next   int
}

// lanes is a heap of one pool's lanes: the hungriest first.
type lanes struct {
	x    *chooser
	list []*lane
}

func (h *lanes) Len() int { return len(h.list) }

// Less is part of heap.Interface.
func (h *lanes) Less(i, j int) bool {
	a, b := h.list[i], h.list[j]
	if a.vtime != b.vtime {
		return a.vtime < b.vtime
	}
	return older(h.x.head(a), h.x.head(b)) < 0
}

// Swap is part of heap.Interface.
func (h *lanes) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }

// Push is part of heap.Interface.
func (h *lanes) Push(v any) { h.list = append(h.list, v.(*lane)) }

// Pop is part of heap.Interface.
func (h *lanes) Pop() any {
	last := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return last
}

// queues is a heap of the pools at a level: virtual times of two pools do not
// compare, so that between pools the older task goes first. Only limits ever
// make them meet.
type queues struct {
	x    *chooser
	list []*lanes
}

func (h *queues) Len() int { return len(h.list) }

// Less is part of heap.Interface.
func (h *queues) Less(i, j int) bool {
	return older(h.x.head(h.list[i].list[0]), h.x.head(h.list[j].list[0])) < 0
}

// Swap is part of heap.Interface.
func (h *queues) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }

// Push is part of heap.Interface.
func (h *queues) Push(v any) { h.list = append(h.list, v.(*lanes)) }

// Pop is part of heap.Interface.
func (h *queues) Pop() any {
	last := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return last
}

func (x *chooser) head(l *lane) *Candidate { return &x.Candidates[l.queue[l.next]] }

// level serves the candidates of one priority.
func (x *chooser) level(order []int) {
	all := &queues{x: x, list: x.sortOut(order)}
	for _, q := range all.list {
		heap.Init(q)
	}
	heap.Init(all)
	for len(all.list) > 0 {
		q := all.list[0]
		l := q.list[0]
		i := l.queue[l.next]
		if got := x.serve(i); got > 0 {
			x.charge(l, i, got)
		}
		if l.next++; l.next < len(l.queue) {
			heap.Fix(q, 0)
		} else {
			heap.Pop(q)
		}
		if len(q.list) > 0 {
			heap.Fix(all, 0)
		} else {
			heap.Pop(all)
		}
	}
}

// sortOut puts the candidates of a level into their lanes.
func (x *chooser) sortOut(order []int) []*lanes {
	var out []*lanes
	pools := map[LaneKey]*lanes{}
	known := map[LaneKey]*lane{}
	var last *lane // most often the next one is of the same lane
	for _, i := range order {
		c := &x.Candidates[i]
		key := LaneKey{Pool: c.Pool, Priority: c.Priority, Lane: c.Lane}
		if last == nil || last.key != key {
			last = known[key]
		}
		if last == nil {
			last = x.open(key)
			known[key] = last
			pool := LaneKey{Pool: c.Pool}
			if pools[pool] == nil {
				pools[pool] = &lanes{x: x}
				out = append(out, pools[pool])
			}
			pools[pool].list = append(pools[pool].list, last)
		}
		last.queue = append(last.queue, i)
	}
	return out
}

func (x *chooser) open(key LaneKey) *lane {
	given, known := x.Lanes[key]
	l := &lane{key: key, vtime: x.Clocks[LaneKey{Pool: key.Pool, Priority: key.Priority}], weight: given.Weight}
	if known {
		l.vtime = max(l.vtime, given.VTime)
	}
	if l.weight <= 0 {
		l.weight = 1
	}
	return l
}

// charge makes a lane pay for the leases that it was just given.
func (x *chooser) charge(l *lane, i, leases int) {
	c := &x.Candidates[i]
	if _, charged := x.out.Lanes[l.key]; !charged {
		x.out.Lanes[l.key] = l.vtime
	}
	x.out.Clocks[LaneKey{Pool: l.key.Pool, Priority: l.key.Priority}] = l.vtime
	each := float64(c.Need.Slots) * c.Seconds / l.weight
	l.vtime += each * float64(leases)
	for n := range leases {
		x.out.Assignments[len(x.out.Assignments)-1-n].Charge = each
	}
}
