package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// machine is a state machine seen through its exported functions.
type machine struct {
	states, events []string
	terminal       []bool
	next           func(state, event int) (string, bool)
}

func runMachine() machine {
	m := machine{next: func(s, e int) (string, bool) {
		to, err := engine.RunStates()[s].Next(engine.RunEvents()[e])
		return to.String(), err == nil
	}}
	for _, s := range engine.RunStates() {
		m.states = append(m.states, s.String())
		m.terminal = append(m.terminal, s.Terminal())
	}
	for _, e := range engine.RunEvents() {
		m.events = append(m.events, e.String())
	}
	return m
}

func taskMachine() machine {
	m := machine{next: func(s, e int) (string, bool) {
		to, err := engine.TaskStates()[s].Next(engine.TaskEvents()[e])
		return to.String(), err == nil
	}}
	for _, s := range engine.TaskStates() {
		m.states = append(m.states, s.String())
		m.terminal = append(m.terminal, s.Terminal())
	}
	for _, e := range engine.TaskEvents() {
		m.events = append(m.events, e.String())
	}
	return m
}

// table is the whole state × event table; a dot is a refusal.
func (m machine) table() string {
	var b strings.Builder
	for s, state := range m.states {
		for e, event := range m.events {
			to, ok := m.next(s, e)
			if !ok {
				to = "."
			}
			fmt.Fprintf(&b, "%-16s %-14s %s\n", state, event, to)
		}
	}
	return b.String()
}

// mermaid is the machine as a diagram. Arrows that change nothing are left out,
// and resets, which lead from every end to the beginning.
func (m machine) mermaid() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	fmt.Fprintf(&b, "    [*] --> %s\n", m.states[0])
	for s, state := range m.states {
		var order []string
		labels := map[string][]string{}
		for e, event := range m.events {
			if to, ok := m.next(s, e); ok && to != state && event != "reset" {
				if labels[to] == nil {
					order = append(order, to)
				}
				labels[to] = append(labels[to], event)
			}
		}
		for _, to := range order {
			fmt.Fprintf(&b, "    %s --> %s: %s\n", state, to, strings.Join(labels[to], ", "))
		}
		if m.terminal[s] {
			fmt.Fprintf(&b, "    %s --> [*]\n", state)
		}
	}
	b.WriteString("```\n")
	return b.String()
}

func TestMachineTables(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/run.golden", runMachine().table())
	golden(t, "testdata/task.golden", taskMachine().table())
}

func TestStatesPageIsFresh(t *testing.T) {
	t.Parallel()
	page := "# States\n\n" +
		"Generated from the tables of `controlplane/engine` by `go test ./controlplane/engine -update`; do not edit.\n\n" +
		"## Run\n\n" +
		"`force` ends every task within its own decision, so that `mains_done` and the end follow at once.\n" +
		"What a cancel, a force or a deadline finds already under way changes nothing and is not drawn.\n\n" +
		runMachine().mermaid() +
		"\n## Task\n\n" +
		"An `open` task is shown as ready, running or backoff: the tables `ready`, `lease` and `timer` say which.\n" +
		"A retry of the run takes ended tasks back to pending; these arrows are not drawn.\n\n" +
		taskMachine().mermaid()
	golden(t, "../../docs/states.md", page)
}

func TestRefusedTransitionsNameThemselves(t *testing.T) {
	t.Parallel()
	_, err := engine.RunSucceeded.Next(engine.RunEventCancel)
	var te *engine.TransitionError
	require.ErrorAs(t, err, &te)
	require.EqualError(t, err, "a run that is succeeded cannot cancel")
	_, err = engine.TaskSkipped.Next(engine.TaskEventRun)
	require.EqualError(t, err, "a task that is skipped cannot run")
}

// Terminal states are left by a retry only.
func TestTerminalStatesStay(t *testing.T) {
	t.Parallel()
	for _, s := range engine.RunStates() {
		for _, e := range engine.RunEvents() {
			to, err := s.Next(e)
			if s.Terminal() && err == nil && e != engine.RunEventRetry {
				require.Equal(t, s, to)
			}
		}
	}
	for _, s := range engine.TaskStates() {
		for _, e := range engine.TaskEvents() {
			_, err := s.Next(e)
			require.Equal(t, s.Terminal() && e == engine.TaskEventReset, s.Terminal() && err == nil)
		}
	}
}

// Every enum's text can be read back, and nothing else can.
func TestTextsRoundTrip(t *testing.T) {
	t.Parallel()
	roundTrip(t, engine.RunStates(), engine.ParseRunState)
	roundTrip(t, engine.TaskStates(), engine.ParseTaskState)
	roundTrip(t, engine.Kinds(), engine.ParseKind)
	roundTrip(t, engine.Outcomes(), engine.ParseOutcome)
	roundTrip(t, engine.Causes(), engine.ParseCause)
}

func roundTrip[E interface {
	comparable
	fmt.Stringer
}](t *testing.T, values []E, parse func(string) (E, error)) {
	t.Helper()
	for _, v := range values {
		got, err := parse(v.String())
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	_, err := parse("nonsense")
	require.Error(t, err)
}
