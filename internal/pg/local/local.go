// Package local runs a private PostgreSQL from the programs that are installed
// on this machine, for `signalbox dev` and for tests.
//
// It owns finding the programs, the user they run as (PostgreSQL refuses root),
// the folder of the data, the socket, and the end of the server: after Stop,
// after the death of this process (kill -9 included), and when a tool finds
// what another one left behind. There is no port: the server listens on a
// socket in a folder that only its user and root can enter. The package knows
// nothing of our roles and tables, and must not be used in production.
package local

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options say which server Start starts.
type Options struct {
	// Dir keeps the data from one start to the next. It is made if missing.
	// Empty means a throw-away server: Stop removes its data.
	Dir string
	// Database is made if missing, and the one that URL names. Empty means
	// "signalbox".
	Database string
	// Fast gives up durability: a crash of the machine may lose everything.
	Fast bool
}

// Server is a running PostgreSQL. Its superuser is postgres, without password.
type Server struct {
	url       string
	dataDir   string
	relocated bool
	throwAway bool
	place     place
	process   *process
	stop      func() error
}

// readyWithin bounds the start, recovery after a crash included.
const readyWithin = 60 * time.Second

// Start starts a server and waits until it answers. It fails with
// ErrNoBinaries when none is installed and with an InUseError when a living
// process already runs one on the same folder. A server whose launcher died is
// ended first, and its data recovered. ctx bounds the start only.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Database == "" {
		o.Database = "signalbox"
	}
	acc, err := findAccount()
	if err != nil {
		return nil, err
	}
	p, err := choosePlace(ctx, acc, o.Dir)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, acc, p, o)
	if err != nil {
		p.release(o.Dir == "")
		return nil, err
	}
	return s, nil
}

func start(ctx context.Context, acc account, p place, o Options) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	bin, err := find(ctx, p.major())
	if err != nil {
		return nil, err
	}
	if err := endOrphan(ctx, p.data()); err != nil {
		return nil, err
	}
	if err := initialize(ctx, acc, bin, p); err != nil {
		return nil, err
	}
	if err := acc.own(p.socket); err != nil {
		return nil, fmt.Errorf("make the folder of the socket: %w", err)
	}
	proc, err := run(ctx, acc, bin, p, o.Fast)
	if err != nil {
		return nil, err
	}
	s := &Server{
		url: urlOf(p.socket, o.Database), dataDir: p.data(), relocated: p.relocated,
		throwAway: o.Dir == "", place: p, process: proc,
	}
	s.stop = sync.OnceValue(s.stopOnce)
	if err := createDatabase(ctx, p.socket, o.Database); err != nil {
		_ = s.Stop()
		return nil, err
	}
	return s, nil
}

// URL is the server's database, as the superuser.
func (s *Server) URL() string { return s.url }

// DataDir is where the data lies.
func (s *Server) DataDir() string { return s.dataDir }

// Relocated reports whether the data lies elsewhere than asked, because the
// unprivileged user cannot reach the folder. Say so to the person, with DataDir.
func (s *Server) Relocated() bool { return s.relocated }

// Exited is closed when the server's process has ended, by Stop or by itself.
func (s *Server) Exited() <-chan struct{} { return s.process.exited }

// LogFile is where the server writes what it has to say.
func (s *Server) LogFile() string { return s.place.log() }

// Stop ends the server: open transactions are rolled back, sessions closed. It
// returns when the process has ended; a second call returns the same.
func (s *Server) Stop() error { return s.stop() }

func (s *Server) stopOnce() error {
	err := s.process.end(10 * time.Second)
	s.place.release(s.throwAway)
	return err
}

func urlOf(socket, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: url.Values{"host": {socket}}.Encode()}
	return u.String()
}

func createDatabase(ctx context.Context, socket, name string) error {
	if name == "postgres" {
		return nil
	}
	conn, err := pgx.Connect(ctx, urlOf(socket, "postgres"))
	if err != nil {
		return fmt.Errorf("connect to the new server: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	const query = `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`
	if err := conn.QueryRow(ctx, query, name).Scan(&exists); err != nil {
		return fmt.Errorf("look for database %s: %w", name, err)
	}
	if exists {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// tail returns the end of the server's log, for error messages.
func tail(path string) string {
	b, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return ""
	}
	const most = 2000
	if len(b) > most {
		b = b[len(b)-most:]
	}
	return string(b)
}
