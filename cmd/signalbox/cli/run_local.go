package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/param"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// localCommand is the state of one `signalbox run local`.
type localCommand struct {
	*app

	params     []string
	paramsFile string
	labels     []string
	signals    []string
	keep       string
	agent      string
	shuffle    string
	yes        bool

	plan   *plan.Plan
	run    *LocalRun
	sender *seal.Sender
	runID  string
	// screen is what is shown, one writer at a time.
	screen *localScreen
}

func (a *app) runLocalCommand() *cobra.Command {
	here := *a // its clients are the local run's
	l := &localCommand{app: &here}
	c := a.command("local FILE", "Run a pipeline on this machine, without a server or an account", upTo(0, "FILE"), func(ctx context.Context, args []string) error {
		here.flags = a.flags
		return l.do(ctx, args)
	})
	c.Long = `Run a pipeline on this machine, without a server or an account: the control
plane's own engine decides, in the memory of this program, and a real agent beside
it runs the steps. So everything is as it will be later: conditions, maps, loops,
retries, timeouts, exit handlers, artifacts, $SB_PLAN, and the agent's policy
(SIGNALBOX_AGENT_POLICY). All pools are this machine. Pipelines that it nests are
looked for beside FILE, by their name. Named limits and gangs are the workspace's:
they do not count here.

Approvals are asked for on the terminal; that somebody else must approve cannot be
had here. Ctrl-C cancels the run, and exit handlers run; a second one does not wait
for them. The exit code is 0 where the run succeeded, 9 where it failed, 11 where
it was canceled, 65 where the file or a param is wrong.`
	c.Example = `  signalbox run local pipeline.yaml -p epochs=2
  signalbox run local pipeline.yaml --params-file params.yaml --keep out
  signalbox run local pipeline.yaml --shuffle
  signalbox run local release.yaml --signal data-ready=s3://lake/2026-11-20 --yes`
	f := c.Flags()
	f.StringArrayVarP(&l.params, "param", "p", nil, "a param, as `NAME=VALUE`, or NAME=@FILE (@- is standard input); NAME=@@TEXT for a text that begins with @")
	f.StringVar(&l.paramsFile, "params-file", "", "a `FILE` of YAML or JSON with params by name; --param goes first")
	f.StringArrayVar(&l.labels, "label", nil, "a label, as `KEY=VALUE`")
	f.StringArrayVar(&l.signals, "signal", nil, "a signal given beforehand, as `NAME`, NAME=VALUE or NAME=@FILE")
	f.StringVar(&l.keep, "keep", "", "leave journal, logs and artifacts in this `DIR`, which must be empty or new")
	f.StringVar(&l.agent, "agent", "", "the agent's program (`PATH`; default: beside this program, else in the PATH)")
	f.StringVar(&l.shuffle, "shuffle", "", "begin what is ready in an order of chance, that of `SEED` or of a new one: what depends on the order shows")
	f.Lookup("shuffle").NoOptDefVal = anySeed
	f.BoolVar(&l.yes, "yes", false, "approve whatever asks for it")
	c.ValidArgsFunction = completeFiles
	return c
}

func (l *localCommand) do(ctx context.Context, args []string) (err error) {
	if l.opts.Local == nil {
		return exit.New(exit.Failed, "this program cannot run pipelines itself")
	}
	if _, err := l.printer(); err != nil {
		return err
	}
	labels, err := labelMap(l.labels)
	if err != nil {
		return err
	}
	plans, err := l.compile(args)
	if err != nil {
		return err
	}
	given, err := l.given()
	if err != nil {
		return err
	}
	// What can be wrong with params is said before anything is started.
	if _, err := param.Values(l.plan.Params, given, unsealed); err != nil && !errors.Is(err, errUnsealed) {
		return err
	}
	seed, err := l.seed()
	if err != nil {
		return err
	}
	if l.run, err = l.opts.Local(ctx, Local{Plans: plans, Keep: l.keepDir(), Agent: l.agent, Shuffle: seed}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.run.Stop()) }()
	l.local = client.New(client.Config{Server: l.run.Server, Token: l.run.Token, Version: l.opts.Version})
	l.sender = seal.NewSender(l.run.Key.Public(), l.now, l.opts.Random)
	values, err := param.Values(l.plan.Params, given, func(name string, value json.RawMessage) ([]byte, error) {
		return l.seal(seal.ParamName(name), value)
	})
	if err != nil {
		return err
	}
	started, err := l.local.Run.StartRun(ctx, &runv1.StartRunRequest{Pipeline: l.plan.Name, Params: values, Labels: labels})
	if err != nil {
		return err
	}
	l.runID = started.GetRun().GetId()
	if err := l.sendSignals(ctx); err != nil {
		return err
	}
	return l.follow(ctx)
}

var errUnsealed = errors.New("there is no key yet")

func unsealed(string, json.RawMessage) ([]byte, error) { return nil, errUnsealed }

func (l *localCommand) seal(name string, value []byte) ([]byte, error) {
	return l.sender.Seal(seal.Binding{Org: l.run.Org, Workspace: l.run.Workspace, Name: name}, value)
}

// sendSignals sends what the run will wait for: it keeps them until then.
func (l *localCommand) sendSignals(ctx context.Context) error {
	for _, spec := range l.signals {
		req, err := l.signal(spec)
		if err != nil {
			return err
		}
		if _, err := l.local.Run.SignalRun(ctx, req); err != nil {
			return err
		}
	}
	return nil
}

// showValues shows the run's params, outputs and artifacts, opened.
func (l *localCommand) showValues(ctx context.Context) error {
	res, err := l.local.Run.GetRunValues(ctx, &runv1.GetRunValuesRequest{Id: l.runID})
	if err != nil {
		return err
	}
	shown, ring := valuesOf(res), seal.NewRing(l.run.Key)
	for _, s := range shown {
		if s.sealed == nil {
			continue
		}
		raw, err := ring.Open(seal.Binding{Org: l.run.Org, Workspace: l.run.Workspace, Name: s.sealedAs()}, s.sealed)
		if err != nil {
			l.note("%s stays sealed: %s", s.path(), err.Error())
			continue
		}
		s.value, s.sealed = raw, nil
	}
	if len(shown) == 0 {
		return nil
	}
	if !l.flags.structured() {
		_, _ = fmt.Fprintln(l.out)
		return (&values{app: l.app}).all(shown)
	}
	list := make([]any, 0, len(shown))
	for _, s := range shown {
		list = append(list, s.object())
	}
	p, err := l.printer()
	if err != nil {
		return err
	}
	if p.Format == output.JSON {
		p.Format = output.JSONL // a line, as the events before it
	}
	return p.Value(output.Object{{Name: "values", Value: list}})
}

// logsOf reads the logs of a run of this process.
func (l *localCommand) logsOf(runID string, to *logPrinter) *logs {
	return &logs{app: l.app, follow: true, api: l.local, org: l.run.Org, runID: runID, print: to}
}

// localLogs are printers by run: a nested run's tasks stand behind its name.
type localLogs struct {
	mu   sync.Mutex
	of   map[id.UUID]*logPrinter
	make func(nested string) *logPrinter
}

func (p *localLogs) printer(x LocalAttempt) *logPrinter {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of[x.Run] == nil {
		p.of[x.Run] = p.make(x.Nested)
	}
	return p.of[x.Run]
}
