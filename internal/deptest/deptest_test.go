package deptest_test

import (
	"bufio"
	"bytes"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root   = "../.."
	module = "github.com/signalboxhq/signalbox"
)

var update = flag.Bool("update", false, "write agent/deps.txt")

// list runs go list in a module alone, as customers build it.
func list(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = filepath.Join(root, dir)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	return strings.Fields(string(out))
}

// importsOf maps every package of a module to all that it reaches.
func importsOf(t *testing.T, dir string) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	for _, line := range list(t, dir, "-f", `{{.ImportPath}}|{{join .Deps "|"}}`, "./...") {
		parts := strings.Split(line, "|")
		imports[parts[0]] = parts[1:]
	}
	return imports
}

func under(pkg, tree string) bool {
	return pkg == module+"/"+tree || strings.HasPrefix(pkg, module+"/"+tree+"/")
}

func TestDirectionOfImports(t *testing.T) {
	t.Parallel()
	imports := importsOf(t, ".")
	for _, wall := range []struct {
		tree, not string
		except    []string
	}{
		{"tenancy", "billing", nil},
		{"tenancy", "controlplane", nil},
		{"tenancy", "cmd", nil},
		{"billing", "controlplane", nil},
		{"billing", "cmd", nil},
		{"controlplane", "billing", []string{"billing/usage"}},
		{"controlplane", "cmd", nil},
		{"internal", "tenancy", nil},
		{"internal", "billing", nil},
		{"internal", "controlplane", []string{"controlplane/migrations"}}, // pgtest copies what they make
		{"internal", "cmd", nil},
	} {
		for pkg, deps := range imports {
			if !under(pkg, wall.tree) {
				continue
			}
			for _, dep := range deps {
				allowed := slices.ContainsFunc(wall.except, func(tree string) bool { return under(dep, tree) })
				require.False(t, under(dep, wall.not) && !allowed, "%s reaches %s", pkg, dep)
			}
		}
	}
}

// TestPurePackagesDoNoIO also catches what a helper in between would bring in.
// os is reached by fmt, and net by the uuid library: they are left to the linter.
func TestPurePackagesDoNoIO(t *testing.T) {
	t.Parallel()
	pure := []string{
		"controlplane/pipeline", "controlplane/engine", "controlplane/dispatch/choose", "controlplane/schedule",
		"billing/usage", "billing/rating", "tenancy/authz",
	}
	forbidden := []string{"net/http", "database/sql", "os/exec", "github.com/jackc/pgx/v5", "connectrpc.com/connect"}
	for pkg, deps := range importsOf(t, ".") {
		if !slices.ContainsFunc(pure, func(tree string) bool { return under(pkg, tree) }) {
			continue
		}
		for _, dep := range deps {
			require.NotContains(t, forbidden, dep, "%s reaches it", pkg)
			require.False(t, under(dep, "proto/gen"), "%s reaches messages: %s", pkg, dep)
		}
	}
}

func TestPackagesForTestsStayInTests(t *testing.T) {
	t.Parallel()
	for pkg, deps := range importsOf(t, ".") {
		if under(pkg, "internal/pgtest") {
			continue
		}
		require.NotContains(t, deps, "testing", "%s reaches it", pkg)
		require.NotContains(t, deps, module+"/internal/pgtest", "%s reaches it", pkg)
	}
}

func TestContractImportsNothingOfOurs(t *testing.T) {
	t.Parallel()
	for pkg, deps := range importsOf(t, "proto") {
		for _, dep := range deps {
			require.False(t, strings.HasPrefix(dep, module) && !under(dep, "proto"), "%s reaches %s", pkg, dep)
		}
	}
}

func TestBenchmarkKnowsTheContractOnly(t *testing.T) {
	t.Parallel()
	for pkg, deps := range importsOf(t, "loadtest") {
		for _, dep := range deps {
			require.False(t, strings.HasPrefix(dep, module) && !under(dep, "proto") && !under(dep, "loadtest"), "%s reaches %s", pkg, dep)
		}
	}
}

// TestDependenciesOfTheAgentAreTheCommittedOnes makes every new dependency of
// what customers install a line in a review. Update with:
//
//	go test ./internal/deptest -run Agent -update
func TestDependenciesOfTheAgentAreTheCommittedOnes(t *testing.T) {
	t.Parallel()
	var deps []string
	for _, dep := range list(t, "agent", "-deps", "-f", `{{if not .Standard}}{{.ImportPath}}{{end}}`, "./...") {
		require.False(t, strings.HasPrefix(dep, module) && !under(dep, "proto") && !under(dep, "agent"), "the agent reaches %s", dep)
		if !strings.HasPrefix(dep, module) {
			deps = append(deps, dep)
		}
	}
	slices.Sort(deps)
	got := strings.Join(deps, "\n") + "\n"
	file := filepath.Join(root, "agent", "deps.txt")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// sources calls fn for every file of the repository that somebody wrote.
func sources(t *testing.T, fn func(path string, text []byte)) {
	t.Helper()
	written := []string{".go", ".sql", ".proto", ".ts", ".tsx", ".css", ".sh", ".py", ".md", ".yml", ".yaml"}
	skipped := []string{"node_modules", "gen", "dist", "testdata", "artifacts"}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			hidden := strings.HasPrefix(d.Name(), ".") && path != root
			if hidden || slices.Contains(skipped, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		case !slices.Contains(written, filepath.Ext(path)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			fn(path, text)
		}
		return err
	})
	require.NoError(t, err)
}

func TestNoFileIsOver500Lines(t *testing.T) {
	t.Parallel()
	sources(t, func(path string, text []byte) {
		lines := 0
		for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
			lines++
		}
		if lines > 500 {
			t.Errorf("%s has %d lines: split it by concept", path, lines)
		}
	})
}
