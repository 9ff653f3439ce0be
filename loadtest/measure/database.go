package measure

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Counters are PostgreSQL's, since ever.
type Counters struct {
	// Rows counts inserted, updated and deleted rows by table; the partitions of
	// a table are one.
	Rows map[string]Rows
	// Scans counts sequential scans by table.
	Scans map[string]int64
	// Transactions counts all that were committed, those that only read included.
	Transactions int64
	// Writes counts the transactions that wrote.
	Writes int64
	// WAL is its position in bytes.
	WAL int64
}

// Rows are the writes of one table.
type Rows struct {
	Inserted int64 `json:"inserted"`
	Updated  int64 `json:"updated"`
	Hot      int64 `json:"hot"`
	Deleted  int64 `json:"deleted"`
}

// Sum is all writes.
func (r Rows) Sum() int64 { return r.Inserted + r.Updated + r.Deleted }

func (r Rows) less(o Rows) Rows {
	return Rows{r.Inserted - o.Inserted, r.Updated - o.Updated, r.Hot - o.Hot, r.Deleted - o.Deleted}
}

const sqlRows = `
	SELECT relname, n_tup_ins, n_tup_upd, n_tup_hot_upd, n_tup_del, coalesce(seq_scan, 0)
	FROM pg_stat_user_tables`

const sqlCounters = `
	SELECT xact_commit,
	  pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
	  (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint
	FROM pg_stat_database
	WHERE datname = current_database()`

// ReadCounters reads the counters of the connection's database. Sessions tell
// theirs up to ten seconds late (see Settle); WAL and writes are always exact.
func ReadCounters(ctx context.Context, conn *pgx.Conn) (Counters, error) {
	c := Counters{Rows: map[string]Rows{}, Scans: map[string]int64{}}
	if err := conn.QueryRow(ctx, sqlCounters).Scan(&c.Transactions, &c.Writes, &c.WAL); err != nil {
		return c, fmt.Errorf("read the database's counters: %w", err)
	}
	rows, err := conn.Query(ctx, sqlRows)
	if err != nil {
		return c, fmt.Errorf("read the tables' counters: %w", err)
	}
	var name string
	var r Rows
	var scans int64
	_, err = pgx.ForEachRow(rows, []any{&name, &r.Inserted, &r.Updated, &r.Hot, &r.Deleted, &scans}, func() error {
		name, _, _ = strings.Cut(name, "_20") // a partition by month
		old := c.Rows[name]
		c.Rows[name] = Rows{old.Inserted + r.Inserted, old.Updated + r.Updated, old.Hot + r.Hot, old.Deleted + r.Deleted}
		c.Scans[name] += scans
		return nil
	})
	if err != nil {
		return c, fmt.Errorf("read the tables' counters: %w", err)
	}
	return c, nil
}

// Less is what was counted since before.
func (c Counters) Less(before Counters) Counters {
	out := Counters{
		Rows: map[string]Rows{}, Scans: map[string]int64{},
		Transactions: c.Transactions - before.Transactions, Writes: c.Writes - before.Writes, WAL: c.WAL - before.WAL,
	}
	for name, r := range c.Rows {
		if d := r.less(before.Rows[name]); d.Sum() > 0 {
			out.Rows[name] = d
		}
		if d := c.Scans[name] - before.Scans[name]; d > 0 {
			out.Scans[name] = d
		}
	}
	return out
}

// Written is all rows that were written.
func (c Counters) Written() int64 {
	var sum int64
	for r := range maps.Values(c.Rows) {
		sum += r.Sum()
	}
	return sum
}
