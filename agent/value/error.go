package value

import (
	"errors"
	"fmt"

	"github.com/signalboxhq/signalbox/proto/seal"
)

// InputError says why a task's inputs cannot be had. Reason names things and may
// be seen by the control plane; Detail may repeat values.
type InputError struct {
	Reason string
	Detail string
	// Elsewhere is set where another agent may do better: this one lacks a key.
	Elsewhere bool
}

func (e *InputError) Error() string { return e.Detail }

// wrong makes an InputError about a named thing. An error of seal is safe to
// show: it names keys and never contents.
func wrong(name string, err error) *InputError {
	if missing, ok := errors.AsType[*seal.NoKeyError](err); ok {
		text := fmt.Sprintf("%s is sealed to the workspace key %s, which this agent does not hold (`signalbox-agent key import`)", name, missing.KID)
		return &InputError{Reason: text, Detail: text, Elsewhere: true}
	}
	if errors.Is(err, seal.ErrCorrupt) || errors.Is(err, seal.ErrVersion) {
		text := fmt.Sprintf("%s: %v", name, err)
		return &InputError{Reason: text, Detail: text}
	}
	return &InputError{Reason: name + " is not of its declared type or range", Detail: fmt.Sprintf("%s: %v", name, err)}
}
