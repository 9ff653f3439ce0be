package value

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// Document is all values of a run, opened for a reader. What this agent cannot
// open is left out. It leaves the agent sealed to the reader's own key.
type Document struct {
	Params map[string]json.RawMessage `json:"params"`
	Tasks  map[string]TaskDocument    `json:"tasks"`
}

// TaskDocument is what one task left; an artifact's value is its URI, an error
// is by the number of the attempt.
type TaskDocument struct {
	Outputs   map[string]json.RawMessage `json:"outputs"`
	Artifacts map[string]json.RawMessage `json:"artifacts"`
	Errors    map[string]string          `json:"errors,omitempty"`
	// Message is what an approval asks those who vote; nil for none.
	Message json.RawMessage `json:"message,omitempty"`
}

// Document opens the values of a run.
func (w *Workspace) Document(run link.RunValues) (Document, error) {
	doc := Document{Params: map[string]json.RawMessage{}, Tasks: map[string]TaskDocument{}}
	for _, v := range run.Params {
		if err := w.into(doc.Params, v, seal.ParamName(v.Name)); err != nil {
			return Document{}, err
		}
	}
	for _, t := range run.Tasks {
		task := doc.task(t.Task)
		for _, v := range t.Outputs {
			name := seal.OutputName(t.Task, v.Name)
			if t.Signal != "" {
				name = seal.SignalName(t.Signal)
			} else if seal.IsLeft(v.SealedAs) {
				name = v.SealedAs
			}
			if err := w.into(task.Outputs, v, name); err != nil {
				return Document{}, err
			}
		}
		if t.Message != nil {
			raw, err := w.open(*t.Message, seal.MessageName(t.Task))
			if err := bearable(err); err != nil {
				return Document{}, err
			}
			if json.Valid(raw) {
				task.Message = raw
				doc.Tasks[t.Task] = task
			}
		}
		for _, a := range t.Artifacts {
			if err := w.into(task.Artifacts, link.Value{Name: a.Name, Sealed: a.SealedURI}, seal.OutputName(t.Task, a.Name)); err != nil {
				return Document{}, err
			}
		}
	}
	for _, e := range run.Errors {
		text, err := w.open(link.Value{Sealed: e.Sealed}, seal.ErrorName)
		if err == nil {
			doc.task(e.Task).Errors[strconv.FormatUint(uint64(e.Attempt), 10)] = string(text)
		} else if err := bearable(err); err != nil {
			return Document{}, err
		}
	}
	return doc, nil
}

func (d *Document) task(name string) TaskDocument {
	task, ok := d.Tasks[name]
	if !ok {
		task = TaskDocument{Outputs: map[string]json.RawMessage{}, Artifacts: map[string]json.RawMessage{}, Errors: map[string]string{}}
		d.Tasks[name] = task
	}
	return task
}

func (w *Workspace) into(values map[string]json.RawMessage, v link.Value, name string) error {
	raw, err := w.open(v, name)
	if err != nil {
		return bearable(err)
	}
	if json.Valid(raw) {
		values[v.Name] = raw
	}
	return nil
}

// bearable lets pass what one value has wrong with it; a document without it is
// better than none.
func bearable(err error) error {
	if err == nil || errors.Is(err, seal.ErrNoKey) || errors.Is(err, seal.ErrCorrupt) || errors.Is(err, seal.ErrVersion) {
		return nil
	}
	return fmt.Errorf("open a value: %w", err)
}
