package advance_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/reaper"
	"github.com/signalboxhq/signalbox/controlplane/timer"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/leasecheck"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

// How a storm is repeated, or made longer, by hand.
var (
	stormSeed = flag.Uint64("storm.seed", 0, "seed of TestStorm; 0 takes a new one")
	stormTime = flag.Duration("storm.time", 2*time.Second, "how long TestStorm rages")
)

// storm is two organizations on several replicas, whose links to the database
// break, with agents that repeat, forget, come late and die.
type storm struct {
	t        testing.TB
	seed     uint64
	tenants  []*bundle
	starts   [][]advance.StartRun
	replicas []*stormReplica
	super    *pgx.Conn   // for one goroutine
	calm     atomic.Bool // no more harm is done
	drained  atomic.Bool // every run has ended
	agents   sync.WaitGroup
	faults   stormLog
	seen     *seen
	nesters  *stormNester

	mu      sync.Mutex
	runs    []advance.RunKey
	keys    map[string]id.UUID // idempotency key → run
	answers map[int64]answers  // by lease
	done    struct{ starts, reports, cuts, kills, swallowed, sessions, visits, pauses int }
}

// answers are what an agent was told about the reports of one lease.
type answers struct{ accepted, stale int }

type stormReplica struct {
	a    *advance.Advancer
	id   id.UUID
	link *link
}

func TestStorm(t *testing.T) {
	t.Parallel()
	s := newStorm(t)
	var agents []*stormAgent
	for i := range 8 { // before the weather, which would break their setup
		agents = append(agents, &stormAgent{storm: s, worker: s.tenants[i%2].worker(1 + int32(i/2)), rand: s.rand(300 + i), held: map[int64]*heldLease{}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), *stormTime)
	defer cancel()
	var people sync.WaitGroup
	for i := range 3 {
		people.Go(func() { s.people(ctx, s.rand(100+i)) })
	}
	people.Go(func() { s.weather(ctx, s.rand(200)) })
	people.Go(func() { s.visit(ctx) })
	for _, a := range agents {
		s.agents.Go(a.live)
	}
	people.Wait()
	s.calm.Store(true)
	s.tenants[0].db.Engine.Reset() // the weather may have broken what lies there
	s.drain()
	s.check()
	s.checkHistory()
	t.Logf("seed %d: %+v", s.seed, s.done)
}

func newStorm(t testing.TB) *storm {
	t.Helper()
	s := &storm{t: t, seed: *stormSeed, keys: map[string]id.UUID{}, answers: map[int64]answers{}, seen: newSeen()}
	if s.seed == 0 {
		s.seed = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with -run TestStorm -storm.seed %d", s.seed)
		}
	})
	first := setup(t)
	s.super = pgtest.Super(t, first.db.URL())
	s.tenants = []*bundle{first, first.neighbour()}
	s.exec(t.Context(), `UPDATE pool SET slots = 5 WHERE org_id = $1`, first.org)
	s.guardLimit()
	s.nesters = &stormNester{starts: map[id.UUID][]advance.StartRun{}}
	r := s.rand(1)
	for _, b := range s.tenants {
		var starts []advance.StartRun
		b.limit("warehouse", 3)
		b.byTeam(`{"a": 20}`)
		for i := range 6 {
			p := stormPlan(r, i)
			c := b.deploy(p)
			if p.Concurrency != nil {
				c.Line = &p.Concurrency.Key
			}
			starts = append(starts, c)
		}
		s.nesters.starts[b.org] = starts
		s.starts = append(s.starts, append(starts, b.deploy(nestPlan(r))))
	}
	for range 3 {
		s.replica(first.db.URL())
	}
	return s
}

func (s *storm) rand(n int) *rand.Rand { return rand.New(rand.NewPCG(s.seed, uint64(n))) }

