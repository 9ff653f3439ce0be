package value

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// Question is what is to be decided, of which task, with which values.
type Question struct {
	Kind    link.Decision
	Program *Program
	Task    int      // in the plan
	Indexes []uint32 // of the lease
	Values  Values
}

// Decide answers a question. The reason says why a condition is false; it shows
// values only where all that it shows are open. The error is an *InputError.
func (w *Workspace) Decide(items *Items, q Question) (link.Decided, string, error) {
	task := &q.Program.Plan.Tasks[q.Task]
	if q.Kind == link.DecideUntil {
		if task.Repeat == nil {
			return link.Decided{}, "", cannot("until", fmt.Errorf("%s is no loop", task.Name))
		}
		yes, _, err := q.holds(items, "until", task.Repeat.Until, expr.Until(q.Program.Plan, q.Task))
		return link.Decided{Yes: yes}, "", err
	}
	condition := task.If
	if q.Kind == link.DecideItem {
		condition = task.ItemIf
	}
	decided := link.Decided{Yes: true}
	if condition != "" {
		yes, reason, err := q.holds(items, "if", condition, expr.In(q.Program.Plan, q.Task))
		if err != nil || !yes {
			return link.Decided{}, reason, err
		}
	}
	if task.ForEach != nil && q.Kind == link.DecideBegin {
		return decided, "", w.countItems(items, q, &decided)
	}
	return decided, "", w.prepare(items, q, &decided)
}

// holds evaluates a condition, and explains one that is false.
func (q *Question) holds(items *Items, what, condition string, place expr.Place) (yes bool, reason string, err error) {
	program, err := q.Program.condition(condition, place)
	if err != nil {
		return false, "", cannot("`"+what+"`", err)
	}
	values := q.Values
	refs := program.References()
	if refs.Item {
		if err := items.Item(q.Program, q.Task, false, q.Indexes, &values); err != nil {
			return false, "", err
		}
	}
	if yes, err = program.Bool(values.Values); err != nil {
		return false, "", cannot("`"+what+"`", err)
	}
	if yes {
		return true, "", nil
	}
	shown := &values.Values
	if !values.Open(refs, q.itemIsOpen()) {
		shown = nil
	}
	return false, "condition_false: " + program.Explain(shown), nil
}

// itemIsOpen reports whether the items stand in the file, which is open.
func (q *Question) itemIsOpen() bool {
	p := q.Program.Plan
	for i := q.Task; i >= 0; i = p.Tasks[i].In - 1 {
		if each := p.Tasks[i].ForEach; each != nil {
			_, known := each.Known()
			return known
		}
	}
	return false
}

// countItems tells how many items there are and digests them. Of more than the
// task allows it tells only how many: the task fails for it. So it does without
// the workspace's key, which only open values let come to that: what is run again
// then finds none of its items.
func (w *Workspace) countItems(items *Items, q Question, decided *link.Decided) error {
	task := &q.Program.Plan.Tasks[q.Task]
	if _, known := task.ForEach.Known(); known {
		return nil
	}
	key, holdsKey := w.keyring.Ring().Key(w.sender.KID())
	digests := [][]byte{}
	count, err := items.EachItem(q.Program, q.Task, q.Indexes, q.Values, task.ForEach.Limit(), func(item []byte) error {
		if !holdsKey {
			return nil
		}
		digest, err := key.Digest("item", item)
		if err != nil {
			return err
		}
		digests = append(digests, slices.Clone(digest[len(digest.KID()):][:itemDigest]))
		return nil
	})
	if err != nil {
		return err
	}
	decided.Count, decided.Digests = uint32(count), digests
	return nil
}

// itemDigest is how much of an item's digest is told, in bytes.
const itemDigest = 16

// prepare evaluates what a task that holds no agent begins with: the moment it
// waits for, its message, the params of the pipeline that it starts.
func (w *Workspace) prepare(items *Items, q Question, decided *link.Decided) error {
	task := &q.Program.Plan.Tasks[q.Task]
	values := q.Values
	if q.preparesWithItem(task) {
		if err := items.Item(q.Program, q.Task, false, q.Indexes, &values); err != nil {
			return err
		}
	}
	place := expr.In(q.Program.Plan, q.Task)
	switch {
	case task.Wait != nil && task.Wait.Until != "":
		text, err := q.Program.render(task.Wait.Until, place, values.Values)
		if err == nil {
			decided.Until, err = time.Parse(time.RFC3339, strings.TrimSpace(text))
		}
		if err != nil {
			return cannot("the moment to wait for", err)
		}
	case task.Approve != nil && task.Approve.Message != "":
		text, err := q.Program.render(task.Approve.Message, place, values.Values)
		if err != nil {
			return cannot("the message", err)
		}
		return w.sealInto(decided, link.Value{Name: "message", Type: string(plan.TypeString)}, seal.MessageName(task.Name), text)
	}
	for _, name := range slices.Sorted(maps.Keys(task.With)) {
		program, err := q.Program.template(task.With[name], place)
		if err != nil {
			return cannot("with "+name, err)
		}
		raw, err := program.Eval(values.Values)
		if err != nil {
			return cannot("with "+name, err)
		}
		v := link.Value{Name: name, Type: string(program.Type())}
		if task.Pipeline != nil && slices.Contains(task.Pipeline.Open, name) {
			v.Open, v.Size = raw, uint32(len(raw))
			decided.Values = append(decided.Values, v)
			continue
		}
		if err := w.seal(decided, v, seal.ParamName(name), raw); err != nil {
			return err
		}
	}
	return nil
}

// preparesWithItem reports whether any of it reads the item of a map.
func (q *Question) preparesWithItem(task *plan.Task) bool {
	texts := slices.Collect(maps.Values(task.With))
	if task.Wait != nil {
		texts = append(texts, task.Wait.Until)
	}
	if task.Approve != nil {
		texts = append(texts, task.Approve.Message)
	}
	return slices.ContainsFunc(texts, func(text string) bool {
		program, err := q.Program.template(text, expr.In(q.Program.Plan, q.Task))
		return err == nil && program.References().Item
	})
}

func (w *Workspace) sealInto(decided *link.Decided, v link.Value, binding, text string) error {
	raw, err := plan.ParseValue(plan.TypeString, text)
	if err != nil {
		return cannot(v.Name, err)
	}
	return w.seal(decided, v, binding, raw)
}

func (w *Workspace) seal(decided *link.Decided, v link.Value, binding string, raw json.RawMessage) error {
	envelope, err := w.sender.Seal(w.binding(binding), raw)
	if err != nil {
		return fmt.Errorf("seal %s: %w", v.Name, err)
	}
	v.Sealed, v.Size = envelope, uint32(len(raw))
	decided.Values = append(decided.Values, v)
	return nil
}

// SealPlanned seals what a step puts into the environment of a task that it adds.
func (w *Workspace) SealPlanned(name, text string) (link.Value, error) {
	var sealed link.Decided
	v := link.Value{Name: name, Type: string(plan.TypeString)}
	if err := w.sealInto(&sealed, v, seal.EnvName(name), text); err != nil {
		return link.Value{}, err
	}
	return sealed.Values[0], nil
}
