package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/report"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
	"github.com/signalboxhq/signalbox/loadtest/yardstick"
)

// result is a chain that does 10,000 steps a second on a machine that could do
// so many by hand.
func result(lifecycle, foreign float64) report.Result {
	return report.Result{
		Scenario: scenario.Scenario{Name: "w4", Title: "W4 chain", Workload: scenario.Chain},
		Driver:   "signalbox", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Machine:   report.Machine{Cores: 2, CPU: "c", Postgres: "PostgreSQL 15", Settings: map[string]string{"fsync": "on"}},
		Yardstick: yardstick.Yardstick{Commit: measure.Latency{P50: 200}, Inserts: 20_000, Lifecycle: lifecycle},
		Points: []report.Point{
			{Name: "1 at once", X: 1, Rate: 500, Steps: 500, Latencies: map[string]measure.Latency{"hop": {P50: 2500, P99: 9000, P999: 9900}}},
			{
				Name: "64 at once", X: 64, Rate: 10_000, Steps: 10_000, Latencies: map[string]measure.Latency{"hop": {P50: 5000, P99: 20_000, P999: 30_000}},
				Usage: measure.Usage{
					CPU:          map[string]float64{"server": 0.5, "postgres": 0.3, "agents1": 9},
					ForeignCores: foreign, WALBytes: 20_000_000, Writes: 600, RowsWritten: 46_000,
				},
			},
		},
	}
}

func figure(t *testing.T, rows []report.Row, workload, name string) report.Row {
	t.Helper()
	for _, r := range rows {
		if r.Workload == workload && r.Figure == name {
			return r
		}
	}
	require.Fail(t, "no such row", "%s, %s in %v", workload, name, rows)
	return report.Row{}
}

func TestBarsAreOfRatiosAndMedians(t *testing.T) {
	t.Parallel()
	rows := report.Rows([]report.Result{result(30_000, 0), result(40_000, 0), result(100_000, 0)})
	const at = "W4 chain, 64 at once"
	require.Equal(t, report.Row{
		Workload: at, Figure: "attempts", Absolute: "10000/s", Yardstick: "40000/s", Ratio: "0.25 L", Bar: "≥ 0.2 L", Holds: "yes",
	}, figure(t, rows, at, "attempts"))
	require.Equal(t, report.Row{
		Workload: "W4 chain, 1 at once", Figure: "hop p50", Absolute: "2500 µs", Yardstick: "200 µs", Ratio: "12.5 C", Bar: "≤ 12 C", Holds: "NO",
	}, figure(t, rows, "W4 chain, 1 at once", "hop p50"))
	require.Equal(t, "–", figure(t, rows, at, "hop p50").Bar)
	require.Equal(t, report.Row{
		Workload: at, Figure: "CPU of server and PostgreSQL per step", Absolute: "80 µs", Yardstick: "–", Ratio: "–", Bar: "≤ 90", Holds: "yes",
	}, figure(t, rows, at, "CPU of server and PostgreSQL per step"))
	require.Equal(t, "yes", figure(t, rows, at, "rows written per attempt").Holds)
	require.Equal(t, "NO", figure(t, rows, at, "writing commits per attempt").Holds)
}

func TestDisturbedFiguresAreMarked(t *testing.T) {
	t.Parallel()
	require.False(t, result(1, 0.3).Disturbed())
	var out strings.Builder
	require.NoError(t, report.Table(&out, []report.Result{result(30_000, 0.5)}))
	require.Contains(t, out.String(), "| ~10000/s |")
	require.Contains(t, out.String(), "| 2500 µs |")
	require.Contains(t, out.String(), "such a figure proves nothing")
}

func TestResultIsReadAsWritten(t *testing.T) {
	t.Parallel()
	r := result(30_000, 0.1)
	path, err := r.Write(t.TempDir())
	require.NoError(t, err)
	require.Equal(t, "w4-20260102T030405.json", filepath.Base(path))
	again, err := report.Read(path)
	require.NoError(t, err)
	require.Equal(t, r, again)
}

func TestCurvesAreDrawn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, report.Curves(dir, []report.Result{result(30_000, 0)}))
	for name, lines := range map[string]int{"w4-rate.svg": 1, "w4-latency.svg": 3} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, lines*2, strings.Count(string(content), "<circle"), name)
		require.NotContains(t, string(content), "NaN")
		decoder := xml.NewDecoder(strings.NewReader(string(content)))
		for err == nil {
			_, err = decoder.Token()
		}
		require.True(t, errors.Is(err, io.EOF), "%v", err)
	}
}

// bulk is a W1 of some rate under a condition.
func bulk(name, against string, points ...report.Point) report.Result {
	return report.Result{
		Scenario:  scenario.Scenario{Name: name, Title: name, Workload: scenario.Bulk, Against: against},
		Yardstick: yardstick.Yardstick{Lifecycle: 50_000}, Points: points,
	}
}

func TestShapesAndDisturbancesAreComparedWithTheirBase(t *testing.T) {
	t.Parallel()
	at := func(rate float64, c scenario.Condition) report.Point {
		return report.Point{Name: string(c), X: 4, Rate: rate, Condition: c}
	}
	rows := report.Rows([]report.Result{
		bulk("w1", "", at(10_000, scenario.Undisturbed)),
		bulk("w6", "w1", at(7000, scenario.Undisturbed)),
		bulk("w7", "", at(9000, scenario.Undisturbed), at(8000, scenario.Snapshot), at(10_000, scenario.Undisturbed), at(11_000, scenario.Undisturbed)),
	})
	shape := figure(t, rows, "w6, undisturbed", "steps, kept")
	require.Equal(t, []string{"10000/s", "0.7", "≥ 0.8", "NO"}, []string{shape.Yardstick, shape.Ratio, shape.Bar, shape.Holds})
	require.Equal(t, "–", figure(t, rows, "w6, undisturbed", "CPU of server and PostgreSQL per step, changed").Bar, "it has none")
	held := figure(t, rows, "w7, snapshot held", "steps, kept")
	require.Equal(t, []string{"10000/s", "0.8", "yes"}, []string{held.Yardstick, held.Ratio, held.Holds})
}

func TestAMapBesideMayDelayByAFifthOrByFiveMilliseconds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		alone, beside int64
		ratio, holds  string
	}{
		{3500, 7000, "2", "yes"},
		{3500, 9000, "2.57", "NO"},
		{50_000, 58_000, "1.16", "yes"},
		{50_000, 61_000, "1.22", "NO"},
	} {
		at := func(p95 int64, c scenario.Condition) report.Point {
			return report.Point{Name: string(c), X: 20, Condition: c, Latencies: map[string]measure.Latency{"start": {P95: p95}}}
		}
		rows := report.Rows([]report.Result{{
			Scenario: scenario.Scenario{Name: "w7", Title: "w7", Workload: scenario.Flood},
			Points:   []report.Point{at(c.alone, scenario.Undisturbed), at(c.beside, scenario.BesideMap)},
		}})
		grown := figure(t, rows, "w7, beside a map", "submit to start p95, grown")
		require.Equal(t, []string{c.ratio, "≤ 1.20 or +5000 µs", c.holds}, []string{grown.Ratio, grown.Bar, grown.Holds})
	}
}
