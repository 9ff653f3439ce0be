package measure

import (
	"context"
	"fmt"
	"maps"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// settle is a little more than what idle sessions of PostgreSQL wait at most
// before they tell their counters.
const settle = 10500 * time.Millisecond

// Probe measures stretches of time on one machine.
type Probe struct {
	// Database is the URL of the database whose counters are read.
	Database string
	// Measured are the processes, by name, whose CPU and that of their children
	// counts.
	Measured map[string]int
}

// Usage is what a stretch of time took.
type Usage struct {
	Seconds float64 `json:"seconds"`
	// CPU is in seconds, by process.
	CPU map[string]float64 `json:"cpu_seconds"`
	// Memory is in bytes at the end, by process.
	Memory map[string]int64 `json:"memory_bytes"`
	// ForeignCores is how many cores others kept busy.
	ForeignCores float64 `json:"foreign_cores"`
	// The database's counters; rows and transactions only if it was waited for
	// them.
	WALBytes     int64            `json:"wal_bytes"`
	Writes       int64            `json:"write_transactions"`
	Transactions int64            `json:"transactions,omitempty"`
	RowsWritten  int64            `json:"rows_written,omitempty"`
	Rows         map[string]Rows  `json:"rows,omitempty"`
	Scans        map[string]int64 `json:"sequential_scans,omitempty"`
}

// Measured is the CPU in seconds of what is under test.
func (u Usage) Measured(names ...string) float64 {
	var sum float64
	for _, n := range names {
		sum += u.CPU[n]
	}
	return sum
}

// mark is a moment.
type mark struct {
	at      time.Time
	cpu     map[string]time.Duration
	memory  map[string]int64
	machine time.Duration
}

// Begin starts a stretch; what it returns measures it. The helpers and
// this process are ours, what else runs is foreign. With rows it waits until
// PostgreSQL has told all that it counts.
func (p Probe) Begin(ctx context.Context, helpers map[string]int) (end func(ctx context.Context, rows bool) (Usage, error), err error) {
	ours := maps.Clone(helpers)
	if ours == nil {
		ours = map[string]int{}
	}
	ours["bench"] = os.Getpid()
	before, err := p.counters(ctx)
	if err != nil {
		return nil, err
	}
	from, err := p.mark(ours)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, rows bool) (Usage, error) {
		to, err := p.mark(ours)
		if err != nil {
			return Usage{}, err
		}
		u := between(from, to)
		err = p.count(ctx, &u, before, rows)
		return u, err
	}, nil
}

func (p Probe) mark(helpers map[string]int) (mark, error) {
	m := mark{at: time.Now(), cpu: map[string]time.Duration{}, memory: map[string]int64{}}
	var err error
	for name, pid := range p.Measured {
		if m.cpu[name], m.memory[name], err = Tree(pid); err != nil {
			return m, err
		}
	}
	// Ours alone: what is measured are children of this process.
	for name, pid := range helpers {
		if m.cpu[name], m.memory[name], err = Alone(pid); err != nil {
			return m, err
		}
	}
	m.machine, err = Machine()
	return m, err
}

func between(from, to mark) Usage {
	u := Usage{Seconds: to.at.Sub(from.at).Seconds(), CPU: map[string]float64{}, Memory: to.memory}
	foreign := (to.machine - from.machine).Seconds()
	for name := range to.cpu {
		u.CPU[name] = (to.cpu[name] - from.cpu[name]).Seconds()
		foreign -= u.CPU[name]
	}
	u.ForeignCores = max(0, foreign/u.Seconds)
	return u
}

func (p Probe) counters(ctx context.Context) (Counters, error) {
	conn, err := pgx.Connect(ctx, p.Database)
	if err != nil {
		return Counters{}, fmt.Errorf("connect to read counters: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return ReadCounters(ctx, conn)
}

// count adds what PostgreSQL counted.
func (p Probe) count(ctx context.Context, u *Usage, before Counters, rows bool) error {
	after, err := p.counters(ctx)
	if err != nil {
		return err
	}
	d := after.Less(before)
	u.WALBytes, u.Writes = d.WAL, d.Writes
	if !rows {
		return nil
	}
	timer := time.NewTimer(settle)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if after, err = p.counters(ctx); err != nil {
		return err
	}
	d = after.Less(before)
	u.Transactions, u.RowsWritten, u.Rows, u.Scans = d.Transactions, d.Written(), d.Rows, d.Scans
	return nil
}
