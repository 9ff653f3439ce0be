package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/driver/signalbox"
	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/report"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
	"github.com/signalboxhq/signalbox/loadtest/stack"
	"github.com/signalboxhq/signalbox/loadtest/workload"
	"github.com/signalboxhq/signalbox/loadtest/yardstick"
)

// options are the flags of run.
type options struct {
	program   string
	dir       string
	out       string
	repeat    int
	yardstick time.Duration
	strict    bool
	profile   bool
	scale     float64
}

func runCommand(ctx context.Context, args []string, out, logs io.Writer) (err error) {
	var o options
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(logs)
	flags.StringVar(&o.program, "signalbox", "signalbox", "the server's program")
	flags.StringVar(&o.dir, "dir", os.TempDir(), "where the databases lie while they are used: the disk that is measured")
	flags.StringVar(&o.out, "out", "artifacts/bench", "where results are written")
	flags.IntVar(&o.repeat, "repeat", 1, "how often each scenario is run; the table shows medians")
	flags.DurationVar(&o.yardstick, "yardstick", 2*time.Second, "how long each yardstick is measured")
	flags.BoolVar(&o.strict, "strict", false, "fail where something else used the machine, instead of marking it")
	flags.BoolVar(&o.profile, "profile", false, "write a CPU profile of the server and PostgreSQL's statements beside each result")
	flags.Float64Var(&o.scale, "scale", 1, "multiply steps and durations")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("no scenario is named")
	}
	var scenarios []scenario.Scenario
	for _, path := range flags.Args() {
		s, err := scenario.Load(path)
		if err != nil {
			return err
		}
		scenarios = append(scenarios, s.Scaled(o.scale))
	}
	if o.program, err = exec.LookPath(o.program); err == nil {
		o.program, err = filepath.Abs(o.program)
	}
	if err != nil {
		return fmt.Errorf("find the server: %w; build it with `make build`", err)
	}
	log := slog.New(slog.NewTextHandler(logs, nil))
	filled := &stock{options: o, log: log, accounts: map[scenario.Shape]signalbox.Accounts{}}
	defer func() { err = errors.Join(err, filled.close()) }()
	var results []report.Result
	for range o.repeat { // in turns: what drifts meets all alike
		for _, s := range scenarios {
			result, err := one(ctx, o, s, filled, log)
			if err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			if o.strict && result.Disturbed() {
				return fmt.Errorf("%s: something else used this machine; its figures are refused", s.Name)
			}
			results = append(results, result)
		}
	}
	return report.Table(out, results)
}

// one runs one scenario, on a database of its own.
func one(ctx context.Context, o options, s scenario.Scenario, filled *stock, log *slog.Logger) (result report.Result, err error) {
	dir, err := folder(o.dir)
	if err != nil {
		return result, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	pg, leave, err := filled.postgres(ctx, s, dir)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, leave()) }()
	result = report.Result{Scenario: s, At: time.Now()}
	if result.Machine, err = describe(ctx, pg); err != nil {
		return result, err
	}
	if result.Yardstick, err = yardsticks(ctx, pg, o.yardstick); err != nil {
		return result, err
	}
	log.LogAttrs(ctx, slog.LevelInfo, "the machine", slog.Int64("c_us", result.Yardstick.Commit.P50),
		slog.Float64("s_per_second", result.Yardstick.Inserts), slog.Float64("l_per_second", result.Yardstick.Lifecycle))
	database, accounts, err := filled.database(ctx, pg, s)
	if err != nil {
		return result, err
	}
	server, err := stack.StartServer(ctx, stack.ServerOptions{Program: o.program, Dir: filepath.Join(dir, "server"), Database: database})
	if err != nil {
		return result, errors.Join(err, tail(filepath.Join(dir, "server", "server.log")))
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	d := signalbox.New(server, database, agentsProcess, accounts)
	result.Driver = d.Name()
	measured := d.Processes()
	measured["postgres"] = pg.PID()
	bench := workload.Bench{
		Scenario: s, Driver: d, Probe: measure.Probe{Database: database, Measured: measured}, Log: log,
		Conditions: conditions(pg), Kills: kills(pg, server), Server: server, Filled: s.Shape.Filled(),
	}
	if o.profile {
		bench.Watch = profiler{server: server, database: database, log: pg.Log(), prefix: filepath.Join(o.out, s.Name)}
	}
	if result.Points, err = bench.Run(ctx); err != nil {
		return result, errors.Join(err, tail(filepath.Join(dir, "server", "server.log")))
	}
	after, err := yardsticks(ctx, pg, o.yardstick)
	if err != nil {
		return result, err
	}
	result.Yardstick = result.Yardstick.Mean(after)
	path, err := result.Write(o.out)
	if err == nil {
		log.LogAttrs(ctx, slog.LevelInfo, "written", slog.String("path", path))
	}
	return result, err
}

// folder makes one that PostgreSQL's user may pass through.
func folder(in string) (string, error) {
	dir, err := os.MkdirTemp(in, "signalbox-bench-")
	if err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // PostgreSQL's user passes through
		return "", fmt.Errorf("open the folder: %w", err)
	}
	return dir, nil
}

// yardsticks measures the machine in a database that is gone afterwards.
func yardsticks(ctx context.Context, pg *stack.Postgres, each time.Duration) (yardstick.Yardstick, error) {
	database, err := pg.CreateDatabase(ctx, "yardstick")
	if err != nil {
		return yardstick.Yardstick{}, err
	}
	y, err := yardstick.Measure(ctx, database, pg.PID(), each)
	return y, errors.Join(err, pg.DropDatabase(ctx, "yardstick"), pg.Checkpoint(ctx))
}

// agentsProcess is this program as a fleet of agents, which dies with us.
func agentsProcess(ctx context.Context) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, self, "agents") //nolint:gosec // G702: it is ourselves
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// tail is the end of a log, as an error's text.
func tail(path string) error {
	b, err := os.ReadFile(path)
	const most = 4000
	if err != nil {
		return fmt.Errorf("read the server's log: %w", err)
	}
	return errors.New(strings.TrimSpace(string(b[max(0, len(b)-most):])))
}
