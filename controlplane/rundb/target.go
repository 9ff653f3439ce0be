package rundb

import (
	"slices"
	"sync"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// targets remembers what the names of pipelines meant when they were last looked
// up. What it says of the deployed version may be out of date: whoever starts
// that has it compared under the pipeline's lock (advance.StartRun.Deployed).
type targets struct {
	mu    sync.Mutex
	known map[targetKey]Target
}

type targetKey struct {
	org, workspace id.UUID
	name           string
}

const maxTargets = 20_000

func newTargets() *targets { return &targets{known: map[targetKey]Target{}} }

// put remembers a target, unless what may be given to it hangs on the workspace's
// key: that is compared nowhere.
func (c *targets) put(key targetKey, t Target) {
	sealed := slices.ContainsFunc(t.Graph.Plan.Params, func(p plan.Param) bool { return !p.Open })
	c.mu.Lock()
	defer c.mu.Unlock()
	if sealed {
		delete(c.known, key)
		return
	}
	if len(c.known) >= maxTargets {
		clear(c.known)
	}
	t.SealingKID = ""
	c.known[key] = t
}

// RecallTarget returns what the name of a pipeline in the caller's workspace
// meant when it was last looked up, whoever asked: names are the same to all.
func (s *Store) RecallTarget(by caller.Caller, name string) (Target, bool) {
	s.targets.mu.Lock()
	defer s.targets.mu.Unlock()
	t, ok := s.targets.known[targetKey{by.OrgID, by.WorkspaceID, name}]
	return t, ok
}
