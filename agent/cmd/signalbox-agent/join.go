package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/signalboxhq/signalbox/agent/config"
	"github.com/signalboxhq/signalbox/agent/link"
)

const identityFile = "identity.json"

// errNoToken is what somebody sees who starts an agent for the first time
// without a token.
var errNoToken = errors.New("this agent has not joined a pool yet: make a join token on the pool's page or with `signalbox pool join-token`, and give it with --token")

// recall fills in the control plane that the agent joined, so that after the
// first start its folder says all that is needed.
func recall(c *config.Config) error {
	path := filepath.Join(c.Dir, identityFile)
	if _, err := os.Stat(path); c.Server != "" || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	identity, err := link.LoadIdentity(path)
	if err != nil {
		return err
	}
	c.Server = identity.Server
	return nil
}

// join returns a client for an agent that has an identity. An unreachable
// control plane is waited for; a signal meanwhile ends the wait with a nil
// client.
func (a *app) join(ctx context.Context, c *config.Config, signals <-chan os.Signal, log *slog.Logger) (*link.Client, error) {
	path := filepath.Join(c.Dir, identityFile)
	identity, err := link.LoadIdentity(path)
	if err != nil {
		return nil, err
	}
	client := link.NewClient(link.Options{Server: c.Server, Identity: identity, Path: path})
	if identity.Enrolled() {
		if identity.Server != c.Server {
			log.LogAttrs(ctx, slog.LevelInfo, "the control plane has another address than at the time of joining",
				slog.String("was", identity.Server), slog.String("is", c.Server))
		}
		return client, nil
	}
	if c.Token.Reveal() == "" {
		return nil, errNoToken
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	joined := make(chan error, 1)
	go func() { joined <- enroll(ctx, client, c, log) }()
	select {
	case err := <-joined:
		return client, err
	case <-signals:
		return nil, nil
	}
}

func enroll(ctx context.Context, client *link.Client, c *config.Config, log *slog.Logger) error {
	var backoff link.Backoff
	for try := 1; ; try++ {
		err := client.Enroll(ctx, c.Token.Reveal(), c.Name, versionText())
		if err == nil {
			log.LogAttrs(ctx, slog.LevelInfo, "joined", slog.Any("identity", client.Identity()))
			return nil
		}
		if !link.Temporary(err) {
			return refusal(err)
		}
		if try == 1 || try%20 == 0 {
			log.LogAttrs(ctx, slog.LevelWarn, "the control plane does not answer, trying on", slog.Any("error", err))
		}
		if !backoff.Wait(ctx) {
			return ctx.Err()
		}
	}
}

// refusal puts a refused token into words that say what to do.
func refusal(err error) error {
	switch link.ReasonOf(err) { //nolint:exhaustive // the others speak for themselves
	case link.ReasonTokenInvalid:
		return fmt.Errorf("the join token is not known to this control plane: %w", err)
	case link.ReasonTokenUsed:
		return fmt.Errorf("the join token is used up, make a new one: %w", err)
	case link.ReasonTokenExpired:
		return fmt.Errorf("the join token has expired, make a new one: %w", err)
	}
	return err
}
