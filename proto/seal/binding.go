package seal

import (
	"errors"
	"regexp"
	"strings"

	"github.com/signalboxhq/signalbox/proto/id"
)

// valueLabel separates values from everything else that the keys protect.
const valueLabel = "signalbox value v1"

// ErrorName is the name under which error text is sealed.
const ErrorName = "error"

// ParamName is the name under which a run's param is sealed.
func ParamName(param string) string { return "params." + param }

// EnvName is the name under which a step seals a value for the environment of a
// task that it adds.
func EnvName(variable string) string { return "env." + variable }

// MessageName is the name under which an approval's message is sealed. The task
// may be a path with indexes, which do not count.
func MessageName(task string) string { return "message." + withoutIndexes(task) }

// AddressName is the name under which an agent's address is sealed: where the
// members of a gang meet.
const AddressName = "address"

// SignalName is the name under which a signal's payload is sealed: whoever sends
// it cannot know which task will take it.
func SignalName(signal string) string { return "signals." + signal }

// OutputName is the name under which a task's output is sealed: the same for all
// items of a map. The task may be a path with indexes, which do not count:
// fold[3]/train is fold/train, and plan/fit-1, which a step has added, is itself.
func OutputName(task, output string) string {
	return "outputs." + withoutIndexes(task) + "." + output
}

// IsLeft reports whether a name is that of something a run leaves: an output or
// the payload of a signal.
func IsLeft(name string) bool {
	return strings.HasPrefix(name, "outputs.") || strings.HasPrefix(name, "signals.")
}

var indexes = regexp.MustCompile(`\[[0-9,]*\]`)

func withoutIndexes(path string) string {
	if !strings.Contains(path, "[") {
		return path
	}
	return indexes.ReplaceAllLiteralString(path, "")
}

// Binding is what an envelope is bound to: it opens only as what it was sealed.
// Name is made by ParamName, EnvName, MessageName,
// SignalName or OutputName, or is ErrorName or AddressName.
type Binding struct {
	Org       id.UUID
	Workspace id.UUID
	Name      string
}

// check refuses a binding that somebody forgot to fill.
func (b Binding) check() error {
	if b.Org == id.Nil || b.Workspace == id.Nil || b.Name == "" {
		return errors.New("seal: the binding lacks organization, workspace or name")
	}
	return nil
}

// associate is the associated data of a value. All parts but the last have a
// fixed length, so no two bindings give the same bytes.
func (b Binding) associate(header []byte) []byte {
	data := make([]byte, 0, len(valueLabel)+1+len(header)+32+len(b.Name))
	data = append(data, valueLabel...)
	data = append(data, 0)
	data = append(data, header...)
	data = append(data, b.Org[:]...)
	data = append(data, b.Workspace[:]...)
	return append(data, b.Name...)
}
