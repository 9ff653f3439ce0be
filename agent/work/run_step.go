package work

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/gpu"
	"github.com/signalboxhq/signalbox/agent/logs"
	"github.com/signalboxhq/signalbox/agent/step"
)

// runStep runs the step and judges its end.
type runStep struct {
	executor execute.Executor
	accounts *accounts
	pass     []string // NAME=value of the agent's environment that steps inherit
	pulse    func()   // tells the control plane soon
	runURL   func(run string) string
	log      *slog.Logger
}

func (s *runStep) Handle(ctx context.Context, a *Attempt) *step.Verdict {
	env, err := s.environ(a)
	if err != nil {
		return lost("the inputs could not be written", err)
	}
	devices, err := s.accounts.start(ctx, a.Lease.ID)
	if errors.Is(err, errNoRoom) {
		return rejected(errNoRoom.Error())
	}
	if err != nil {
		return lost("the attempt did not begin", err)
	}
	if len(devices) > 0 || s.accounts.capacity().GPUs > 0 {
		env = append(env, gpu.Environ(devices)...) // last: a pipeline that names other devices does not get them
	}
	stdout, stderr := s.writers(a)
	// A stop goes through control, with its grace; the end of ctx has none.
	running, err := s.executor.Start(context.WithoutCancel(ctx), execute.Spec{
		Name: a.Lease.Run + "/" + a.Lease.Task, Argv: a.Task.Command, Script: a.Task.Run, Env: env, Dir: a.Folder.Work(),
		Stdout: stdout, Stderr: stderr, Progress: a.Folder.Progress(), Limits: a.Limits,
	})
	if err != nil {
		return refused(step.CauseInput, "the step makes no sense to this agent: "+err.Error(), err.Error())
	}
	a.control.execute(running)
	s.pulse()
	result := running.Wait()
	for _, w := range []io.Closer{stdout, stderr} {
		_ = w.Close() // the log tells of errors when it is closed
	}
	if len(result.Left) > 0 {
		s.log.LogAttrs(ctx, slog.LevelWarn, "processes of a step cannot be killed", slog.Any("attempt", a), slog.Any("pids", result.Left))
	}
	return s.judge(a, result)
}

// judge returns nil for a step that succeeded, whose results are collected next.
func (s *runStep) judge(a *Attempt, result execute.Result) *step.Verdict {
	v := step.Judge(result, a.Limits)
	if result.End == execute.EndStopped {
		if stopped := a.control.stopped().verdict(); stopped != nil {
			v.Outcome, v.Cause, v.Reason = stopped.Outcome, stopped.Cause, stopped.Reason
		}
	}
	a.Verdict = v
	if v.Outcome == step.OutcomeSucceeded {
		return nil
	}
	complaint := a.Folder.Complaint()
	v.Final = complaint.Final
	v.Detail = complaint.Text
	if v.Detail == "" {
		v.Detail = a.Stderr.String()
	}
	if v.Detail == "" {
		v.Detail = v.Reason
	}
	return &v
}

// environ puts the step's environment together. What comes later wins: a
// pipeline may set PATH, and nobody sets SB_*.
func (s *runStep) environ(a *Attempt) ([]string, error) {
	env := slices.Clone(s.pass)
	inputs, err := a.Folder.WriteInputs(a.Env)
	if err != nil {
		return nil, err
	}
	env = append(env, inputs...)
	for _, name := range slices.Sorted(maps.Keys(a.Secrets)) {
		env = append(env, name+"="+a.Secrets[name].Reveal())
	}
	own, err := a.Folder.Environ(step.Identity{
		Gang:  a.gang(),
		RunID: a.Lease.Run, RunURL: s.runURL(a.Lease.Run), RunOutcome: a.Lease.RunOutcome, Task: a.Lease.Task,
		Attempt: a.Lease.Attempt, Indexes: a.Lease.Indexes, Pipeline: a.Lease.Pipeline, Version: a.Lease.Version, Deadline: a.Lease.Deadline, Labels: a.Lease.Labels,
		Nominal: a.Lease.Nominal, IntervalStart: a.Lease.IntervalStart, IntervalEnd: a.Lease.IntervalEnd,
	})
	return append(env, own...), err
}

// writers lead the step's output through the redactor into the log, and the end
// of stderr into the error text as well.
func (s *runStep) writers(a *Attempt) (stdout, stderr io.WriteCloser) {
	a.Stderr = &tail{}
	out, err := a.Log.Writer(logs.Stdout), a.Log.Writer(logs.Stderr)
	return &output{a.Redactor.Writer(out), out}, &output{a.Redactor.Writer(io.MultiWriter(err, a.Stderr)), err}
}

// output closes the redactor before the log behind it, so that what it held back
// is written.
type output struct {
	io.WriteCloser

	behind io.Closer
}

func (o *output) Close() error {
	if err := o.WriteCloser.Close(); err != nil {
		return err
	}
	return o.behind.Close()
}
