package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/value"
)

// sessionFile names the last session, so that the next start can tell the
// control plane at once that it is over.
const sessionFile = "session"

// defaultHeartbeat is how often to ask where the control plane does not say.
const defaultHeartbeat = 10 * time.Second

// connect agrees on the workspace's key and opens a session. It tries until it
// succeeds, ctx ends, or trying is of no use.
func (w *Worker) connect(ctx context.Context) error {
	if err := w.settle(ctx); err != nil {
		return err
	}
	return w.openSession(ctx)
}

func (w *Worker) settle(ctx context.Context) error {
	org, workspace, err := w.client.IDs()
	if err != nil {
		return err
	}
	return w.persist(ctx, "agree on the workspace's sealing key", func() error {
		current, held, err := w.keyring.Settle(ctx, w.client.OfferSealingKey)
		if err != nil {
			return err
		}
		w.workspace.Store(value.NewWorkspace(org, workspace, w.keyring, current))
		if !held {
			w.log.LogAttrs(ctx, slog.LevelWarn, "this agent lacks the workspace's sealing key and gets no task with sealed inputs: "+
				"run `signalbox-agent key export` where an agent has it, `signalbox-agent key import` here", slog.String("kid", current.KID().String()))
		}
		return nil
	})
}

// openSession names the session before it, and says which of its leases live on:
// all that are held, running or waiting to be reported.
func (w *Worker) openSession(ctx context.Context) error {
	return w.persist(ctx, "open a session", func() error {
		address, err := w.workspaceNow().SealAddress(w.config.Address)
		if err != nil {
			return err
		}
		opening := link.Opening{
			Capacity: w.accounts.capacity(), Labels: w.config.Labels, Version: w.config.Version,
			PolicyDigest: w.policy.Digest(), Address: address, Replaces: w.lastSession(),
		}
		for _, kid := range w.keyring.Ring().KIDs() {
			opening.SealingKIDs = append(opening.SealingKIDs, kid.String())
		}
		for _, held := range w.book.list() {
			opening.Adopted = append(opening.Adopted, held.Lease)
		}
		session, _, err := w.client.OpenSession(ctx, opening)
		if err != nil {
			return err
		}
		if session.Heartbeat <= 0 {
			session.Heartbeat = defaultHeartbeat
		}
		w.session.Store(&session)
		if err := w.rememberSession(session.ID); err != nil {
			// Only the next start suffers: its leases take half a minute to be lost.
			w.log.LogAttrs(ctx, slog.LevelWarn, "the session could not be written down", slog.Any("error", err))
		}
		w.log.LogAttrs(ctx, slog.LevelInfo, "connected", slog.Any("identity", w.client.Identity()),
			slog.String("session_id", session.ID), slog.Int("adopted", len(opening.Adopted)))
		for _, order := range session.Orders {
			w.book.obey(order)
		}
		return nil
	})
}

// persist repeats a call with pauses until it succeeds. What nobody can repair
// by waiting is returned.
func (w *Worker) persist(ctx context.Context, what string, call func() error) error {
	var backoff link.Backoff
	for try := 1; ; try++ {
		err := call()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !link.Temporary(err) {
			return fmt.Errorf("%s: %w", what, err)
		}
		if try == 1 || try%20 == 0 {
			w.log.LogAttrs(ctx, slog.LevelWarn, "the control plane does not answer, trying on", slog.String("call", what), slog.Any("error", err))
		}
		if !backoff.Wait(ctx) {
			return context.Cause(ctx)
		}
	}
}

// lastSession is the session of this life or, at its start, of the one before.
func (w *Worker) lastSession() string {
	if session := w.session.Load(); session != nil {
		return session.ID
	}
	text, err := os.ReadFile(filepath.Join(w.config.Dir, sessionFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (w *Worker) rememberSession(session string) error {
	path := filepath.Join(w.config.Dir, sessionFile)
	if err := os.WriteFile(path+".tmp", []byte(session+"\n"), 0o600); err != nil {
		return errors.Join(err, os.Remove(path+".tmp"))
	}
	return os.Rename(path+".tmp", path)
}
