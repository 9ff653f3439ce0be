package simulation_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math/rand/v2"
	"time"

	"github.com/signalboxhq/signalbox/internal/leasecheck"
	"github.com/signalboxhq/signalbox/proto/id"
)

// plant is a bug that the simulation carries on purpose.
type plant string

// The planted bugs.
const (
	plantNone         plant = ""
	plantFence        plant = "a report ends whatever lease its task has now"
	plantSessionFence plant = "an ended session is given work"
	plantUnique       plant = "two transactions may insert the same start key"
	plantLeaseUnique  plant = "a ready row is claimed although somebody else has locked it, and a task may have two leases"
	plantKey          plant = "a start does not look for its key"
	plantReport       plant = "a repeated report is not answered from the journal"
	plantSlot         plant = "the lease of a lost attempt stays"
	plantPool         plant = "slots of a pool are counted without its lock"
	plantLine         plant = "lines are read without their locks"
	plantLeave        plant = "a run that ends while it waits does not leave its line"
	plantLimit        plant = "limits are counted without their locks"
	plantHold         plant = "a lost attempt does not give its units of a limit back"
	plantTwice        plant = "units of a limit that are given back count twice"
	plantGang         plant = "a part of a gang is leased"
	plantRejoin       plant = "a retried run does not ask for its place"
)

// options say what is simulated.
type options struct {
	seed  uint64
	hours float64 // of storm; the calm after it comes on top
	plant plant
	// journal of what happened, for reading; nil keeps only its digest.
	log func(format string, args ...any)
	// history is recorded for the check of linearizability.
	record bool
}

// result is what a simulation found.
type result struct {
	digest     string // of everything that happened: equal for equal seeds
	violations []string
	hours      float64
	steps      int
	done       tally
	history    *leasecheck.History
}

// tally counts what happened, so that a quiet simulation shows.
type tally struct {
	Runs, Children, Ended, Attempts, Decisions, Lost, Stale, Commits      int
	Kills, Freezes, Outages, Cuts, Backends, Duplicates, Unknown, Expired int
}

// world is one installation and everybody around it, on one clock.
type world struct {
	opt       options
	rand      *rand.Rand
	began     time.Time
	events    events
	serial    uint64
	current   *fiber
	processes []*process
	steps     int
	stopped   bool
	calm      bool

	sum        hash.Hash
	violations []string
	done       tally

	db       *database
	net      *network
	replicas []*replica
	agents   []*agent
	people   *process
	check    *checker
	history  *leasecheck.History
}

const (
	replicaCount = 3
	agentCount   = 6
)

// simulate runs one seed. It must be called in a bubble of testing/synctest.
func simulate(opt options) result {
	w := &world{
		opt: opt, rand: rand.New(rand.NewPCG(opt.seed, 0x5b)), began: time.Now(),
		sum: sha256.New(), history: &leasecheck.History{},
	}
	w.check = newChecker(w)
	w.db = newDatabase(w)
	w.net = &network{w: w}
	w.deployAll()
	for i := range replicaCount {
		w.addReplica(i)
	}
	for i := range agentCount {
		w.addAgent(i)
	}
	w.addPeople()
	w.addWeather()
	w.run()
	return result{
		digest: hex.EncodeToString(w.sum.Sum(nil)), violations: w.violations, steps: w.steps,
		hours: time.Since(w.began).Hours(), done: w.done, history: w.history,
	}
}

func (w *world) process(name string) *process {
	p := &process{name: name, up: true}
	w.processes = append(w.processes, p)
	return p
}

// note adds to the digest of what happened.
func (w *world) note(parts ...string) {
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(time.Since(w.began)))
	w.sum.Write(at[:])
	for _, p := range parts {
		w.sum.Write([]byte(p))
		w.sum.Write([]byte{0})
	}
}

// tell notes something worth reading.
func (w *world) tell(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.note(text)
	if w.opt.log != nil {
		w.opt.log("%12s %s", time.Since(w.began).Truncate(time.Millisecond), text)
	}
}

// violate records a broken invariant and ends the simulation: what follows it
// would only repeat it.
func (w *world) violate(format string, args ...any) {
	w.violations = append(w.violations, fmt.Sprintf("after %s: %s", time.Since(w.began).Truncate(time.Millisecond), fmt.Sprintf(format, args...)))
	w.tell("BROKEN: "+format, args...)
	w.stopped = true
}

// roll is true in one of n cases.
func (w *world) roll(n int) bool { return w.rand.IntN(n) == 0 }

// trouble is true in one of n cases while the storm lasts.
func (w *world) trouble(n int) bool { return !w.calm && w.roll(n) }

func (w *world) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.rand.Int64N(int64(high-low)+1))
}

// Read makes the world the randomness of ids.
func (w *world) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(w.rand.Uint32())
	}
	return len(b), nil
}

func (w *world) newID() id.UUID { return id.NewAt(time.Now(), w) }
