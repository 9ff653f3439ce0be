package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signalboxhq/signalbox/agent/artifact"
	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/gpu"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/logs"
	"github.com/signalboxhq/signalbox/agent/policy"
	"github.com/signalboxhq/signalbox/agent/relay"
	"github.com/signalboxhq/signalbox/agent/secret"
	"github.com/signalboxhq/signalbox/agent/spool"
	"github.com/signalboxhq/signalbox/agent/tree"
	"github.com/signalboxhq/signalbox/agent/value"
)

// ErrRevoked means that the control plane knows this agent no more. Its steps
// are ended.
var ErrRevoked = errors.New("this agent was revoked; join again with a new token and an empty folder")

// errDrained ends a worker that has nothing left to do.
var errDrained = errors.New("drained")

// Config is what a worker is told.
type Config struct {
	Server   string
	Dir      string        // the agent's own folder
	Capacity link.Capacity // but for GPUs
	Labels   map[string]string
	Version  string
	Address  string   // by which other agents reach this one
	Sources  string   // what a relative source path starts from
	Env      []string // NAME=value that steps inherit

	// GPUs are what the agent has of them at its start; FindGPUs looks again,
	// each FindEvery (0: a minute). A nil FindGPUs looks no more.
	GPUs      gpu.Found
	FindGPUs  func(context.Context) gpu.Found
	FindEvery time.Duration

	LogRetention      logs.Retention
	ArtifactRetention time.Duration // zero keeps them
}

// maxDecisions is how many conditions, lists and messages are evaluated at a
// time. They take no slot: a busy agent goes on deciding.
const maxDecisions = 8

// Parts are what a worker works with.
type Parts struct {
	Client    *link.Client
	Executor  execute.Executor
	Policy    *policy.Policy
	Secrets   *secret.Store
	Logs      *logs.Store
	Artifacts *artifact.Store
	Spool     *spool.Spool
	Keyring   *value.Keyring
	Log       *slog.Logger
}

// Worker is a running agent. Run is called once; the methods that end it may be
// called from anywhere, also before and after.
type Worker struct {
	config      Config
	client      *link.Client
	executor    execute.Executor
	policy      *policy.Policy
	secrets     *secret.Store
	logs        *logs.Store
	artifacts   *artifact.Store
	spool       *spool.Spool
	keyring     *value.Keyring
	log         *slog.Logger
	answerer    *relay.Answerer
	attemptsDir string

	plans    *plans
	items    *value.Items
	accounts *accounts
	book     *book
	reports  *reports
	poller   poller
	pulses   chan struct{}

	workspace  atomic.Pointer[value.Workspace]
	session    atomic.Pointer[link.Session]
	stages     []Stage     // of steps
	deciding   []Stage     // of decisions
	reequipped atomic.Bool // since the session was opened
	fail       context.CancelCauseFunc
	attempts   sync.WaitGroup // and answers to readers
	draining   drain
}

// New puts a worker together.
func New(config Config, parts Parts) (*Worker, error) {
	org, _, err := parts.Client.IDs()
	if err != nil {
		return nil, fmt.Errorf("make a worker: %w", err)
	}
	config.Capacity.Decisions = maxDecisions
	w := &Worker{
		config: config, client: parts.Client, executor: parts.Executor, policy: parts.Policy, secrets: parts.Secrets,
		logs: parts.Logs, artifacts: parts.Artifacts, spool: parts.Spool, keyring: parts.Keyring,
		log: parts.Log.With(slog.String("component", "work")), attemptsDir: filepath.Join(config.Dir, "attempts"),
		plans: newPlans(parts.Client), items: value.NewItems(parts.Artifacts.Locate), accounts: newAccounts(config.Capacity, config.GPUs), book: newBook(), reports: newReports(),
		pulses: make(chan struct{}, 1), draining: newDrain(), poller: poller{beside: make(chan struct{}, 1)},
	}
	w.answerer = relay.New(parts.Client, org, parts.Logs, w.workspaceNow, parts.Log)
	w.stages, w.deciding = w.chain(), w.decisions()
	return w, nil
}

// Run works until it is drained (nil), revoked (ErrRevoked), or ctx ends, which
// kills what runs. What it came to and is not acknowledged stays in the spool.
func (w *Worker) Run(ctx context.Context) error {
	life, end := context.WithCancelCause(ctx)
	defer end(nil)
	w.fail = end
	if err := w.recall(life); err != nil {
		return err
	}
	stop := context.AfterFunc(w.draining.context(life), func() {
		if w.session.Load() == nil {
			end(errDrained) // there is nobody to drain towards; the spool waits
		}
	})
	if err := w.connect(life); err != nil {
		return w.ending(life, err)
	}
	stop()
	var loops sync.WaitGroup
	for _, loop := range []func(context.Context){w.pollLoop, w.sideLoop, w.reportLoop, w.pulseLoop, w.sweepLoop, w.findLoop, w.drainLoop} {
		loops.Go(func() { loop(life) })
	}
	loops.Wait()
	// Outcomes of what is killed now go into the spool, for the next start.
	w.book.stopAll(byDrain, 0)
	w.attempts.Wait()
	if errors.Is(context.Cause(life), errDrained) && w.Held() == 0 {
		w.closeSession(ctx)
	}
	return w.ending(life, context.Cause(life))
}

// ending is what Run returns for what ended it.
func (w *Worker) ending(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, errDrained):
		return nil
	case link.ReasonOf(err) == link.ReasonAgentRevoked:
		return ErrRevoked
	case ctx.Err() != nil && context.Cause(ctx) == ctx.Err(): //nolint:errorlint // the very error of a parent that ended
		return nil
	}
	return err
}

// recall loads what the agent's last life has left: outcomes that nobody has
// acknowledged, and the folders of attempts that died with it.
func (w *Worker) recall(ctx context.Context) error {
	if err := tree.Remove(w.attemptsDir); err != nil {
		return fmt.Errorf("remove the folders of earlier attempts: %w", err)
	}
	if err := os.MkdirAll(w.attemptsDir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the attempts: %w", err)
	}
	pending, err := w.spool.Pending()
	if err != nil {
		return err
	}
	for _, entry := range pending {
		report, err := decodeReport(entry)
		if err != nil {
			w.log.LogAttrs(ctx, slog.LevelError, "an outcome cannot be read and is left alone", slog.Int64("lease", entry.Lease), slog.Any("error", err))
			continue
		}
		w.book.add(entry.Lease, &control{phase: link.PhaseRunning, started: time.Now(), over: true})
		w.reports.add(report)
	}
	return nil
}

func (w *Worker) workspaceNow() *value.Workspace { return w.workspace.Load() }

// runURL is where people look at a run.
func (w *Worker) runURL(run string) string {
	identity := w.client.Identity()
	return strings.TrimSuffix(w.config.Server, "/") + "/o/" + identity.Organization + "/w/" + identity.Workspace + "/runs/" + run
}
