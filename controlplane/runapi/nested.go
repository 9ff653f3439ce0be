package runapi

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/concurrency"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Nester knows what tasks that run other pipelines start, and what those leave
// to them.
type Nester struct{ store *rundb.Store }

var _ advance.Nester = (*Nester)(nil)

// Nester is who knows.
func (h *Handler) Nester() *Nester { return &Nester{store: h.store} }

// Child is the start of a task's child: with the params that an agent has
// evaluated for it, as whoever started the parent, and on the parent's account.
// Errors: as StartRun, those of params included.
func (n *Nester) Child(ctx context.Context, t advance.ParentTask) (advance.StartRun, error) {
	from, err := n.store.Starting(ctx, t.Org, t.Run, t.Path, t.Answer)
	if err != nil {
		return advance.StartRun{}, err
	}
	if !from.By.OrgState.StartsRuns() {
		return advance.StartRun{}, errRestricted
	}
	nested := from.Task.Pipeline
	if from.Depth >= advance.MaxDepth {
		return advance.StartRun{}, fault.FailedPrecondition("TOO_DEEP", "pipeline %q would run more than %d runs below the first", nested.Name, advance.MaxDepth)
	}
	target, err := n.store.FindTarget(ctx, from.By, rundb.Start{Pipeline: nested.Name, Version: nested.Digest})
	if err != nil {
		return advance.StartRun{}, err
	}
	declared := target.Graph.Plan.Params
	given, err := decidedValues(declared, from.Answer)
	if err != nil {
		return advance.StartRun{}, err
	}
	params, err := checkParams(declared, target.SealingKID, given)
	if err != nil {
		return advance.StartRun{}, inOneSentence(nested.Name, err)
	}
	line, err := concurrency.Key(target.Graph.Plan, params)
	if err != nil {
		return advance.StartRun{}, err
	}
	inherited := maps.Clone(from.Labels)
	maps.Copy(inherited, from.Task.Labels)
	labels, err := mergeLabels(target.Graph.Plan.Labels, inherited)
	if err != nil {
		return advance.StartRun{}, inOneSentence(nested.Name, err)
	}
	set, err := n.store.InternLabels(ctx, from.By, labels)
	if err != nil {
		return advance.StartRun{}, err
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(&runv1.Params{Values: params})
	if err != nil {
		return advance.StartRun{}, fmt.Errorf("encode params: %w", err)
	}
	return advance.StartRun{
		Org: t.Org, Workspace: from.By.WorkspaceID, Pipeline: target.Pipeline, Digest: target.Digest,
		Params: encoded, LabelSet: set, Labels: labels, Priority: from.Priority, Cause: "parent", Actor: from.Actor, Line: line,
		Parent: &advance.Parent{
			Run: t.Run, Task: t.Task, Attempt: t.Attempt, Path: t.Path, Root: from.Root, Depth: from.Depth + 1,
		},
	}, nil
}

// decidedValues are the params that an agent told, as a start has them. Who
// wrote the parent need not know their types: text is read as what is declared.
func decidedValues(declared []plan.Param, answer []byte) ([]*runv1.Value, error) {
	var body runv1.Body
	if err := proto.Unmarshal(answer, &body); err != nil {
		return nil, fmt.Errorf("decode the params of a child: %w", err)
	}
	for _, v := range body.GetDecided() {
		v.Type = ""
		open, ok := v.GetContent().(*runv1.Value_OpenJson)
		i := slices.IndexFunc(declared, func(p plan.Param) bool { return p.Name == v.GetName() })
		if !ok || i < 0 {
			continue
		}
		if _, err := plan.CheckParam(declared[i], open.OpenJson); err != nil && strings.HasPrefix(string(open.OpenJson), `"`) {
			if read, err := plan.ParseParam(declared[i], plan.Text(open.OpenJson)); err == nil {
				open.OpenJson = read
			}
		}
	}
	return body.GetDecided(), nil
}

// inOneSentence says all that is wrong with what a task gives its child: its
// reason is one line.
func inOneSentence(pipeline string, err error) error {
	f, ok := fault.As(err)
	if !ok || len(f.Violations) == 0 {
		return err
	}
	texts := make([]string, len(f.Violations))
	for i := range f.Violations {
		texts[i] = f.Violations[i].Text
	}
	return fault.Invalid(f.Reason, "pipeline %s cannot start: %s", pipeline, strings.Join(texts, "; ")).Because(err)
}

// Left is what a child leaves to its parent's task, each under the name that it
// was sealed as. Errors: INVALID_ARGUMENT beyond what one task
// may leave.
func (n *Nester) Left(ctx context.Context, child advance.RunKey) ([]byte, error) {
	handed, err := n.store.HandedOn(ctx, child.Org, child.Run)
	if err != nil {
		return nil, err
	}
	out := &runv1.Body{}
	total := 0
	for i := range handed {
		h := &handed[i]
		var body runv1.Body
		if err := proto.Unmarshal(h.Body, &body); err != nil {
			return nil, fmt.Errorf("decode what %s of run %s left: %w", h.Path, id.Format(id.Run, child.Run), err)
		}
		for _, v := range body.GetOutputs() {
			if v.GetName() == h.Leaf {
				total += int(v.GetSize())
				out.Outputs = append(out.Outputs, upstream.HandOn(v, h.Name, h.Path, body.GetSignal()))
			}
		}
	}
	if text := plan.TooLarge(total); text != "" {
		return nil, fault.Invalid(rundb.ReasonInvalid, "%s", text)
	}
	if len(out.Outputs) == 0 {
		return nil, nil
	}
	encoded, err := proto.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode what run %s leaves: %w", id.Format(id.Run, child.Run), err)
	}
	return encoded, nil
}
