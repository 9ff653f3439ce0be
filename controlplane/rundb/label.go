package rundb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// MaxLabels is how many labels a run may have.
const MaxLabels = 32

// Label is one label of a run.
type Label struct{ Key, Value string }

func columnsOf(labels []Label) (keys, values []string) {
	keys, values = []string{}, []string{}
	for _, l := range labels {
		keys, values = append(keys, l.Key), append(values, l.Value)
	}
	return keys, values
}

const sqlFindLabelSet = `
	SELECT s.id
	FROM label_set s
	WHERE s.org_id = @org_id
		AND s.digest = @digest`

// The update makes RETURNING answer for a row that somebody else made meanwhile.
const sqlInternLabelSet = `
	INSERT INTO label_set (org_id, digest, labels)
	VALUES (@org_id, @digest, @labels)
	ON CONFLICT (org_id, digest) DO UPDATE SET digest = EXCLUDED.digest
	RETURNING id`

const sqlInsertLabelPairs = `
	INSERT INTO label_pair (org_id, key, value, label_set_id)
	SELECT @org_id, k.key, k.value, @set
	FROM unnest(@keys::text[], @values::text[]) AS k (key, value)
	ON CONFLICT DO NOTHING`

// InternLabels returns the id of a set of labels, which it makes where the
// organization has none yet. It is committed before the start that names it: a
// start that fails leaves an unused set and nothing else.
func (s *Store) InternLabels(ctx context.Context, by caller.Caller, labels map[string]string) (int64, error) {
	canonical, err := canonicalLabels(labels)
	if err != nil {
		return 0, err
	}
	key := labelSetKey{by.OrgID, sha256.Sum256(canonical)}
	if set, ok := s.sets.get(key); ok {
		return set, nil
	}
	var set int64
	err = pg.InTenant(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		find := pgx.StrictNamedArgs{"org_id": by.OrgID, "digest": key.digest[:]}
		err := tx.QueryRow(ctx, sqlFindLabelSet, find).Scan(&set)
		if err == nil || !pg.NoRows(err) {
			return err
		}
		row := tx.QueryRow(ctx, sqlInternLabelSet, pgx.StrictNamedArgs{"org_id": by.OrgID, "digest": key.digest[:], "labels": canonical})
		if err := row.Scan(&set); err != nil {
			return err
		}
		args := pgx.StrictNamedArgs{"org_id": by.OrgID, "set": set}
		args["keys"], args["values"] = pairsOf(labels)
		_, err = tx.Exec(ctx, sqlInsertLabelPairs, args)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("intern labels: %w", err)
	}
	s.sets.put(key, set)
	return set, nil
}

func pairsOf(labels map[string]string) (keys, values []string) {
	list := make([]Label, 0, len(labels))
	for k, v := range labels {
		list = append(list, Label{k, v})
	}
	return columnsOf(list)
}

// canonicalLabels is what the digest of a label set covers: JSON with sorted
// keys, no HTML escapes, no newline.
func canonicalLabels(labels map[string]string) ([]byte, error) {
	if labels == nil {
		labels = map[string]string{}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(labels); err != nil {
		return nil, fmt.Errorf("encode labels: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

type labelSetKey struct {
	org    id.UUID
	digest [sha256.Size]byte
}

// labelSets remembers ids of label sets, which never change: most starts then
// need no transaction for their labels.
type labelSets struct {
	mu    sync.Mutex
	known map[labelSetKey]int64
}

const maxLabelSets = 20_000

func newLabelSets() *labelSets { return &labelSets{known: map[labelSetKey]int64{}} }

func (c *labelSets) get(key labelSetKey) (int64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set, ok := c.known[key]
	return set, ok
}

func (c *labelSets) put(key labelSetKey, set int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxLabelSets {
		clear(c.known)
	}
	c.known[key] = set
}
