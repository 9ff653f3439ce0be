package runapi

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/param"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// maxAnswer bounds the content of one answer. Beyond it values keep their name,
// type and size and lose their content: the page still shows that they are
// there, and the relay reads them one by one.
const maxAnswer = 8 << 20

// values gathers what went into a run and came out of its tasks.
func (h *Handler) values(ctx context.Context, by caller.Caller, ref rundb.Ref, task string) (*runv1.GetRunValuesResponse, error) {
	res := &runv1.GetRunValuesResponse{}
	room := maxAnswer
	stored, err := h.store.ReadValues(ctx, by, ref, task, func(left rundb.Left) error {
		if left.Answer {
			message, err := upstream.Message(left.Body)
			if message != nil {
				room = fit(message, room)
				res.Tasks = append(res.Tasks, &runv1.TaskValues{Task: left.Task, Message: message})
			}
			return err
		}
		var body runv1.Body
		if err := proto.Unmarshal(left.Body, &body); err != nil {
			return fmt.Errorf("decode what task %s left: %w", left.Task, err)
		}
		if len(body.GetOutputs())+len(body.GetArtifacts()) == 0 {
			return nil
		}
		for _, v := range body.GetOutputs() {
			room = fit(v, room)
		}
		res.Tasks = append(res.Tasks, &runv1.TaskValues{
			Task: left.Task, Attempt: uint32(left.Attempt), Outputs: body.GetOutputs(), Artifacts: body.GetArtifacts(), Signal: body.GetSignal(),
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	var given runv1.Params
	if err := proto.Unmarshal(stored.Params, &given); err != nil {
		return nil, fmt.Errorf("decode params: %w", err)
	}
	res.Params, err = param.WithDefaults(stored.Plan.Params, given.GetValues())
	return res, err
}

// fit takes a value's content away where there is no room for it, and returns
// the room that is left.
func fit(v *runv1.Value, room int) int {
	n := len(v.GetOpenJson()) + len(v.GetSealed())
	if n > room {
		v.Content = nil
		return room
	}
	return room - n
}
