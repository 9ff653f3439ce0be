package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"connectrpc.com/connect"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// What the storm's runs do: short steps that fail now and then, side by side and
// one after the other, maps, exit handlers, nested pipelines, approvals, a line, a limit. @mark@ tells a step's processes.
var stormPipelines = map[string]string{
	"chain": `signalbox: v1
name: chain
defaults: {env: {STORM_MARK: "@mark@"}, retry: {user: 2, infra: 20, backoff: [100ms, 500ms], jitter: full}}
tasks:
  a: {run: 'sleep 0.1'}
  b: {needs: [a], run: 'sleep 0.$(shuf -i 0-9 -n 1); [ $(shuf -i 0-4 -n 1) -gt 0 ]'}
  c: {needs: [b], run: 'sleep 0.2'}
on_exit:
  - {name: bye, when: always, task: {run: 'true'}}
`,
	"fan": `signalbox: v1
name: fan
defaults: {env: {STORM_MARK: "@mark@"}, retry: {user: 1, infra: 20, backoff: [200ms]}}
tasks:
  a: {run: 'true'}
  b1: {needs: [a], run: 'sleep 0.3'}
  b2: {needs: [a], run: 'sleep 1; exit 77'}
  b3: {needs: [a], run: 'sleep 0.2; [ $(shuf -i 0-3 -n 1) -gt 0 ]', on_failure: tolerate}
  b4: {needs: [a], run: 'sleep $(shuf -i 0-3 -n 1)'}
  z: {needs: [b1, b2, b3, b4], rule: all_done, run: 'true'}
`,
	"map": `signalbox: v1
name: map
defaults: {env: {STORM_MARK: "@mark@"}, retry: {user: 2, infra: 20, backoff: [100ms]}}
tasks:
  each: {for_each: 6, max_parallel: 3, tolerate: 2, run: 'sleep 0.$(shuf -i 0-4 -n 1); [ $(shuf -i 0-5 -n 1) -gt 0 ]'}
  z: {needs: [each], run: 'true'}
`,
	"long": `signalbox: v1
name: long
defaults: {env: {STORM_MARK: "@mark@"}, retry: {infra: 20}}
tasks:
  sleep: {run: 'sleep 6'}
  after: {needs: [sleep], run: 'true'}
on_exit:
  - {name: sorry, when: canceled, task: {run: 'sleep 0.2'}}
`,
	"nest": `signalbox: v1
name: nest
tasks:
  one: {pipeline: chain}
  two: {for_each: 2, pipeline: leaf}
  z: {needs: [one, two], env: {STORM_MARK: "@mark@"}, retry: {infra: 20}, run: 'true'}
`,
	"leaf": `signalbox: v1
name: leaf
defaults: {env: {STORM_MARK: "@mark@"}, retry: {user: 3, infra: 20, backoff: [100ms]}}
tasks:
  a: {run: 'sleep 0.$(shuf -i 0-9 -n 1); [ $(shuf -i 0-4 -n 1) -gt 0 ]'}
`,
	"ask": `signalbox: v1
name: ask
tasks:
  gate: {approve: {timeout: 20s, on_timeout: skip}}
  late: {approve: {timeout: 2s, on_timeout: skip}}
  z: {needs: [gate], env: {STORM_MARK: "@mark@"}, retry: {infra: 20}, run: 'sleep 0.1'}
`,
	"lined": `signalbox: v1
name: lined
concurrency: {limit: 2, policy: queue}
tasks:
  a: {env: {STORM_MARK: "@mark@"}, retry: {infra: 20}, run: 'sleep 0.$(shuf -i 3-9 -n 1)'}
`,
	"limited": `signalbox: v1
name: limited
tasks:
  each: {for_each: 4, limits: [track], env: {STORM_MARK: "@mark@"}, retry: {infra: 20}, run: 'sleep 0.$(shuf -i 1-9 -n 1)'}
`,
}

// people start runs, most of them with a key, repeat what was not answered, and
// cancel and retry what they started.
func (s *ragingStack) people(ctx context.Context, tn *tenant, n int) {
	r := rand.New(rand.NewPCG(s.seed, uint64(100+n)))
	names := slices.Sorted(maps.Keys(stormPipelines))
	for i := 0; ctx.Err() == nil; i++ {
		wait(ctx, time.Duration(300+r.IntN(1500))*time.Millisecond)
		switch run := s.anyRun(r); {
		case run != "" && r.IntN(8) == 0:
			call, cancel := context.WithTimeout(ctx, 10*time.Second)
			_, err := tn.runs.CancelRun(call, &runv1.CancelRunRequest{Id: run, Force: r.IntN(3) == 0})
			cancel()
			s.excuse("cancel", err)
		case run != "" && r.IntN(8) == 0:
			call, cancel := context.WithTimeout(ctx, 10*time.Second)
			_, err := tn.runs.RetryRun(call, &runv1.RetryRunRequest{Id: run})
			cancel()
			s.excuse("retry", err)
		default:
			s.startOne(ctx, tn, names[r.IntN(len(names))], fmt.Sprintf("key-%d-%d", n, i/2)) // every key twice
		}
	}
}

// startOne starts a run and repeats it until it is answered.
func (s *ragingStack) startOne(ctx context.Context, tn *tenant, pipeline, key string) {
	key = pipeline + "-" + key
	for ctx.Err() == nil {
		call, cancel := context.WithTimeout(ctx, 10*time.Second)
		out, err := tn.runs.StartRun(call, &runv1.StartRunRequest{Pipeline: pipeline, IdempotencyKey: key})
		cancel()
		if err == nil {
			s.started(key, out.GetRun().GetId())
			return
		}
		s.excuse("start", err)
		wait(ctx, 300*time.Millisecond)
	}
}

func (s *ragingStack) started(key, run string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, known := s.keys[key]; known && was != run {
		s.t.Errorf("key %s started %s and %s", key, was, run)
	}
	s.keys[key] = run
	s.runIDs = append(s.runIDs, run)
}

func (s *ragingStack) anyRun(r *rand.Rand) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.runIDs) == 0 {
		return ""
	}
	return s.runIDs[len(s.runIDs)-1-r.IntN(min(20, len(s.runIDs)))]
}

var excused = []connect.Code{connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeCanceled, connect.CodeFailedPrecondition}

// excuse lets pass what a storm excuses: an error that says to try again, or
// that the run has moved on.
func (s *ragingStack) excuse(what string, err error) {
	if err == nil {
		return
	}
	code := connect.CodeOf(err)
	if slices.Contains(excused, code) {
		return
	}
	if code == connect.CodeInternal || code == connect.CodeUnknown {
		// Told, not failed: some calls meet a connection that breaks in mid-answer.
		s.mu.Lock()
		s.internal[what+": "+err.Error()]++
		s.mu.Unlock()
		return
	}
	s.t.Errorf("%s: not to be excused: %v", what, err)
}
