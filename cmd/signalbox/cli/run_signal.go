package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/param"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// payload is the output in which a task has what came with its signal.
const payload = "payload"

func (a *app) runSignalCommand() *cobra.Command {
	var key, value string
	c := a.command("signal RUN NAME", "Tell a run what one of its tasks waits for", exactly("RUN", "NAME"), func(ctx context.Context, args []string) error {
		return a.changeRun(ctx, args[0], func(api *client.Clients, id string) (*runv1.Run, output.View, error) {
			req := &runv1.SignalRunRequest{Id: id, Name: args[1], Key: key}
			if value != "" {
				var err error
				if req.Payload, err = a.sealPayload(ctx, api, id, args[1], value); err != nil {
					return nil, output.View{}, err
				}
			}
			res, err := api.Run.SignalRun(ctx, req)
			return res.GetRun(), output.View{Answer: res}, err
		})
	})
	c.Long = `Send a run a signal. The task that has waited longest for that name takes it, or
the first that comes to wait for it: a signal may be early. Its payload is sealed
here to the workspace's key.` + runHelp
	c.Example = `  signalbox run signal train#12 data-ready --value s3://lake/2026-11-20
  signalbox run signal @latest go --key deploy-7     # one signal, however often this is repeated`
	c.Flags().StringVar(&key, "key", "", "an idempotency `KEY`: the same name with the same key is one signal")
	c.Flags().StringVar(&value, "value", "", "the payload, as `VALUE`, or @FILE (@- is standard input)")
	c.ValidArgsFunction = a.completeRuns
	return c
}

// sealPayload reads a payload by the type that the run's pipeline declares.
func (a *app) sealPayload(ctx context.Context, api *client.Clients, runID, name, text string) (*runv1.Value, error) {
	run, err := api.Run.GetRun(client.Preparing(ctx), &runv1.GetRunRequest{Id: runID})
	if err != nil {
		return nil, err
	}
	version, err := api.Pipeline.GetVersion(client.Preparing(ctx), &pipelinev1.GetVersionRequest{
		Pipeline: run.GetRun().GetPipeline(), Digest: run.GetRun().GetVersion(),
	})
	if err != nil {
		return nil, err
	}
	p, err := decodePlan(version)
	if err != nil {
		return nil, err
	}
	declared, err := payloadOf(p, name)
	if err != nil {
		return nil, err
	}
	given, err := param.Parse(payload+"="+text, a.readFile)
	if err != nil {
		return nil, err
	}
	as := a.sealAs(ctx, api)
	values, err := param.Values([]plan.Param{declared}, []param.Assignment{given}, func(_ string, value json.RawMessage) ([]byte, error) {
		envelope, err := as(seal.SignalName(name), value)
		if err != nil {
			return nil, fmt.Errorf("seal the payload: %w", err)
		}
		return envelope, nil
	})
	if err != nil {
		return nil, err
	}
	return values[0], nil
}

// payloadOf is what a signal of the plan carries, as a param.
func payloadOf(p *plan.Plan, name string) (plan.Param, error) {
	for i := range p.Tasks {
		sig := p.Tasks[i].Signal
		if sig == nil || sig.Name != name {
			continue
		}
		if sig.Type == "" {
			return plan.Param{}, exit.New(exit.Wrong, "the signal %q carries no payload: its task declares no type", name)
		}
		return plan.Param{Name: payload, Type: sig.Type, Required: true}, nil
	}
	return plan.Param{}, exit.New(exit.Wrong, "no task of the pipeline waits for a signal %q", name)
}
