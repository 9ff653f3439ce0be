package conformance_test

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// run is what `run get --json` prints.
type run struct {
	Run   runHead `json:"run"`
	Tasks []task  `json:"tasks"`
}

type runHead struct {
	ID          string     `json:"id"`
	State       string     `json:"state"`
	Reason      string     `json:"reason"`
	Version     string     `json:"version"`
	Number      int        `json:"number"`
	Generation  int        `json:"generation"`
	StartedAt   *time.Time `json:"startedAt"`
	FinishedAt  *time.Time `json:"finishedAt"`
	Nominal     *time.Time `json:"nominal"`
	TasksDone   int        `json:"tasksDone"`
	TasksFailed int        `json:"tasksFailed"`
	ExitFailed  bool       `json:"exitHandlerFailed"`
}

type task struct {
	Name      string    `json:"name"`
	State     string    `json:"state"`
	Reason    string    `json:"reason"`
	UsedUser  int       `json:"usedUser"`
	UsedInfra int       `json:"usedInfra"`
	Attempts  []attempt `json:"attempts"`
	Items     *items    `json:"items"`
	Origin    string    `json:"originRunId"`
}

type attempt struct {
	Number     int        `json:"number"`
	State      string     `json:"state"`
	Cause      string     `json:"cause"`
	Reason     string     `json:"reason"`
	AgentName  string     `json:"agentName"`
	ReadyAt    *time.Time `json:"readyAt"`
	GrantedAt  *time.Time `json:"grantedAt"`
	StartedAt  *time.Time `json:"startedAt"`
	FinishedAt *time.Time `json:"finishedAt"`
	BilledMs   int64      `json:"billedMs"`
}

type items struct {
	Total     int `json:"total"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Tolerated int `json:"tolerated"`
	Reused    int `json:"reused"`
}

// entry is a line of `run history --json`.
type entry struct {
	Kind    string    `json:"kind"`
	At      time.Time `json:"at"`
	Task    string    `json:"task"`
	Attempt int       `json:"attempt"`
	Outcome string    `json:"outcome"`
	Next    string    `json:"next"`
	Reason  string    `json:"reason"`
	Seq     int       `json:"seq"`
}

func (d *desk) get(id string, args ...string) run {
	d.t.Helper()
	var r run
	d.ask(&r, append([]string{"run", "get", id}, args...)...)
	return r
}

func (d *desk) history(id string) []entry {
	d.t.Helper()
	var all struct {
		Entries []entry `json:"entries"`
	}
	d.ask(&all, "run", "history", id)
	return all.Entries
}

// ended waits until the run has ended and returns it.
func (d *desk) ended(id string, patience time.Duration) run {
	d.t.Helper()
	var r run
	d.eventually(patience, "the run ends", func() bool {
		r = d.get(id)
		return r.Run.FinishedAt != nil
	})
	return r
}

// until waits until a task is in one of the states.
func (d *desk) until(id, name string, patience time.Duration, states ...string) task {
	d.t.Helper()
	var found task
	d.eventually(patience, name+" is "+strings.Join(states, " or "), func() bool {
		for _, x := range d.get(id).Tasks {
			if x.Name == name {
				found = x
			}
		}
		return slices.Contains(states, found.State)
	})
	return found
}

// task is the task of that name, which the run has.
func (d *desk) task(r run, name string) task {
	d.t.Helper()
	for _, x := range r.Tasks {
		if x.Name == name {
			return x
		}
	}
	require.Failf(d.t, "no such task", "%s in %v", name, r.states())
	return task{}
}

// states are the tasks of a run by name.
func (r run) states() map[string]string {
	out := map[string]string{}
	for _, x := range r.Tasks {
		out[x.Name] = x.State
	}
	return out
}

// running is how long an attempt ran.
func (a attempt) running() time.Duration { return a.FinishedAt.Sub(*a.StartedAt) }
