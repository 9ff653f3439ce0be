package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Agent is a real agent, a process of its own.
type Agent struct {
	process *Process
	options AgentOptions
}

// AgentOptions say how to run an agent.
type AgentOptions struct {
	// Program is the signalbox-agent binary.
	Program string
	// Dir gets its keys, its steps and its log.
	Dir string
	// Server is where it calls.
	Server string
	// Token is the join token of its first start.
	Token string
	// Args are more flags.
	Args []string
}

// StartAgent starts an agent; it is not yet online then.
func StartAgent(ctx context.Context, o AgentOptions) (*Agent, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the agent's folder: %w", err)
	}
	a := &Agent{options: o}
	return a, a.Start(ctx)
}

// Start starts the agent with the identity that it has, as after Kill.
func (a *Agent) Start(ctx context.Context) error {
	log, err := os.OpenFile(a.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the agent's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	args := append([]string{"start", "--server", a.options.Server, "--dir", a.options.Dir}, a.options.Args...)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), a.options.Program, args...)
	cmd.Env = append(os.Environ(), "SIGNALBOX_AGENT_TOKEN="+a.options.Token)
	cmd.Stdout, cmd.Stderr = log, log
	a.process, err = launch("an agent", cmd, syscall.SIGKILL)
	return err
}

// Log is where the agent writes what it has to say.
func (a *Agent) Log() string { return filepath.Join(a.options.Dir, "agent.log") }

// Kill ends the agent as a crash does.
func (a *Agent) Kill() error { return a.process.Kill() }

// Freeze stops the agent where it stands, as a hypervisor may; Thaw lets it go on.
func (a *Agent) Freeze() error { return a.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (a *Agent) Thaw() error { return a.signal(syscall.SIGCONT) }

func (a *Agent) signal(s syscall.Signal) error {
	if err := a.process.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("signal the agent: %w", err)
	}
	return nil
}

// Stop ends the agent and, within seconds, its steps.
func (a *Agent) Stop() error {
	thawed := a.signal(syscall.SIGCONT)
	err := a.process.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	// The second one says not to wait for the steps.
	return errors.Join(thawed, err, a.process.end(syscall.SIGTERM, 5*time.Second))
}
