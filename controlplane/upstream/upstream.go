// Package upstream finds what a leased task reads: params, what other tasks left,
// and what the step that added it gave it. Every control plane answers its agents'
// GetInputs through it; where bodies are kept, it asks through Bodies. It knows
// where the messages of approvals lie, too.
//
// It opens nothing: values pass through as they came. It must not decide who may
// read: the caller has looked at the lease.
package upstream

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// pageOfInputs is how many upstream tasks one page of inputs holds: a map's
// children may be 100,000.
const pageOfInputs = 1000

// Body is what stands beside an entry.
type Body struct {
	Seq   int64
	Agent id.UUID
	// Outcome of the attempt, or of a task that had none its state.
	Outcome string
	Bytes   []byte
}

// Bodies is where they are kept.
type Bodies interface {
	// At returns those of a run's entries that have one, in any order.
	At(ctx context.Context, run id.UUID, seqs []int64) ([]Body, error)
}

// Reader is a task that reads. Its run is not changed while it does.
type Reader struct {
	Graph *engine.Graph
	State *engine.State
	Run   id.UUID
	Task  int32
	// Asking says that what its decision reads is wanted, and not what its step does.
	Asking bool
	// Params of the run as given, encoded.
	Params []byte
	Bodies Bodies
}

// Inputs is a page of what the task reads, and nothing else. Errors:
// INVALID_ARGUMENT for a token that no answer gave; STALE_FENCE.
func (r *Reader) Inputs(ctx context.Context, token string) (*agentv1.GetInputsResponse, error) {
	first, err := pageStart(token)
	if err != nil {
		return nil, err
	}
	if int(r.Task) >= len(r.State.Tasks) {
		return nil, fault.FailedPrecondition("STALE_FENCE", "the lease is gone; end its step and drop its results")
	}
	out := &agentv1.GetInputsResponse{}
	u := upstream{Reader: r, reads: readsOf(r.Graph.Task(r.State, r.Task), r.Asking)}
	if first == 0 {
		if out.Params, err = u.params(); err != nil {
			return nil, err
		}
		if out.Env, err = u.addedEnv(ctx); err != nil {
			return nil, err
		}
	}
	out.Tasks, out.NextPageToken, err = u.page(ctx, first)
	return out, err
}

func pageStart(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(token)
	if err != nil || n < 0 {
		return 0, fault.Invalid("INVALID_ARGUMENT", "page_token %q is none that an answer gave", token)
	}
	return n, nil
}

// Params decodes the params of a run as they are kept.
func Params(stored []byte) ([]*runv1.Value, error) {
	var params runv1.Params
	if err := proto.Unmarshal(stored, &params); err != nil {
		return nil, fmt.Errorf("decode params: %w", err)
	}
	return params.GetValues(), nil
}

// readsOf is what a step reads, or a decision about it. Each is complete by
// itself: whoever reads the item of a map reads what that is made from.
func readsOf(t *plan.Task, asking bool) plan.Reads {
	if asking {
		return t.Asked
	}
	r := t.Reads
	r.Artifacts = slices.Clone(r.Artifacts)
	for _, in := range t.ArtifactsIn {
		r.Artifacts = append(r.Artifacts, plan.ArtifactRef{Task: in.Task, Artifact: in.Artifact})
	}
	return r
}

// upstream finds what a task reads among what others left.
type upstream struct {
	*Reader

	reads plan.Reads
}

func (u *upstream) params() ([]*runv1.Value, error) {
	params, err := Params(u.Params)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(params, func(v *runv1.Value) bool { return !slices.Contains(u.reads.Params, v.GetName()) }), nil
}

// left is one task that left something, under its name in the plan: what a group
// hands out is its inner task's, which has sealed it.
type left struct {
	name            string
	task            int32
	indexes, counts []int32

	outputs, artifacts map[string]bool
	state              bool // how it ended is read
}

// lefts lists whom the task reads from, in a fixed order: tasks as the plan has
// them, a map's children in order.
func (u *upstream) lefts() []*left {
	known := map[int32]*left{}
	var out []*left
	note := func(src engine.Source) *left {
		l := known[src.Task]
		if l == nil {
			l = &left{
				name: u.Graph.Task(u.State, src.Task).Name, task: src.Task, indexes: src.Indexes, counts: src.Counts,
				outputs: map[string]bool{}, artifacts: map[string]bool{},
			}
			known[src.Task] = l
			out = append(out, l)
		}
		return l
	}
	for _, ref := range u.reads.Outputs {
		if _, i, ok := u.Graph.Plan.Task(ref.Task); ok {
			for _, src := range u.Graph.Sources(u.State, u.Task, int32(i), ref.Output) {
				note(src).outputs[src.Output] = true
			}
		}
	}
	for _, in := range u.reads.Artifacts {
		if _, i, ok := u.Graph.Plan.Task(in.Task); ok {
			for _, src := range u.Graph.Sources(u.State, u.Task, int32(i), "") {
				note(src).artifacts[in.Artifact] = true
			}
		}
	}
	for _, name := range u.reads.States {
		if _, i, ok := u.Graph.Plan.Task(name); ok {
			if task, ok := u.Graph.Beside(u.State, u.Task, int32(i)); ok {
				note(engine.Source{Task: task}).state = true
			}
		}
	}
	return out
}

