package advance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// cost is what a load wrote, as PostgreSQL counted it.
type cost struct {
	tables  map[string]written
	commits float64
}

// written is what happened to a table.
type written struct{ inserted, updated, deleted, seqScans int64 }

func (w written) rows() int64 { return w.inserted + w.updated + w.deleted }

// growing are the tables that grow with history and backlog. Those that grow with
// tenants and agents have two rows here, which nobody finds by an index: that
// theirs are used is TestStatementsFindTheirRowsByKey's.
var growing = []string{"run", "journal", "ready", "lease", "timer", "usage", "start_key"}

// measure reads PostgreSQL's counters. A backend hands in what it counted when it
// ends at the latest, so whoever wants all of it ends the others before.
func measure(t testing.TB, conn *pgx.Conn) cost {
	t.Helper()
	c := cost{tables: map[string]written{}}
	rows, err := conn.Query(t.Context(), `
		SELECT regexp_replace(relname, '^journal_[0-9]+$', 'journal'), sum(n_tup_ins)::bigint, sum(n_tup_upd)::bigint,
			sum(n_tup_del)::bigint, sum(seq_scan)::bigint
		FROM pg_stat_user_tables WHERE schemaname = 'sb' GROUP BY 1`)
	require.NoError(t, err)
	var name string
	var w written
	_, err = pgx.ForEachRow(rows, []any{&name, &w.inserted, &w.updated, &w.deleted, &w.seqScans}, func() error {
		c.tables[name] = w
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()`).Scan(&c.commits))
	return c
}

// settled measures when the counters move no more.
func settled(t testing.TB, conn *pgx.Conn) cost {
	t.Helper()
	last := measure(t, conn)
	for same := 0; same < 3; {
		pause(t.Context(), 100*time.Millisecond)
		next := measure(t, conn)
		same++
		for name := range next.tables {
			if next.tables[name] != last.tables[name] {
				same = 0
			}
		}
		last = next
	}
	return last
}

// spent is what a load cost for each attempt.
type spent struct {
	rows, commits float64
	text          string
	scanned       []string
}

func (c cost) since(before cost, attempts int64) spent {
	var s spent
	var lines []string
	for name, w := range c.tables {
		b := before.tables[name]
		each := float64(w.rows()-b.rows()) / float64(attempts)
		s.rows += each
		if each > 0.001 {
			lines = append(lines, fmt.Sprintf("%s %.3f (%.3f inserted, %.3f updated, %.3f deleted)", name, each,
				float64(w.inserted-b.inserted)/float64(attempts), float64(w.updated-b.updated)/float64(attempts), float64(w.deleted-b.deleted)/float64(attempts)))
		}
		if slices.Contains(growing, name) && w.seqScans > b.seqScans {
			s.scanned = append(s.scanned, fmt.Sprintf("%s %d times", name, w.seqScans-b.seqScans))
		}
	}
	slices.Sort(lines)
	slices.Sort(s.scanned)
	s.commits = (c.commits - before.commits) / float64(attempts)
	s.text = strings.Join(lines, "\n")
	return s
}

// ends tells of runs whose tasks have all ended, by what agents report of them.
type ends struct {
	tasks int

	mu   sync.Mutex
	left map[id.UUID]int
	done map[id.UUID]chan struct{}
}

func newEnds(tasks int) *ends {
	return &ends{tasks: tasks, left: map[id.UUID]int{}, done: map[id.UUID]chan struct{}{}}
}

// of is closed when all tasks of the run have ended.
func (e *ends) of(run id.UUID) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.channel(run)
}

func (e *ends) channel(run id.UUID) chan struct{} {
	if e.done[run] == nil {
		e.left[run], e.done[run] = e.tasks, make(chan struct{})
	}
	return e.done[run]
}

func (e *ends) ended(reports []advance.AttemptReport) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range reports {
		run := reports[i].Run
		done := e.channel(run)
		if e.left[run]--; e.left[run] == 0 {
			close(done)
		}
	}
}

// serve is an agent whose steps end at once.
func (e *ends) serve(ctx context.Context, w *worker) {
	var reports []advance.AttemptReport
	for ctx.Err() == nil {
		var work *advance.Work
		var err error
		free := advance.Free{Slots: w.slots}
		if len(reports) == 0 {
			work, err = w.a.Poll(ctx, advance.Poll{Org: w.org, Agent: w.agent, Session: w.session, Free: free, Wait: patience})
		} else {
			work, err = w.a.Report(ctx, advance.Report{Org: w.org, Agent: w.agent, Session: w.session, Free: free, Reports: reports})
		}
		if ctx.Err() != nil {
			return
		}
		require.NoError(w.t, err)
		e.ended(reports)
		reports = nil
		for _, l := range work.Leases {
			reports = append(reports, endedWith(l))
		}
	}
}

// kid is that of a key which all agents hold, as they do.
const kid = "0123456789abcdef"

// costCase is a load: of W1, tenants with wide runs, or of W4, chains of ten steps.
type costCase struct {
	name    string
	plan    func() *plan.Plan
	tenants int
	agents  int // of each tenant
	slots   int32
	runs    int64 // of each tenant
	atOnce  int
	rows    float64
}

// TestWhatAnAttemptCosts counts rows and commits per attempt while 64 are in
// flight. Rows do not depend on the machine's mood. Commits do where it gives
// other work its time: less than 64 then come together, and what commits by the
// clock counts for more. So the best of three is looked at.
func TestWhatAnAttemptCosts(t *testing.T) { //nolint:paralleltest // It counts all commits of its database and needs full batches.
	for _, c := range []costCase{ //nolint:paralleltest // as above
		{"W1", func() *plan.Plan { return wide("bulk", 500, nil) }, 2, 4, 8, 8, 2, 5.5},
		{"W4", func() *plan.Plan { return chain("chain", 10) }, 1, 80, 1, 1500, 64, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s spent
			for try := 0; try == 0 || (s.commits > 0.05 && try < 3); try++ {
				s = c.spend(t)
				t.Logf("%s: %.2f rows and %.4f commits per attempt\n%s", c.name, s.rows, s.commits, s.text)
				require.LessOrEqual(t, s.rows, c.rows, s.text)
				require.Empty(t, s.scanned, "tables that grow were read whole")
			}
			require.LessOrEqual(t, s.commits, 0.05)
		})
	}
}

// spend runs the load on a database of its own.
func (c *costCase) spend(t *testing.T) spent {
	t.Helper()
	b := setup(t)
	conn := pgtest.Super(t, b.db.URL())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tasks := int64(len(c.plan().Tasks))
	var agents, starters sync.WaitGroup
	var loads []func()
	for i := range c.tenants {
		n := b
		if i > 0 {
			n = b.neighbour()
		}
		start := n.deploy(c.plan())
		n.exec(`UPDATE workspace SET sealing_kid = @kid, sealing_public = decode(repeat('00', 32), 'hex')`, pgx.NamedArgs{"kid": kid})
		ends := newEnds(int(tasks))
		for range c.agents {
			w := n.worker(c.slots)
			n.exec(`UPDATE session s SET sealing_kids = ARRAY[@kid]`, pgx.NamedArgs{"kid": kid})
			w.poll(0, 0) // a session is read once
			loads = append(loads, func() { agents.Go(func() { ends.serve(ctx, w) }) })
		}
		left := &atomic.Int64{}
		left.Store(c.runs)
		for range c.atOnce {
			loads = append(loads, func() {
				starters.Go(func() {
					for left.Add(-1) >= 0 {
						<-ends.of(n.start(start))
					}
				})
			})
		}
	}
	b.db.Engine.Reset() // what was made before is counted now
	before := settled(t, conn)
	for _, load := range loads {
		load()
	}
	starters.Wait()
	cancel()
	agents.Wait()
	b.a.Stop()
	b.db.Engine.Reset()
	return settled(t, conn).since(before, tasks*int64(c.tenants)*c.runs)
}
