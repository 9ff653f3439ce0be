package e2e_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/doctor"
	"github.com/signalboxhq/signalbox/internal/pg"
)

// How a storm is repeated, or made longer, by hand: make chaos SEED=… MINUTES=…
var (
	chaosSeed = flag.Uint64("chaos.seed", 355, "seed of TestChaos: it draws what happens when")
	chaosTime = flag.Duration("chaos.time", 70*time.Second, "how long TestChaos rages; the calm after it comes on top")
)

// ragingStack is an installation of real processes, and what is done to it.
type ragingStack struct {
	*stack

	seed    uint64
	began   time.Time
	pg      *ownPostgres
	network *badNetwork
	kept    []*keptProcess // servers
	agents  []*keptProcess
	mark    string

	mu       sync.Mutex
	log      []string
	keys     map[string]string
	runIDs   []string
	internal map[string]int
	answered map[string]int // requests that people insisted on
	looks    map[string]int // that were answered, by what they are for
	visits   int
}

// keptProcess is started again whenever it ends, as an init does.
type keptProcess struct {
	*process

	changing sync.Mutex // while it is killed, frozen or started
	down     bool
	restarts int
	last     string // what it said at its last end
}

func (k *keptProcess) keep(ctx context.Context) {
	for ctx.Err() == nil {
		k.changing.Lock()
		select {
		case <-k.done:
			if !k.down {
				k.restarts, k.last = k.restarts+1, fmt.Sprint(k.cmd.ProcessState, " ", tail(k.output(), 600))
				k.start() //nolint:contextcheck // it outlives its keeper
			}
		default:
		}
		k.changing.Unlock()
		wait(ctx, 300*time.Millisecond)
	}
}

// away kills the process for a time.
func (k *keptProcess) away(ctx context.Context, lasts time.Duration) {
	k.changing.Lock()
	defer k.changing.Unlock()
	k.kill()
	wait(ctx, lasts)
	k.start() //nolint:contextcheck // it outlives the storm
}

// frozen stops the process for a time.
func (k *keptProcess) frozen(ctx context.Context, lasts time.Duration) {
	k.changing.Lock()
	defer k.changing.Unlock()
	_ = k.cmd.Process.Signal(syscall.SIGSTOP)
	wait(ctx, lasts)
	_ = k.cmd.Process.Signal(syscall.SIGCONT)
}

// Whatever dies, freezes or is cut, for as long as it storms: nothing is lost,
// nothing is counted twice, and every run ends once it is calm.
func TestChaos(t *testing.T) {
	t.Parallel()
	s := raging(t, *chaosSeed)
	tn := s.signUp("storm")
	tn.must("limit", "set", "track", "--max", "2")
	for _, name := range slices.Sorted(maps.Keys(stormPipelines)) { // nested ones sort before who nests them
		tn.apply(strings.ReplaceAll(stormPipelines[name], "@mark@", s.mark))
	}
	watching, stop := context.WithCancel(t.Context())
	defer stop()
	var keepers sync.WaitGroup
	for i := range 3 {
		s.agents = append(s.agents, &keptProcess{process: tn.agent(fmt.Sprintf("agent-%d", i), 3)})
	}
	for _, k := range append(append([]*keptProcess(nil), s.kept...), s.agents...) {
		keepers.Go(func() { k.keep(watching) })
	}
	s.began = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), *chaosTime)
	var people, harms sync.WaitGroup
	for n := range 3 {
		people.Go(func() { s.people(ctx, tn, n) })
	}
	people.Go(func() { s.steer(ctx, tn) })
	people.Go(func() { s.vote(ctx, tn) })
	people.Go(func() { s.visit(ctx) })
	for _, a := range schedule(s.seed, *chaosTime) {
		wait(ctx, a.at-time.Since(s.began))
		harms.Go(func() { s.do(ctx, a) })
	}
	<-ctx.Done()
	cancel()
	people.Wait()
	harms.Wait()
	s.calm(tn)
	stop()
	keepers.Wait()
}

