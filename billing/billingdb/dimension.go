package billingdb

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Dimension is what usage is grouped by.
type Dimension struct {
	Kind DimensionKind
	// Label is the label's key of ByLabel.
	Label string
}

// DimensionKind is a sort of dimension; the zero value groups by nothing.
type DimensionKind string

// The kinds of dimensions. A group's key is a name, a day (2026-11-03, UTC) or a
// label's value, which is empty for what had no such label. Where two
// workspaces use one name, it is written workspace/name.
const (
	ByWorkspace DimensionKind = "workspace"
	ByPool      DimensionKind = "pool"
	ByPipeline  DimensionKind = "pipeline"
	ByDay       DimensionKind = "day"
	ByLabel     DimensionKind = "label"
)

// Names are looked up after the sum. What has a name no more is called by its
// id.
const sqlUsageByWorkspace = `
	WITH g AS (
		SELECT u.workspace_id, u.meter, sum(u.quantity)::bigint AS quantity` + usageOfMonth + `
		GROUP BY u.workspace_id, u.meter
	)
	SELECT g.workspace_id AS id, coalesce(w.slug, '') AS name, '' AS workspace, g.meter, g.quantity
	FROM g
	LEFT JOIN workspace w ON w.org_id = @org_id AND w.id = g.workspace_id`

const sqlUsageByPool = `
	WITH g AS (
		SELECT u.workspace_id, u.pool_id, u.meter, sum(u.quantity)::bigint AS quantity` + usageOfMonth + `
		GROUP BY u.workspace_id, u.pool_id, u.meter
	)
	SELECT g.pool_id AS id, coalesce(p.name, '') AS name, coalesce(w.slug, '') AS workspace, g.meter, g.quantity
	FROM g
	LEFT JOIN pool p ON p.org_id = @org_id AND p.id = g.pool_id
	LEFT JOIN workspace w ON w.org_id = @org_id AND w.id = g.workspace_id`

const sqlUsageByPipeline = `
	WITH g AS (
		SELECT u.workspace_id, u.pipeline_id, u.meter, sum(u.quantity)::bigint AS quantity` + usageOfMonth + `
		GROUP BY u.workspace_id, u.pipeline_id, u.meter
	)
	SELECT g.pipeline_id AS id, coalesce(p.name, '') AS name, coalesce(w.slug, '') AS workspace, g.meter, g.quantity
	FROM g
	LEFT JOIN pipeline p ON p.org_id = @org_id AND p.id = g.pipeline_id
	LEFT JOIN workspace w ON w.org_id = @org_id AND w.id = g.workspace_id`

const sqlUsageByDay = `
	SELECT to_char(u.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS key, u.meter, sum(u.quantity)::bigint AS quantity` + usageOfMonth + `
	GROUP BY 1, u.meter`

const sqlUsageByLabel = `
	WITH g AS (
		SELECT u.label_set_id, u.meter, sum(u.quantity)::bigint AS quantity` + usageOfMonth + `
		GROUP BY u.label_set_id, u.meter
	)
	SELECT coalesce(l.labels ->> @label, '') AS key, g.meter, sum(g.quantity)::bigint AS quantity
	FROM g
	LEFT JOIN label_set l ON l.org_id = @org_id AND l.id = g.label_set_id
	GROUP BY 1, g.meter`

func groups(ctx context.Context, tx pgx.Tx, args pgx.StrictNamedArgs, d Dimension) ([]Group, error) {
	switch d.Kind {
	case "":
		return nil, nil
	case ByWorkspace:
		return groupThings(ctx, tx, sqlUsageByWorkspace, args, id.Workspace)
	case ByPool:
		return groupThings(ctx, tx, sqlUsageByPool, args, id.Pool)
	case ByPipeline:
		return groupThings(ctx, tx, sqlUsageByPipeline, args, id.Pipeline)
	case ByDay:
		return groupKeys(ctx, tx, sqlUsageByDay, args)
	case ByLabel:
		args = maps.Clone(args)
		args["label"] = d.Label
		return groupKeys(ctx, tx, sqlUsageByLabel, args)
	}
	return nil, fmt.Errorf("dimension %q is unknown", d.Kind)
}

type keySum struct {
	Key      string
	Meter    usage.Meter
	Quantity int64
}

func groupKeys(ctx context.Context, tx pgx.Tx, sql string, args pgx.StrictNamedArgs) ([]Group, error) {
	rows, _ := tx.Query(ctx, sql, args)
	sums, err := pgx.CollectRows(rows, pgx.RowToStructByName[keySum])
	if err != nil {
		return nil, fmt.Errorf("sum usage by key: %w", err)
	}
	return gather(sums), nil
}

// gather puts the meters of one key together, sorted by key.
func gather(sums []keySum) []Group {
	byKey := map[string]Quantities{}
	for _, s := range sums {
		if byKey[s.Key] == nil {
			byKey[s.Key] = Quantities{}
		}
		byKey[s.Key][s.Meter] += s.Quantity
	}
	var out []Group
	for key, used := range byKey {
		out = append(out, Group{Key: key, Used: used})
	}
	slices.SortFunc(out, func(x, y Group) int { return cmp.Compare(x.Key, y.Key) })
	return out
}

type thingSum struct {
	ID        id.UUID
	Name      string
	Workspace string
	Meter     usage.Meter
	Quantity  int64
}

func groupThings(ctx context.Context, tx pgx.Tx, sql string, args pgx.StrictNamedArgs, kind id.Kind) ([]Group, error) {
	rows, _ := tx.Query(ctx, sql, args)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[thingSum])
	if err != nil {
		return nil, fmt.Errorf("sum usage by %s: %w", kind, err)
	}
	// Whose is each name: Nil where it is of several things.
	owner := map[string]id.UUID{}
	for _, f := range found {
		if other, known := owner[f.Name]; known && other != f.ID {
			owner[f.Name] = id.Nil
		} else {
			owner[f.Name] = f.ID
		}
	}
	sums := make([]keySum, len(found))
	for i, f := range found {
		key := f.Name
		switch {
		case f.Name == "":
			key = id.Format(kind, f.ID)
		case owner[f.Name] != f.ID:
			key = f.Workspace + "/" + f.Name
		}
		sums[i] = keySum{Key: key, Meter: f.Meter, Quantity: f.Quantity}
	}
	return gather(sums), nil
}
