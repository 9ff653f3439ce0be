package value

import (
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

// Inputs opens what a task reads and checks it against the declared types, since
// whoever takes over the control plane could seal anything. The error is an
// *InputError.
func (w *Workspace) Inputs(p *plan.Plan, task *plan.Task, in link.Inputs) (expr.Values, error) {
	values := expr.Values{
		Params: map[string]json.RawMessage{}, Outputs: map[plan.OutputRef]json.RawMessage{}, Artifacts: map[expr.ArtifactRef]string{},
	}
	given := map[string]link.Value{}
	for _, v := range in.Params {
		given[v.Name] = v
	}
	for _, declared := range p.Params {
		if !slices.Contains(task.Reads.Params, declared.Name) {
			continue
		}
		raw, err := w.param(declared, given)
		if err != nil {
			return expr.Values{}, err
		}
		if raw != nil {
			values.Params[declared.Name] = raw
		}
	}
	for _, from := range in.Tasks {
		task, _, ok := p.Task(from.Task)
		if !ok {
			continue
		}
		if err := w.taskInputs(task, from, &values); err != nil {
			return expr.Values{}, err
		}
	}
	return values, nil
}

// param is a param's value, else its default, else nil. A default stands in the
// plan: in the clear, which is then no secret, or sealed.
func (w *Workspace) param(declared plan.Param, given map[string]link.Value) (json.RawMessage, error) {
	name := "param " + declared.Name
	v, ok := given[declared.Name]
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
	raw, err := w.open(v, seal.ParamName(declared.Name))
	if err != nil {
		return nil, wrong(name, err)
	}
	if raw, err = plan.CheckParam(declared, raw); err != nil {
		return nil, wrong(name, err)
	}
	return raw, nil
}

// decodeDefault reads base64 in either alphabet: plans hold what the file said.

func (w *Workspace) taskInputs(task *plan.Task, from link.TaskValues, values *expr.Values) error {
	outputs := map[string]plan.Type{}
	for _, o := range task.Outputs {
		outputs[o.Name] = o.Type
	}
	for _, v := range from.Outputs {
		name := fmt.Sprintf("output %s of task %s", v.Name, task.Name)
		declared, ok := outputs[v.Name]
		if !ok {
			continue
		}
		raw, err := w.open(v, seal.OutputName(task.Name, v.Name))
		if err != nil {
			return wrong(name, err)
		}
		if raw, err = plan.CheckValue(declared, raw); err != nil {
			return wrong(name, err)
		}
		values.Outputs[plan.OutputRef{Task: task.Name, Output: v.Name}] = raw
	}
	for _, a := range from.Artifacts {
		name := fmt.Sprintf("artifact %s of task %s", a.Name, task.Name)
		raw, err := w.keyring.Ring().Open(w.binding(seal.OutputName(task.Name, a.Name)), a.SealedURI)
		if err != nil {
			return wrong(name, err)
		}
		var uri string
		if err := json.Unmarshal(raw, &uri); err != nil {
			return wrong(name, errors.New("its URI is no text"))
		}
		values.Artifacts[expr.ArtifactRef{Task: task.Name, Artifact: a.Name}] = uri
	}
	return nil
}
