package engine

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// A task of a run is an index in State.Tasks: what journal, leases and timers
// name. The first Graph.top are the pipeline's own; the others come into being
// as maps, loops and groups begin, block by block, and keep their index for
// ever: item k of a map is the same task in every generation.

// Block is a row of tasks that came into being together: Count items of a map,
// passes of a loop, or the one body of a group, each of Width tasks.
type Block struct {
	Owner int32 // the task whose body this is
	Node  int32 // the first node of the body
	Width int32
	First int32 // ordinal of the first item
	Count int32
	Base  int32 // index of its first task
	// Left is how many tasks of an item have not ended, Bad how many of them
	// failed, Gone how many were skipped; nil for items of one task, which tell
	// it themselves.
	Left, Bad, Gone []int32
	// Members are set for tasks that a step added: they share no nodes.
	Members []Member
}

// Member is a task that a step added at run time.
type Member struct {
	ID    string  `json:"id"`
	Node  int32   `json:"node"`            // the template's
	Needs []int32 `json:"needs,omitempty"` // places in the block
}

// place is where a task stands.
type place struct {
	node  int32
	block int32 // index in State.Blocks; -1 for the pipeline's own
	item  int32 // within the block
	off   int32 // within the item
}

// place finds a task. It panics for an index that does not exist.
func (s *State) place(i int32) place {
	if len(s.Blocks) == 0 || i < s.Blocks[0].Base {
		return place{node: i, block: -1, off: i}
	}
	b := int32(sort.Search(len(s.Blocks), func(k int) bool { return s.Blocks[k].Base > i })) - 1
	bl := &s.Blocks[b]
	at := i - bl.Base
	p := place{block: b, item: at / bl.Width, off: at % bl.Width}
	if bl.Members != nil {
		p.node = bl.Members[p.off].Node
	} else {
		p.node = bl.Node + p.off
	}
	return p
}

// Node is the index in Plan.Tasks of the task that i is an instance of.
func (g *Graph) Node(s *State, i int32) int32 { return g.nodes[s.place(i).node].task }

// Task is the plan of task i.
func (g *Graph) Task(s *State, i int32) *plan.Task { return &g.Plan.Tasks[g.Node(s, i)] }

// node is the node of task i.
func (g *Graph) node(s *State, i int32) *node { return &g.nodes[s.place(i).node] }

// InExit reports whether a task is an exit handler, or inside of one. An instance
// of a template is not, whoever adds it.
func (g *Graph) InExit(s *State, i int32) bool { return g.node(s, i).inExit }

// ordinal is the number of a task's item in its owner.
func (s *State) ordinal(p place) int32 { return s.Blocks[p.block].First + p.item }

// Path is a task's name in a run: `train`, `train[3]`, `fold[3]/train`,
// `search[4]/step`, `plan/fit-1`.
func (g *Graph) Path(s *State, i int32) string {
	p := s.place(i)
	if p.block < 0 {
		return g.Plan.Tasks[i].Name
	}
	bl := &s.Blocks[p.block]
	owner := g.Path(s, bl.Owner)
	if bl.Members != nil {
		return owner + "/" + bl.Members[p.off].ID
	}
	if g.node(s, bl.Owner).layer != layerGroup {
		owner += "[" + strconv.Itoa(int(s.ordinal(p))) + "]"
	}
	if nd := &g.nodes[p.node]; nd.outer {
		return owner + "/" + lastName(&g.Plan.Tasks[nd.task])
	}
	return owner
}

// Indexes are the ordinals that a task's path names, outermost first.
func (g *Graph) Indexes(s *State, i int32) []int32 {
	var out []int32
	for p := s.place(i); p.block >= 0; {
		owner := s.Blocks[p.block].Owner
		if l := g.node(s, owner).layer; l == layerMap || l == layerLoop {
			out = append(out, s.ordinal(p))
		}
		p = s.place(owner)
	}
	slices.Reverse(out)
	return out
}

// PathIndexes reads the ordinals out of a path: 3 and 1 of `fold[3]/train[1]`.
func PathIndexes(path string) []int32 {
	var out []int32
	for {
		_, rest, ok := strings.Cut(path, "[")
		if !ok {
			return out
		}
		number, after, _ := strings.Cut(rest, "]")
		if n, err := strconv.ParseInt(number, 10, 32); err == nil {
			out = append(out, int32(n))
		}
		path = after
	}
}
