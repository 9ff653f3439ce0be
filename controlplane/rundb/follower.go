package rundb

import (
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Lease is who holds the open attempt of a task.
type Lease = lease

// Follower shows a run whose journal is kept elsewhere than in the database, as
// a run of the database is shown. It is not safe for concurrent use.
type Follower struct{ history *history }

// Follow begins with an empty journal.
func Follow(g *engine.Graph, run id.UUID) *Follower { return &Follower{newHistory(g, run)} }

// Add folds the next entry; failure is the body of an attempt that failed.
func (f *Follower) Add(row journal.Row, failure []byte) error { return f.history.add(row, failure) }

// View is the run as it stands. What the journal tells is filled into run; agents
// are names by id.
func (f *Follower) View(run Run, leases []Lease, agents map[id.UUID]string, now time.Time) View {
	p := f.history.picture(leases, now)
	run.become(p.graph, p.state)
	out := View{Run: run, Tasks: p.tasks(p.outline())}
	for i := range out.Tasks {
		for k := range out.Tasks[i].Attempts {
			a := &out.Tasks[i].Attempts[k]
			a.AgentName = agents[a.Agent]
		}
	}
	return out
}
