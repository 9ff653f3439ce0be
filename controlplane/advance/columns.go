package advance

import (
	"cmp"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// runColumns gathers run rows for one statement.
type runColumns struct {
	works                             []*runWork
	orgs, ids                         []id.UUID
	olds, seqs                        []int64
	states, reasons, outcomes         []string
	generations, dones, faileds       []int32
	exitsFaileds                      []int32
	starteds, finisheds, deadlineCols []*time.Time
}

func newRunColumns() *runColumns { return &runColumns{} }

func (c *runColumns) add(w *runWork) {
	s := w.state
	c.works = append(c.works, w)
	c.orgs, c.ids = append(c.orgs, w.key.Org), append(c.ids, w.key.Run)
	c.olds, c.seqs = append(c.olds, w.seq), append(c.seqs, s.Seq)
	c.states, c.reasons = append(c.states, s.Run.String()), append(c.reasons, s.Reason)
	c.outcomes = append(c.outcomes, outcomeText(s))
	c.generations = append(c.generations, s.Generation)
	c.dones = append(c.dones, w.version.graph.Done(s))
	c.faileds, c.exitsFaileds = append(c.faileds, s.Failed()), append(c.exitsFaileds, s.FailedExit)
	c.starteds = append(c.starteds, nullTime(s.StartedAt))
	finished := s.FinishedAt
	if !s.Run.Terminal() {
		finished = time.Time{}
	}
	c.finisheds = append(c.finisheds, nullTime(finished))
	c.deadlineCols = append(c.deadlineCols, nullTime(deadlineOf(w)))
}

// outcomeText is empty until the outcome is fixed.
func outcomeText(s *engine.State) string {
	if s.Outcome == engine.RunPending {
		if s.Run == engine.RunDropped {
			return s.Run.String()
		}
		return ""
	}
	return s.Outcome.String()
}

// deadlineOf is where the run's own clock ends; a retry starts it anew.
func deadlineOf(w *runWork) time.Time {
	d := w.version.graph.Plan.Deadline
	if d <= 0 || w.state.GenerationAt.IsZero() {
		return time.Time{}
	}
	return w.state.GenerationAt.Add(millis(d))
}

func (c *runColumns) args() args {
	return args{
		"orgs": c.orgs, "ids": c.ids, "states": c.states, "reasons": short(c.reasons), "outcomes": short(c.outcomes),
		"seqs": c.seqs, "generations": c.generations, "dones": c.dones, "faileds": short(c.faileds), "exits_faileds": short(c.exitsFaileds),
		"starteds": short(c.starteds), "finisheds": short(c.finisheds), "deadlines": short(c.deadlineCols),
	}
}

// startArgs are the columns that never change after the start.
func (c *runColumns) startArgs() args {
	var workspaces, pipelines []id.UUID
	var digests, params [][]byte
	var numbers, labelSets []int64
	var causes, actors []string
	var priorities, totals []int32
	var lines []*string
	var startAts, nominals, intervals []*time.Time
	var above parentColumns
	for _, w := range c.works {
		cmd := w.start.start
		digest := w.info.digest
		workspaces, pipelines = append(workspaces, w.info.workspace), append(pipelines, w.info.pipeline)
		digests, params = append(digests, digest[:]), append(params, nonNil(cmd.Params))
		numbers, labelSets = append(numbers, w.info.number), append(labelSets, w.info.labelSet)
		causes, actors = append(causes, cmd.Cause), append(actors, cmd.Actor)
		priorities, totals = append(priorities, w.info.priority), append(totals, w.version.graph.Total())
		lines, startAts = append(lines, w.info.line), append(startAts, nullTime(cmd.At))
		above.add(cmd.Parent)
		fire := cmp.Or(cmd.Fire, &Fire{})
		nominals, intervals = append(nominals, nullTime(fire.Nominal)), append(intervals, nullTime(fire.IntervalStart))
	}
	return args{
		"nominals": short(nominals), "intervals": short(intervals), "lines": short(lines), "start_ats": short(startAts),
		"parents": short(above.runs), "parent_tasks": short(above.tasks), "parent_attempts": short(above.attempts),
		"parent_paths": short(above.paths), "roots": short(above.roots), "depths": above.depths,
		"workspaces": workspaces, "pipelines": pipelines, "digests": digests, "params": params, "numbers": numbers,
		"label_sets": labelSets, "causes": causes, "actors": actors, "priorities": priorities, "totals": totals,
	}
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// entryColumnsOf gathers journal rows for one statement.
type entryColumnsOf struct {
	orgs, runs                             []id.UUID
	seqs, leases, billeds, billedGPUs      []int64
	vs                                     []int16
	ats                                    []time.Time
	kinds, paths, outcomes, causes         []string
	nexts, reasons, actors                 []string
	tasks, attempts, generations, exits    []int32
	agents                                 []*id.UUID
	granteds, starteds, finisheds, retries []*time.Time
	details, bodies                        [][]byte
}

func (c *entryColumnsOf) add(k RunKey, e *entryRow) {
	c.orgs, c.runs = append(c.orgs, k.Org), append(c.runs, k.Run)
	c.seqs, c.vs, c.ats = append(c.seqs, e.Seq), append(c.vs, e.V), append(c.ats, e.At)
	c.kinds, c.tasks, c.paths = append(c.kinds, e.Kind.String()), append(c.tasks, e.Task), append(c.paths, e.path)
	c.attempts, c.generations = append(c.attempts, e.Attempt), append(c.generations, e.generation)
	c.leases, c.agents = append(c.leases, e.Lease), append(c.agents, nullID(e.Agent))
	c.granteds, c.starteds = append(c.granteds, nullTime(e.Granted)), append(c.starteds, nullTime(e.Started))
	c.finisheds, c.retries = append(c.finisheds, nullTime(e.Finished)), append(c.retries, nullTime(e.RetryAt))
	c.outcomes, c.causes = append(c.outcomes, e.Outcome.String()), append(c.causes, e.Cause.String())
	c.exits, c.nexts = append(c.exits, e.ExitCode), append(c.nexts, e.Next.String())
	c.reasons, c.actors = append(c.reasons, e.Reason), append(c.actors, e.Actor)
	c.billeds, c.billedGPUs = append(c.billeds, e.billedMS), append(c.billedGPUs, e.billedGPUMS)
	c.details, c.bodies = append(c.details, e.detail), append(c.bodies, e.body)
}

func (c *entryColumnsOf) args() args {
	return args{
		"orgs": c.orgs, "runs": c.runs, "seqs": c.seqs, "vs": c.vs, "ats": c.ats, "kinds": c.kinds, "tasks": c.tasks,
		"paths": c.paths, "attempts": c.attempts, "generations": c.generations, "leases": c.leases, "agents": short(c.agents),
		"granteds": short(c.granteds), "starteds": short(c.starteds), "finisheds": short(c.finisheds), "outcomes": c.outcomes,
		"causes": short(c.causes), "exit_codes": short(c.exits), "nexts": c.nexts, "retry_ats": short(c.retries), "reasons": short(c.reasons),
		"actors": short(c.actors), "billeds": c.billeds, "billed_gpus": short(c.billedGPUs), "details": shortBytes(c.details), "bodies": shortBytes(c.bodies),
	}
}

// short leaves out what is nothing at the end of a column: unnest fills that up
// with NULL, which costs PostgreSQL less than an element of each row does.
func short[T comparable](column []T) []T {
	var nothing T
	n := len(column)
	for n > 0 && column[n-1] == nothing {
		n--
	}
	return column[:n]
}

func shortBytes(column [][]byte) [][]byte {
	n := len(column)
	for n > 0 && column[n-1] == nil {
		n--
	}
	return column[:n]
}

// parentColumns are those of the tasks that runs are children of.
type parentColumns struct {
	runs, roots     []*id.UUID
	tasks, attempts []*int32
	paths           []*string
	depths          []int32
}

func (c *parentColumns) add(p *Parent) {
	if p == nil {
		c.runs, c.roots, c.tasks = append(c.runs, nil), append(c.roots, nil), append(c.tasks, nil)
		c.attempts, c.paths, c.depths = append(c.attempts, nil), append(c.paths, nil), append(c.depths, 0)
		return
	}
	c.runs, c.roots, c.tasks = append(c.runs, &p.Run), append(c.roots, &p.Root), append(c.tasks, &p.Task)
	c.attempts, c.paths, c.depths = append(c.attempts, &p.Attempt), append(c.paths, &p.Path), append(c.depths, p.Depth)
}
