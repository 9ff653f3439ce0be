package scenario_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/loadtest/scenario"
)

func TestScenarioFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../scenarios/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		s, err := scenario.Load(f)
		require.NoError(t, err)
		require.NotEmpty(t, s.Title, f)
		require.Equal(t, s.Name+".yaml", filepath.Base(f))
		require.Equal(t, 200, s.SpecBytes, f)
		require.Equal(t, 60, s.ResultBytes, f)
	}
}

func TestScenariosAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"workload: bulk\nstep: 4":                             "field step not found",
		"workload: bulky":                                     `workload "bulky" is none of`,
		"workload: bulk":                                      "bulk needs steps, width and at_once",
		"workload: chain\ntenants: 0":                         "tenants must be positive",
		"workload: latency\nwarmup: 5":                        "missing unit",
		"workload: fan\nwidth: 3\nat_once: [1]\nduration: 1s": "agents.count must be positive",
	} {
		_, err := scenario.Parse([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestScaled(t *testing.T) {
	t.Parallel()
	s := scenario.Scenario{Steps: 1000, Duration: scenario.Duration(4 * time.Second)}.Scaled(0.5)
	require.Equal(t, 500, s.Steps)
	require.Equal(t, scenario.Duration(2*time.Second), s.Duration)
}
