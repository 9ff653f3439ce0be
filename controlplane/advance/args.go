package advance

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
)

// args are the named arguments of a statement, as strict as
// pgx.StrictNamedArgs. A batch sends a dozen statements of a kilobyte each:
// where the names stand in them is found once and remembered.
type args map[string]any

// rewritten is a statement with numbers for names.
type rewritten struct {
	sql   string
	names []string // by number
}

var statements sync.Map // of *rewritten by the statement as it is written

// RewriteQuery is called by pgx.
func (a args) RewriteQuery(ctx context.Context, conn *pgx.Conn, sql string, _ []any) (string, []any, error) {
	known, ok := statements.Load(sql)
	if !ok {
		r, err := a.rewrite(ctx, conn, sql)
		if err != nil {
			return "", nil, err
		}
		known, _ = statements.LoadOrStore(sql, r)
	}
	r := known.(*rewritten)
	out := make([]any, len(r.names))
	for i, name := range r.names {
		v, given := a[name]
		if !given {
			return "", nil, fmt.Errorf("argument %s is missing", name)
		}
		out[i] = v
	}
	if len(a) != len(out) {
		return "", nil, fmt.Errorf("%d arguments for %d names", len(a), len(out))
	}
	return r.sql, out, nil
}

// rewrite lets pgx do it, with each name as its own value.
func (a args) rewrite(ctx context.Context, conn *pgx.Conn, sql string) (*rewritten, error) {
	self := make(pgx.StrictNamedArgs, len(a))
	for name := range a {
		self[name] = name
	}
	text, values, err := self.RewriteQuery(ctx, conn, sql, nil)
	if err != nil {
		return nil, err
	}
	r := &rewritten{sql: text, names: make([]string, len(values))}
	for i, v := range values {
		r.names[i] = v.(string)
	}
	return r, nil
}
