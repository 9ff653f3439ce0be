package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Server is one replica of the control plane, a process of its own.
type Server struct {
	// URL is where people and agents are served.
	URL string
	// Profiles is where the server's profiles are served.
	Profiles string

	process *Process
	options ServerOptions
	address string
}

// ServerOptions say how to run the server.
type ServerOptions struct {
	// Program is the signalbox binary.
	Program string
	// Dir gets its mail and its log.
	Dir string
	// Database is the URL of the database.
	Database string
}

// StartServer starts a replica and waits until it is healthy.
func StartServer(ctx context.Context, o ServerOptions) (*Server, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	profiles, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the server's folder: %w", err)
	}
	s := &Server{URL: "http://" + address, Profiles: "http://" + profiles + "/debug/pprof", options: o, address: address}
	return s, s.Start(ctx)
}

// Start starts the server at its address, as after Kill.
func (s *Server) Start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.options.Dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), s.options.Program, "server")
	cmd.Env = append(os.Environ(),
		"DATABASE_URL="+s.options.Database, "SIGNALBOX_ADDRESS="+s.address, "SIGNALBOX_MAIL=file:"+s.mail(),
		"SIGNALBOX_LOG_LEVEL=warn",
		"SIGNALBOX_PROFILE_ADDRESS="+strings.TrimSuffix(strings.TrimPrefix(s.Profiles, "http://"), "/debug/pprof"))
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = launch("the server", cmd, syscall.SIGKILL); err != nil {
		return err
	}
	return s.process.eventually(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/healthz", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("healthz: %s", res.Status)
		}
		return nil
	})
}

func (s *Server) mail() string { return filepath.Join(s.options.Dir, "mail") }

// PID is the server's process.
func (s *Server) PID() int { return s.process.PID() }

// Kill ends the server as a crash does.
func (s *Server) Kill() error { return s.process.Kill() }

// Stop ends the server.
func (s *Server) Stop() error { return s.process.end(syscall.SIGTERM, 15*time.Second) }

// Doctor recounts the database with the server's own check, and returns what
// that complains of: nothing, if all is well.
func (s *Server) Doctor(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, s.options.Program, "server", "doctor")
	cmd.Env = append(os.Environ(), "DATABASE_URL="+s.options.Database)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return "", nil
	}
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		return string(out), nil
	}
	return "", fmt.Errorf("run the doctor: %w", err)
}

func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
