package advance

import (
	"maps"
	"slices"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// demand is how many waiters of a pool a batch could use.
type demand struct {
	n       int
	classes map[int64]Requirement // it asks for one of these; nil: for anything
}

func addDemand(all map[id.UUID]*demand, pool id.UUID, n int, classes map[int64]Requirement) {
	d := all[pool]
	if d == nil {
		all[pool] = &demand{n: n, classes: classes}
		return
	}
	d.n += n
	d.classes = union(d.classes, classes)
}

// most is how many waiters are borrowed at once: no fewer than a gang needs.
func (d *demand) most() int {
	most := maxBorrowed
	for _, req := range d.classes {
		most = max(most, int(req.size()))
	}
	return most
}

// union is the classes of both; nil stands for all. It changes neither.
func union(x, y map[int64]Requirement) map[int64]Requirement {
	if x == nil || y == nil {
		return nil
	}
	for class := range y {
		if _, known := x[class]; !known {
			both := maps.Clone(x)
			maps.Copy(both, y)
			return both
		}
	}
	return x
}

// width is how many tasks of a version may become ready at once in a pool.
type width struct {
	classes map[int64]Requirement
	first   int // when it starts
	next    int // when an attempt ends, at most
	all     int
	// The priorities of its tasks, each once.
	priorities []int32
}

// opens says how much a command may make ready.
type opens uint8

const (
	opensFirst opens = iota
	opensNext
	opensAll
)

// demand adds what a command about a run of this version may need.
func (v *version) demand(all map[id.UUID]*demand, much opens) {
	for pool, w := range v.widths {
		n := w.all
		switch much {
		case opensFirst:
			n = w.first
		case opensNext:
			n = w.next
		case opensAll:
		}
		if n > 0 {
			addDemand(all, pool, n, w.classes)
		}
	}
}

// measure finds the widths of a plan. Exit handlers become ready with the last
// end of a main task, the items of a map all at once, decisions in the run's pool.
func measure(p *plan.Plan, tasks []taskInfo) map[id.UUID]*width {
	out := map[id.UUID]*width{}
	exits := map[id.UUID]int{}
	down := make([]map[id.UUID]int, len(tasks))
	for i := range tasks {
		t := &p.Tasks[i]
		root := t.In == 0 && t.Exit == "" && (len(t.Needs) == 0 || t.Rule == "always")
		if asks := tasks[i].asks; asks != nil {
			w := widthOf(out, asks, t)
			w.all++
			if root {
				w.first++
			}
		}
		w := widthOf(out, &tasks[i], t)
		n := opensAtOnce(t) * int(tasks[i].req.size())
		w.all += n
		if n > 1 || t.In > 0 {
			w.next = max(w.next, n, 1)
		}
		switch {
		case t.Exit != "":
			exits[tasks[i].pool] += n
			continue
		case root:
			w.first += n
		}
		for _, up := range t.Needs {
			if down[up] == nil {
				down[up] = map[id.UUID]int{}
			}
			down[up][tasks[i].pool] += n
			if asks := tasks[i].asks; asks != nil {
				down[up][asks.pool]++
			}
		}
	}
	for pool, w := range out {
		for i := range tasks {
			w.next = max(w.next, down[i][pool])
		}
		w.next = max(w.next, exits[pool])
	}
	return out
}

func widthOf(all map[id.UUID]*width, t *taskInfo, task *plan.Task) *width {
	w := all[t.pool]
	if w == nil {
		w = &width{classes: map[int64]Requirement{}}
		all[t.pool] = w
	}
	w.next = max(w.next, int(t.req.size())) // a retry
	w.classes[t.class] = t.req
	if !slices.Contains(w.priorities, int32(task.Priority)) {
		w.priorities = append(w.priorities, int32(task.Priority))
	}
	return w
}

// opensAtOnce is how many attempts a task may open at once, as far as a batch
// could find agents for them.
func opensAtOnce(t *plan.Task) int {
	switch {
	case t.Group:
		return 0 // its tasks count themselves
	case t.ForEach == nil:
		return 1
	case t.ForEach.MaxParallel > 0:
		return min(t.ForEach.MaxParallel, maxBorrowed)
	}
	return maxBorrowed
}
