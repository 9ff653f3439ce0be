package migrations

import (
	"context"
	_ "embed" // for lint.sql
	"fmt"

	"github.com/jackc/pgx/v5"
)

//go:embed lint.sql
var lintSQL string

// Fault is something in the schema that could let one tenant see another's
// rows, or make the database slow under row-level security.
type Fault struct {
	Fault string // what is wrong
	Place string // the table, policy, index, function or role
}

// accepted are the findings that are meant to be, each with its reason.
var accepted = map[Fault]string{
	{Fault: "unique index without org_id", Place: "organization_slug"}: "a slug names an organization among all; that it is taken is no secret",
}

// Accepted reports whether the finding is meant to be. Its place is written as
// with the search path sb.
func (f Fault) Accepted() bool {
	_, ok := accepted[f]
	return ok
}

// Lint looks for faults in the schema sb. conn may be of any user: it reads the
// catalog only.
func Lint(ctx context.Context, conn *pgx.Conn) ([]Fault, error) {
	rows, err := conn.Query(ctx, lintSQL)
	if err != nil {
		return nil, fmt.Errorf("lint the schema: %w", err)
	}
	faults, err := pgx.CollectRows(rows, pgx.RowToStructByName[Fault])
	if err != nil {
		return nil, fmt.Errorf("lint the schema: %w", err)
	}
	return faults, nil
}
