package tenancydb

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/throttle"
)

// sqlLockTries makes and locks the counts in the order of their keys, so that
// two tries that share some cannot wait for each other.
const sqlLockTries = `
	INSERT INTO throttle AS t (key, tried_at)
	SELECT k, @now
	  FROM unnest(@keys::bytea[]) AS k
	 ORDER BY k
	ON CONFLICT (key) DO UPDATE SET failures = t.failures
	RETURNING t.key, t.failures, t.tried_at, t.succeeded_at`

const sqlCountTries = `
	UPDATE throttle t
	   SET failures = n.failures, tried_at = @now
	  FROM unnest(@keys::bytea[], @failures::int[]) AS n (key, failures)
	 WHERE t.key = n.key`

const sqlForgiveTries = `
	UPDATE throttle t
	   SET failures = CASE WHEN t.key = @shared THEN greatest(t.failures - 1, 0) ELSE 0 END,
	       succeeded_at = @now
	 WHERE t.key = ANY (@keys::bytea[])`

// counted is one key that a try is counted under.
type counted struct {
	key  []byte
	rule throttle.Rule
}

type foundTries struct {
	Key         []byte
	Failures    int
	TriedAt     time.Time
	SucceededAt *time.Time
}

// try lets a try through, already counted as failed, so that a thousand at once
// are a thousand; or refuses it with RATE_LIMITED, uncounted, so that hammering
// does not lengthen the wait. account, if not nil, is not asked where pair has
// succeeded lately.
func (s *Store) try(ctx context.Context, pair, account []byte, keys ...counted) error {
	now := s.now()
	slices.SortFunc(keys, func(a, b counted) int { return bytes.Compare(a.key, b.key) })
	names := make([][]byte, len(keys))
	for i, k := range keys {
		names[i] = k.key
	}
	return pg.InSystem(ctx, s.db.Auth, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, sqlLockTries, pgx.StrictNamedArgs{"keys": names, "now": now})
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[foundTries])
		if err != nil {
			return fmt.Errorf("lock the counts of tries: %w", err)
		}
		known := false
		for _, f := range found {
			known = known || bytes.Equal(f.Key, pair) && f.SucceededAt != nil && now.Sub(*f.SucceededAt) < throttle.KnownFor
		}
		failures := make([]int, len(keys))
		var wait time.Duration
		for i, k := range keys {
			at := slices.IndexFunc(found, func(f foundTries) bool { return bytes.Equal(f.Key, k.key) })
			count := throttle.Count{Failures: found[at].Failures, TriedAt: found[at].TriedAt}
			if !known || !bytes.Equal(k.key, account) {
				wait = max(wait, k.rule.Wait(count, now))
			}
			failures[i] = k.rule.Next(count, now)
		}
		if wait > 0 {
			return errRateLimited(wait)
		}
		_, err = tx.Exec(ctx, sqlCountTries, pgx.StrictNamedArgs{"keys": names, "failures": failures, "now": now})
		if err != nil {
			return fmt.Errorf("count a try: %w", err)
		}
		return nil
	})
}

// forgive takes a try back that went well. The count of an address that many
// accounts share loses only this one: else an attacker would reset it by signing
// in to an account of their own in between.
func forgive(ctx context.Context, tx pgx.Tx, now time.Time, shared []byte, keys ...[]byte) error {
	_, err := tx.Exec(ctx, sqlForgiveTries, pgx.StrictNamedArgs{"keys": append(keys, shared), "shared": shared, "now": now})
	if err != nil {
		return fmt.Errorf("forgive tries: %w", err)
	}
	return nil
}

// tryMailTo counts a mail to an address that did not ask for it itself.
func (s *Store) tryMailTo(ctx context.Context, emailKey string) error {
	return s.try(ctx, nil, nil, counted{throttle.Key("mail_to", emailKey), throttle.MailTo})
}
