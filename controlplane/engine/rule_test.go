package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// variant is a rule with its argument.
type variant struct {
	name   plan.Rule
	rule   engine.Rule
	quorum plan.Quorum
}

func variants(t *testing.T) []variant {
	t.Helper()
	names := append(plan.Rules(), "quorum(0.5)", "quorum(0.5, early)", "quorum(1)")
	out := make([]variant, len(names))
	for i, name := range names {
		r, q, err := engine.ParseRule(name)
		require.NoError(t, err)
		out[i] = variant{name: name, rule: r, quorum: q}
	}
	return out
}

// eachCount calls f with all counts of n upstream tasks.
func eachCount(n int, do func(s, f, u, k int)) {
	for s := range n + 1 {
		for f := range n - s + 1 {
			for u := range n - s - f + 1 {
				for k := range n - s - f - u + 1 {
					do(s, f, u, k)
				}
			}
		}
	}
}

func TestRulesTable(t *testing.T) {
	t.Parallel()
	const most = 4
	letters := map[engine.Verdict]string{
		engine.VerdictWait: ".", engine.VerdictRun: "R",
		engine.VerdictUpstreamFailed: "U", engine.VerdictSkipped: "K",
	}
	vs := variants(t)
	var b strings.Builder
	b.WriteString("R run, U upstream_failed, K skipped, . wait; n upstream tasks of which s f u k have ended\n\n")
	for i, v := range vs {
		fmt.Fprintf(&b, "%2d %s\n", i+1, v.name)
	}
	b.WriteString("\nn s f u k ")
	for i := range vs {
		fmt.Fprintf(&b, " %2d", i+1)
	}
	b.WriteString("\n")
	for n := range most + 1 {
		eachCount(n, func(s, f, u, k int) {
			fmt.Fprintf(&b, "%d %d %d %d %d ", n, s, f, u, k)
			for _, v := range vs {
				fmt.Fprintf(&b, "  %s", letters[engine.Evaluate(v.rule, n, s, f, u, k, v.quorum)])
			}
			b.WriteString("\n")
		})
	}
	golden(t, "testdata/rules.golden", b.String())
}

// Every verdict but "wait" stands whatever ends next, and when all upstream
// tasks have ended there is one: hence every order of ends leads to the same.
func TestVerdictsAreFinal(t *testing.T) {
	t.Parallel()
	const most = 7
	for _, v := range variants(t) {
		for n := 1; n <= most; n++ {
			eachCount(n, func(s, f, u, k int) {
				now := engine.Evaluate(v.rule, n, s, f, u, k, v.quorum)
				if s+f+u+k == n {
					require.NotEqual(t, engine.VerdictWait, now, "%s n=%d %d %d %d %d", v.name, n, s, f, u, k)
					return
				}
				if now == engine.VerdictWait {
					return
				}
				for _, later := range []engine.Verdict{
					engine.Evaluate(v.rule, n, s+1, f, u, k, v.quorum),
					engine.Evaluate(v.rule, n, s, f+1, u, k, v.quorum),
					engine.Evaluate(v.rule, n, s, f, u+1, k, v.quorum),
					engine.Evaluate(v.rule, n, s, f, u, k+1, v.quorum),
				} {
					require.Equal(t, now, later, "%s n=%d after %d %d %d %d", v.name, n, s, f, u, k)
				}
			})
		}
	}
}

func TestParseRuleRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []plan.Rule{"some_success", "quorum", "quorum()", "quorum(0)", "quorum(1.5)", "quorum(0.5, late)"} {
		_, _, err := engine.ParseRule(bad)
		require.Error(t, err, bad)
	}
	r, _, err := engine.ParseRule("")
	require.NoError(t, err)
	require.Equal(t, engine.RuleAllSuccess, r)
}

func TestRulesAreThePlansRules(t *testing.T) {
	t.Parallel()
	var names []plan.Rule
	for _, r := range engine.Rules() {
		if r != engine.RuleQuorum {
			names = append(names, plan.Rule(r.String()))
		}
	}
	require.Equal(t, plan.Rules(), names)
}
