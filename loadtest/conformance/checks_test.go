package conformance_test

import "slices"

// checks are all of them, in the order of the capabilities. Where the pages that
// describe these spell a command or a key differently, the program's spelling holds.
func checks() []check {
	return slices.Concat(
		flowChecks(), mapChecks(), ruleChecks(), exitChecks(), nestedChecks(), retryChecks(), crashChecks(), clockChecks(),
		resumeChecks(), scheduleChecks(), heldChecks(), turnChecks(), shareChecks(), policyChecks(), gangChecks(), travelChecks(),
	)
}
