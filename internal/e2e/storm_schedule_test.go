package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// harm is a kind of thing that the storm does.
type harm string

// What the storm does, and how often compared with the others.
const (
	killServer    harm = "kill -9 server"
	freezeServer  harm = "SIGSTOP server"
	killAgent     harm = "kill -9 agent"
	freezeAgent   harm = "SIGSTOP agent"
	killBackend   harm = "kill -9 a PostgreSQL backend"
	freezeBackend harm = "SIGSTOP a PostgreSQL backend"
	endBackend    harm = "terminate a PostgreSQL backend"
	crashDatabase harm = "pg_ctl -m immediate restart"
	exhaust       harm = "take all connections"
	fillDisk      harm = "fill the disk"
	loseRequests  harm = "network: drop requests"
	loseAnswers   harm = "network: cut answers after the fact"
	delayRequests harm = "network: delay"
	repeat        harm = "network: deliver requests twice"
)

var weights = []struct {
	harm   harm
	weight int
	most   time.Duration
}{
	{killServer, 3, 8 * time.Second},
	{freezeServer, 3, 13 * time.Second},
	{killAgent, 3, 6 * time.Second},
	{freezeAgent, 2, 35 * time.Second},
	{killBackend, 1, 0},
	{freezeBackend, 2, 6 * time.Second},
	{endBackend, 3, 0},
	{crashDatabase, 2, 2 * time.Second},
	{exhaust, 1, 5 * time.Second},
	{fillDisk, 1, 5 * time.Second},
	{loseRequests, 2, 5 * time.Second},
	{loseAnswers, 3, 8 * time.Second},
	{delayRequests, 2, 8 * time.Second},
	{repeat, 3, 10 * time.Second},
}

// act is one entry of the schedule.
type act struct {
	at    time.Duration
	harm  harm
	who   int // which server, agent or backend, modulo how many there are
	lasts time.Duration
}

// String is the act as the log tells it.
func (a act) String() string {
	return fmt.Sprintf("%6.1fs %s %d for %s", a.at.Seconds(), a.harm, a.who, a.lasts)
}

// schedule draws what happens when: a seed is a schedule.
func schedule(seed uint64, length time.Duration) []act {
	r := rand.New(rand.NewPCG(seed, 0xca05))
	total := 0
	for _, w := range weights {
		total += w.weight
	}
	var out []act
	for at := time.Second; at < length; {
		n := r.IntN(total)
		for _, w := range weights {
			if n -= w.weight; n >= 0 {
				continue
			}
			a := act{at: at, harm: w.harm, who: r.IntN(100)}
			if w.most > 0 {
				a.lasts = 200*time.Millisecond + time.Duration(r.Int64N(int64(w.most))).Round(time.Millisecond)
			}
			out = append(out, a)
			break
		}
		at += 500*time.Millisecond + time.Duration(r.Int64N(int64(6*time.Second))).Round(time.Millisecond)
	}
	return out
}

func TestASeedIsASchedule(t *testing.T) {
	t.Parallel()
	all := schedule(7, time.Hour)
	require.Equal(t, all, schedule(7, time.Hour))
	require.NotEqual(t, all, schedule(8, time.Hour))
	seen := map[harm]int{}
	for _, a := range all {
		seen[a.harm]++
	}
	require.Len(t, seen, len(weights))
	require.Equal(t, all[:5], schedule(7, 2*time.Minute)[:5], "a longer storm begins as a shorter one")
}
