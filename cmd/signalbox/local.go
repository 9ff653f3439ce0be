package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli"
	"github.com/signalboxhq/signalbox/controlplane/local"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// localRun is a control plane in memory, the port that it listens on, and the
// agent beside it.
type localRun struct {
	dir    string // where the agent works
	keep   string // where to leave what is kept; empty: nowhere
	plane  *local.Plane
	key    *seal.WorkspaceKey
	server *http.Server
	agent  *localAgent
	cancel context.CancelFunc
}

// startLocal is what `signalbox run local` runs a pipeline with. It outlives
// ctx: a run that is canceled has exit handlers.
func startLocal(ctx context.Context, c cli.Local) (_ *cli.LocalRun, err error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &localRun{keep: c.Keep, cancel: cancel}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.stop())
		}
	}()
	program, err := findAgent(c.Agent)
	if err != nil {
		return nil, err
	}
	if err := l.makeFolders(); err != nil {
		return nil, err
	}
	if l.key, err = seal.Generate(rand.Reader); err != nil {
		return nil, err
	}
	config := local.Config{
		Plans: c.Plans, Key: l.key.Public(), Actor: localUser(), Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	if c.Shuffle != nil {
		config.Shuffle = mathrand.New(mathrand.NewPCG(*c.Shuffle, 0)) //nolint:gosec // An order that can be had again, and no secret.
	}
	l.plane, err = local.New(config)
	if err != nil {
		return nil, err
	}
	address, err := l.serve(ctx)
	if err != nil {
		return nil, err
	}
	if l.agent, err = l.startAgent(program, address); err != nil {
		return nil, err
	}
	go l.plane.Tick(ctx)
	go func() {
		<-l.agent.done
		l.plane.Break(l.agent.ended())
	}()
	return &cli.LocalRun{
		Server: address, Token: l.plane.ReaderToken, Org: l.plane.Org, Workspace: l.plane.Workspace, Key: l.key,
		Started: l.started, Stop: l.stop,
	}, nil
}

func (l *localRun) started(known int) ([]cli.LocalAttempt, <-chan struct{}) {
	list, changed := l.plane.Started(known)
	out := make([]cli.LocalAttempt, len(list))
	for i, s := range list {
		out[i] = cli.LocalAttempt(s)
	}
	return out, changed
}

// localUser is who started the run, as far as anybody knows here.
func localUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "local"
}

// findAgent looks for the agent's program where it was said to be, else beside
// this program, else in the PATH.
func findAgent(named string) (string, error) {
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("find the agent: %w", err)
		}
		return filepath.Abs(path)
	}
	const name = "signalbox-agent"
	if self, err := os.Executable(); err == nil {
		if path, err := exec.LookPath(filepath.Join(filepath.Dir(self), name)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", errors.New("there is no signalbox-agent beside this program or in the PATH, and steps run in one: install it, build it with `make build`, or say where it is with --agent PATH")
	}
	return filepath.Abs(path)
}

func (l *localRun) makeFolders() (err error) {
	if l.keep != "" {
		if l.keep, err = filepath.Abs(l.keep); err != nil {
			return fmt.Errorf("find the folder to keep: %w", err)
		}
		if err := os.MkdirAll(l.keep, 0o700); err != nil {
			return fmt.Errorf("make the folder to keep: %w", err)
		}
		if there, err := os.ReadDir(l.keep); err != nil || len(there) > 0 {
			return errors.Join(fmt.Errorf("%s is not empty: --keep wants a folder of its own", l.keep), err)
		}
		l.dir = filepath.Join(l.keep, "agent") // the same disk: what is kept need not be copied
		return os.Mkdir(l.dir, 0o700)
	}
	if l.dir, err = os.MkdirTemp("", "signalbox-local-"); err != nil {
		return fmt.Errorf("make a folder for the agent: %w", err)
	}
	return nil
}

// serve listens on a port of this machine that nobody else has.
func (l *localRun) serve(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	l.server = &http.Server{Handler: l.plane.Handler(), ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = l.server.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

// stop ends the agent and the control plane, and leaves what is kept. It may be
// called at any stage, and again.
func (l *localRun) stop() error {
	l.cancel()
	if l.agent != nil {
		l.agent.stop()
	}
	if l.server != nil {
		_ = l.server.Close()
	}
	var err error
	if l.keep != "" && l.plane != nil {
		err = l.leave()
	}
	if l.dir == "" {
		return err
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}

// leave writes down the journals, and takes logs and artifacts out of the
// agent's folder before that is removed.
func (l *localRun) leave() error {
	for _, name := range []string{"logs", "artifacts"} {
		if err := os.Rename(filepath.Join(l.dir, name), filepath.Join(l.keep, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("keep the %s: %w", name, err)
		}
	}
	for i, k := range l.plane.Kept() {
		dir := l.keep
		if i > 0 { // a nested one
			dir = filepath.Join(l.keep, "nested", fmt.Sprintf("%s-%d", k.Pipeline, k.Number))
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("keep a nested run: %w", err)
			}
		}
		var journal strings.Builder
		if err := k.Write(&journal); err != nil {
			return err
		}
		for name, text := range map[string]string{
			"plan.json": string(k.Plan), "journal.jsonl": journal.String(), "digest": k.Digest.String() + "\n", "workspace.keys": l.key.Export() + "\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				return fmt.Errorf("keep the run: %w", err)
			}
		}
	}
	return nil
}

// lastLines is the end of a text, for an error.
func lastLines(path string, n int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > n {
		_, _ = f.Seek(-n, io.SeekEnd)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
