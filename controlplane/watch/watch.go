// Package watch tells those who watch runs that something changed.
//
// One query per replica and 250 ms asks for the marks of all watched runs at
// once, whoever watches them: a thousand open run pages cost what one costs,
// and no notification has to reach the right replica. A mark is the journal's
// seq together with what no entry records: who holds which attempt and how far
// it is, and which tasks wait for a retry.
//
// It says *that* a run changed, never what: a subscriber reads the run again
// under its own organization's policy. A slow subscriber finds one signal for
// all that happened meanwhile. The package works as sb_engine, joins every row
// on the organization, and hands no data of a run to anybody.
package watch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

const (
	// interval is how late a change is seen at most, beside the query itself.
	interval = 250 * time.Millisecond
	// patience bounds the query: a database that does not answer must not keep
	// the watcher from trying again.
	patience = 5 * time.Second
	// MaxPerOrganization is how many watchers one organization may have at a
	// replica.
	MaxPerOrganization = 200
)

// Run names a run to watch.
type Run struct {
	Org id.UUID
	ID  id.UUID
}

// Watcher is a replica's one reader of marks. Its methods may be called from any
// goroutine.
type Watcher struct {
	pool *pgxpool.Pool
	log  *slog.Logger

	stop    context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	topics  map[Run]*topic
	counts  map[id.UUID]int // subscriptions by organization
	stopped bool
}

// topic is a watched run: its last mark, "" before the first look, and those who
// watch it.
type topic struct {
	mark        string
	subscribers map[*Subscription]struct{}
}

// New makes a Watcher; Start sets it going. pool is that of sb_engine.
func New(pool *pgxpool.Pool, log *slog.Logger) *Watcher {
	return &Watcher{
		pool: pool, log: log.With(slog.String("component", "watch")),
		topics: map[Run]*topic{}, counts: map[id.UUID]int{},
	}
}

// Start looks until Stop.
func (w *Watcher) Start(ctx context.Context) error {
	ctx, w.stop = context.WithCancel(context.WithoutCancel(ctx))
	w.running.Go(func() { w.loop(ctx) })
	return nil
}

// Stop ends the looking and closes every subscription's channel, so that streams
// end and their clients go to another replica. It may be called twice.
func (w *Watcher) Stop() {
	if w.stop != nil {
		w.stop()
	}
	w.running.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	for run, t := range w.topics {
		for s := range t.subscribers {
			close(s.changed)
		}
		delete(w.topics, run)
	}
	clear(w.counts)
}

func (w *Watcher) loop(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := w.look(ctx)
		// One line when it begins to fail, not four a second.
		if err != nil && !failing && ctx.Err() == nil {
			w.log.LogAttrs(ctx, slog.LevelWarn, "watching was interrupted", slog.Any("error", err))
		}
		failing = err != nil
	}
}

// Subscription is one watcher of one run.
type Subscription struct {
	watcher *Watcher
	run     Run
	changed chan struct{}
}

// Changed receives after each change, at least once after the subscription was
// made, and once for any number of changes that were not waited for. It is
// closed when the replica stops.
func (s *Subscription) Changed() <-chan struct{} { return s.changed }

// Subscribe watches a run, whether or not it exists: subscribe first, then read
// the run, then wait, and no change is missed. Close must be called. Errors:
// QUOTA_EXCEEDED beyond MaxPerOrganization; UNAVAILABLE while stopping.
func (w *Watcher) Subscribe(run Run) (*Subscription, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return nil, fault.Unavailable("UNAVAILABLE", "this server is stopping; watch again")
	}
	if w.counts[run.Org] >= MaxPerOrganization {
		return nil, fault.ResourceExhausted("QUOTA_EXCEEDED",
			"the organization watches %d runs at this server already; close some", MaxPerOrganization)
	}
	t := w.topics[run]
	if t == nil {
		t = &topic{subscribers: map[*Subscription]struct{}{}}
		w.topics[run] = t
	}
	s := &Subscription{watcher: w, run: run, changed: make(chan struct{}, 1)}
	t.subscribers[s] = struct{}{}
	w.counts[run.Org]++
	return s, nil
}

// Close ends the subscription. It may be called twice.
func (s *Subscription) Close() {
	w := s.watcher
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.topics[s.run]
	if t == nil {
		return
	}
	if _, ok := t.subscribers[s]; !ok {
		return
	}
	delete(t.subscribers, s)
	if len(t.subscribers) == 0 {
		delete(w.topics, s.run)
	}
	if w.counts[s.run.Org]--; w.counts[s.run.Org] == 0 {
		delete(w.counts, s.run.Org)
	}
}

const sqlReadMarks = `
	SELECT k.org_id, k.id, concat_ws('/', r.seq, l.held, t.waiting)
	FROM unnest(@orgs::uuid[], @runs::uuid[]) AS k (org_id, id)
	JOIN run r ON r.org_id = k.org_id AND r.id = k.id
	CROSS JOIN LATERAL (
		SELECT md5(string_agg(concat_ws('.', l.id, l.phase, l.stop, l.started_at IS NULL), ',' ORDER BY l.id)) AS held
		FROM lease l
		WHERE l.org_id = k.org_id
			AND l.run_id = k.id
	) l
	CROSS JOIN LATERAL (
		SELECT md5(string_agg(concat_ws('.', t.task, t.attempt), ',' ORDER BY t.task)) AS waiting
		FROM timer t
		WHERE t.org_id = k.org_id
			AND t.run_id = k.id
			AND t.kind = 'retry'
	) t`

// look reads the marks of all watched runs and signals those that changed.
func (w *Watcher) look(ctx context.Context) error {
	orgs, runs := w.watched()
	if len(runs) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, err := w.pool.Query(ctx, sqlReadMarks, pgx.StrictNamedArgs{"orgs": orgs, "runs": runs})
	if err != nil {
		return fmt.Errorf("read marks: %w", err)
	}
	var run Run
	var mark string
	_, err = pgx.ForEachRow(rows, []any{&run.Org, &run.ID, &mark}, func() error {
		w.see(run, mark)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read marks: %w", err)
	}
	return nil
}

func (w *Watcher) watched() (orgs, runs []id.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for run := range w.topics {
		orgs, runs = append(orgs, run.Org), append(runs, run.ID)
	}
	return orgs, runs
}

// see signals the subscribers of a run whose mark is another one. The first mark
// of a topic is one too: what changed between a subscriber's reading and this
// look would be missed otherwise.
func (w *Watcher) see(run Run, mark string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.topics[run]
	if t == nil || t.mark == mark {
		return
	}
	t.mark = mark
	for s := range t.subscribers {
		select {
		case s.changed <- struct{}{}:
		default: // one waits there already
		}
	}
}
