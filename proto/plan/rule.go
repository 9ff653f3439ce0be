package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The trigger rules of model.md §4 that have no argument. The thirteenth is
// `quorum(q)`; see [Rule.Quorum]. The compiler writes [RuleAllSuccess] as the
// empty rule, so that leaving out the default does not change a digest.
const (
	RuleAllSuccess              Rule = "all_success"
	RuleAllFailed               Rule = "all_failed"
	RuleAllDone                 Rule = "all_done"
	RuleAllSkipped              Rule = "all_skipped"
	RuleOneSuccess              Rule = "one_success"
	RuleOneFailed               Rule = "one_failed"
	RuleOneDone                 Rule = "one_done"
	RuleNoneFailed              Rule = "none_failed"
	RuleNoneFailedMinOneSuccess Rule = "none_failed_min_one_success"
	RuleNoneSkipped             Rule = "none_skipped"
	RuleAllDoneMinOneSuccess    Rule = "all_done_min_one_success"
	RuleAlways                  Rule = "always"
)

// A quorum's share is kept in thousandths, so that no float decides a run.
const (
	quorumDecimals       = 3
	quorumScale    int64 = 1000
)

var plainRules = []Rule{
	RuleAllSuccess, RuleAllFailed, RuleAllDone, RuleAllSkipped, RuleOneSuccess, RuleOneFailed,
	RuleOneDone, RuleNoneFailed, RuleNoneFailedMinOneSuccess, RuleNoneSkipped,
	RuleAllDoneMinOneSuccess, RuleAlways,
}

// quorumPattern is the one spelling of a quorum: a share of at most three
// decimals, and `early` for a task that does not wait for the stragglers.
var quorumPattern = regexp.MustCompile(`^quorum\((0\.\d{1,3}|1|1\.0{1,3})(, ?early)?\)$`)

// Rules returns the rules without an argument, in the order of model.md §4.
func Rules() []Rule { return append([]Rule(nil), plainRules...) }

// Quorum is the argument of a quorum rule: the task runs when at least
// max(1, ⌈Milli·n/1000⌉) of its n upstream tasks have succeeded; with Early it
// does not wait for the rest to end.
type Quorum struct {
	Milli int64 // 800 = 0.8
	Early bool
}

// Need is the number of upstream tasks, out of n, that must succeed.
func (q Quorum) Need(n int) int {
	need := (q.Milli*int64(n) + quorumScale - 1) / quorumScale
	return int(max(1, need))
}

// Quorum returns the argument of a `quorum(…)` rule; false for any other rule.
func (r Rule) Quorum() (Quorum, bool) {
	m := quorumPattern.FindStringSubmatch(string(r))
	if m == nil {
		return Quorum{}, false
	}
	whole, decimals, _ := strings.Cut(m[1], ".")
	decimals += strings.Repeat("0", quorumDecimals-len(decimals))
	milli, err := strconv.ParseInt(whole+decimals, 10, 64)
	if err != nil || milli == 0 {
		return Quorum{}, false
	}
	return Quorum{Milli: milli, Early: m[2] != ""}, true
}

// Check reports a rule that model.md §4 does not know. The empty rule is
// all_success.
func (r Rule) Check() error {
	if r == "" {
		return nil
	}
	if _, ok := r.Quorum(); ok || slices.Contains(plainRules, r) {
		return nil
	}
	return fmt.Errorf("%q is no trigger rule; a quorum is written quorum(0.8)", string(r))
}
