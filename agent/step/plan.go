package step

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/proto/plan"
)

const planFile = "plan.jsonl"

// The limits of $SB_PLAN.
const (
	maxPlanned      = 1000
	maxPlannedBytes = 4 << 20 // of the whole file
)

// Planned is a task that a step adds to its run: an instance of a template of the
// same pipeline. Env is the text of what replaces values of the template's.
type Planned struct {
	ID       string
	Template string
	Needs    []string // ids of others that this step adds
	Env      map[string]string
}

// plannedID is what may name a task, as in the pipeline file.
var plannedID = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,62}$`)

// Planned reads and checks $SB_PLAN: objects {id, template, needs, env}, one a
// line or all in one list. The error is an *OutputError where the step is to
// blame.
func (f *Folder) Planned(p *plan.Plan) ([]Planned, error) {
	content, err := f.readPlan()
	if err != nil || len(bytes.TrimSpace(content)) == 0 {
		return nil, err
	}
	list, err := parsePlanned(content)
	if err != nil {
		return nil, planError(err.Error())
	}
	if len(list) > maxPlanned {
		return nil, planError(fmt.Sprintf("%d tasks are more than %d", len(list), maxPlanned))
	}
	known := map[string]bool{}
	for i, task := range list {
		switch {
		case !plannedID.MatchString(task.ID):
			return nil, planError(fmt.Sprintf("task %d: %q cannot be an id: letters, digits, - and _, at most 63, a letter first", i, clip(task.ID)))
		case known[task.ID]:
			return nil, planError(fmt.Sprintf("the id %q stands there twice", task.ID))
		}
		known[task.ID] = true
	}
	for _, task := range list {
		if err := checkPlanned(p, task, known); err != nil {
			return nil, planError(fmt.Sprintf("task %q: %v", task.ID, err))
		}
	}
	if stuck := cycle(list); len(stuck) > 0 {
		return nil, planError("these tasks wait for one another: " + clip(strings.Join(stuck, ", ")))
	}
	return list, nil
}

// planError may be seen by the control plane: it repeats names of tasks, and no
// values.
func planError(text string) error {
	text = "$SB_PLAN: " + text
	return &OutputError{Reason: text, Detail: text}
}

func (f *Folder) readPlan() ([]byte, error) {
	path := f.path(planFile)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read $SB_PLAN: %w", err)
	case !info.Mode().IsRegular():
		return nil, planError("it is no file")
	case info.Size() > maxPlannedBytes:
		return nil, planError(fmt.Sprintf("the file has %d bytes, it may have %d", info.Size(), maxPlannedBytes))
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read $SB_PLAN: %w", err)
	}
	return content, nil
}

// parsePlanned reads objects one after the other, or one list of them.
func parsePlanned(content []byte) ([]Planned, error) {
	type object struct {
		ID       string                     `json:"id"`
		Template string                     `json:"template"`
		Needs    []string                   `json:"needs"`
		Env      map[string]json.RawMessage `json:"env"`
	}
	var objects []object
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte{'['}) {
		if err := decoder.Decode(&objects); err != nil {
			return nil, badJSON(err, 0)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return nil, errors.New("there is more after the list")
		}
	} else {
		for len(objects) <= maxPlanned {
			var one object
			err := decoder.Decode(&one)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, badJSON(err, len(objects))
			}
			objects = append(objects, one)
		}
	}
	list := make([]Planned, len(objects))
	for i, o := range objects {
		list[i] = Planned{ID: o.ID, Template: o.Template, Needs: o.Needs}
		for name, raw := range o.Env {
			if list[i].Env == nil {
				list[i].Env = map[string]string{}
			}
			list[i].Env[name] = plan.Text(raw)
		}
	}
	return list, nil
}

// badJSON says where the file is no plan. What stands there may be a value, so
// nothing of it is repeated but an unknown key.
func badJSON(err error, task int) error {
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("task %d: unknown key %s; want id, template, needs and env", task, clip(name))
	}
	return fmt.Errorf("task %d is no JSON object with id, template, needs and env", task)
}

func checkPlanned(p *plan.Plan, task Planned, known map[string]bool) error {
	var templates []string
	for i := range p.Tasks {
		if p.Tasks[i].Template {
			templates = append(templates, p.Tasks[i].Name)
		}
	}
	template, _, ok := p.Task(task.Template)
	switch {
	case len(templates) == 0:
		return errors.New("no task of the pipeline is marked `template: true`")
	case task.Template == "":
		return fmt.Errorf("it names no template; there are %s", strings.Join(templates, ", "))
	case !ok || !template.Template:
		return fmt.Errorf("%q is no template; there are %s", clip(task.Template), strings.Join(templates, ", "))
	}
	for _, need := range task.Needs {
		if !known[need] {
			return fmt.Errorf("it needs %q, which is none of the tasks of this plan", clip(need))
		}
	}
	for name, value := range task.Env {
		if _, ok := template.Env[name]; !ok {
			return fmt.Errorf("env %q is not declared by the template %s", clip(name), template.Name)
		}
		if len(value) >= plan.MaxValueBytes {
			return fmt.Errorf("env %s has %d bytes, a value may have %d", name, len(value), plan.MaxValueBytes)
		}
	}
	return nil
}

// cycle names the tasks that can never start; none if all can.
func cycle(list []Planned) []string {
	open := map[string][]string{}
	for _, task := range list {
		open[task.ID] = task.Needs
	}
	for again := true; again; {
		again = false
		for id, needs := range open {
			if !slices.ContainsFunc(needs, func(need string) bool { _, ok := open[need]; return ok }) {
				delete(open, id)
				again = true
			}
		}
	}
	var stuck []string
	for _, task := range list {
		if _, ok := open[task.ID]; ok {
			stuck = append(stuck, task.ID)
		}
	}
	return stuck
}

func clip(text string) string {
	const most = 60
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