func raging(t *testing.T, seed uint64) *ragingStack {
	t.Helper()
	s := &ragingStack{
		stack: &stack{t: t, programs: programs(t), dir: t.TempDir()}, seed: seed, pg: startPostgres(t),
		mark: fmt.Sprintf("storm-%d-%d", os.Getpid(), seed), keys: map[string]string{}, internal: map[string]int{},
		answered: map[string]int{}, looks: map[string]int{},
	}
	t.Cleanup(func() {
		t.Logf("the storm of seed %d; repeat it with make chaos SEED=%d", seed, seed)
		for _, line := range s.log {
			t.Log(line)
		}
	})
	s.database = s.pg.url
	for i := range 2 {
		address := freeAddress(t)
		s.addresses = append(s.addresses, address)
		p := launch(t, fmt.Sprintf("server %d", i), s.programs.signalbox, s.dir, []string{
			"DATABASE_URL=" + s.database, "SIGNALBOX_ADDRESS=" + address, "SIGNALBOX_MAIL=file:" + s.mail(),
		}, "server")
		s.servers = append(s.servers, p)
		s.kept = append(s.kept, &keptProcess{process: p})
	}
	s.serving()
	s.network, s.url = newBadNetwork(t, seed, s.addresses)
	return s
}

func (s *ragingStack) tell(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf("%6.1fs %s", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...)))
}

// do carries out one act of the schedule.
func (s *ragingStack) do(ctx context.Context, a act) {
	s.tell("%s %d for %s", a.harm, a.who, a.lasts)
	var err error
	switch a.harm {
	case killServer:
		s.kept[a.who%len(s.kept)].away(ctx, a.lasts)
	case freezeServer:
		s.kept[a.who%len(s.kept)].frozen(ctx, a.lasts)
	case killAgent:
		s.agents[a.who%len(s.agents)].away(ctx, a.lasts)
	case freezeAgent:
		s.agents[a.who%len(s.agents)].frozen(ctx, a.lasts)
	case killBackend, freezeBackend, endBackend:
		err = s.doBackend(ctx, a)
	case crashDatabase:
		err = s.pg.crash()
	case exhaust:
		s.tell("took %d connections", s.pg.exhaust(ctx, a.lasts))
	case fillDisk:
		if s.pg.small {
			err = s.pg.fill(ctx, a.lasts)
		}
	case loseRequests, loseAnswers, delayRequests, repeat:
		s.network.set(a.harm, a.lasts)
	}
	if err != nil {
		s.tell("%s came to nothing: %v", a.harm, err)
	}
}

