package deptest_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

var (
	constructed = regexp.MustCompile(`fault\.(?:Invalid|Unauthenticated|PermissionDenied|FailedPrecondition|AlreadyExists|Conflict|ResourceExhausted|Unavailable|Internal)\(\s*"([^"]*)"`)
	declared    = regexp.MustCompile(`fault\.Reason\s*=\s*"([^"]*)"|fault\.Reason\("([^"]*)"\)`)
)

// TestReasonsOfFaultsAreInTheContract holds the two lists together: a reason
// that the contract lacks would reach clients as "unspecified".
func TestReasonsOfFaultsAreInTheContract(t *testing.T) {
	t.Parallel()
	known := func(path, reason string) {
		require.Contains(t, faultv1.Reason_value, "REASON_"+reason, "%s: add it to proto/signalbox/fault/v1/fault.proto", path)
	}
	known("internal/fault", string(fault.ReasonNotFound))
	found := 0
	sources(t, func(path string, text []byte) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, m := range constructed.FindAllSubmatch(text, -1) {
			known(path, string(m[1]))
			found++
		}
		for _, m := range declared.FindAllSubmatch(text, -1) {
			known(path, string(m[1])+string(m[2]))
			found++
		}
	})
	require.NotZero(t, found)
}
