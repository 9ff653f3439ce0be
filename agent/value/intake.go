package value

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// maxGathered bounds all values that one task reads, opened: a collected list of
// 100,000 values of 64 KiB fits nobody's memory, and belongs into artifacts.
const maxGathered = 64 << 20

// Intake gathers what a step or a decision reads, page by page. It opens each
// value and checks it against the declared type, since whoever takes over the
// control plane could seal anything. Its errors are *InputError.
type Intake struct {
	workspace *Workspace
	plan      *plan.Plan
	reads     plan.Reads

	given     map[string]link.Value // params
	wanted    map[string][]wanted   // outputs, by the task that leaves them
	lists     map[plan.OutputRef]*list
	artifacts map[plan.ArtifactRef]bool
	size      int

	values Values
}

// Values are what an Intake has gathered.
type Values struct {
	expr.Values

	// Staged are the artifacts that are read, those of a map's children with the
	// indexes of the child.
	Staged []StagedArtifact
	// Env are the values that a step gave an added task for its environment, as
	// text.
	Env map[string]string

	sealed map[string]bool // params and outputs that came sealed
}

// StagedArtifact is an artifact that a step or a for_each reads.
type StagedArtifact struct {
	plan.ArtifactRef

	Indexes []uint32
	URI     string
}

// wanted is an output that is read, as the task that leaves it knows it.
type wanted struct {
	ref   plan.OutputRef // as it is read
	leaf  plan.Output
	depth int // maps between
}

// Intake begins to gather what task i of a plan reads: for a decision of it, or
// for its step.
func (w *Workspace) Intake(p *plan.Plan, i int, deciding bool) *Intake {
	task := &p.Tasks[i]
	in := &Intake{
		workspace: w, plan: p, reads: task.Reads,
		given: map[string]link.Value{}, wanted: map[string][]wanted{}, lists: map[plan.OutputRef]*list{}, artifacts: map[plan.ArtifactRef]bool{},
		values: Values{
			Values: expr.Values{
				Params: map[string]json.RawMessage{}, Outputs: map[plan.OutputRef]json.RawMessage{},
				Artifacts: map[expr.ArtifactRef]string{}, States: map[string]string{},
			},
			Env: map[string]string{}, sealed: map[string]bool{},
		},
	}
	if deciding {
		in.reads = task.Asked
	} else {
		for _, a := range task.ArtifactsIn {
			in.artifacts[plan.ArtifactRef{Task: a.Task, Artifact: a.Artifact}] = true
		}
	}
	for _, a := range in.reads.Artifacts {
		in.artifacts[a] = true
	}
	for _, ref := range in.reads.Outputs {
		leaf, maps, ok := p.Origin(ref)
		if !ok {
			continue // reading it says that it is not there
		}
		if ref.Task == task.Name {
			maps = nil // its own, of the pass that ended
		}
		from, _, _ := p.Task(leaf.Task)
		declared, _ := from.Output(leaf.Output)
		in.wanted[leaf.Task] = append(in.wanted[leaf.Task], wanted{ref: ref, leaf: declared, depth: len(maps)})
		if len(maps) > 0 {
			in.lists[ref] = &list{} // of a map over nothing there may be nothing to hear
		}
	}
	return in
}

// Add takes in a page.
func (in *Intake) Add(page link.Inputs) error {
	for _, v := range page.Params {
		in.given[v.Name] = v
	}
	for _, v := range page.Env {
		raw, err := in.open(v, seal.EnvName(v.Name), "env "+v.Name)
		if err != nil {
			return err
		}
		if raw, err = plan.CheckValue(plan.TypeString, raw); err != nil {
			return wrong("env "+v.Name, err)
		}
		in.values.Env[v.Name] = plan.Text(raw)
	}
	for _, from := range page.Tasks {
		if len(from.Indexes) == 0 && slices.Contains(in.reads.States, from.Task) {
			in.values.States[from.Task] = from.State
		}
		for _, want := range in.wanted[from.Task] {
			if err := in.addOutput(from, want); err != nil {
				return err
			}
		}
		if err := in.addArtifacts(from); err != nil {
			return err
		}
	}
	return nil
}

func (in *Intake) addOutput(from link.TaskValues, want wanted) error {
	name := fmt.Sprintf("output %s of task %s", want.leaf.Name, from.Task)
	var raw json.RawMessage
	if i := slices.IndexFunc(from.Outputs, func(v link.Value) bool { return v.Name == want.leaf.Name }); i >= 0 {
		v := from.Outputs[i]
		opened, err := in.open(v, in.sealedAs(from.Task, v), name)
		if err != nil {
			return err
		}
		if raw, err = plan.CheckValue(want.leaf.Type, opened); err != nil {
			return wrong(name, err)
		}
		if v.Sealed != nil {
			in.values.sealed[outputKey(want.ref)] = true
		}
	}
	if want.depth == 0 {
		if raw != nil {
			in.values.Outputs[want.ref] = raw
		}
		return nil
	}
	if !in.lists[want.ref].put(from.Indexes, from.Counts, want.depth, raw) {
		return wrong(name, errors.New("its place in the list makes no sense"))
	}
	return nil
}