func (s *storm) exec(ctx context.Context, sql string, args ...any) {
	s.t.Helper()
	// A statement under way is finished: the connection is used again.
	_, err := s.super.Exec(context.WithoutCancel(ctx), sql, args...)
	require.NoError(s.t, err)
}

// guardLimit has the database itself refuse leases beyond a pool's limit.
func (s *storm) guardLimit() {
	s.exec(s.t.Context(), `CREATE FUNCTION guard_limit() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF EXISTS (SELECT 1 FROM sb.pool p WHERE p.slots > 0
				AND p.slots < (SELECT sum(l.slots) FROM sb.lease l WHERE l.org_id = p.org_id AND l.pool_id = p.id)) THEN
				RAISE EXCEPTION 'a pool is over its limit';
			END IF;
			RETURN NULL;
		END $$`)
	s.exec(s.t.Context(), `CREATE TRIGGER guard_limit AFTER INSERT ON lease FOR EACH STATEMENT EXECUTE FUNCTION guard_limit()`)
}

// replica starts one with all that a server runs, behind a link of its own.
func (s *storm) replica(url string) {
	s.t.Helper()
	l, db := newLink(s.t, url)
	log := slog.New(&s.faults)
	a := advance.New(db, log, nil)
	a.Nest(s.nesters)
	name := id.New()
	a.As(name)
	require.NoError(s.t, a.Start(s.t.Context()))
	s.t.Cleanup(a.Stop)
	for _, service := range []interface {
		Start(context.Context) error
		Stop()
	}{timer.New(db.Engine, a, log), reaper.New(db.Engine, watched{a, s.seen}, log)} {
		require.NoError(s.t, service.Start(s.t.Context()))
		s.t.Cleanup(service.Stop)
	}
	s.replicas = append(s.replicas, &stormReplica{a, name, l})
}

// any is a replica, as behind a proxy that knows nothing.
func (s *storm) any(r *rand.Rand) *advance.Advancer { return s.replicas[r.IntN(len(s.replicas))].a }

// poll asks at a replica, and where that says.
func (s *storm) poll(ctx context.Context, r *rand.Rand, p advance.Poll) (*advance.Work, error) {
	work, err := s.any(r).Poll(ctx, p)
	there, ok := errors.AsType[*advance.ElsewhereError](err)
	if !ok {
		return work, err
	}
	p.Forwarded = true
	for _, other := range s.replicas {
		if other.id == there.Replica {
			return other.a.Poll(ctx, p)
		}
	}
	return nil, err
}

