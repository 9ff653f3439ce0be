package step

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// OutputError says what is wrong with what a step left behind. Reason names the
// output and may be seen by the control plane; Detail may repeat its value and
// must be sealed.
type OutputError struct {
	Reason string
	Detail string
}

func (e *OutputError) Error() string { return e.Detail }

// maxOutputFile is how much of an output's file is read at all. Canonical JSON
// may be shorter than what a step writes (blanks), but not by this much.
const maxOutputFile = 4 * plan.MaxValueBytes

// Outputs reads the declared outputs as canonical JSON of their types. Every
// declared output must be there. The error is an *OutputError where the step is
// to blame.
func (f *Folder) Outputs(declared []plan.Output) (map[string]json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	total := 0
	for _, output := range declared {
		value, err := f.output(output)
		if err != nil {
			return nil, err
		}
		values[output.Name] = value
		total += len(value)
	}
	if text := plan.TooLarge(total); text != "" {
		return nil, &OutputError{Reason: text, Detail: text}
	}
	return values, nil
}

func (f *Folder) output(declared plan.Output) (json.RawMessage, error) {
	refuse := func(reason, detail string) error {
		prefix := fmt.Sprintf("output %q ", declared.Name)
		return &OutputError{Reason: prefix + reason, Detail: prefix + detail}
	}
	path := f.path("outputs", declared.Name)
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		missing := fmt.Sprintf("is declared and missing: the step did not write $SB_OUTPUTS/%s", declared.Name)
		return nil, refuse(missing, missing)
	}
	if err != nil {
		return nil, fmt.Errorf("read an output: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, refuse("is no file", "is no file")
	}
	large := fmt.Sprintf("has %d bytes, a value may have %d: hand on what is larger as an artifact", info.Size(), plan.MaxValueBytes)
	if info.Size() > maxOutputFile {
		return nil, refuse(large, large)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read an output: %w", err)
	}
	value, err := plan.ParseOutput(declared.Type, content)
	switch {
	case err != nil && info.Size() >= plan.MaxValueBytes: // canonical JSON may be shorter than what was written
		return nil, refuse(large, large)
	case err != nil:
		return nil, refuse(fmt.Sprintf("is not of its declared type %s, or too large", declared.Type), "is wrong: "+err.Error())
	}
	return value, nil
}

// Undeclared names what a step wrote as outputs without declaring it: a typing
// error, most likely.
func (f *Folder) Undeclared(declared []plan.Output) []string {
	files, err := os.ReadDir(f.path("outputs"))
	if err != nil {
		return nil
	}
	var names []string
	for _, file := range files {
		if !slices.ContainsFunc(declared, func(o plan.Output) bool { return o.Name == file.Name() }) {
			names = append(names, file.Name())
		}
	}
	return names
}
