package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/datastream"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// values is the state of one `signalbox run values`.
type values struct {
	*app

	keyFile string
	closed  bool
	within  string // the task whose values are shown; empty for all
}

func (a *app) runValuesCommand() *cobra.Command {
	v := &values{app: a}
	c := a.command("values [RUN] [TASK | NAME]", "Show a run's params, outputs and artifacts, sealed ones opened", upTo(0, "RUN", "NAME"), v.run)
	c.Long = `Show a run's params, outputs and artifacts, or those of a TASK, or one of them by
NAME, as tasks.train.outputs.auc. Of a run that left very much the first are
shown; an item of a map, as train[7], shows its own. What is sealed is opened by an agent, which seals it to
a key that is made for this one command; or here, with an exported key. With no
agent online, sealed values show as such.
` + runHelp
	v.flags(c)
	c.ValidArgsFunction = a.completeRuns
	return c
}

func (v *values) flags(c *cobra.Command) {
	c.Flags().StringVar(&v.keyFile, "key-file", "", "open with the keys of this `FILE` (`signalbox-agent key export`) instead of asking an agent")
	c.Flags().BoolVar(&v.closed, "sealed", false, "leave sealed what is sealed")
}

func (v *values) run(ctx context.Context, args []string) error {
	api, err := v.api()
	if err != nil {
		return err
	}
	runID, err := resolveRun(ctx, api, argument(args, 0, latest))
	if err != nil {
		return err
	}
	task, name := taskOrName(argument(args, 1, ""))
	res, err := api.Run.GetRunValues(ctx, &runv1.GetRunValuesRequest{Id: runID, Task: task})
	if err != nil {
		return err
	}
	if v.within = task; task != "" {
		res.Params = nil // they are the run's
	}
	shown := valuesOf(res)
	if !v.closed && anySealed(shown) {
		if shown, err = v.open(ctx, api, runID, shown); err != nil {
			return err
		}
	}
	if name != "" {
		return v.one(shown, name)
	}
	return v.all(shown)
}

// taskOrName tells a task from the name of one value, of which it says the task;
// that is empty for a param.
func taskOrName(text string) (task, name string) {
	rest, ofTask := strings.CutPrefix(text, "tasks.")
	if !ofTask {
		if strings.HasPrefix(text, "params.") {
			return "", text
		}
		return text, ""
	}
	for _, kind := range []string{".outputs.", ".artifacts.", ".errors."} {
		if i := strings.LastIndex(rest, kind); i > 0 {
			return rest[:i], text
		}
	}
	if task, asked := strings.CutSuffix(rest, ".message"); asked {
		return task, text
	}
	return "", text
}

// open opens what it can. That nobody is there to open it is said, and no error:
// open values, types and sizes are shown all the same.
func (v *values) open(ctx context.Context, api *client.Clients, runID string, shown []*shownValue) ([]*shownValue, error) {
	where, err := v.herePlace(ctx, api)
	if err != nil {
		return nil, err
	}
	if v.keyFile != "" {
		return shown, v.openHere(where, shown)
	}
	org, _, err := where.ids()
	if err != nil {
		return nil, err
	}
	opened, err := datastream.ReadValues(ctx, api.Relay, v.opts.Random, datastream.Source{
		Org: org, Run: runID, Kind: relayv1.DataKind_DATA_KIND_VALUES,
	})
	if err != nil {
		e := exit.From(err)
		if e.Reason != "NO_AGENT_ONLINE" {
			return nil, err
		}
		v.note("Sealed values stay sealed: %s. %s.", e.Text, e.Hint)
		return shown, nil
	}
	for _, s := range shown {
		if raw, ok := opened.Find(s.kind, s.task, s.name); ok && s.sealed != nil {
			s.value, s.sealed = raw, nil
		}
	}
	for _, s := range errorsOf(opened) {
		if v.within == "" || s.task == v.within {
			shown = append(shown, s)
		}
	}
	return shown, nil
}

// openHere opens with keys that somebody exported from an agent.
func (v *values) openHere(where place, shown []*shownValue) error {
	text, err := os.ReadFile(v.keyFile)
	if err != nil {
		return exit.Wrongf("read the keys: %s", err.Error()).Because(err)
	}
	ring, err := seal.ParseRing(string(text))
	if err != nil {
		return exit.Wrongf("%s: %s", v.keyFile, err.Error()).Because(err)
	}
	org, ws, err := where.ids()
	if err != nil {
		return err
	}
	for _, s := range shown {
		if s.sealed == nil {
			continue
		}
		raw, err := ring.Open(seal.Binding{Org: org, Workspace: ws, Name: s.sealedAs()}, s.sealed)
		if err != nil {
			v.note("%s stays sealed: %s", s.path(), err.Error())
			continue
		}
		s.value, s.sealed = raw, nil
	}
	return nil
}

// one prints a single value as a step would find it in a file.
func (v *values) one(shown []*shownValue, name string) error {
	for _, s := range shown {
		if s.path() != name {
			continue
		}
		if s.sealed != nil {
			return exit.New(exit.Later, "%s is sealed", name).Advise("start an agent, or give an exported key with --key-file")
		}
		p, err := v.printer()
		if err != nil {
			return err
		}
		if p.Format.Structured() {
			return p.Value(s.object())
		}
		_, err = fmt.Fprintln(v.out, plan.Text(s.value))
		return err
	}
	return exit.New(exit.NotFound, "the run has no value %q", name).Advise("`signalbox run values RUN -o name` lists the names")
}

func (v *values) all(shown []*shownValue) error {
	grid := &output.Grid{
		Columns: []output.Column{{Head: "NAME"}, {Head: "TYPE"}, {Head: "VALUE"}, {Head: "SIZE", Right: true, Wide: true}, {Head: "DIGEST", Wide: true}},
		Empty:   "The run has no values yet.",
	}
	p, err := v.printer()
	if err != nil {
		return err
	}
	list := make([]any, 0, len(shown))
	names := make([]string, 0, len(shown))
	for _, s := range shown {
		list = append(list, s.object())
		names = append(names, s.path())
		grid.Add(output.Text(s.path()), output.Text(s.typ), s.cell(p.Format == output.Wide),
			output.Text(output.Bytes(s.size)), output.Text(s.digest))
	}
	switch {
	case p.Format == output.JSONL:
		for _, o := range list {
			if err := p.Value(o); err != nil {
				return err
			}
		}
		return nil
	case p.Format.Structured():
		return p.Value(output.Object{{Name: "values", Value: list}})
	}
	return p.Print(output.View{Names: names, Blocks: []output.Block{grid}})
}
