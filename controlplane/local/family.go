package local

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// family does what a decision means for other runs: it starts children, tells
// them to end, and tells a parent that its child has ended. All of it happens
// after the decision: one command changes one run.
func (p *Plane) family(r *run, d *engine.Decision) {
	for _, c := range d.Children {
		p.todo = append(p.todo, func() error { return p.startChild(r, c) })
	}
	for _, c := range d.Recalled {
		p.todo = append(p.todo, func() error { return p.recall(r, c) })
	}
	if d.Finished && r.parent != nil {
		p.todo = append(p.todo, func() error { return p.tellParent(r) })
	}
}

func (p *Plane) startChild(r *run, c engine.Child) error {
	if !engine.Awaits(r.version.graph, r.state, c) {
		return nil
	}
	name := r.version.graph.Task(r.state, c.Task).Pipeline.Name
	end := engine.ChildEnded{Now: p.now(), Child: c, Outcome: engine.RunFailed, Live: p.live(r)}
	v := p.versions[name]
	if v == nil {
		end.Reason = "no file beside this one is the pipeline " + name
		return p.decide(r, end, nil)
	}
	params, err := r.decided(c.Task)
	if err != nil {
		return err
	}
	if end.Reason = misfit(v.graph.Plan.Params, params); end.Reason != "" {
		return p.decide(r, end, nil)
	}
	_, err = p.start(name, params, r.labels, r.priority, &parent{run: r, child: c})
	return err
}

// misfit says what params a pipeline does not take or lacks; empty: they fit.
func misfit(declared []plan.Param, given []*runv1.Value) string {
	for _, v := range given {
		if !slices.ContainsFunc(declared, func(d plan.Param) bool { return d.Name == v.GetName() }) {
			return "it has no param " + v.GetName()
		}
	}
	for i := range declared {
		if declared[i].Required && !slices.ContainsFunc(given, func(v *runv1.Value) bool { return v.GetName() == declared[i].Name }) {
			return "param " + declared[i].Name + " is required"
		}
	}
	return ""
}

// message is what an agent made for those who decide on an approval; nil: nothing.
func (r *run) message(task int32) (*runv1.Value, error) {
	made, err := r.decided(task)
	if i := slices.IndexFunc(made, func(v *runv1.Value) bool { return v.GetName() == "message" }); i >= 0 {
		return made[i], err
	}
	return nil, err
}

// decided are the values that an agent made when the task began.
func (r *run) decided(task int32) ([]*runv1.Value, error) {
	for i := len(r.journal) - 1; i >= 0; i-- {
		e := &r.journal[i]
		if e.Task != task || e.Kind != engine.KindTaskDecided {
			continue
		}
		var body runv1.Body
		if err := proto.Unmarshal(r.bodies[e.Seq].Bytes, &body); err != nil {
			return nil, fmt.Errorf("decode what was decided: %w", err)
		}
		return body.GetDecided(), nil
	}
	return nil, nil
}

func (p *Plane) recall(r *run, c engine.Recall) error {
	for _, child := range p.order {
		if child.parent != nil && child.parent.run == r && child.parent.child == c.Child {
			return p.decide(child, engine.Cancel{Now: p.now(), Actor: "system", Reason: "its parent ends", Force: c.Force, Live: p.live(child)}, nil)
		}
	}
	return p.decide(r, engine.ChildEnded{Now: p.now(), Child: c.Child, Outcome: engine.RunCanceled, Reason: "it never started", Live: p.live(r)}, nil)
}

func (p *Plane) tellParent(r *run) error {
	at := r.parent
	end := engine.ChildEnded{Now: p.now(), Child: at.child, Outcome: r.state.Run, Live: p.live(at.run)}
	if r.state.Run != engine.RunSucceeded {
		end.Reason = r.name() + " " + r.state.Run.String()
		if r.state.Reason != "" {
			end.Reason += ": " + r.state.Reason
		}
		return p.decide(at.run, end, nil)
	}
	left, err := r.leftToParent()
	if err != nil || len(left.GetOutputs()) == 0 {
		return errors.Join(err, p.decide(at.run, end, nil))
	}
	total := 0
	for _, v := range left.GetOutputs() {
		total += int(v.GetSize())
	}
	if text := plan.TooLarge(total); text != "" {
		end.Outcome, end.Reason = engine.RunFailed, r.name()+": "+text
		return p.decide(at.run, end, nil)
	}
	body, err := proto.Marshal(left)
	if err != nil {
		return fmt.Errorf("encode what the run left: %w", err)
	}
	return p.decide(at.run, end, body)
}

// leftToParent are the run's outputs as what its parent's task leaves.
func (r *run) leftToParent() (*runv1.Body, error) {
	body, g := &runv1.Body{}, r.version.graph
	for _, out := range g.Plan.Outputs {
		if out.From == nil {
			continue
		}
		_, task, ok := g.Plan.Task(out.From.Task)
		if !ok {
			continue
		}
		for _, src := range g.Leaves(r.state, int32(task), out.From.Output) {
			left := &runv1.Body{}
			if kept := r.bodies[r.state.Tasks[src.Task].EndSeq]; kept.Outcome == engine.OutcomeSucceeded.String() {
				if err := proto.Unmarshal(kept.Bytes, left); err != nil {
					return nil, fmt.Errorf("decode what %s left: %w", out.From.Task, err)
				}
			}
			for _, v := range left.GetOutputs() {
				if v.GetName() == src.Output {
					body.Outputs = append(body.Outputs, upstream.HandOn(v, out.Name, g.Path(r.state, src.Task), left.GetSignal()))
				}
			}
		}
	}
	return body, nil
}
