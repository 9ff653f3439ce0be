package pgtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Statement is one constant of the code that holds SQL.
type Statement struct {
	Name string // sqlClaimTasks
	Pos  string // controlplane/dispatch/claim.go:41
	SQL  string
}

// Statements finds every package-level constant named sql… in the Go files
// below root, tests, generated code and the benchmark (whose yardsticks are
// tables of its own) apart. A constant may be put together
// from literals and other constants of its package (shared column lists); one
// that cannot be evaluated so is an error, because it could not be checked.
func Statements(root string) ([]Statement, error) {
	dirs := map[string][]*ast.File{}
	set := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(name, ".") || slices.Contains([]string{"node_modules", "gen", "tools", "loadtest"}, name)):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path) //nolint:gosec // Our own sources, in a test.
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(set, rel, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dirs[filepath.Dir(rel)] = append(dirs[filepath.Dir(rel)], file)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the sources: %w", err)
	}
	var all []Statement
	for _, files := range dirs {
		found, err := statementsOf(set, files)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b Statement) int { return strings.Compare(a.Pos, b.Pos) })
	return all, nil
}

func statementsOf(set *token.FileSet, files []*ast.File) ([]Statement, error) {
	consts := constsOf(files)
	var all []Statement
	for name, expr := range consts {
		if !strings.HasPrefix(name, "sql") || len(name) == len("sql") || name[3] < 'A' || name[3] > 'Z' {
			continue
		}
		pos := set.Position(expr.Pos())
		text, err := evaluate(consts, expr, 0)
		if err != nil {
			return nil, fmt.Errorf("%s: const %s: %w", pos, name, err)
		}
		all = append(all, Statement{Name: name, Pos: fmt.Sprintf("%s:%d", pos.Filename, pos.Line), SQL: text})
	}
	return all, nil
}

func constsOf(files []*ast.File) map[string]ast.Expr {
	consts := map[string]ast.Expr{}
	for _, file := range files {
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.CONST {
				continue
			}
			for _, spec := range gen.Specs {
				value, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for i, name := range value.Names {
					if i < len(value.Values) {
						consts[name.Name] = value.Values[i]
					}
				}
			}
		}
	}
	return consts
}

func evaluate(consts map[string]ast.Expr, expr ast.Expr, depth int) (string, error) {
	if depth > 50 {
		return "", errors.New("constants that refer to each other")
	}
	switch e := expr.(type) {
	case *ast.BasicLit:
		return strconv.Unquote(e.Value)
	case *ast.ParenExpr:
		return evaluate(consts, e.X, depth+1)
	case *ast.BinaryExpr:
		left, err := evaluate(consts, e.X, depth+1)
		if err != nil {
			return "", err
		}
		right, err := evaluate(consts, e.Y, depth+1)
		return left + right, err
	case *ast.Ident:
		value, ok := consts[e.Name]
		if !ok {
			return "", fmt.Errorf("%s is no constant of the package", e.Name)
		}
		return evaluate(consts, value, depth+1)
	}
	return "", fmt.Errorf("only literals and constants of the package can be checked, not %T", expr)
}
