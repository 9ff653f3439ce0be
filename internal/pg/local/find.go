package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/sethvargo/go-envconfig"
)

// minMajor is the oldest PostgreSQL that the migrations are tested with.
const minMajor = 15

// ErrNoBinaries says that no usable PostgreSQL is installed, and what to do.
var ErrNoBinaries = fmt.Errorf("no PostgreSQL %d or newer found: install it (Debian, Ubuntu: apt-get install postgresql; "+
	"Fedora: dnf install postgresql-server; macOS: brew install postgresql), or name its folder in SIGNALBOX_PG_BIN, "+
	"or give the URL of a running one in DATABASE_URL", minMajor)

// places are where packagers put the programs outside PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/local/pgsql/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

type env struct {
	BinDir string `env:"SIGNALBOX_PG_BIN"`
}

// binaries is one installed PostgreSQL.
type binaries struct {
	dir   string
	major int
}

func (b binaries) initdb() string   { return filepath.Join(b.dir, "initdb") }
func (b binaries) postgres() string { return filepath.Join(b.dir, "postgres") }

// find returns the PostgreSQL to use: SIGNALBOX_PG_BIN alone if it is set, else
// the one in PATH, else the newest of the usual places. With major != 0 only
// that version will do, since a data directory opens with no other.
func find(ctx context.Context, major int) (binaries, error) {
	var e env
	if err := envconfig.Process(ctx, &e); err != nil {
		return binaries{}, fmt.Errorf("read the environment: %w", err)
	}
	if e.BinDir != "" {
		b, err := inspect(ctx, e.BinDir)
		if err != nil {
			return binaries{}, fmt.Errorf("SIGNALBOX_PG_BIN: %w", err)
		}
		return choose([]binaries{b}, major)
	}
	var found []binaries
	for _, dir := range candidates() {
		if b, err := inspect(ctx, dir); err == nil {
			found = append(found, b)
		}
	}
	return choose(found, major)
}

// choose takes the first of found that will do.
func choose(found []binaries, major int) (binaries, error) {
	for _, b := range found {
		if b.major >= minMajor && (major == 0 || b.major == major) {
			return b, nil
		}
	}
	if major == 0 || len(found) == 0 {
		return binaries{}, ErrNoBinaries
	}
	return binaries{}, fmt.Errorf("the data was made by PostgreSQL %d, but %s holds version %d: install version %d, or move the data away to start anew",
		major, found[0].dir, found[0].major, major)
}

// candidates lists folders that hold an initdb: PATH's first, then newest first.
func candidates() []string {
	var dirs []string
	if p, err := exec.LookPath("initdb"); err == nil {
		// A link in PATH leads to the folder that also holds postgres.
		if p, err = filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	var rest []string
	for _, pattern := range places {
		m, _ := filepath.Glob(pattern) // The patterns are constants and well formed.
		rest = append(rest, m...)
	}
	slices.SortStableFunc(rest, func(a, b string) int { return -cmp.Compare(numberIn(a), numberIn(b)) })
	return append(dirs, rest...)
}

var (
	numberPattern  = regexp.MustCompile(`\d+(\.\d+)?`)
	versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)
)

func numberIn(path string) float64 {
	f, _ := strconv.ParseFloat(numberPattern.FindString(path), 64)
	return f
}

// inspect asks the postgres in dir for its version.
func inspect(ctx context.Context, dir string) (binaries, error) {
	b := binaries{dir: dir}
	for _, p := range []string{b.initdb(), b.postgres()} {
		if _, err := os.Stat(p); err != nil {
			return b, fmt.Errorf("look for %s: %w", filepath.Base(p), err)
		}
	}
	out, err := exec.CommandContext(ctx, b.postgres(), "--version").Output()
	if err != nil {
		return b, fmt.Errorf("ask %s for its version: %w", b.postgres(), err)
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return b, errors.New("not a PostgreSQL: " + string(out))
	}
	b.major, err = strconv.Atoi(string(m[1]))
	return b, err
}
