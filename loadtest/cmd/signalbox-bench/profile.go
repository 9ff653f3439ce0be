package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/loadtest/stack"
)

// profiler writes down where the server's and PostgreSQL's time goes.
type profiler struct {
	server   *stack.Server
	database string
	// log is PostgreSQL's, which has the plans of slow statements.
	log    string
	prefix string
}

// withStatements has PostgreSQL count what each statement takes.
func withStatements(settings map[string]string) map[string]string {
	out := maps.Clone(settings)
	if out == nil {
		out = map[string]string{}
	}
	out["shared_preload_libraries"] = "pg_stat_statements,auto_explain"
	out["auto_explain.log_min_duration"] = "100ms"
	out["auto_explain.log_analyze"] = "on"
	out["auto_explain.log_timing"] = "off"
	out["pg_stat_statements.track_planning"] = "on"
	out["pg_stat_statements.track"] = "all"
	out["track_io_timing"] = "on"
	return out
}

// profileSeconds bounds a profile: it ends with the point, however long that is.
const profileSeconds = 3600

// Begin starts a CPU profile and counts statements from zero.
func (p profiler) Begin(ctx context.Context, point string) (func() error, error) {
	if err := p.statements(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public; SELECT public.pg_stat_statements_reset()`)
		return err
	}); err != nil {
		return nil, err
	}
	prefix := p.prefix + "-" + strings.NewReplacer(" ", "-", "/", "-").Replace(point)
	if err := os.MkdirAll(filepath.Dir(prefix), 0o755); err != nil { //nolint:gosec // results are no secret
		return nil, fmt.Errorf("make the folder of the results: %w", err)
	}
	profiling, cancel := context.WithCancel(ctx)
	taken := make(chan error, 1)
	go func() { taken <- p.cpu(profiling, prefix+".pprof") }()
	return func() error {
		err := errors.Join(p.tell(ctx, prefix+".statements.txt"), p.slow(prefix+".slow.txt"))
		// The server stops profiling only by itself, so a whole number of
		// seconds is asked for, again and again.
		cancel()
		return errors.Join(err, <-taken)
	}, nil
}

// cpu fetches one second's profile after the other, until ctx ends; the files
// are read together: go tool pprof -top *.pprof.
func (p profiler) cpu(ctx context.Context, path string) error {
	for i := range profileSeconds {
		content, err := p.fetch(ctx, "/profile?seconds=1")
		switch {
		case errors.Is(err, context.Canceled):
			return nil // the point is over
		case err != nil:
			return err
		}
		name := fmt.Sprintf("%s.%02d", path, i)
		if err := os.WriteFile(name, content, 0o644); err != nil { //nolint:gosec // results are no secret
			return fmt.Errorf("write a profile: %w", err)
		}
	}
	return nil
}

func (p profiler) fetch(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.server.Profiles+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for a profile: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for a profile: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, errors.New("ask for a profile: " + res.Status)
	}
	return io.ReadAll(res.Body)
}

const sqlStatements = `
	SELECT calls, rows, total_exec_time, total_plan_time, wal_bytes::bigint, shared_blks_hit, regexp_replace(query, '\s+', ' ', 'g')
	FROM public.pg_stat_statements
	WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
	ORDER BY total_exec_time + total_plan_time DESC
	LIMIT 40`

// tell writes the statements that took most.
func (p profiler) tell(ctx context.Context, path string) error {
	var b strings.Builder
	_, _ = fmt.Fprintln(&b, "   calls       rows   exec ms   plan ms     wal KB    buffers  statement")
	err := p.statements(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, sqlStatements)
		if err != nil {
			return err
		}
		var calls, n, wal, hit int64
		var exec, plan float64
		var text string
		_, err = pgx.ForEachRow(rows, []any{&calls, &n, &exec, &plan, &wal, &hit, &text}, func() error {
			_, err := fmt.Fprintf(&b, "%8d %10d %9.0f %9.0f %10d %10d  %.220s\n", calls, n, exec, plan, wal/1024, hit, text)
			return err
		})
		return err
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil { //nolint:gosec // results are no secret
		return fmt.Errorf("write the statements: %w", err)
	}
	return nil
}

// slow copies the plans of the statements that took long.
func (p profiler) slow(path string) error {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Errorf("read PostgreSQL's log: %w", err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // results are no secret
		return fmt.Errorf("write the slow plans: %w", err)
	}
	return nil
}

func (p profiler) statements(ctx context.Context, do func(conn *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, p.database)
	if err != nil {
		return fmt.Errorf("connect to count statements: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := do(conn); err != nil {
		return fmt.Errorf("count statements: %w", err)
	}
	return nil
}