// page reads what a page of upstream tasks left.
func (u *upstream) page(ctx context.Context, first int) ([]*agentv1.InputTask, string, error) {
	all := u.lefts()
	from, to := min(first, len(all)), min(first+pageOfInputs, len(all))
	token := ""
	if to < len(all) {
		token = strconv.Itoa(to)
	}
	bodies, err := u.bodies(ctx, all[from:to])
	if err != nil {
		return nil, "", err
	}
	out := make([]*agentv1.InputTask, 0, to-from)
	for _, l := range all[from:to] {
		in, err := u.input(l, bodies[l.task])
		if err != nil {
			return nil, "", err
		}
		if in != nil {
			out = append(out, in)
		}
	}
	return out, token, nil
}

// bodies reads what tasks left, by task: here, or in the runs from which they
// were taken over.
func (u *upstream) bodies(ctx context.Context, lefts []*left) (map[int32]*Body, error) {
	type entry struct {
		run id.UUID
		seq int64
	}
	wanted := map[entry][]int32{}
	seqs := map[id.UUID][]int64{}
	for _, l := range lefts {
		e := entry{u.Run, u.State.Tasks[l.task].EndSeq}
		if o, taken := u.State.Origins[l.task]; taken && u.State.Tasks[l.task].State == engine.TaskReused {
			e = entry{u.State.Seed.Runs[o.Run], o.Seq}
		}
		if wanted[e] == nil {
			seqs[e.run] = append(seqs[e.run], e.seq)
		}
		wanted[e] = append(wanted[e], l.task)
	}
	out := make(map[int32]*Body, len(lefts))
	for of, list := range seqs {
		bodies, err := u.Bodies.At(ctx, of, list)
		if err != nil {
			return nil, err
		}
		for i := range bodies {
			for _, task := range wanted[entry{of, bodies[i].Seq}] {
				out[task] = &bodies[i]
			}
		}
	}
	return out, nil
}

// input is what one upstream task left, as far as it is read; nil for a task
// that left nothing and has no place in a list.
func (u *upstream) input(l *left, b *Body) (*agentv1.InputTask, error) {
	t := &u.State.Tasks[l.task]
	in := &agentv1.InputTask{Task: l.name, State: t.State.String(), Indexes: unsigned(l.indexes), Counts: unsigned(l.counts)}
	if b == nil || b.Outcome != engine.OutcomeSucceeded.String() || !t.State.Terminal() {
		if len(l.indexes) == 0 && !l.state {
			return nil, nil
		}
		return in, nil
	}
	var body runv1.Body
	if err := proto.Unmarshal(b.Bytes, &body); err != nil {
		return nil, fmt.Errorf("decode body: %w", err)
	}
	if b.Agent != id.Nil { // nobody ran what a signal brought
		in.AgentId = id.Format(id.Agent, b.Agent)
	}
	for _, v := range body.GetOutputs() {
		if l.outputs[v.GetName()] {
			in.Outputs = append(in.Outputs, v)
		}
	}
	for _, a := range body.GetArtifacts() {
		if l.artifacts[a.GetName()] {
			in.Artifacts = append(in.Artifacts, a)
		}
	}
	return in, nil
}

// addedEnv is what the step that added this task gave it.
func (u *upstream) addedEnv(ctx context.Context) ([]*runv1.Value, error) {
	planner, name, ok := u.Graph.Planner(u.State, u.Task)
	if !ok {
		return nil, nil
	}
	bodies, err := u.Bodies.At(ctx, u.Run, []int64{u.State.Tasks[planner].EndSeq})
	if err != nil || len(bodies) == 0 {
		return nil, err
	}
	var body runv1.Body
	if err := proto.Unmarshal(bodies[0].Bytes, &body); err != nil {
		return nil, fmt.Errorf("decode body: %w", err)
	}
	for _, p := range body.GetPlanned() {
		if p.GetId() == name {
			return p.GetEnv(), nil
		}
	}
	return nil, nil
}

func unsigned(list []int32) []uint32 {
	out := make([]uint32, len(list))
	for i, n := range list {
		out[i] = uint32(n)
	}
	return out
}