func (s *ragingStack) doBackend(ctx context.Context, a act) error {
	pid, err := s.pg.backend(ctx, a.who)
	if err != nil {
		return err
	}
	if a.harm == killBackend {
		return syscall.Kill(pid, syscall.SIGKILL)
	}
	if a.harm == endBackend {
		return syscall.Kill(pid, syscall.SIGTERM)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	wait(ctx, a.lasts)
	return syscall.Kill(pid, syscall.SIGCONT)
}

// visit has the doctor look while the storm rages.
func (s *ragingStack) visit(ctx context.Context) {
	for ctx.Err() == nil {
		wait(ctx, 4*time.Second)
		s.examine(ctx)
		s.look(ctx)
	}
}

// examine has the doctor recount everything; it reports whether it could.
func (s *ragingStack) examine(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	db, err := pg.Open(ctx, pg.Config{URL: s.database, APIConns: 1, EngineConns: 2, AuthConns: 1})
	if err != nil {
		return false
	}
	defer db.Close()
	found, err := doctor.Check(ctx, db)
	for _, d := range found {
		s.t.Errorf("the doctor found: %s", d)
	}
	if err == nil {
		s.mu.Lock()
		s.visits++
		s.mu.Unlock()
	}
	return err == nil
}

// calm waits until every run has ended, and then asks for everything.
func (s *ragingStack) calm(tn *tenant) {
	s.t.Helper()
	s.tell("calm")
	ctx := s.t.Context()
	var open int
	eventually(s.t, 4*time.Minute, "every run ends", func() bool {
		s.resumeAll(ctx, tn)
		s.look(ctx)
		return s.ask(ctx, &open, `SELECT count(*) FROM run WHERE finished_at IS NULL`) && open == 0
	})
	s.tell("every run has ended")
	eventually(s.t, time.Minute, "no step is left", func() bool { return len(s.leftovers()) == 0 })
	eventually(s.t, time.Minute, "the doctor could look", func() bool { return s.examine(ctx) })
	for what, query := range map[string]string{
		"ready rows":                      `SELECT count(*) FROM ready`,
		"leases":                          `SELECT count(*) FROM lease`,
		"timers":                          `SELECT count(*) FROM timer`,
		"journals with gaps":              `SELECT count(*) FROM (SELECT 1 FROM journal GROUP BY run_id HAVING count(*) <> max(seq)) g`,
		"leases that ended twice":         `SELECT count(*) FROM (SELECT 1 FROM journal WHERE lease <> 0 GROUP BY lease HAVING count(*) > 1) l`,
		"pipelines with gaps in numbers":  `SELECT count(*) FROM (SELECT 1 FROM run GROUP BY pipeline_id HAVING count(*) <> max(number)) n`,
		"entries after the end of a run":  `SELECT count(*) FROM journal j JOIN run r ON r.id = j.run_id WHERE j.seq > r.seq`,
		"keys that name no run":           `SELECT count(*) FROM start_key k WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.id = k.run_id)`,
		"runs that share a key":           `SELECT count(*) FROM (SELECT 1 FROM start_key GROUP BY run_id HAVING count(*) > 1) k`,
		"runs beyond the keys that began": fmt.Sprintf(`SELECT greatest(count(*) - (SELECT count(*) FROM start_key), 0) + greatest(%d - count(*), 0) FROM run WHERE parent_run IS NULL`, len(s.keys)),
	} {
		var n int
		eventually(s.t, 20*time.Second, "ask for "+what, func() bool { return s.ask(ctx, &n, query) })
		require.Zero(s.t, n, what)
	}
	s.settled(ctx)
	for key, run := range s.keys {
		require.NotNil(s.t, tn.run(run), "the run of key %s is gone", key)
	}
	s.report()
}

func (s *ragingStack) ask(ctx context.Context, into *int, query string) bool {
	conn, err := s.pg.super(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close(ctx) }()
	return conn.QueryRow(ctx, query).Scan(into) == nil
}

// report tells how much there was of everything.
func (s *ragingStack) report() {
	var runs, entries, lost int
	ctx := s.t.Context()
	_ = s.ask(ctx, &runs, `SELECT count(*) FROM run`) && s.ask(ctx, &entries, `SELECT count(*) FROM journal`) &&
		s.ask(ctx, &lost, `SELECT count(*) FROM journal WHERE outcome = 'lost'`)
	s.tell("%d runs, %d entries, %d attempts lost, %d visits of the doctor, %d requests hurt, %d starts of PostgreSQL, %d kinds of internal errors",
		runs, entries, lost, s.visits, s.network.hurt.Load(), 1+s.pg.starts, len(s.internal))
	for what, n := range s.internal {
		s.tell("%d times %s", n, what)
	}
	s.kinds(ctx)
	require.NotZero(s.t, runs)
	require.NotZero(s.t, s.visits)
	for what := range never {
		require.NotZero(s.t, s.looks[what], "nobody ever looked for %s", what)
	}
	for _, k := range append(append([]*keptProcess(nil), s.kept...), s.agents...) {
		if k.restarts > 0 {
			s.tell("%s ended by itself %d times: %s", k.name, k.restarts, k.last)
		}
	}
}

// leftovers lists the processes of steps that are still there.
func (s *ragingStack) leftovers() []string {
	var out []string
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range all {
		if env, err := os.ReadFile(f); err == nil && bytes.Contains(env, []byte("STORM_MARK="+s.mark)) {
			out = append(out, f)
		}
	}
	return out
}
