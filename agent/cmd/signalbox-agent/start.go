package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/signalboxhq/signalbox/agent/artifact"
	"github.com/signalboxhq/signalbox/agent/config"
	"github.com/signalboxhq/signalbox/agent/execute/process"
	"github.com/signalboxhq/signalbox/agent/host"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/logs"
	"github.com/signalboxhq/signalbox/agent/policy"
	"github.com/signalboxhq/signalbox/agent/secret"
	"github.com/signalboxhq/signalbox/agent/spool"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/agent/work"
)

// start is `start`: it joins the pool if it has not, and works until it is told
// to end.
func (a *app) start(ctx context.Context, args []string) error {
	loaded, err := a.load(ctx, args)
	if err != nil {
		return err
	}
	c := loaded.Config
	if err := recall(&c); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	log, err := a.logger(&c)
	if err != nil {
		return err
	}
	log.LogAttrs(ctx, slog.LevelInfo, "start", slog.String("version", versionText()), slog.Any("config", loaded))
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("make the agent's folder: %w", err)
	}
	release, err := lockFolder(c.Dir)
	if err != nil {
		return err
	}
	defer release()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	client, err := a.join(ctx, &c, signals, log)
	if err != nil || client == nil {
		return err
	}
	worker, err := a.wire(ctx, &c, client, log)
	if err != nil {
		return err
	}
	return runUntilSignaled(ctx, worker, signals, c.DrainGrace, log)
}

func (a *app) logger(c *config.Config) (*slog.Logger, error) {
	level, err := c.Level()
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(a.stderr, options)), nil
	}
	return slog.New(slog.NewTextHandler(a.stderr, options)), nil
}

// wire makes the parts of an agent and puts them together.
func (a *app) wire(ctx context.Context, c *config.Config, client *link.Client, log *slog.Logger) (*work.Worker, error) {
	parts := work.Parts{
		Client: client, Executor: process.New(process.Self(guardCommand)), Policy: policy.All(),
		Secrets: secret.NewStore(a.lookup, c.Dir), Log: log,
	}
	var err error
	if c.Policy == "" {
		log.Warn("there is no policy file: whoever may deploy a pipeline may run any command on this machine")
	} else if parts.Policy, err = policy.Load(c.Policy); err != nil {
		return nil, err
	}
	if parts.Logs, err = logs.Open(filepath.Join(c.Dir, "logs"), logs.Options{Limit: c.LogLimit}); err != nil {
		return nil, err
	}
	artifacts, shared := c.Artifacts, c.Artifacts != ""
	if !shared {
		artifacts = filepath.Join(c.Dir, "artifacts")
	}
	if parts.Artifacts, err = artifact.Open(artifacts, client.Identity().Agent, shared); err != nil {
		return nil, err
	}
	if parts.Spool, err = spool.Open(filepath.Join(c.Dir, "spool")); err != nil {
		return nil, err
	}
	if parts.Keyring, err = openKeyring(c); err != nil {
		return nil, err
	}
	gpus := gpusOf(c, log)
	return work.New(work.Config{
		Server: c.Server, Dir: c.Dir, Capacity: capacityOf(c), Labels: c.Labels, Version: versionText(), Address: c.Address, Sources: c.Sources,
		GPUs: gpus.find(ctx), FindGPUs: gpus.find,
		Env: a.inherited(c.PassEnv), LogRetention: logs.Retention{Age: c.LogRetention, Total: c.LogTotal},
		ArtifactRetention: ownRetention(c, shared),
	}, parts)
}

// ownRetention leaves a shared folder alone: it is not one agent's to clean.
func ownRetention(c *config.Config, shared bool) time.Duration {
	if shared {
		return 0
	}
	return c.ArtifactRetention
}

// openKeyring opens the workspace's keys and takes in those of a mounted file.
func openKeyring(c *config.Config) (*value.Keyring, error) {
	keyring, err := value.OpenKeyring(filepath.Join(c.Dir, keyringFile))
	if err != nil || c.WorkspaceKeys == "" {
		return keyring, err
	}
	text, err := os.ReadFile(c.WorkspaceKeys)
	if err != nil {
		return nil, fmt.Errorf("read the workspace keys: %w", err)
	}
	if _, err := keyring.Import(string(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", c.WorkspaceKeys, err)
	}
	return keyring, nil
}

// capacityOf is what the agent has to give: what is configured, else what the
// machine has.
func capacityOf(c *config.Config) link.Capacity {
	capacity := link.Capacity{Slots: c.Slots, CPUMillis: c.CPU, MemoryBytes: c.Memory}
	if capacity.CPUMillis == 0 {
		capacity.CPUMillis = host.CPUMillis()
	}
	if capacity.MemoryBytes == 0 {
		capacity.MemoryBytes = host.MemoryBytes()
	}
	return capacity
}

// inherited is the part of the agent's environment that steps see.
func (a *app) inherited(names []string) []string {
	var env []string
	for _, name := range names {
		if value, ok := a.lookup(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
