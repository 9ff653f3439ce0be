package firing_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/firing"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// dying is a replica that dies before or after a start, or loses its answer.
type dying struct {
	*bundle

	mu     sync.Mutex
	random *rand.Rand
	die    context.CancelFunc
}

var errLost = errors.New("the answer was lost")

func (d *dying) roll() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.IntN(8)
}

func (d *dying) StartScheduled(ctx context.Context, s rundb.Scheduled) (id.UUID, error) {
	switch d.roll() {
	case 0:
		return id.Nil, errLost
	case 1:
		_, _ = d.starter.StartScheduled(ctx, s)
		return id.Nil, errLost
	case 2:
		d.die()
		return id.Nil, errLost
	case 3:
		_, err := d.starter.StartScheduled(ctx, s)
		d.die()
		return id.Nil, err
	}
	return d.starter.StartScheduled(ctx, s)
}

func (d *dying) CancelRun(ctx context.Context, c advance.CancelRun) error {
	return d.advancer.CancelRun(ctx, c)
}

// overtaken is a replica that dies with a start in flight, after another one has
// looked.
type overtaken struct {
	*dying

	meanwhile func()
}

func (o *overtaken) StartScheduled(ctx context.Context, s rundb.Scheduled) (id.UUID, error) {
	o.meanwhile()
	_, err := o.starter.StartScheduled(ctx, s)
	o.die()
	return id.Nil, err
}

// Another ticker finds that a fire cannot start and gives it up, while the start
// of the first one is under way: that one counts.
func TestAFireThatWasGivenUpWithAStartInFlight(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hourly("one", 1, func(*plan.Schedule) {})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := &overtaken{dying: &dying{bundle: b, die: cancel}}
	o.meanwhile = func() {
		b.exec(`UPDATE organization SET state = 'restricted'`, nil)
		b.exec(`UPDATE schedule SET next_at = clock_timestamp()`, nil)
		require.NoError(t, b.firing().Look(t.Context()))
		require.Equal(t, "R", b.fires("one"))
		b.exec(`UPDATE organization SET state = 'active'`, nil)
	}
	_ = firing.New(b.db.Engine, o, o, slog.New(slog.DiscardHandler)).Look(ctx)
	require.Equal(t, "S", b.fires("one"))
	b.again(b.firing())
	require.Equal(t, "S", b.fires("one"))
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM run r JOIN schedule_fire f ON f.org_id = r.org_id AND f.run_id = r.id AND f.ended_at IS NULL`))
	require.Equal(t, 1, one[int](b, `SELECT count(*) FROM run`))
}

// TestEveryFireHasItsRunWhateverDies lets two tickers that know nothing of each
// other serve the same schedules and die at any moment, time and again.
func TestEveryFireHasItsRunWhateverDies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const schedules, hours = 6, 24
	for n := range schedules {
		b.hourly(fmt.Sprintf("s%d", n), hours, func(s *plan.Schedule) {
			s.Overlap = []string{"allow", "allow", "drop_new"}[n%3]
		})
	}
	for round := range 40 {
		var tickers sync.WaitGroup
		for n := range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			d := &dying{bundle: b, die: cancel, random: rand.New(rand.NewPCG(uint64(round), uint64(n)))}
			f := firing.New(b.db.Engine, d, d, slog.New(slog.DiscardHandler))
			tickers.Go(func() {
				defer cancel()
				_ = f.Look(ctx)
				_ = f.Look(ctx)
			})
		}
		tickers.Wait()
		b.exec(`UPDATE schedule SET next_at = clock_timestamp() WHERE next_at < clock_timestamp() + interval '1 minute'`, nil)
	}
	b.look(b.firing())
	require.Equal(t, schedules*hours, one[int](b, `SELECT count(*) FROM schedule_fire`))
	require.Equal(t, 4*hours+2, one[int](b, `SELECT count(*) FROM schedule_fire WHERE state = 'started'`))
	require.Equal(t, 4*hours+2, one[int](b, `SELECT count(*) FROM run`))
	require.Equal(t, 4*hours+2, one[int](b, `SELECT count(*) FROM run r JOIN schedule_fire f ON f.org_id = r.org_id AND f.run_id = r.id`))
	require.Equal(t, int64(4*hours+2), one[int64](b, `SELECT sum(fired)::bigint FROM schedule`))
}
