package explain

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// shortfall is one thing that an agent lacks: what is asked and what it has.
type shortfall struct{ asked, has string }

// all lists what an agent lacks for good, the rarest things first.
func (n *Need) all(a *Agent) []shortfall {
	var out []shortfall
	add := func(asked, has string) { out = append(out, shortfall{asked, has}) }
	if n.GPUs > a.GPUs {
		add(fmt.Sprintf("gpu>=%d", n.GPUs), fmt.Sprintf("gpu=%d", a.GPUs))
	}
	if len(n.GPUTypes) > 0 && !slices.Contains(n.GPUTypes, a.GPUType) {
		add("gpu_type="+strings.Join(n.GPUTypes, "|"), "gpu_type="+orNone(a.GPUType))
	}
	for _, k := range slices.Sorted(maps.Keys(n.Select)) {
		if a.Labels[k] != n.Select[k] {
			add(k+"="+n.Select[k], k+"="+orNone(a.Labels[k]))
		}
	}
	if n.MemoryBytes > a.MemoryBytes {
		add("memory>="+size(n.MemoryBytes), "memory="+size(a.MemoryBytes))
	}
	if n.CPUMillis > a.CPUMillis {
		add(fmt.Sprintf("cpu>=%g", float64(n.CPUMillis)/1000), fmt.Sprintf("cpu=%g", float64(a.CPUMillis)/1000))
	}
	if n.Slots > a.Slots {
		add(fmt.Sprintf("slots>=%d", n.Slots), fmt.Sprintf("slots=%d", a.Slots))
	}
	if n.Sealed && !a.HoldsKey {
		add("the workspace's sealing key", "another or none")
	}
	return out
}

// lacks is the first thing that an agent lacks; empty if it could run the task.
func (n *Need) lacks(a *Agent) string {
	if l := n.all(a); len(l) > 0 {
		return l[0].asked
	}
	return ""
}

func (n *Need) has(a *Agent) string {
	if l := n.all(a); len(l) > 0 {
		return l[0].has
	}
	return ""
}

// asks is the rarest thing that the task asks for beyond any agent.
func (n *Need) asks() string { return n.lacks(&Agent{Slots: 1, HoldsKey: true}) }

// free is what of an agent is not in use.
func (a *Agent) free() *Agent {
	f := *a
	f.Slots, f.CPUMillis = a.Slots-a.SlotsUsed, a.CPUMillis-a.CPUUsed
	f.MemoryBytes, f.GPUs = a.MemoryBytes-a.MemoryUsed, a.GPUs-a.GPUsUsed
	return &f
}

// places is how many leases fit an agent, at most one where members stand apart.
func (n *Need) places(a *Agent, apart bool) int64 {
	if n.lacks(a) != "" || a.Slots < max(1, n.Slots) {
		return 0
	}
	fit := a.Slots / max(1, n.Slots)
	for _, r := range [][2]int64{{n.CPUMillis, a.CPUMillis}, {n.MemoryBytes, a.MemoryBytes}, {n.GPUs, a.GPUs}} {
		if r[0] > 0 {
			fit = min(fit, r[1]/r[0])
		}
	}
	if apart {
		return min(1, fit)
	}
	return fit
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// size writes bytes as the format does: 16Gi.
func size(n int64) string {
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}} {
		if n >= u.bytes {
			return fmt.Sprintf("%g%s", float64(n*10/u.bytes)/10, u.name)
		}
	}
	return strconv.FormatInt(n, 10)
}
