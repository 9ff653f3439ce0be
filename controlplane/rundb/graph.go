package rundb

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// graphs caches prepared plans by digest. A digest is the hash of the plan's
// bytes, so that one organization's plan is the other's where the digests are
// equal; that a caller may see it was found out before, under its own policy.
type graphs struct {
	mu    sync.Mutex
	known map[plan.Digest]*engine.Graph
	bytes int
}

// maxGraphBytes bounds the encoded plans behind the cache.
const maxGraphBytes = 64 << 20

func newGraphs() *graphs { return &graphs{known: map[plan.Digest]*engine.Graph{}} }

func (c *graphs) get(digest plan.Digest) *engine.Graph {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[digest]
}

func (c *graphs) put(digest plan.Digest, g *engine.Graph, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes+size > maxGraphBytes {
		clear(c.known)
		c.bytes = 0
	}
	if c.known[digest] == nil {
		c.known[digest] = g
		c.bytes += size
	}
}

const sqlReadPlan = `
	SELECT v.plan
	FROM version v
	WHERE v.org_id = @org_id
		AND v.pipeline_id = @pipeline_id
		AND v.digest = @digest`

// graph returns the prepared plan of a version that the caller may see.
func (s *Store) graph(ctx context.Context, tx pgx.Tx, org, pipeline id.UUID, digest plan.Digest) (*engine.Graph, error) {
	if g := s.graphs.get(digest); g != nil {
		return g, nil
	}
	var bytes []byte
	err := tx.QueryRow(ctx, sqlReadPlan, pgx.StrictNamedArgs{"org_id": org, "pipeline_id": pipeline, "digest": digest[:]}).Scan(&bytes)
	if pg.NoRows(err) {
		return nil, fault.NotFound("version", digest.String())
	}
	if err != nil {
		return nil, fmt.Errorf("read a plan: %w", err)
	}
	p, err := plan.Decode(bytes)
	if err != nil {
		return nil, err
	}
	g, err := engine.NewGraph(p)
	if err != nil {
		return nil, fmt.Errorf("prepare version %s: %w", digest, err)
	}
	s.graphs.put(digest, g, len(bytes))
	return g, nil
}
