package fault_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
)

func TestFaultIsFoundThroughWrapping(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("start run: %w", fault.Conflict("STALE_FENCE", "the lease of attempt %d is gone", 3))

	f, ok := fault.As(err)
	require.True(t, ok)
	require.Equal(t, "the lease of attempt 3 is gone", f.Text)
	require.Equal(t, fault.KindConflict, fault.KindOf(err))
	require.Equal(t, fault.Reason("STALE_FENCE"), fault.ReasonOf(err))
}

func TestOtherErrorsAreInternal(t *testing.T) {
	t.Parallel()
	require.Equal(t, fault.KindInternal, fault.KindOf(io.EOF))
	require.Equal(t, fault.KindNone, fault.KindOf(nil))
	require.Empty(t, fault.ReasonOf(io.EOF))
}

func TestCauseIsForTheLogOnly(t *testing.T) {
	t.Parallel()
	plain := fault.Unavailable("DATABASE_DOWN", "try again in a moment")
	err := plain.Because(io.ErrUnexpectedEOF)

	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, "try again in a moment", err.Text)
	require.Equal(t, "try again in a moment: unexpected EOF", err.Error())
	require.NoError(t, plain.Unwrap(), "Because copies")
}

func TestIsComparesKindAndReason(t *testing.T) {
	t.Parallel()
	errTaken := fault.AlreadyExists("SLUG_TAKEN", "taken")
	require.ErrorIs(t, fmt.Errorf("create: %w", fault.AlreadyExists("SLUG_TAKEN", "the name %q is taken", "ml").Because(io.EOF)), errTaken)
	require.NotErrorIs(t, fault.AlreadyExists("KEY_TAKEN", "taken"), errTaken)
	require.NotErrorIs(t, io.EOF, errTaken)
}

func TestViolationsAreCopied(t *testing.T) {
	t.Parallel()
	base := fault.Invalid("INVALID_PIPELINE", "the pipeline has errors")
	one := base.With(fault.Violation{Path: "tasks.a", Text: "a"})
	two := one.With(fault.Violation{Path: "tasks.b", Text: "b"})
	require.Empty(t, base.Violations)
	require.Len(t, one.Violations, 1)
	require.Len(t, two.Violations, 2)
}

func TestEveryKindHasItsName(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range fault.Kinds() {
		require.NotEqual(t, "unknown", k.String())
		require.False(t, seen[k.String()], "two kinds are called %s", k)
		seen[k.String()] = true
	}
}

func TestNotFoundNamesWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	require.Equal(t, `there is no run "run_1"`, fault.NotFound("run", "run_1").Text)
}
