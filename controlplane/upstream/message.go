package upstream

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// messageName is what agents call an approval's message among what they made.
const messageName = "message"

// Asks reports whether an agent makes the message of a task.
func Asks(t *plan.Task) bool { return t.Approve != nil && t.Approve.Message != "" }

// Asking lists the tasks of a run whose messages agents make.
func Asking(g *engine.Graph, state *engine.State) []int32 {
	asks := false
	for i := range g.Plan.Tasks {
		asks = asks || Asks(&g.Plan.Tasks[i])
	}
	if !asks {
		return nil
	}
	var out []int32
	for i := range state.Tasks {
		if Asks(g.Task(state, int32(i))) {
			out = append(out, int32(i))
		}
	}
	return out
}

// Message is an approval's message as an agent sealed it, out of what the agent
// made before the task began; nil if it made none.
func Message(answer []byte) (*runv1.Value, error) {
	var body runv1.Body
	if err := proto.Unmarshal(answer, &body); err != nil {
		return nil, fmt.Errorf("decode a message: %w", err)
	}
	for _, v := range body.GetDecided() {
		if v.GetName() == messageName {
			return v, nil
		}
	}
	return nil, nil
}
