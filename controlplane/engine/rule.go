package engine

import "github.com/signalboxhq/signalbox/proto/plan"

// Rule is a trigger rule: how the ends of a task's upstream tasks decide
// whether it runs. The zero value is the default.
type Rule uint8

// The thirteen rules of model.md §4.
const (
	RuleAllSuccess Rule = iota
	RuleAllFailed
	RuleAllDone
	RuleAllSkipped
	RuleOneSuccess
	RuleOneFailed
	RuleOneDone
	RuleNoneFailed
	RuleNoneFailedMinOneSuccess
	RuleNoneSkipped
	RuleAllDoneMinOneSuccess
	RuleAlways
	RuleQuorum
)

var ruleNames = []string{
	"all_success", "all_failed", "all_done", "all_skipped", "one_success",
	"one_failed", "one_done", "none_failed", "none_failed_min_one_success",
	"none_skipped", "all_done_min_one_success", "always", "quorum",
}

// String is the rule as a pipeline file spells it; a quorum's share is not
// part of it.
func (r Rule) String() string { return text(ruleNames, r) }

// Rules lists all rules, the default first.
func Rules() []Rule { return all[Rule](ruleNames) }

// Verdict is what a rule says about a task at one moment.
type Verdict uint8

// The verdicts. All but VerdictWait are final: no later end of an upstream task
// changes them, and every order of ends leads to the same one.
const (
	VerdictWait Verdict = iota
	VerdictRun
	VerdictUpstreamFailed
	VerdictSkipped
)

var verdictNames = []string{"wait", "run", "upstream_failed", "skipped"}

// String is the verdict as the golden file spells it.
func (v Verdict) String() string { return text(verdictNames, v) }

// counts is what a rule looks at: n upstream tasks, of which s, f, u and k have
// ended in the classes S (succeeded, cached, reused, tolerated), F (failed,
// canceled), U (upstream_failed) and K (skipped); d is their sum.
type counts struct {
	n, s, f, u, k, d int
	q                plan.Quorum
}

type test func(c counts) bool

func never(counts) bool { return false }

// rules is the table of model.md §4. Not more than one column holds at a time.
//
// It differs from Airflow in one cell: all_success skips only when d = n.
// Airflow skips as soon as k > 0, so that of one failed and one skipped
// upstream task the faster one decides whether the run is red.
var rules = [...]struct{ run, upstream, skip test }{
	RuleAllSuccess: {
		run:      func(c counts) bool { return c.s == c.n },
		upstream: func(c counts) bool { return c.f+c.u > 0 },
		skip:     func(c counts) bool { return c.d == c.n && c.f+c.u == 0 && c.k > 0 },
	},
	RuleAllFailed: {
		run:      func(c counts) bool { return c.d == c.n && c.s+c.k == 0 },
		upstream: never,
		skip:     func(c counts) bool { return c.s+c.k > 0 },
	},
	RuleAllDone: {
		run:      func(c counts) bool { return c.d == c.n },
		upstream: never,
		skip:     never,
	},
	RuleAllSkipped: {
		run:      func(c counts) bool { return c.k == c.n },
		upstream: never,
		skip:     func(c counts) bool { return c.s+c.f+c.u > 0 },
	},
	RuleOneSuccess: {
		run:      func(c counts) bool { return c.s > 0 },
		upstream: func(c counts) bool { return c.d == c.n && c.s == 0 && c.k < c.n },
		skip:     func(c counts) bool { return c.k == c.n },
	},
	RuleOneFailed: {
		run:      func(c counts) bool { return c.f+c.u > 0 },
		upstream: never,
		skip:     func(c counts) bool { return c.d == c.n && c.f+c.u == 0 },
	},
	RuleOneDone: {
		run:      func(c counts) bool { return c.s+c.f > 0 },
		upstream: never,
		skip:     func(c counts) bool { return c.d == c.n && c.s+c.f == 0 },
	},
	RuleNoneFailed: {
		run:      func(c counts) bool { return c.d == c.n && c.f+c.u == 0 },
		upstream: func(c counts) bool { return c.f+c.u > 0 },
		skip:     never,
	},
	RuleNoneFailedMinOneSuccess: {
		run:      func(c counts) bool { return c.d == c.n && c.f+c.u == 0 && c.s > 0 },
		upstream: func(c counts) bool { return c.f+c.u > 0 },
		skip:     func(c counts) bool { return c.k == c.n },
	},
	RuleNoneSkipped: {
		run:      func(c counts) bool { return c.d == c.n && c.k == 0 },
		upstream: never,
		skip:     func(c counts) bool { return c.k > 0 },
	},
	RuleAllDoneMinOneSuccess: {
		run:      func(c counts) bool { return c.d == c.n && c.k == 0 && c.s > 0 },
		upstream: func(c counts) bool { return c.d == c.n && c.k == 0 && c.s == 0 },
		skip:     func(c counts) bool { return c.k > 0 },
	},
	RuleAlways: {
		run:      func(counts) bool { return true },
		upstream: never,
		skip:     never,
	},
	RuleQuorum: {
		run: func(c counts) bool {
			return c.s >= c.q.Need(c.n) && (c.q.Early || c.d == c.n)
		},
		upstream: func(c counts) bool {
			return c.s+(c.n-c.d) < c.q.Need(c.n) && (c.f+c.u > 0 || c.d == c.n) && c.k != c.n
		},
		skip: func(c counts) bool { return c.k == c.n },
	},
}

// Evaluate says what a rule makes of n upstream tasks of which s, f, u and k
// have ended in each class. A task without upstream runs, whatever its rule. q
// matters to RuleQuorum only.
func Evaluate(r Rule, n, s, f, u, k int, q plan.Quorum) Verdict {
	if n == 0 {
		return VerdictRun
	}
	c := counts{n: n, s: s, f: f, u: u, k: k, d: s + f + u + k, q: q}
	row := &rules[r]
	switch {
	case row.run(c):
		return VerdictRun
	case row.upstream(c):
		return VerdictUpstreamFailed
	case row.skip(c):
		return VerdictSkipped
	}
	return VerdictWait
}

// ParseRule reads a rule as a plan spells it, the empty one being all_success.
func ParseRule(r plan.Rule) (Rule, plan.Quorum, error) {
	if r == "" {
		return RuleAllSuccess, plan.Quorum{}, nil
	}
	if q, ok := r.Quorum(); ok {
		return RuleQuorum, q, nil
	}
	if err := r.Check(); err != nil {
		return 0, plan.Quorum{}, err
	}
	rule, err := parse[Rule]("rule", ruleNames, string(r))
	return rule, plan.Quorum{}, err
}
