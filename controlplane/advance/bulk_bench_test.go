package advance_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// BenchmarkBulk measures attempts of independent tasks, from start to end, by
// agents that always report all they have and take as much: what the group
// commit carries when it is never idle. The test's PostgreSQL is not durable.
func BenchmarkBulk(b *testing.B) {
	for _, shape := range []struct {
		name          string
		tasks, agents int
	}{{"wide", 500, 16}, {"chains", 10, 64}, {"map", 10_000, 16}} {
		b.Run(shape.name, func(b *testing.B) {
			s := setup(b)
			slots, size := int32(16), shape.tasks
			var p *plan.Plan
			switch shape.name {
			case "wide":
				p = wide("bulk", size, nil)
			case "chains":
				p, slots = chain("bulk", size), 1
			case "map":
				each := task("each")
				each.ForEach = &plan.ForEach{Count: size, Type: plan.TypeInt}
				p = dynamicPlan(each)
			}
			c := s.deploy(p)
			ctx, cancel := context.WithCancel(b.Context())
			var ended atomic.Int64
			var agents sync.WaitGroup
			for range shape.agents {
				w := s.worker(slots)
				agents.Go(func() { bulk(ctx, w, &ended) })
			}
			b.ResetTimer()
			var started atomic.Int64
			var starters sync.WaitGroup
			for range 16 {
				starters.Go(func() {
					for started.Add(int64(size)) <= int64(b.N) {
						_, err := s.a.StartRun(ctx, c)
						require.NoError(b, err)
						for started.Load()-ended.Load() > 128*int64(size) {
							pause(ctx, time.Millisecond)
						}
					}
				})
			}
			starters.Wait()
			eventually(b, "all have ended", func() bool { return ended.Load() >= int64(b.N/size*size) })
			b.StopTimer()
			b.ReportMetric(float64(ended.Load())/b.Elapsed().Seconds(), "attempts/s")
			cancel()
			agents.Wait()
		})
	}
}

func bulk(ctx context.Context, w *worker, ended *atomic.Int64) {
	var reports []advance.AttemptReport
	for {
		var work *advance.Work
		var err error
		if len(reports) == 0 {
			work, err = w.a.Poll(ctx, advance.Poll{Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: w.slots}, Wait: patience})
		} else {
			work, err = w.a.Report(ctx, advance.Report{Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: w.slots}, Reports: reports})
			ended.Add(int64(len(reports)))
		}
		if ctx.Err() != nil {
			return
		}
		require.NoError(w.t, err)
		reports = reports[:0:0]
		for _, l := range work.Leases {
			reports = append(reports, endedWith(l))
		}
	}
}

func endedWith(l advance.Lease) advance.AttemptReport { return ended(l, engine.OutcomeSucceeded) }
