package advance

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

func startOf(org id.UUID) *request { return newRequest(StartRun{Org: org}) }

// One organization's ten thousand commands do not stand before another's one.
func TestOrganizationsTakeTurns(t *testing.T) {
	t.Parallel()
	q := newQueue()
	loud, quiet, third := id.New(), id.New(), id.New()
	for range 2500 {
		require.NoError(t, q.add(startOf(loud)))
	}
	require.NoError(t, q.add(startOf(quiet)))
	require.NoError(t, q.add(startOf(quiet)))
	require.NoError(t, q.add(startOf(third)))
	batch := q.take(t.Context())
	require.Equal(t, fullShare+3, len(batch), "nobody waits for the loud one")
	var first []id.UUID
	for _, r := range batch[:5] {
		first = append(first, r.org())
	}
	require.Equal(t, []id.UUID{loud, quiet, third, loud, quiet}, first)
	require.Equal(t, fullShare, len(q.take(t.Context())))
	other := id.New()
	for range 2500 {
		require.NoError(t, q.add(startOf(other)))
	}
	both := map[id.UUID]int{}
	for _, r := range q.take(t.Context()) {
		both[r.org()]++
	}
	require.Equal(t, map[id.UUID]int{loud: fullShare / 2, other: fullShare / 2}, both, "they share")
	q.loads, q.sharedAt = map[id.UUID]load{}, time.Time{}
	require.Equal(t, maxCommands, len(q.take(t.Context())), "alone")
}

func TestWhoHasLittleToDoBoundsTheOthers(t *testing.T) {
	t.Parallel()
	q := newQueue()
	now := time.Unix(1000, 0)
	loud, quiet := startOf(id.New()), startOf(id.New())
	loud.rows = lightLoad
	q.note(loud.org(), loud, now)
	require.Equal(t, math.MaxInt, q.share(now))
	poll := newRequest(Poll{Org: quiet.org()})
	q.note(quiet.org(), poll, now)
	require.Equal(t, math.MaxInt, q.share(now.Add(shareFor)), "an agent that waits is in no hurry")
	q.note(quiet.org(), quiet, now)
	require.Equal(t, fullShare, q.share(now.Add(2*shareFor)))
	require.Equal(t, fullShare, q.share(now.Add(time.Second)))
	require.Equal(t, math.MaxInt, q.share(now.Add(2*time.Second)))
	require.Empty(t, q.loads)
	q.note(quiet.org(), loud, now.Add(3*time.Second))
	q.note(loud.org(), loud, now.Add(3*time.Second))
	require.Equal(t, math.MaxInt, q.share(now.Add(3*time.Second)), "both are loud")
}

func TestOneOrganizationCannotFillTheQueue(t *testing.T) {
	t.Parallel()
	q := newQueue()
	loud, quiet := id.New(), id.New()
	n := 0
	for q.add(startOf(loud)) == nil {
		n++
	}
	require.Equal(t, queueLength/2, n)
	require.NoError(t, q.add(startOf(quiet)))
	require.Error(t, q.add(startOf(loud)))
	q.close()
	require.Error(t, q.add(startOf(quiet)))
	require.Zero(t, q.total)
}

func TestABatchIsBoundedByWhatItWrites(t *testing.T) {
	t.Parallel()
	q := newQueue()
	org := id.New()
	heavy := func(rows, bytes int) {
		r := startOf(org)
		r.rows, r.bytes = rows, bytes
		require.NoError(t, q.add(r))
	}
	heavy(maxRows+1, 0)
	heavy(maxRows-1, 0)
	heavy(1, 0)
	heavy(1, maxBytes)
	heavy(1, 1)
	heavy(1, maxBytes+1)
	var sizes []int
	for q.total > 0 {
		sizes = append(sizes, len(q.take(t.Context())))
	}
	require.Equal(t, []int{1, 2, 1, 1, 1}, sizes)
}

// A flood of notifications is one look.
func TestLooksAreMerged(t *testing.T) {
	t.Parallel()
	q := newQueue()
	org, pool := id.New(), id.New()
	for class := range int64(100) {
		q.look(look{org: org, pool: pool, classes: map[int64]Requirement{class: {}}, depth: int32(class)})
	}
	batch := q.take(t.Context())
	require.Len(t, batch, 1)
	require.Len(t, batch[0].cmd.(look).classes, 100)
	require.Zero(t, batch[0].cmd.(look).depth)
	q.look(look{org: org, pool: pool, classes: map[int64]Requirement{1: {}}})
	q.look(look{org: org, pool: pool})
	require.Nil(t, q.take(t.Context())[0].cmd.(look).classes, "anything")
}

func TestARequestIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	r := startOf(id.New())
	r.answer(1, nil)
	r.answer(2, nil)
	require.Equal(t, 1, (<-r.done).value)
	require.Empty(t, r.done)
}

// A map takes what is left of a batch, and all of it where nobody waits.
func TestAMapTakesWhatIsLeft(t *testing.T) {
	t.Parallel()
	q := newQueue()
	loud, quiet := id.New(), id.New()
	grow := newRequest(Due{RunKey: RunKey{Org: loud}, Kind: engine.TimerExpand.String()})
	require.NoError(t, q.add(grow))
	require.Equal(t, engine.Chunk, int(q.take(t.Context())[0].items))
	q.note(loud, &request{rows: lightLoad}, time.Now())
	q.sharedAt = time.Time{}
	require.NoError(t, q.add(startOf(quiet)))
	report := newRequest(Report{Org: loud, Reports: make([]AttemptReport, 10)})
	require.NoError(t, q.add(report))
	require.NoError(t, q.add(grow))
	require.Len(t, q.take(t.Context()), 3)
	require.Equal(t, fullShare-report.rows-1, int(grow.items))
	require.Equal(t, 1+int(grow.items), grow.rows)
}
