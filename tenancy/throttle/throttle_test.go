package throttle_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/tenancy/throttle"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func TestDelayGrows(t *testing.T) {
	t.Parallel()
	rule := throttle.Rule{Free: 2, First: time.Second, Max: 10 * time.Second, Forget: time.Hour}
	var waits []time.Duration
	for failures := range 8 {
		waits = append(waits, rule.Wait(throttle.Count{Failures: failures, TriedAt: noon}, noon))
	}
	s := time.Second
	require.Equal(t, []time.Duration{0, 0, s, 2 * s, 4 * s, 8 * s, 10 * s, 10 * s}, waits)
}

func TestTimePasses(t *testing.T) {
	t.Parallel()
	rule := throttle.Rule{Free: 0, First: time.Second, Max: time.Minute, Forget: time.Hour}
	c := throttle.Count{Failures: 3, TriedAt: noon}
	require.Equal(t, 5*time.Second, rule.Wait(c, noon.Add(3*time.Second)))
	require.Zero(t, rule.Wait(c, noon.Add(8*time.Second)))
	require.Equal(t, 4, rule.Next(c, noon.Add(time.Minute)))
	require.Equal(t, 1, rule.Next(c, noon.Add(time.Hour)), "forgotten")
	require.Zero(t, rule.Wait(throttle.Count{}, noon), "never tried")
}

func TestAccountAloneNeverWaitsLong(t *testing.T) {
	t.Parallel()
	c := throttle.Count{Failures: 1 << 30, TriedAt: noon}
	require.Equal(t, 30*time.Second, throttle.SignInAccount.Wait(c, noon))
	require.Equal(t, 15*time.Minute, throttle.SignInPair.Wait(c, noon))
}

func TestWaitIsBoundedAndGrows(t *testing.T) {
	t.Parallel()
	rules := []throttle.Rule{throttle.SignInPair, throttle.SignInAddress, throttle.SignInAccount, throttle.SignUpAddress, throttle.MailTo}
	rapid.Check(t, func(t *rapid.T) {
		rule := rapid.SampledFrom(rules).Draw(t, "rule")
		failures := rapid.IntRange(0, 1<<30).Draw(t, "failures")
		passed := time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "passed"))
		wait := rule.Wait(throttle.Count{Failures: failures, TriedAt: noon}, noon.Add(passed))
		require.GreaterOrEqual(t, wait, time.Duration(0))
		require.LessOrEqual(t, wait, rule.Max)
		more := rule.Wait(throttle.Count{Failures: failures + 1, TriedAt: noon}, noon.Add(passed))
		require.GreaterOrEqual(t, more, wait)
	})
}

func TestKeysDiffer(t *testing.T) {
	t.Parallel()
	require.Len(t, throttle.Key("a"), 32)
	require.NotEqual(t, throttle.Key("a", "bc"), throttle.Key("a", "b", "c"))
	require.NotEqual(t, throttle.Key("a", "b"), throttle.Key("ab"))
	require.Equal(t, throttle.Key("a", "b"), throttle.Key("a", "b"))
}

func TestAddressesOfOneCustomerAreOne(t *testing.T) {
	t.Parallel()
	require.Equal(t, "192.0.2.1", throttle.Address("192.0.2.1"))
	require.Equal(t, "192.0.2.1", throttle.Address("::ffff:192.0.2.1"))
	require.Equal(t, throttle.Address("2001:db8:1:2::1"), throttle.Address("2001:db8:1:2:ffff::9"))
	require.NotEqual(t, throttle.Address("2001:db8:1:2::1"), throttle.Address("2001:db8:1:3::1"))
	require.Equal(t, "", throttle.Address(""))
}
