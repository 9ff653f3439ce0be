package upstream

import (
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// HandOn is the output v of the task at path as the task leaves it that waited
// for its run: called name, and with the name that it was sealed as. signal is
// the one that brought it, empty where a step made it.
func HandOn(v *runv1.Value, name, path, signal string) *runv1.Value {
	out := &runv1.Value{Name: name, Type: v.GetType(), Content: v.GetContent(), Size: v.GetSize()}
	switch {
	case v.GetSealed() == nil:
	case v.GetSealedAs() != "":
		out.SealedAs = v.GetSealedAs()
	case signal != "":
		out.SealedAs = seal.SignalName(signal)
	default:
		out.SealedAs = seal.OutputName(path, v.GetName())
	}
	return out
}
