package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkCycles reports each group of tasks that wait for one another, by one
// shortest cycle through the first of them.
func (c *compiler) checkCycles() {
	stuck := c.stuck()
	for _, t := range c.order {
		if !stuck[t.index] {
			continue
		}
		cycle := c.shortestCycle(t)
		if cycle == nil { // waits for a cycle without being on one
			continue
		}
		for _, i := range c.component(t, stuck) {
			delete(stuck, i)
		}
		c.failCycle(cycle)
	}
}

// stuck returns the tasks that can never become ready: those left over when
// tasks without open dependencies are taken away again and again.
func (c *compiler) stuck() map[int]bool {
	open := make([]int, len(c.order))
	downstream := make([][]int, len(c.order))
	var ready []int
	for _, t := range c.order {
		open[t.index] = len(t.edges)
		for up := range t.edges {
			downstream[up] = append(downstream[up], t.index)
		}
		if open[t.index] == 0 {
			ready = append(ready, t.index)
		}
	}
	left := map[int]bool{}
	for _, t := range c.order {
		left[t.index] = true
	}
	for len(ready) > 0 {
		i := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		delete(left, i)
		for _, d := range downstream[i] {
			if open[d]--; open[d] == 0 {
				ready = append(ready, d)
			}
		}
	}
	return left
}

// shortestCycle returns the tasks of a shortest way from t back to t along what
// each waits for, t first; nil where there is none.
func (c *compiler) shortestCycle(t *task) []int {
	from := map[int]int{}
	queue := []int{t.index}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, up := range slices.Sorted(maps.Keys(c.order[i].edges)) {
			if up == t.index {
				cycle := []int{i}
				for i != t.index {
					i = from[i]
					cycle = append(cycle, i)
				}
				slices.Reverse(cycle)
				return cycle
			}
			if _, seen := from[up]; !seen {
				from[up] = i
				queue = append(queue, up)
			}
		}
	}
	return nil
}

// component returns the stuck tasks that t waits for and that wait for t.
func (c *compiler) component(t *task, stuck map[int]bool) []int {
	reach := func(next func(int) []int) map[int]bool {
		seen, todo := map[int]bool{t.index: true}, []int{t.index}
		for len(todo) > 0 {
			i := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, n := range next(i) {
				if stuck[n] && !seen[n] {
					seen[n] = true
					todo = append(todo, n)
				}
			}
		}
		return seen
	}
	downstream := map[int][]int{}
	for i := range stuck {
		for up := range c.order[i].edges {
			downstream[up] = append(downstream[up], i)
		}
	}
	up := reach(func(i int) []int { return slices.Collect(maps.Keys(c.order[i].edges)) })
	down := reach(func(i int) []int { return downstream[i] })
	var both []int
	for i := range up {
		if down[i] {
			both = append(both, i)
		}
	}
	return both
}

// failCycle prints a cycle with the reason and the line of each of its edges, of a
// long one only the beginning.
func (c *compiler) failCycle(cycle []int) {
	const most = 12
	var names, reasons []string
	for i, at := range cycle[:min(len(cycle), most)] {
		t, up := c.order[at], c.order[cycle[(i+1)%len(cycle)]]
		e := t.edges[up.index]
		names = append(names, t.Name)
		reasons = append(reasons, fmt.Sprintf("line %d: %s waits for %s: it %s", e.at.value.Line, t.Name, up.Name, e.reason))
	}
	if more := len(cycle) - most; more > 0 {
		names = append(names, fmt.Sprintf("(%d more)", more))
		reasons = append(reasons, "…")
	}
	names = append(names, names[0])
	first := c.order[cycle[0]].edges[cycle[1]]
	c.failAt(first.at.path, c.span(first), Problem{
		Message: "these tasks wait for one another: " + strings.Join(names, " → "),
		Got:     strings.Join(reasons, "\n"),
		Want:    "tasks that can be put in an order",
	})
}
