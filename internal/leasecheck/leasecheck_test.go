package leasecheck_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/leasecheck"
)

// op makes an operation that lasts from one moment to another, in seconds.
func op(kind leasecheck.Kind, lease int64, answer leasecheck.Answer, from, to int) leasecheck.Op {
	return leasecheck.Op{Kind: kind, Lease: lease, Answer: answer, Call: time.Duration(from) * time.Second, Return: time.Duration(to) * time.Second}
}

func TestHistories(t *testing.T) {
	t.Parallel()
	const (
		grant, report, lose, force     = leasecheck.Grant, leasecheck.Report, leasecheck.Lose, leasecheck.Force
		unknown, accepted, stale, done = leasecheck.Unknown, leasecheck.Accepted, leasecheck.Stale, leasecheck.Done
	)
	for name, c := range map[string]struct {
		ops []leasecheck.Op
		ok  bool
	}{
		"a life":                {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(report, 1, accepted, 2, 3)}, true},
		"reported twice":        {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(report, 1, accepted, 2, 3), op(report, 1, accepted, 4, 5)}, true},
		"lost, then another's":  {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(lose, 1, done, 2, 3), op(grant, 2, done, 4, 5), op(report, 1, stale, 6, 7), op(report, 2, accepted, 6, 7)}, true},
		"its answer was lost":   {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(report, 1, unknown, 2, 3), op(grant, 2, done, 4, 5)}, true},
		"late, and beside":      {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(report, 1, accepted, 2, 9), op(lose, 1, done, 3, 4)}, true},
		"by force":              {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(force, 0, done, 2, 3), op(report, 1, stale, 4, 5)}, true},
		"nobody saw the first":  {[]leasecheck.Op{op(grant, 1, unknown, 0, 0), op(lose, 1, done, 2, 3), op(grant, 2, done, 4, 5)}, true},
		"two at once":           {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(grant, 2, done, 2, 3)}, false},
		"two ends":              {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(report, 1, accepted, 2, 3), op(report, 1, stale, 4, 5)}, false},
		"accepted when lost":    {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(lose, 1, done, 2, 3), op(grant, 2, done, 4, 5), op(report, 1, accepted, 6, 7)}, false},
		"refused while it held": {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(report, 1, stale, 2, 3), op(report, 1, accepted, 4, 5)}, false},
		"given after its end":   {[]leasecheck.Op{op(grant, 1, done, 0, 1), op(report, 1, accepted, 2, 3), op(grant, 1, done, 4, 5)}, false},
		"reported ungiven":      {[]leasecheck.Op{op(report, 1, accepted, 2, 3), op(grant, 1, done, 4, 5)}, false},
	} {
		var h leasecheck.History
		for _, o := range c.ops {
			if o.Kind == force {
				h.AddForce([16]byte{1}, o)
			} else {
				h.Add(leasecheck.Task{Run: [16]byte{1}, Task: 3}, o)
			}
		}
		err := h.Check(time.Minute)
		if c.ok {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, "no register has this history", name)
		}
	}
}
