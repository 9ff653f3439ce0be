package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/loadtest/report"
	"github.com/signalboxhq/signalbox/loadtest/stack"
)

// The settings that decide what a commit costs, and all that are not default.
const sqlSettings = `
	SELECT name, setting || coalesce(' ' || unit, '')
	FROM pg_settings
	WHERE source NOT IN ('default', 'override', 'client')
	  OR name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'shared_buffers', 'max_wal_size')`

// describe says where the benchmark runs.
func describe(ctx context.Context, pg *stack.Postgres) (report.Machine, error) {
	m := report.Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), Settings: map[string]string{}}
	m.Kernel = firstLine("/proc/sys/kernel/osrelease", "")
	m.CPU = firstLine("/proc/cpuinfo", "model name")
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				m.Commit = s.Value
			}
		}
	}
	conn, err := pgx.Connect(ctx, pg.URL("postgres"))
	if err != nil {
		return m, fmt.Errorf("connect to describe PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := conn.QueryRow(ctx, `SELECT version()`).Scan(&m.Postgres); err != nil {
		return m, fmt.Errorf("ask PostgreSQL for its version: %w", err)
	}
	rows, err := conn.Query(ctx, sqlSettings)
	if err != nil {
		return m, fmt.Errorf("read PostgreSQL's settings: %w", err)
	}
	var name, setting string
	_, err = pgx.ForEachRow(rows, []any{&name, &setting}, func() error {
		m.Settings[name] = setting
		return nil
	})
	if err != nil {
		return m, fmt.Errorf("read PostgreSQL's settings: %w", err)
	}
	return m, nil
}

// firstLine is the first line of a file that begins so, without that.
func firstLine(path, begin string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), begin); ok {
			return strings.TrimLeft(rest, "\t :")
		}
	}
	return ""
}