func (in *Intake) addArtifacts(from link.TaskValues) error {
	for _, a := range from.Artifacts {
		ref := plan.ArtifactRef{Task: from.Task, Artifact: a.Name}
		if !in.artifacts[ref] {
			continue
		}
		name := fmt.Sprintf("artifact %s of task %s", a.Name, from.Task)
		raw, err := in.open(link.Value{Sealed: a.SealedURI}, seal.OutputName(from.Task, a.Name), name)
		if err != nil {
			return err
		}
		var uri string
		if err := json.Unmarshal(raw, &uri); err != nil {
			return wrong(name, errors.New("its URI is no text"))
		}
		in.values.Staged = append(in.values.Staged, StagedArtifact{ArtifactRef: ref, Indexes: from.Indexes, URI: uri})
		if len(from.Indexes) == 0 {
			in.values.Artifacts[expr.ArtifactRef(ref)] = uri
		}
	}
	return nil
}

// Done is what was gathered, params and their defaults included.
func (in *Intake) Done() (Values, error) {
	for _, declared := range in.plan.Params {
		if !slices.Contains(in.reads.Params, declared.Name) {
			continue
		}
		raw, err := in.param(declared)
		if err != nil {
			return Values{}, err
		}
		if raw != nil {
			in.values.Params[declared.Name] = raw
		}
	}
	for ref, l := range in.lists {
		in.values.Outputs[ref] = l.json()
	}
	return in.values, nil
}

// param is a param's value, else its default, else nil. A default stands in the
// plan: in the clear, which is then no secret, or sealed.
func (in *Intake) param(declared plan.Param) (json.RawMessage, error) {
	name := "param " + declared.Name
	v, ok := in.given[declared.Name]
	switch {
	case ok:
	case declared.SealedDefault != "":
		envelope, err := base64.RawURLEncoding.DecodeString(declared.SealedDefault)
		if err != nil {
			return nil, wrong(name, seal.ErrCorrupt)
		}
		v.Sealed = envelope
	case declared.Default != nil:
		v.Open = declared.Default
	default:
		return nil, nil
	}
	if v.Sealed != nil {
		in.values.sealed[paramKey(declared.Name)] = true
	}
	raw, err := in.open(v, seal.ParamName(declared.Name), name)
	if err != nil {
		return nil, err
	}
	checked, err := plan.CheckParam(declared, raw)
	if err != nil && bytes.HasPrefix(raw, []byte{'"'}) {
		// A task that starts this pipeline knows the param's name and not its type,
		// so that `with: {epochs: "10"}` arrives as text.
		if read, failed := plan.ParseParam(declared, plan.Text(raw)); failed == nil {
			return read, nil
		}
	}
	if err != nil {
		return nil, wrong(name, err)
	}
	return checked, nil
}

// sealedAs is the name under which an output was sealed: its own, that of the
// signal for which its task waited, or what the run of a nested pipeline called
// it.
func (in *Intake) sealedAs(task string, v link.Value) string {
	t, _, ok := in.plan.Task(task)
	switch {
	case ok && t.Signal != nil:
		return seal.SignalName(t.Signal.Name)
	case ok && t.Pipeline != nil && seal.IsLeft(v.SealedAs):
		return v.SealedAs
	}
	return seal.OutputName(task, v.Name)
}

func (in *Intake) open(v link.Value, binding, name string) (json.RawMessage, error) {
	raw, err := in.workspace.open(v, binding)
	if err != nil {
		return nil, wrong(name, err)
	}
	if in.size += len(raw); in.size > maxGathered {
		text := fmt.Sprintf("the task reads more than %d MiB of values; hand on what is large as artifacts", maxGathered>>20)
		return nil, &InputError{Reason: text, Detail: text}
	}
	return raw, nil
}

func paramKey(name string) string         { return "params." + name }
func outputKey(ref plan.OutputRef) string { return "tasks." + ref.Task + ".outputs." + ref.Output }

// Open reports whether all that is read came in the open. The item of a map never
// does; whoever knows better says so.
func (v *Values) Open(refs expr.References, itemIsOpen bool) bool {
	for _, name := range refs.Params {
		if v.sealed[paramKey(name)] {
			return false
		}
	}
	for _, ref := range refs.Outputs {
		if v.sealed[outputKey(ref)] {
			return false
		}
	}
	return itemIsOpen || !refs.Item
}