// weather breaks links, kills backends and loses the answers to commits.
func (s *storm) weather(ctx context.Context, r *rand.Rand) {
	tick := time.NewTicker(60 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch l := s.replicas[r.IntN(len(s.replicas))].link; r.IntN(6) {
		case 0:
			l.cut()
			s.done.cuts++
		case 1, 2:
			s.exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND application_name = 'signalbox/sb_engine' ORDER BY random() LIMIT 1`)
			s.done.kills++
		case 3:
			l.swallow.Store(true)
			s.done.swallowed++
		case 4:
			s.exec(ctx, `UPDATE session SET expires_at = now() - interval '1 second'
				WHERE (org_id, id) IN (SELECT org_id, id FROM session WHERE NOT ended ORDER BY random() LIMIT 1)`)
			s.done.sessions++
		case 5:
			s.pausePipeline(ctx)
		}
	}
}

// pausePipeline pauses one, or lets it go on, as its page does.
func (s *storm) pausePipeline(ctx context.Context) {
	s.exec(ctx, `WITH p AS (
			UPDATE pipeline SET paused = NOT paused WHERE (org_id, id) IN (SELECT org_id, id FROM pipeline ORDER BY random() LIMIT 1)
			RETURNING org_id, id, paused)
		INSERT INTO wake (org_id, id, at, kind, pipeline_id) SELECT org_id, gen_random_uuid(), now(), 'resume', id FROM p WHERE NOT paused`)
	s.done.pauses++
}

// people start runs, some twice with one key, cancel and retry them.
func (s *storm) people(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		tenant := r.IntN(len(s.tenants))
		switch r.IntN(12) {
		case 0:
			key, ok := s.anyRun(r)
			if ok {
				s.cancel(ctx, r, advance.CancelRun{RunKey: key, Actor: "storm", Force: r.IntN(3) == 0})
			}
		case 1:
			key, ok := s.anyRun(r)
			if ok {
				s.expect(s.any(r).RetryRun(ctx, advance.RetryRun{RunKey: key, Actor: "storm"}))
			}
		case 2, 3, 4:
			if key, ok := s.anyRun(r); ok {
				s.turn(ctx, r, key)
			}
		default:
			c := s.starts[tenant][r.IntN(len(s.starts[tenant]))]
			c.Labels = map[string]string{"team": string(rune('a' + r.IntN(3)))}
			if r.IntN(8) == 0 {
				c.At = time.Now().Add(time.Duration(r.IntN(500)) * time.Millisecond)
			}
			if r.IntN(2) == 0 {
				c.Key = string(rune('a'+tenant)) + string(rune('a'+r.IntN(26))) + string(rune('a'+r.IntN(26)))
			}
			out, err := s.any(r).StartRun(ctx, c)
			s.expect(err)
			if err == nil {
				s.started(c, out)
			}
		}
		pause(ctx, time.Duration(r.IntN(60))*time.Millisecond)
	}
}

func (s *storm) cancel(ctx context.Context, r *rand.Rand, c advance.CancelRun) {
	if !c.Force {
		s.expect(s.any(r).CancelRun(ctx, c))
		return
	}
	op := s.seen.force(c.Run)
	err := s.any(r).CancelRun(ctx, c)
	if err == nil {
		s.seen.end(op, leasecheck.Done)
	}
	s.expect(err)
}

func (s *storm) started(c advance.StartRun, out advance.Started) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done.starts++
	s.runs = append(s.runs, advance.RunKey{Org: c.Org, Run: out.Run})
	if c.Key == "" {
		return
	}
	name := c.Pipeline.String() + c.Key
	if before, known := s.keys[name]; known && before != out.Run {
		s.t.Errorf("key %q started %s and %s", c.Key, before, out.Run)
	}
	s.keys[name] = out.Run
}

func (s *storm) anyRun(r *rand.Rand) (advance.RunKey, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.runs) == 0 {
		return advance.RunKey{}, false
	}
	return s.runs[r.IntN(len(s.runs))], true
}

// expect lets pass what a storm excuses.
func (s *storm) expect(err error) {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), pg.Unreachable(err):
		return
	}
	excused := []fault.Reason{"UNAVAILABLE", "SESSION_EXPIRED", "RUN_TERMINAL", "RUN_FINALIZING", "RUN_NOT_TERMINAL", "NOTHING_TO_RETRY", "CONCURRENCY_LIMIT"}
	excused = append(excused, turnRefusals...)
	if slices.Contains(excused, fault.ReasonOf(err)) {
		return
	}
	if text := err.Error(); strings.Contains(text, "EOF") || strings.Contains(text, "closed") || strings.Contains(text, "reset by peer") || strings.Contains(text, "57P01") {
		return
	}
	s.t.Errorf("not to be excused: %v", err)
}

// pause waits for a time, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// stormLog gathers what no weather excuses.
type stormLog struct {
	mu    sync.Mutex
	lines []string
}

// Enabled is part of slog.Handler.
func (l *stormLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

// Handle keeps the errors that tell of a defect.
func (l *stormLog) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "a batch was lost with its connection" || r.Message == "the database is out of reach" {
		return nil
	}
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	return nil
}

// WithAttrs is part of slog.Handler.
func (l *stormLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup is part of slog.Handler.
func (l *stormLog) WithGroup(string) slog.Handler { return l }
