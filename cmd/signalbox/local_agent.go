package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// localAgent is the agent's program beside a local run.
type localAgent struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// startAgent starts the agent in a group of its own: Ctrl-C is for the run, which
// then tells the agent what to stop.
func (l *localRun) startAgent(program, server string) (*localAgent, error) {
	keys := filepath.Join(l.dir, "given.keys")
	if err := os.WriteFile(keys, []byte(l.key.Export()+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("give the agent its key: %w", err)
	}
	a := &localAgent{log: filepath.Join(l.dir, "agent.log"), done: make(chan struct{})}
	log, err := os.Create(a.log)
	if err != nil {
		return nil, fmt.Errorf("make the agent's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	a.cmd = exec.Command(program, "start", "--server", server, "--name", "local", "--dir", l.dir, "--workspace-keys", keys) //nolint:noctx // stop ends it
	// The token in the environment, where no list of processes shows it.
	a.cmd.Env = append(os.Environ(), "SIGNALBOX_AGENT_TOKEN="+l.plane.JoinToken)
	a.cmd.Stdout, a.cmd.Stderr = log, log
	ownGroup(a.cmd)
	if err := a.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the agent: %w", err)
	}
	go func() {
		_ = a.cmd.Wait()
		close(a.done)
	}()
	return a, nil
}

// ended says why an agent ended that should not have.
func (a *localAgent) ended() error {
	const most = 1000
	text := "the agent has ended: " + a.cmd.ProcessState.String()
	if tail := lastLines(a.log, most); tail != "" {
		text += "; its last words:\n" + tail
	}
	return errors.New(text)
}

// agentGrace is how long the agent may take to end; nothing runs by then.
const agentGrace = 5 * time.Second

func (a *localAgent) stop() {
	_ = a.cmd.Process.Signal(syscall.SIGTERM)
	grace := time.NewTimer(agentGrace)
	defer grace.Stop()
	select {
	case <-a.done:
	case <-grace.C:
		_ = a.cmd.Process.Kill()
		<-a.done
	}
}
