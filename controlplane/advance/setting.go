package advance

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

// setting is how a pool shares its agents.
type setting struct {
	org          id.UUID
	label        string // whose values are the lanes; empty: there is one
	laned        bool
	weights      map[id.UUID]float64 // by lane
	reserveAfter time.Duration
	text         string // weights as they were read
}

// settingColumns are read wherever a pool is. The weights stay away from pools
// that have no lanes.
const settingColumns = `p.fairness, p.laned, CASE WHEN p.laned THEN p.weights::text ELSE '' END, p.reserve_after_ms`

// settingSources are what settingColumns are made from.
const settingSources = `p.fairness, p.laned, p.weights, p.reserve_after_ms`

// settingRow is what the columns are scanned into.
type settingRow struct {
	fairness, weights string
	laned             bool
	reserveMS         int64
}

func (r *settingRow) into() []any { return []any{&r.fairness, &r.laned, &r.weights, &r.reserveMS} }

// settings remembers how pools share, for tasks that become ready where no agent
// of their pool asks. One that is out of date puts a task into a lane that was,
// from which it is taken as well.
type settings struct {
	mu    sync.Mutex
	known map[id.UUID]*setting
	used  map[id.UUID]bool // since they were last read
}

func newSettings() *settings {
	return &settings{known: map[id.UUID]*setting{}, used: map[id.UUID]bool{}}
}

// learn remembers what was read of a pool.
func (s *settings) learn(org, pool id.UUID, r *settingRow) *setting {
	s.mu.Lock()
	defer s.mu.Unlock()
	label, _ := strings.CutPrefix(r.fairness, "label:")
	if label == r.fairness {
		label = ""
	}
	reserve := time.Duration(r.reserveMS) * time.Millisecond
	k := s.known[pool]
	if k != nil && k.label == label && k.laned == r.laned && k.text == r.weights && k.reserveAfter == reserve {
		return k
	}
	k = &setting{org: org, label: label, laned: r.laned, reserveAfter: reserve, text: r.weights}
	if r.weights != "" {
		var byValue map[string]float64
		_ = json.Unmarshal([]byte(r.weights), &byValue) // the table holds nothing else
		k.weights = make(map[id.UUID]float64, len(byValue))
		for value, w := range byValue {
			k.weights[choose.LabelLane(label, value)] = w
		}
	}
	evict(s.known, maxPools)
	s.known[pool] = k
	return k
}

// of returns a pool's setting; nil while it is not known.
func (s *settings) of(pool id.UUID) *setting {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[pool] = true
	return s.known[pool]
}

const sqlReadSettings = `
	SELECT p.org_id, p.id, ` + settingColumns + `
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	CROSS JOIN LATERAL (
		SELECT p.org_id, p.id, ` + settingSources + `
		FROM pool p
		WHERE p.org_id = k.org_id
			AND p.id BETWEEN k.id AND k.id
		ORDER BY p.id
	) p`

// renewSettings reads again the settings that were used.
func (a *Advancer) renewSettings(ctx context.Context) error {
	s := a.settings
	s.mu.Lock()
	var refs pairs
	for pool := range s.used {
		if k := s.known[pool]; k != nil {
			refs.add(k.org, pool)
		}
	}
	clear(s.used)
	s.mu.Unlock()
	if len(refs) == 0 {
		return nil
	}
	orgs, ids := refs.columns()
	return a.readSettings(ctx, a.pool, sqlReadSettings, pgx.StrictNamedArgs{"orgs": orgs, "ids": ids})
}

func (a *Advancer) readSettings(ctx context.Context, q querier, sql string, named any) error {
	rows, err := q.Query(ctx, sql, named)
	if err != nil {
		return fmt.Errorf("read the settings of pools: %w", err)
	}
	var ref poolRef
	var r settingRow
	_, err = pgx.ForEachRow(rows, append([]any{&ref.org, &ref.id}, r.into()...), func() error {
		a.settings.learn(ref.org, ref.id, &r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the settings of pools: %w", err)
	}
	return nil
}

// laneOf is the lane of a run's tasks in a pool, and what people call it.
func (s *setting) laneOf(i *runInfo) (lane id.UUID, key string) {
	if s == nil || s.label == "" {
		return i.workspace, ""
	}
	key = i.labels[s.label]
	return choose.LabelLane(s.label, key), key
}

// weight is what a lane counts for; 1 unless the pool says otherwise.
func (s *setting) weight(lane id.UUID) float64 {
	if w, given := s.weights[lane]; given && w > 0 {
		return w
	}
	return 1
}
